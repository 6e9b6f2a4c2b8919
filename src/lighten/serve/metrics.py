"""Metrics: what a server counts, in the text format of Prometheus, by the names that dashboards know.

Families that begin with ``nv_inference_`` mean what Triton's mean, times in microseconds; those that begin with
``vllm:``, of models that write, what vLLM's mean; the others are lighten's own.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
TOKEN_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.02, 0.04, 0.08, 0.15, 0.3, 0.5, 1.0, 2.5)
INPUTS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 1024.0)
TOKENS = (1.0, 4.0, 16.0, 64.0, 128.0, 256.0, 512.0, 1024.0, 2048.0, 4096.0, 8192.0, 32768.0)
"""Upper bounds of the buckets of histograms."""
FINE = 16
"""Parts of a bucket of latencies, from whose counts quantiles are known to within 7 % from a millisecond on."""


class Histogram:
    """How often a value was at most each of some bounds.

    Args:
        parts: into which each bucket is divided, for who wants quantiles; Prometheus hears of whole buckets.

    Attributes:
        edges: upper bounds of the parts. counts: of each, and of what is above them all. total: of all values.
    """

    def __init__(self, bounds: Sequence[float], parts: int = 1) -> None:
        self.bounds, self.parts = bounds, parts
        self.edges = divided(tuple(bounds), parts)
        self.counts = [0] * (len(self.edges) + 1)
        self.total = 0.0

    def add(self, value: float) -> None:
        """One more value."""
        self.counts[bisect_left(self.edges, value)] += 1
        self.total += value

    def lines(self, name: str, labels: str) -> Iterator[str]:
        """As Prometheus reads it. labels: without braces."""
        held = 0
        for place, bound in enumerate((*(f"{bound:g}" for bound in self.bounds), "+Inf")):
            held += sum(self.counts[place * self.parts : (place + 1) * self.parts])
            yield f'{name}_bucket{{{labels},le="{bound}"}} {held}'
        yield f"{name}_sum{{{labels}}} {self.total:.9g}"
        yield f"{name}_count{{{labels}}} {held}"


@cache
def divided(bounds: tuple[float, ...], parts: int) -> tuple[float, ...]:
    """Bounds with as many edges between them that each bucket has so many parts, all of the same ratio; the first
    bucket, which has no lower bound, is divided as though it had one at a tenth.

    >>> divided((1.0, 4.0), 2)
    (0.31622776601683794, 1.0, 2.0, 4.0)
    """
    found: list[float] = []
    for low, high in pairwise((bounds[0] / 10, *bounds)):
        found += [low * (high / low) ** (part / parts) for part in range(1, parts)]
        found.append(high)
    return tuple(found)


@dataclass
class Written:
    """What is counted of what a model writes.

    Attributes:
        prompted, tokens: tokens of prompts that were read and of answers, as they come.
        ended: answers by why they are over, as OpenAI has it; ``abort`` for those that nobody waited for.
        first, each, between: seconds until the first token of an answer, on average until each further one, and between
            any two. wait, reading, writing: seconds that answers waited, until their first token from then on, and
            from that to the last. prompt, answer: tokens of each.
    """

    prompted: int = 0
    tokens: int = 0
    ended: Counter[str] = field(default_factory=Counter)
    first: Histogram = field(default_factory=lambda: Histogram(SECONDS, FINE))
    each: Histogram = field(default_factory=lambda: Histogram(TOKEN_SECONDS))
    between: Histogram = field(default_factory=lambda: Histogram(TOKEN_SECONDS))
    wait: Histogram = field(default_factory=lambda: Histogram(SECONDS))
    reading: Histogram = field(default_factory=lambda: Histogram(SECONDS))
    writing: Histogram = field(default_factory=lambda: Histogram(SECONDS))
    prompt: Histogram = field(default_factory=lambda: Histogram(TOKENS))
    answer: Histogram = field(default_factory=lambda: Histogram(TOKENS))


@dataclass
class Counts:
    """What is counted of one version of a model.

    Attributes:
        answered, failed: requests. inputs: that were answered. batches: that were asked. cancelled: requests whose
            client went away. refused: requests by the code of their refusal.
        request, queue, compute: seconds of all requests, of their waiting, and of the batches.
        latency, wait, batch: seconds of requests and of their waiting, inputs of batches. written: of a model that
            writes.
    """

    answered: int = 0
    failed: int = 0
    inputs: int = 0
    batches: int = 0
    cancelled: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    request: float = 0.0
    queue: float = 0.0
    compute: float = 0.0
    latency: Histogram = field(default_factory=lambda: Histogram(SECONDS, FINE))
    wait: Histogram = field(default_factory=lambda: Histogram(SECONDS))
    batch: Histogram = field(default_factory=lambda: Histogram(INPUTS))
    written: Written | None = None


@dataclass(frozen=True, slots=True)
class Gauges:
    """How it stands with one version of a model now: pieces and work that wait, batches that run, replicas by state,
    how often one of them began anew, requests on their way, and seconds that it took to load; and of one that writes,
    the streams that run and wait, the tokens of these, and the requests whose conversations, texts or schemas are still
    being read."""

    waiting: int
    work: int
    running: int
    states: Mapping[str, int]
    restarts: int
    streams: int = 0
    streams_waiting: int = 0
    tokens_waiting: int = 0
    open: int = 0
    load: float = 0.0
    preparing: int = 0


COUNTED: Sequence[tuple[str, str, Callable[[Counts], float]]] = (
    ("nv_inference_request_success", "Requests that were answered.", lambda c: c.answered),
    ("nv_inference_count", "Inputs that were answered.", lambda c: c.inputs),
    ("nv_inference_exec_count", "Batches that were asked.", lambda c: c.batches),
    ("nv_inference_request_duration_us", "Microseconds of all requests.", lambda c: round(c.request * 1e6)),
    ("nv_inference_queue_duration_us", "Microseconds that requests waited.", lambda c: round(c.queue * 1e6)),
    ("nv_inference_compute_infer_duration_us", "Microseconds of all batches.", lambda c: round(c.compute * 1e6)),
    ("lighten_cancelled_total", "Requests whose client went away.", lambda c: c.cancelled),
)
"""Counters: name, what it is, where it stands."""
GAUGED: Sequence[tuple[str, str, Callable[[Gauges], float]]] = (
    ("nv_inference_pending_request_count", "Pieces of requests that wait.", lambda g: g.waiting),
    ("lighten_queue_work", "Work that waits, in units of size.", lambda g: g.work),
    ("lighten_batches_running", "Batches that are being answered.", lambda g: g.running),
    ("lighten_requests_open", "Requests that are on their way.", lambda g: g.open),
    ("nv_model_load_duration_secs", "Seconds that it took to load.", lambda g: g.load),
)
SPREAD: Sequence[tuple[str, str, Callable[[Counts], Histogram]]] = (
    ("lighten_request_seconds", "Seconds of requests that were answered.", lambda c: c.latency),
    ("lighten_queue_seconds", "Seconds that requests waited until they were begun with.", lambda c: c.wait),
    ("lighten_batch_inputs", "Inputs of batches.", lambda c: c.batch),
)
"""Gauges and histograms, likewise."""
WRITTEN_COUNTED: Sequence[tuple[str, str, Callable[[Written], float]]] = (
    ("vllm:prompt_tokens_total", "Tokens of prompts that were read.", lambda w: w.prompted),
    ("vllm:generation_tokens_total", "Tokens of answers.", lambda w: w.tokens),
)
WRITTEN_GAUGED: Sequence[tuple[str, str, Callable[[Gauges], float]]] = (
    ("vllm:num_requests_running", "Answers that are being written.", lambda g: g.streams),
    ("vllm:num_requests_waiting", "Answers that wait to be written.", lambda g: g.streams_waiting),
    ("lighten_waiting_tokens", "Tokens of prompts and answers that wait.", lambda g: g.tokens_waiting),
    ("lighten_preparing", "Requests that are being read, before they may wait.", lambda g: g.preparing),
)
WRITTEN_SPREAD: Sequence[tuple[str, str, Callable[[Written], Histogram]]] = (
    ("vllm:time_to_first_token_seconds", "Seconds until the first token of an answer.", lambda w: w.first),
    (
        "vllm:request_time_per_output_token_seconds",
        "Seconds of each further token, on average of each answer: one value for an answer.",
        lambda w: w.each,
    ),
    ("vllm:inter_token_latency_seconds", "Seconds between two tokens of an answer.", lambda w: w.between),
    ("vllm:request_queue_time_seconds", "Seconds that answers waited.", lambda w: w.wait),
    ("vllm:request_prefill_time_seconds", "Seconds in which prompts were read.", lambda w: w.reading),
    ("vllm:request_decode_time_seconds", "Seconds from the first token of an answer to its last.", lambda w: w.writing),
    ("vllm:request_prompt_tokens", "Tokens of prompts.", lambda w: w.prompt),
    ("vllm:request_generation_tokens", "Tokens of answers that are over.", lambda w: w.answer),
)
"""The same of models that write."""

Sample = tuple[str, str, Counts, Gauges]
"""Name and version of a model, what was counted, how it stands."""


@dataclass(frozen=True, slots=True)
class Family:
    """One more metric.

    Attributes:
        name, kind, told: of the metric, ``counter`` or ``gauge``, and what it is. values: labels without braces, each
            with where it stands.
    """

    name: str
    kind: str
    told: str
    values: Sequence[tuple[str, float]]


def exposition(samples: Sequence[Sample], strays: Mapping[str, int], ready: bool, more: Iterable[Family] = ()) -> str:
    """All metrics as Prometheus reads them.

    Args:
        strays: refusals by code of requests that name no model. more: what else there is to tell.
    """
    lines: list[str] = []

    def family(name: str, kind: str, told: str, values: Iterable[tuple[str, float]]) -> None:
        lines.extend((f"# HELP {name} {told}", f"# TYPE {name} {kind}"))
        lines.extend(
            f"{name}{{{labels}}} {value:.17g}" if labels else f"{name} {value:.17g}" for labels, value in values
        )

    def spread(name: str, told: str, values: Iterable[tuple[str, Histogram]]) -> None:
        lines.extend((f"# HELP {name} {told}", f"# TYPE {name} histogram"))
        for labels, histogram in values:
            lines.extend(histogram.lines(name, labels))

    known = [(labels_of(name, version), counts, now) for name, version, counts, now in samples]
    for name, told, value in COUNTED:
        family(name, "counter", told, [(labels, value(counts)) for labels, counts, _ in known])
    failures = [(f'{labels},reason="OTHER"', float(counts.failed)) for labels, counts, _ in known]
    failures += [(f'{labels},reason="CANCELED"', float(counts.cancelled)) for labels, counts, _ in known]
    failures += [(f'{labels},reason="REJECTED"', float(sum(counts.refused.values()))) for labels, counts, _ in known]
    family("nv_inference_request_failure", "counter", "Requests without an answer.", failures)
    refusals = [(f'{at},code="{code}"', float(n)) for at, counts, _ in known for code, n in counts.refused.items()]
    refusals += [(f'model="",version="",code="{code}"', float(n)) for code, n in strays.items()]
    family("lighten_refused_total", "counter", "Requests that were refused, by reason.", refusals)
    for name, told, now_value in GAUGED:
        family(name, "gauge", told, [(labels, now_value(now)) for labels, _, now in known])
    states = [(f'{at},state="{state}"', float(n)) for at, _, now in known for state, n in now.states.items()]
    family("lighten_replicas", "gauge", "Replicas by state.", states)
    restarts = [(labels, float(now.restarts)) for labels, _, now in known]
    family("lighten_restarts_total", "counter", "Replicas that began anew.", restarts)
    for name, told, of in SPREAD:
        spread(name, told, [(labels, of(counts)) for labels, counts, _ in known])
    writing = [
        (f"{at},{_named(at)}", counts, counts.written, now) for at, counts, now in known if counts.written is not None
    ]
    for name, told, of_written in WRITTEN_COUNTED if writing else ():
        family(name, "counter", told, [(at, of_written(written)) for at, _, written, _ in writing])
    for name, told, now_value in WRITTEN_GAUGED if writing else ():
        family(name, "gauge", told, [(at, now_value(now)) for at, _, _, now in writing])
    for name, told, spread_of in WRITTEN_SPREAD if writing else ():
        spread(name, told, [(at, spread_of(written)) for at, _, written, _ in writing])
    if writing:
        told = "Seconds of requests for answers."
        spread("vllm:e2e_request_latency_seconds", told, [(at, counts.latency) for at, counts, _, _ in writing])
        ended = [
            (f'{at},finished_reason="{why}"', float(n)) for at, _, one, _ in writing for why, n in one.ended.items()
        ]
        family("vllm:request_success_total", "counter", "Answers by why they are over.", ended)
    for one in more:
        family(one.name, one.kind, one.told, one.values)
    family("lighten_ready", "gauge", "Whether requests are taken.", [("", float(ready))])
    return "\n".join(lines) + "\n"


def labels_of(model: str, version: str) -> str:
    """Both as labels of Prometheus, without braces.

    >>> labels_of('a "b"', "1")
    'model="a \\\\"b\\\\"",version="1"'
    """
    return f'model="{_escaped(model)}",version="{_escaped(version)}"'


def _named(labels: str) -> str:
    """The model once more by the label that dashboards of vLLM look for."""
    return labels.partition(",version=")[0].replace("model=", "model_name=", 1)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
