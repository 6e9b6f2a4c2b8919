"""Metrics are what Prometheus reads, by the names that dashboards of Triton know."""

import re
from itertools import pairwise

from lighten.serve.metrics import FINE, SECONDS, Counts, Family, Gauges, Histogram, Written, exposition, labels_of

LINE = re.compile(r'[a-zA-Z_:][a-zA-Z0-9_:]*(\{[a-z]+="([^"\\]|\\.)*"(,[a-z_]+="([^"\\]|\\.)*")*\})? [0-9.e+-]+')
"""A sample in the text format."""


def told() -> str:
    counts = Counts(answered=3, failed=1, inputs=5, batches=2, cancelled=1, request=0.5, queue=0.1, compute=0.25)
    counts.refused.update(["overloaded", "overloaded", "unusable"])
    counts.latency.add(0.003)
    counts.wait.add(0.002)
    now = Gauges(waiting=4, work=99, running=1, states={"ready": 1}, restarts=2, open=6, load=1.5)
    more = [Family("lighten_more_total", "counter", "More.", [('kind="a"', 2.0), ('kind="b"', 0.0)])]
    return exposition([('re"views', "1", counts, now)], {"not_found": 7}, True, more)


def test_every_line_can_be_read_and_every_family_is_described_once() -> None:
    lines = told().splitlines()
    samples = [line for line in lines if not line.startswith("#")]
    assert all(LINE.fullmatch(line) for line in samples)
    described = [line.split()[2] for line in lines if line.startswith("# TYPE")]
    assert len(described) == len(set(described))
    for name in {re.split(r"[{ ]", line)[0] for line in samples}:
        assert name in described or re.sub(r"_(bucket|sum|count)$", "", name) in described


def test_what_was_counted_stands_under_the_known_names() -> None:
    text, at = told(), 'model="re\\"views",version="1"'
    for line in (
        f"nv_inference_request_success{{{at}}} 3",
        f"nv_inference_count{{{at}}} 5",
        f"nv_inference_exec_count{{{at}}} 2",
        f"nv_inference_queue_duration_us{{{at}}} 100000",
        f'nv_inference_request_failure{{{at},reason="OTHER"}} 1',
        f"nv_inference_pending_request_count{{{at}}} 4",
        f'lighten_refused_total{{{at},code="overloaded"}} 2',
        'lighten_refused_total{model="",version="",code="not_found"} 7',
        f'lighten_replicas{{{at},state="ready"}} 1',
        f"lighten_requests_open{{{at}}} 6",
        f"nv_model_load_duration_secs{{{at}}} 1.5",
        f'lighten_queue_seconds_bucket{{{at},le="0.0025"}} 1',
        'lighten_more_total{kind="a"} 2',
        "lighten_ready 1",
    ):
        assert line in text.splitlines(), line


def test_models_that_write_are_counted_in_tokens_by_vllms_names() -> None:
    counts = Counts(written=Written(prompted=40, tokens=12))
    assert counts.written is not None
    counts.written.first.add(0.02)
    counts.written.ended["abort"] += 1
    counts.latency.add(0.5)
    now = Gauges(0, 0, 0, {}, 0, streams=2, streams_waiting=1, tokens_waiting=77)
    lines = exposition([("m", "1", counts, now), ("other", "1", Counts(), now)], {}, True).splitlines()
    at = 'model="m",version="1",model_name="m"'
    for line in (
        f"vllm:prompt_tokens_total{{{at}}} 40",
        f"vllm:generation_tokens_total{{{at}}} 12",
        f"vllm:num_requests_running{{{at}}} 2",
        f"vllm:num_requests_waiting{{{at}}} 1",
        f"lighten_waiting_tokens{{{at}}} 77",
        f"vllm:time_to_first_token_seconds_count{{{at}}} 1",
        f"vllm:request_time_per_output_token_seconds_count{{{at}}} 0",
        f"vllm:inter_token_latency_seconds_count{{{at}}} 0",
        f"vllm:e2e_request_latency_seconds_sum{{{at}}} 0.5",
        f'vllm:request_success_total{{{at},finished_reason="abort"}} 1',
    ):
        assert line in lines, line
    assert all(LINE.fullmatch(line) for line in lines if not line.startswith("#"))
    assert not any("vllm" in line and "other" in line for line in lines) and "vllm" not in told()


def test_buckets_add_up() -> None:
    histogram = Histogram((1.0, 2.0))
    for value in (0.5, 1.0, 1.5, 9.0):
        histogram.add(value)
    assert list(histogram.lines("x", 'a="b"')) == [
        'x_bucket{a="b",le="1"} 2',
        'x_bucket{a="b",le="2"} 3',
        'x_bucket{a="b",le="+Inf"} 4',
        'x_sum{a="b"} 12',
        'x_count{a="b"} 4',
    ]


def test_parts_of_buckets_add_up_to_them_and_tell_quantiles() -> None:
    whole, fine = Histogram(SECONDS), Histogram(SECONDS, FINE)
    values = [0.0007 * 1.02**step for step in range(600)]
    for value in values:
        whole.add(value)
        fine.add(value)
    assert list(fine.lines("x", 'a="b"')) == list(whole.lines("x", 'a="b"'))
    assert len(fine.edges) == FINE * len(SECONDS) and fine.edges[FINE - 1 :: FINE] == SECONDS
    ratios = [high / low for low, high in pairwise(edge for edge in fine.edges if edge >= SECONDS[0])]
    assert max(ratios) < 1.075  # what is said of quantiles


def test_names_of_models_cannot_break_out_of_their_labels() -> None:
    assert labels_of('a"b\\c\nd', "1") == 'model="a\\"b\\\\c\\nd",version="1"'
