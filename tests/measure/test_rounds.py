"""Which rounds count: pure functions, fed with synthetic turns."""

from dataclasses import replace
from statistics import median

import pytest

from lighten.core.result import HIGHER, LOWER, Candidate, Result
from lighten.core.spread import half_iqr
from lighten.measure.rounds import calm, doubtful, noisy, ratios, severities, unusual, usual_of

QUIET = [0.0] * 5


def kept_ratio(own: list[float], reference: list[float], others: list[float], usual: float | None = None) -> float:
    kept = calm(severities(own, reference, others, usual), least=3)
    return median(ratios([own[i] for i in kept], [reference[i] for i in kept], LOWER))


@pytest.mark.parametrize("starved", [1, 2, 3, 4])
def test_a_starved_original_gives_no_ratio_of_25(starved: int) -> None:
    reference = [50.0] * starved + [2.0, 2.1, 1.9, 2.0, 2.0][starved:]
    assert kept_ratio([1.0] * 5, reference, QUIET) == pytest.approx(2.0, abs=0.11)


def test_a_constant_ratio_keeps_every_round_however_long_each_takes() -> None:
    lengths = [1.0, 1.3, 0.9, 1.6, 1.2]  # other requests in every round, the same for both
    own, reference = list(lengths), [2 * one for one in lengths]
    severity = severities(own, reference, QUIET)
    assert calm(severity, 3) == [0, 1, 2, 3, 4]
    found = ratios(own, reference, LOWER)
    assert found == [2.0] * 5 and half_iqr(found) == 0.0 and not noisy(found)


def test_what_slows_both_alike_counts_until_it_slows_too_much() -> None:
    own, reference = [1.0, 1.8, 1.0], [2.0, 3.6, 2.0]
    assert calm(severities(own, reference, [0.0] * 3), 3) == [0, 1, 2]
    own[1], reference[1] = 4.0, 8.0
    assert calm(severities(own, reference, [0.0] * 3), 3) == [0, 2]


def test_cores_that_others_took_are_believed() -> None:
    severity = severities([1.0] * 3, [2.0] * 3, [0.0, 0.3, 0.1])
    assert calm(severity, 3) == [0, 2] and severity[1] == pytest.approx(2.0)


def test_when_everything_was_disturbed_the_least_disturbed_rounds_are_left() -> None:
    severity = severities([1.0] * 5, [2.0] * 5, [0.9, 0.4, 0.5, 0.3, 0.8])
    assert min(severity) > 1.0 and calm(severity, 3) == [1, 2, 3]
    assert calm([], 3) == []


def test_an_original_that_starves_throughout_is_known_by_its_history() -> None:
    assert max(severities([1.0] * 5, [50.0] * 5, QUIET)) <= 1.0  # nothing else could tell
    assert min(severities([1.0] * 5, [50.0] * 5, QUIET, usual=2.0)) > 1.0
    assert max(severities([1.0] * 5, [2.2] * 5, QUIET, usual=2.0)) <= 1.0


def test_a_session_alone_is_compared_with_itself() -> None:
    costs: list[float | None] = [1.0, 1.4, 30.0]
    assert calm(severities(costs, costs, [0.0] * 3), 3) == [0, 1]


def test_rounds_without_a_value_are_neither_disturbed_nor_a_ratio() -> None:
    own: list[float | None] = [1.0, None, 1.0]
    assert calm(severities(own, [2.0, 2.0, None], [0.0] * 3), 3) == [0, 1, 2]
    assert ratios(own, [2.0, 2.0, None], LOWER) == [2.0] and ratios([3.0], [2.0], HIGHER) == [1.5]


def test_ratios_that_differ_too_much_are_noisy() -> None:
    assert noisy([1.0, 2.0, 3.0, 4.0]) and not noisy([2.0, 2.1, 1.9]) and not noisy([2.0])


def test_unusual() -> None:
    assert unusual(3.1, 2.0) and not unusual(2.9, 2.0) and not unusual(None, 2.0) and not unusual(3.0, None)


RATE = Result("id", "ort", "cpu", "rows_per_second", 400.0, "rows/s", HIGHER, 9, ratio=4.0, reference=100.0)
WAIT = Result("id", "ort", "cpu", "p50", 1.0, "ms", LOWER, 9, ratio=4.0, reference=4.0)


def beside(key: int, rate: float, wait: float, *, unsure: bool = False) -> Candidate:
    both = (replace(RATE, reference=rate, unsure=unsure), replace(WAIT, reference=wait, unsure=unsure))
    return Candidate(key, "c", (), "ort", state="ok", results={result.meter: result for result in both})


def test_what_the_original_usually_reads_is_learned_from_the_run() -> None:
    run = [beside(0, 100.0, 4.0), beside(1, 110.0, 3.9), beside(2, 4.0, 90.0), beside(3, 90.0, 4.2)]
    assert usual_of(run) == {"rows_per_second": 95.0, "p50": pytest.approx(4.1)}
    run.append(beside(4, 4.0, 90.0, unsure=True))  # what is known to be unsure says nothing
    assert usual_of(run)["rows_per_second"] == 95.0
    assert usual_of([beside(0, 4.0, 90.0, unsure=True)])["p50"] == 90.0  # but is better than nothing
    assert usual_of([]) == {}


def test_a_candidate_measured_beside_a_starved_original_is_doubtful() -> None:
    usual = {"rows_per_second": 100.0, "p50": 4.0}
    for name in usual:
        assert not doubtful(beside(1, 90.0, 4.4), name, usual)
        assert doubtful(beside(2, 4.0, 90.0), name, usual)
        assert doubtful(beside(3, 100.0, 4.0, unsure=True), name, usual)
    assert not doubtful(beside(4, 4.0, 90.0), "memory", usual)
    assert not doubtful(beside(5, 4.0, 90.0), "p50", {})
