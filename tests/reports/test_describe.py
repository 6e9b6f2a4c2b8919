"""Sentences and numbers a user reads: they say what was measured, and a bound never promises too much."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from lighten.core.budget import Budget, Constraint
from lighten.core.result import LOWER, Result
from lighten.core.summary import Summary, TestedRecord, Winner
from lighten.proof import judge_counts, judge_rate
from lighten.reports.describe import (
    findings,
    flat,
    headline,
    meters_shown,
    method_text,
    needed_text,
    power_sentence,
    rung_name,
    why,
)
from lighten.reports.numbers import amount, bound, change, duration, loss, number, ratio, share
from lighten.reports.recipes import recipe_text
from lighten.reports.standing import beaten_by, misses, nearest_misses, standing
from lighten.testing import language_summaries, summaries
from lighten.testing.language_summaries import bits_verdict


def test_headline_of_a_winner_states_gain_bound_and_margin() -> None:
    said = headline(summaries.bare(), "en").replace("\u00a0", " ")
    assert said == (
        "The winner answers 7.1× ± 0.3 as many rows per second as the original, and on 400 unseen rows its accuracy "
        "is at most 0.75 points lower (95% bound); you allowed 1 point."
    )
    chinese = headline(summaries.winner(), "zh").replace("\u00a0", " ")
    assert chinese == (
        "优胜者的 CPU 时间仅为原模型的 14%（7.1× ± 0.3）；在 5,766 行从未见过的数据上，"
        "准确率至多下降 0.63 个百分点（95% 置信界），"
        "您允许的上限是 1 个百分点。最差分组准确率至多下降 0.91 个百分点，允许上限为 2 个百分点。"
    )


def test_headline_when_quality_rose_for_sure() -> None:
    run = summaries.bare()
    verdict = judge_counts(900, 1, 60, 1000, 0.01).to_json()
    assert "its accuracy is no worse" in headline(replace(run, verdicts=(verdict,)), "en")


def test_headline_of_an_absolute_floor_states_the_value_that_is_proved() -> None:
    run = summaries.bare()
    verdict = judge_rate(np.arange(1000) < 910, 0.89, "accuracy", original=0.95).to_json()
    said = headline(replace(run, verdicts=(verdict,)), "en").replace("\u00a0", " ")
    assert said.endswith("and on 1,000 unseen rows its accuracy is at least 89.37% (95% bound); you asked for 89%.")
    chinese = headline(replace(run, verdicts=(verdict,)), "zh")
    assert "在 1,000 行从未见过的数据上，准确率不低于 89.37%（95% 置信界），您的要求是不低于 89%。" in chinese
    other = judge_rate(np.arange(1000) < 5, 0.02, "flips", "lower").to_json()
    second = headline(replace(run, verdicts=(verdict, other)), "en")
    assert second.endswith("Its share of changed answers is at most 1.05%; you asked for 2%.")


def test_a_verdict_on_groups_names_the_one_that_decides() -> None:
    run = summaries.bare()
    record = {**judge_counts(200, 3, 3, 212, 0.05, "worst_group").to_json(), "group": "tweets"}
    said = headline(replace(run, verdicts=(record,)), "en").replace("\u00a0", " ")
    assert re.search(
        r"in every group of unseen rows its accuracy is at most 2\.\d+ points lower \(95% bound; the group tweets, 212 "
        r"rows, decides\); you allowed 5 points\.$",
        said,
    )
    chinese = headline(replace(run, verdicts=(record,)), "zh")
    assert "起决定作用的分组是 tweets，212 行" in chinese
    level = judge_rate(np.arange(212) < 200, 0.8, "worst_group").to_json()
    said = headline(replace(run, verdicts=(run.verdicts[0], {**level, "group": "tweets"})), "en")
    assert "In every group its accuracy is at least 90.99% (the group tweets, 212 rows, decides)" in said


@pytest.mark.parametrize(
    ("hits", "says"),
    [
        (850, "Too low on the proof rows: accuracy is 85% (83.01% to 86.83%), and 90% was asked for."),
        (905, "Not enough data: accuracy may be as low as 88.83%, and 90% was asked for."),
    ],
)
def test_why_a_value_that_was_asked_for_is_not_proved(hits: int, says: str) -> None:
    run = summaries.nothing_met()
    judged = judge_rate(np.arange(1000) < hits, 0.9, "accuracy").to_json()
    run = replace(run, tested=(TestedRecord(8, (judged,)),), verdicts=(judged,))
    found = why(run, run.candidates[8], "en")
    assert says in found and ("About" in found) == (hits == 905)
    assert "90%" in why(run, run.candidates[8], "zh")


def test_what_is_needed_is_counted_in_what_is_independent() -> None:
    verdict = judge_counts(50, 1, 1, 60, 0.01)
    assert needed_text(verdict, "en").endswith("rows would settle it.")
    assert needed_text(replace(verdict, units=40), "en").endswith("independent units would settle it.")
    assert needed_text(replace(verdict, group="a"), "en").endswith("rows of this group would settle it.")


def test_a_share_of_the_original_is_said_in_per_cent_of_it() -> None:
    run = summaries.bare()
    verdict = {**run.verdicts[0], "metric": "log_loss", "direction": "lower", "kind": "share"}
    verdict |= {"original": 0.4, "candidate": 0.404, "difference": -0.004, "lower": -0.0072, "margin": 0.008}
    results = {"log_loss": Result("", "ov", "cpu", "log_loss", 0.4, "nats", LOWER, 100)}
    candidates = tuple(replace(c, results={**c.results, **results}) for c in run.candidates)
    said = headline(replace(run, candidates=candidates, verdicts=(verdict,)), "en")
    assert "its log loss is at most 1.8% higher (95% bound); you allowed 2%." in said


def test_headline_of_a_metric_where_lower_is_better() -> None:
    run = summaries.bare()
    verdict = {**run.verdicts[0], "metric": "perplexity", "direction": "lower", "lower": -0.031, "margin": 0.1}
    results = {"perplexity": Result("", "ov", "cpu", "perplexity", 7.5, "", LOWER, 100)}
    candidates = tuple(replace(c, results={**c.results, **results}) for c in run.candidates)
    said = headline(replace(run, candidates=candidates, verdicts=(verdict,)), "en")
    assert "its perplexity is at most 0.0310 higher" in said


def test_headline_of_documents_says_what_text_costs() -> None:
    run = language_summaries.documents()
    assert headline(run, "en").replace("\u00a0", " ") == (
        "The winner’s time per byte of text written is 43% of the original’s (2.3× ± 0.1 better), and on 121 unseen "
        "documents text costs 0.42% more bits (95% sure: at most 0.87% more); you allowed 1%."
    )
    assert headline(run, "zh").replace("\u00a0", " ") == (
        "优胜者的每字节文本生成用时仅为原模型的 43%（2.3× ± 0.1）；在 121 篇从未见过的文档上，同样的文本多用 "
        "0.42% 的比特（95% 置信度下至多多用 0.87%），您允许的上限是 1%。"
    )


@pytest.mark.parametrize(
    ("more", "most", "margin", "english"),
    [
        (-0.0108, 0.002, 0.01, "text costs 1.08% fewer bits (95% sure: at most 0.2% more); you allowed 1% more."),
        (-0.0108, -0.0061, 0.01, "text costs 1.08% fewer bits (95% sure: no more than before); you allowed 1% more."),
        (0.00001, 0.0004, 0.01, "text costs as many bits as before (95% sure: at most 0.04% more); you allowed 1%."),
        (0.0, -0.0001, 0.01, "text costs as many bits as before (95% sure: at most 0% more); you allowed 1%."),
    ],
)
def test_every_way_that_bits_can_change_is_said(more: float, most: float, margin: float, english: str) -> None:
    run = language_summaries.documents()
    said = headline(replace(run, verdicts=(bits_verdict(more, most, "holds", margin),)), "en")
    assert said.endswith(f"and on 121 unseen documents {english}")


def test_a_gain_that_was_measured_on_a_disturbed_machine_is_said_to_be_unsure() -> None:
    run = summaries.winner()
    assert run.winner is not None
    doubted = replace(run, winner=replace(run.winner, unsure=(run.budget.minimize, "p50")))
    assert "unsure" not in headline(run, "en") and "不确定" not in headline(run, "zh")
    assert findings(doubted, "en")[-1] == (
        "How much better is unsure: the machine was disturbed while it was measured. Measure again when it is quiet: "
        f"lighten bench {run.model} {run.winner.path} --data {run.data.source}"
    )
    assert "改善的幅度并不确定" in headline(doubted, "zh")
    only_p50 = replace(run, winner=replace(run.winner, unsure=("p50",)))
    assert "unsure" not in headline(only_p50, "en")


def test_a_winner_of_counts_is_not_compared_per_token() -> None:
    won = language_summaries.baseline_won()
    by_bytes = headline(won, "en").replace("\u00a0", " ")
    assert by_bytes.startswith(
        "The winner’s time per byte of text written is 0.2% of the original’s (536× ± 21 better)"
    )
    assert by_bytes.endswith(
        "The winner is a cheap baseline (byte n-grams counted in your text, up to 6 bytes long): for this budget no "
        "model like the original is needed."
    )


@pytest.mark.parametrize(
    ("key", "status", "english"),
    [
        (0, "original", "The model as you brought it."),
        (2, "below_floor", "Bits per byte 1.925 is above the limit of 1.329 on the select rows."),
        (3, "over_ceiling", "Peak memory 1,600 MB is over the ceiling of 400 MB."),
        (6, "held", "Proved to hold as well, but its time per token is 5.74 ms; the winner’s is 4.74 ms."),
    ],
)
def test_why_each_language_model_lost(key: int, status: str, english: str) -> None:
    run = language_summaries.documents()
    assert standing(run, run.candidates[key]).status == status
    assert why(run, run.candidates[key], "en").replace("\u00a0", " ") == english


def test_documents_that_do_not_hold_are_told_in_per_cent() -> None:
    run = language_summaries.documents()
    worse = (bits_verdict(0.021, 0.027, "worse"),)
    lost = replace(run, winner=None, state="nothing_met", verdicts=worse, tested=(TestedRecord(7, worse),))
    assert why(lost, run.candidates[7], "en") == (
        "Worse on the proof rows: bits per byte changed by +2.10% (+1.50% to +2.70%)."
    )
    few = (bits_verdict(0.006, 0.0131, "not_enough_data"),)
    short = replace(run, winner=None, state="nothing_met", verdicts=few, tested=(TestedRecord(7, few),))
    assert why(short, run.candidates[7], "en").startswith(
        "Not enough data: bits per byte may be 1.31% worse, and 1% was allowed."
    )


def test_rungs_are_named_alike_for_every_kind_of_model_and_baselines_by_what_they_are() -> None:
    for run in (language_summaries.documents(), summaries.winner()):
        names = [rung_name(run, rung.rung, run.candidate(rung.key), "en") for rung in run.baseline]
        assert names == ["As brought", "Same weights, best settings", "Stock quantization", "lighten"]
    run = language_summaries.documents()
    assert rung_name(run, "stock", run.candidates[2], "zh") == "低成本基线"
    assert rung_name(run, "naive", None, "zh") == "保持原样"


def test_quantities_stand_in_the_order_of_the_kind_of_model() -> None:
    names = meters_shown(language_summaries.documents())
    assert names[:6] == ("bits_per_byte", "tpot", "decode", "prefill", "memory", "size")
    asked = replace(language_summaries.documents(), budget=Budget((), (), "cpu"))
    assert meters_shown(asked)[:2] == ("bits_per_byte", "cpu")
    assert meters_shown(summaries.winner())[:4] == ("accuracy", "cpu", "worst_group", "p50")


def test_headlines_without_a_winner() -> None:
    said = headline(summaries.nothing_met(), "en").replace("\u00a0", " ")
    assert said.startswith("Nothing met the budget: candidate 8 (2 layers + distilled + int8 static @ ov) meets it on ")
    assert "not in the proof. Not enough data: accuracy may be" in said
    stopped = headline(summaries.interrupted(), "en").replace("\u00a0", " ")
    assert stopped.startswith("The run was stopped after 12 min 51 s. 6 of 7 candidates were measured")


@pytest.mark.parametrize(
    ("key", "status", "english"),
    [
        (0, "original", "The model as you brought it."),
        (
            2,
            "below_floor",
            "Accuracy 87.71% is below the floor of 88.21% on the select rows. P95 latency 9.76 ms is over",
        ),
        (3, "over_ceiling", "P95 latency 8.51 ms is over the ceiling of 8 ms."),
        (5, "held", "Proved to hold as well, but its CPU time is 6.42 s per 1,000 rows; the winner’s is 3.25 s"),
        (6, "winner", "The cheapest whose quality is proved"),
        (8, "worse", "Worse on the proof rows: accuracy changed by −0.88 pt"),
        (13, "beaten", "3 layers + distilled + int8 static @ ov is cheaper and at least as good."),
        (16, "stopped", "StoppedEarly: 6.1 points behind"),
        (17, "failed", "SessionCrashed: killed by signal 11"),
    ],
)
def test_why_each_candidate_lost(key: int, status: str, english: str) -> None:
    run = summaries.winner()
    candidate = run.candidates[key]
    assert standing(run, candidate).status == status
    assert why(run, candidate, "en").replace("\u00a0", " ").startswith(english)
    assert why(run, candidate, "zh")


def test_not_enough_data_says_how_many_rows_would_settle_it() -> None:
    run = summaries.nothing_met()
    said = why(run, run.candidates[8], "en").replace("\u00a0", " ")
    assert said.startswith("Not enough data: accuracy may be 1.08 points worse, and 1 point was allowed. About 16,")


def test_an_unknown_value_cannot_meet_a_ceiling() -> None:
    run = summaries.winner()
    energy = Budget(run.budget.keep, (Constraint("energy", 5.0, "", "energy<=5"),), "cpu")
    asked = replace(run, budget=energy, winner=None, state="nothing_met", tested=())
    assert misses(asked, run.candidates[6])[0].value is None
    assert "could not be measured" in why(asked, run.candidates[6], "en")


def test_a_relative_ceiling_follows_the_original() -> None:
    run = summaries.winner()
    half = Budget((), (Constraint("size", -0.5, "ratio", "size<=50%"),), "cpu")
    asked = replace(run, budget=half)
    assert misses(asked, run.candidates[0])[0].limit == pytest.approx(91.3 / 2)
    assert not misses(asked, run.candidates[6])


def test_exactly_on_the_floor_is_met() -> None:
    run = summaries.winner()
    assert run.candidates[3].value("accuracy") == pytest.approx(0.8821)
    assert not any(miss.metric == "accuracy" for miss in misses(run, run.candidates[3]))


def test_a_candidate_that_breaks_the_budget_beats_nobody_that_keeps_it() -> None:
    run = summaries.winner()
    assert beaten_by(run, run.candidates[6]) is None
    beaten = beaten_by(run, run.candidates[13])
    assert beaten is not None
    assert beaten.key == 6


def test_nearest_misses_come_in_order_of_how_little_is_missing() -> None:
    near = nearest_misses(summaries.nothing_met())
    assert [candidate.key for candidate, _ in near] == [8, 6, 13]
    assert nearest_misses(replace(summaries.nothing_met(), candidates=())) == ()


def test_every_state_of_a_winnerless_proof_is_explained() -> None:
    run = summaries.winner()
    held = (judge_counts(5100, 10, 10, 5766, 0.01).to_json(),)
    asked = replace(run, winner=None, state="interrupted", tested=(TestedRecord(6, held),))
    assert why(asked, run.candidates[6], "en") == "Proved to hold."
    assert "its turn in the sequence" in why(replace(asked, tested=()), run.candidates[6], "en")


def test_power_is_compared_with_what_is_allowed() -> None:
    run = summaries.bare()
    said = power_sentence(run.power[0], "fraction", "en").replace("\u00a0", " ")
    assert said == "400 proof rows can be expected to prove 2.48 points in accuracy, not 1 point."


def test_a_winner_without_a_ratio_is_still_announced() -> None:
    run = summaries.bare()
    assert isinstance(run.winner, Winner)
    bare: Summary = replace(run, winner=replace(run.winner, ratio={}), verdicts=())
    assert headline(bare, "en") == "The winner meets the budget."


def test_a_winner_that_came_out_dearer_is_not_called_better() -> None:
    run = summaries.bare()
    assert isinstance(run.winner, Winner)
    dearer = replace(run, winner=replace(run.winner, ratio={"cpu": 0.96}), verdicts=())
    asked = replace(dearer, budget=Budget(run.budget.keep, (), "cpu"))
    assert headline(asked, "en") == "The winner’s CPU time is 104% of the original’s."


def test_small_texts() -> None:
    recipe = ({"use": "prune.layers", "keep": 3}, {"step": "quantize.int8_static", "rate": 0.1})
    assert recipe_text(recipe) == "prune.layers keep=3 → quantize.int8_static rate=0.1"
    assert flat({"a": [1, 2.5], "b": {"c": True}}) == "a 1, 2.5, b c True"
    verdict = judge_counts(90, 5, 5, 100, 0.1)
    assert method_text(verdict, "en") == "95% one-sided bounds; Tango score interval"
    clustered = replace(verdict, method="bootstrap over units, widest of percentile, BCa and skewed t, and of Tango")
    assert "wider of Tango" in method_text(clustered, "en")
    assert "mine" in method_text(replace(verdict, method="mine"), "zh")


def test_numbers() -> None:
    assert [number(v) for v in (0, 0.01234, 1.5, 99.96, 1234.5, -3.0)] == [
        "0",
        "0.0123",
        "1.50",
        "100",
        "1,230",
        "−3.00",
    ]
    assert amount("en", None, "ms") == "unknown"
    assert amount("en", 1.31573, "bits/byte") == "1.316\u00a0bits/byte"
    assert amount("zh", 1.31573, "bits/byte", bare=True) == "1.316"
    assert (amount("en", 92.34, "tok/s"), amount("zh", 854.0, "tok/s")) == ("92.3\u00a0tok/s", "854\u00a0词元/秒")
    assert amount("zh", 12.0, "rows/s") == "12.0\u00a0行/秒"
    assert (bound("en", 5.0, "ms"), bound("en", 0.88, "fraction")) == ("5\u00a0ms", "88%")
    assert (share(0.141), share(0.95), share(0.0042)) == ("14%", "95%", "0.4%")
    assert [ratio(v) for v in (0.5, 1.0, 7.14, 42.0, 128.4)] == ["0.50×", "1.00×", "7.1×", "42.0×", "128×"]
    spread = [ratio(*pair) for pair in ((7.14, 0.26), (7.14, 0.02), (0.5, 0.031), (128.4, 3.2), (2.0, 0.0))]
    assert spread == [
        "7.1×\u00a0±\u00a00.3",
        "7.1×\u00a0±\u00a00.02",
        "0.50×\u00a0±\u00a00.03",
        "128×\u00a0±\u00a03",
        "2.0×",
    ]
    assert (change("en", 0.0, "fraction"), change("en", -2.0, "ms")) == ("±0.00\u00a0pt", "−2.00\u00a0ms")
    assert [duration("en", s).replace("\u00a0", " ") for s in (0.4, 8.2, 413, 3720)] == [
        "0.40 s",
        "8.2 s",
        "6 min 53 s",
        "1 h 2 min",
    ]


def test_bounds_are_rounded_to_the_cautious_side() -> None:
    assert loss("en", 0.00621, "fraction", up=True).replace("\u00a0", " ") == "0.63 points"
    assert loss("en", 0.01, "fraction", up=True).replace("\u00a0", " ") == "1 point"
    assert change("en", -0.00621, "fraction", "down").startswith("−0.63")
    assert change("en", 0.00101, "fraction", "up").startswith("+0.11")
    assert change("en", 0.00101, "share", "up") == "+0.11%"
    assert loss("en", 0.00871, "share", up=True) == "0.88%"
