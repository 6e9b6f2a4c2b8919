"""Turns alternate, ratios are pairwise, and a session that fails does not stop the others."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from lighten.core import catalog
from lighten.core.errors import CandidateFailed, InputError, SessionCrashed
from lighten.core.meter import Workload
from lighten.core.result import HIGHER, LOWER
from lighten.core.step import Silent
from lighten.measure import interleave, series
from lighten.measure.interleave import measure, results, speed_meters
from lighten.measure.series import Series
from lighten.sessions.process import SessionProcess
from lighten.testing.plugin import installed, plugin_package

Make = Callable[..., SessionProcess]
WORK = Workload(tuple("ab" * (n + 1) for n in range(20)), tuple("abc" * (n + 1) for n in range(16)))

SCRIPTED = '''"""A meter of two quantities whose values come from the session itself."""
from lighten.core.meter import SpeedMeter
from lighten.core.result import HIGHER, LOWER, Measured, Quantity
import statistics

class Scripted(SpeedMeter):
    quantities = (Quantity("cost", "s", LOWER, "A cost."), Quantity("gain", "rows/s", HIGHER, "A gain."))
    turns = 3

    def turn(self, session, work, number):
        return session.scripted(number)

    def reduce(self, turns):
        cost = statistics.median(t["cost"] for t in turns)
        return {"cost": Measured(cost, len(turns)), "gain": Measured(1 / cost, len(turns))}
'''


class Scripted:
    """Stands in for a session process: turns cost what the script says; calls are logged."""

    def __init__(
        self,
        name: str,
        log: list[tuple[str, int]],
        costs: Sequence[float],
        fails_at: int | None = None,
        disturbed: Sequence[float | None] = (None,),
    ) -> None:
        self.name, self.log, self.costs, self.fails_at = name, log, costs, fails_at
        self.disturbed, self.others = iter(disturbed), None

    def load(self, work: Workload) -> None:
        self.work = work

    def warm_up(self, meter: str) -> None:
        self.turn(meter, -1)

    def turn(self, meter: str, number: int) -> Mapping[str, Any]:
        if number == self.fails_at:
            raise SessionCrashed(f"{self.name} is gone")
        self.log.append((self.name, number))
        if number >= 0:
            self.others = next(self.disturbed, None)
        return {"cost": self.costs[number % len(self.costs)]}


class Starving(Scripted):
    """Each turn that counts costs what comes next."""

    def __init__(self, name: str, log: list[tuple[str, int]], costs: Iterator[float]) -> None:
        super().__init__(name, log, ())
        self.next_cost = costs

    def turn(self, meter: str, number: int) -> Mapping[str, Any]:
        self.log.append((self.name, number))
        return {"cost": next(self.next_cost) if number >= 0 else 1.0}


@pytest.fixture
def scripted_meter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(interleave, "SETTLE_SECONDS", 0.0)
    monkeypatch.setattr(interleave, "sleep", lambda seconds: None)
    plugin_package(tmp_path, "meters", "scripted", SCRIPTED)
    with installed(tmp_path):
        yield


def run(*sessions: Scripted, **options: Any) -> dict[str, Any]:
    by_name: Any = {session.name: session for session in sessions}
    return measure(by_name, WORK, meters=["scripted"], **options)


@pytest.mark.usefixtures("scripted_meter")
class TestOrder:
    def test_warm_up_first_then_turns_whose_order_is_reversed_each_round(self) -> None:
        log: list[tuple[str, int]] = []
        run(Scripted("a", log, [2.0]), Scripted("b", log, [1.0]))
        warm_up, turns = log[:2], log[2:]
        assert warm_up == [("a", -1), ("b", -1)]
        assert turns == [("a", 0), ("b", 0), ("b", 1), ("a", 1), ("a", 2), ("b", 2)]

    def test_with_many_sessions_the_original_has_a_turn_beside_every_three(self) -> None:
        log: list[tuple[str, int]] = []
        costs = {"a": 6.0, "b": 1.0, "c": 2.0, "d": 3.0, "e": 4.0, "f": 6.0}
        found = run(*(Scripted(name, log, [cost]) for name, cost in costs.items()))
        assert [name for name, number in log if number == 0] == ["a", "b", "c", "d", "a", "e", "f"]
        assert [name for name, number in log if number == 1] == ["d", "c", "b", "a", "f", "e", "a"]
        assert [found[name]["cost"].ratio for name in "bcdef"] == [6.0, 3.0, 2.0, 1.5, 1.0]

    def test_a_session_that_has_enough_takes_no_further_turn(self) -> None:
        log: list[tuple[str, int]] = []
        run(Scripted("a", log, [2.0]), Scripted("b", log, [1.0]), Scripted("c", log, [1.0, 1.1, 1.2, 1.3]))
        turns = [name for name, number in log if number >= 0]
        assert turns.count("b") == 3 and turns.count("c") == 3 * interleave.MOST_ROUNDS

    def test_ratios_are_taken_round_by_round(self) -> None:
        log: list[tuple[str, int]] = []
        drifting = [1.0, 1.4, 1.9]  # the machine slows down for both: a ratio of medians of other rounds would err
        found = run(Scripted("a", log, drifting), Scripted("b", log, [d / 2 for d in drifting]))
        assert found["b"]["cost"].ratio == found["b"]["gain"].ratio == 2.0
        assert found["b"]["cost"].ratio_spread == 0.0
        assert found["a"]["cost"].ratio == 1.0
        assert found["b"]["cost"].measured.value == 0.7
        assert found["b"]["cost"].rounds == 3 and found["b"]["cost"].reference == 1.4 and not found["b"]["cost"].unsure

    def test_ratios_that_vary_ask_for_more_rounds_up_to_a_limit(self) -> None:
        log: list[tuple[str, int]] = []
        run(Scripted("a", log, [1.0]), Scripted("b", log, [1.0, 1.1, 1.2, 1.3]))
        assert max(number for _, number in log) == 3 * interleave.MOST_ROUNDS - 1

    def test_time_ends_it_after_three_rounds(self) -> None:
        class NoTime(Silent):
            def seconds_left(self) -> float:
                return 0.0

        for options in ({"seconds": 0.0}, {"watch": NoTime()}):
            log: list[tuple[str, int]] = []
            run(Scripted("a", log, [1.0]), Scripted("b", log, [1.0, 2.0]), **options)
            assert sum(name == "b" for name, _ in log) == 1 + interleave.LEAST_ROUNDS  # with its warm-up

    def test_a_disturbed_round_is_taken_again(self) -> None:
        log: list[tuple[str, int]] = []
        found = run(Scripted("a", log, [2.0]), Scripted("b", log, [1.0], disturbed=[0.0, 0.9, 0.1, None]))
        assert [turn for turn in log if turn[0] == "b"][1:] == [("b", 0), ("b", 1), ("b", 1), ("b", 2)]
        assert [turn for turn in log if turn[0] == "a"][1:] == [("a", 0), ("a", 1), ("a", 1), ("a", 2)]
        assert found["b"]["cost"].measured.n == 3 and not found["b"]["cost"].unsure
        note = "1 of 4 rounds were set aside as disturbed: other processes took up to 90% of the cores"
        assert found["b"]["cost"].measured.note == note

    def test_a_disturbance_that_does_not_end_is_said(self) -> None:
        log: list[tuple[str, int]] = []
        found = run(*(Scripted(name, log, [2.0], disturbed=[0.7] * 99) for name in "ab"))
        assert sum(turn == ("a", 0) for turn in log) == 1 + series.PATIENCE  # then the next requests are asked
        assert {number for _, number in log} >= {0, 1, 2}
        for reading in (found["a"]["cost"], found["b"]["gain"]):
            assert reading.unsure and "other processes took up to 70% of the cores" in reading.measured.note
        made = results(found["b"], artifact="id", engine="fake")
        assert all(result.unsure for result in made)

    def test_an_original_that_starves_for_some_rounds_chooses_no_winner(self) -> None:
        log: list[tuple[str, int]] = []
        starved = iter([2.0, 50.0, 50.0, 50.0, 2.0, *[2.0] * 99])  # nothing of it shows in the kernel's counts
        found = run(Starving("a", log, starved), Scripted("b", log, [1.0]))
        cost = found["b"]["cost"]
        assert (cost.ratio, cost.ratio_spread, cost.unsure) == (2.0, 0.0, False)
        assert cost.measured.note == "3 of 6 rounds were set aside as disturbed"
        assert cost.reference == 2.0

    def test_a_candidate_that_starves_is_not_dearer_for_it(self) -> None:
        log: list[tuple[str, int]] = []
        found = run(Scripted("a", log, [2.0]), Starving("b", log, iter([30.0, 30.0, *[1.0] * 99])))
        assert found["b"]["cost"].ratio == 2.0 and found["b"]["cost"].measured.value == 1.0

    def test_an_original_that_starves_all_the_time_is_known_by_what_it_usually_takes(self) -> None:
        log: list[tuple[str, int]] = []
        sessions = Scripted("a", log, [50.0]), Scripted("b", log, [1.0])
        first = run(*sessions, usual={"cost": 2.0})["b"]["cost"]
        assert first.unsure and "rounds were disturbed" in first.measured.note
        assert run(*sessions, usual={"cost": 45.0})["b"]["cost"].unsure is False

    def test_rounds_that_differ_too_much_are_not_sure(self) -> None:
        log: list[tuple[str, int]] = []
        found = run(Scripted("a", log, [1.0]), Scripted("b", log, [1.0, 1.49, 1.0, 1.49]), seconds=0.0, least=4)
        assert found["b"]["cost"].ratio_spread is not None
        wide = run(Scripted("a", log, [1.0, 1.45]), Scripted("b", log, [1.45, 1.0]), seconds=0.0, least=4)["b"]["cost"]
        assert wide.unsure and "rounds gave" in wide.measured.note

    @pytest.mark.parametrize("fails_at", [-1, 0, 1])
    def test_a_session_that_fails_is_reported_and_the_others_go_on(self, fails_at: int) -> None:
        log: list[tuple[str, int]] = []
        found = run(Scripted("a", log, [2.0]), Scripted("b", log, [1.0], fails_at), Scripted("c", log, [1.0]))
        assert isinstance(found["b"], SessionCrashed) and "b is gone" in str(found["b"])
        assert found["c"]["cost"].ratio == 2.0

    def test_without_the_original_there_is_nothing_to_compare_with(self) -> None:
        log: list[tuple[str, int]] = []
        with pytest.raises(SessionCrashed, match="a is gone"):
            run(Scripted("a", log, [2.0], 1), Scripted("b", log, [1.0]))

    def test_results_carry_unit_direction_ratio_and_environment(self) -> None:
        log: list[tuple[str, int]] = []
        found = run(Scripted("a", log, [2.0]), Scripted("b", log, [1.0]))
        made = {r.meter: r for r in results(found["b"], artifact="id", engine="fake", environment="e")}
        assert (made["cost"].unit, made["cost"].direction, made["cost"].ratio) == ("s", LOWER, 2.0)
        assert (made["gain"].unit, made["gain"].direction, made["gain"].ratio) == ("rows/s", HIGHER, 2.0)
        assert {r.environment for r in made.values()} == {"e"} and made["cost"].n == 3


def test_real_sessions_of_known_cost(session_of: Make) -> None:
    with session_of(milliseconds=4.0) as slow, session_of(milliseconds=1.0) as quick:
        found = measure({"slow": slow, "quick": quick}, WORK, seconds=1.5)
        again = measure({"slow": slow, "quick": quick}, WORK, seconds=0.0)
    slow_readings, quick_readings = found["slow"], found["quick"]
    assert not isinstance(slow_readings, CandidateFailed) and not isinstance(quick_readings, CandidateFailed)
    quantities = [q.name for meter in speed_meters().values() for q in meter.quantities]
    assert sorted(quick_readings) == sorted(quantities)
    assert 4.0 <= slow_readings["p50"].measured.value < 400.0
    for name in ("p50", "rows_per_second"):
        assert 1.2 < quick_readings[name].ratio < 40.0
    assert quick_readings["size"].ratio == 1.0 and quick_readings["size"].measured.value == slow.artifact.size / 1e6
    assert 5.0 < quick_readings["memory"].measured.value < 500.0
    assert not isinstance(again["quick"], CandidateFailed) and math.isfinite(again["quick"]["p50"].ratio)


def test_a_peak_of_memory_does_not_depend_on_what_was_asked_before(session_of: Make) -> None:
    with session_of() as idle, session_of() as worn:
        worn.run(["x" * 30_000_000])
        found = measure({"idle": idle, "worn": worn}, WORK, meters=["memory"])
    assert not any(isinstance(readings, CandidateFailed) for readings in found.values())
    assert found["worn"]["memory"].ratio == pytest.approx(1.0, abs=0.2)
    assert "new process" in found["worn"]["memory"].measured.note and not found["worn"]["memory"].unsure


def test_a_model_that_was_opened_while_others_worked_has_a_doubtful_load() -> None:
    made = Series[str](speed_meters(["load"])["load"], "a", 3)
    made.add(0, {"a": {"seconds": 2.0, "others": 0.0}, "b": {"seconds": 4.0, "others": 0.6}}, {"a": 0.0, "b": 0.6})
    (reading,) = interleave._readings([made], "b").values()
    assert reading.ratio == 0.5 and reading.unsure and "took up to 60% of the cores" in reading.measured.note


def test_a_real_crash_between_turns(session_of: Make) -> None:
    with session_of() as original, session_of(fault="segv", after=30) as bad:
        found = measure({0: original, 1: bad}, WORK, seconds=1.0)
    assert isinstance(found[1], SessionCrashed) and "SIGSEGV" in str(found[1])
    assert not isinstance(found[0], CandidateFailed)


def test_a_warm_session_is_not_warmed_again(session_of: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    with session_of() as session:
        turns: list[int] = []
        turn = session.turn
        monkeypatch.setattr(session, "turn", lambda meter, number: (turns.append(number), turn(meter, number))[1])
        for _ in range(2):
            measure({"a": session}, WORK, meters=["latency"])
        assert turns.count(-1) == 1
        measure({"a": session}, Workload(WORK.singles[:5], WORK.batch), meters=["latency"])
        assert turns.count(-1) == 2


def test_only_speed_meters_are_taken() -> None:
    assert {"latency", "throughput", "memory", "size", "load"} <= set(speed_meters())
    assert not {"accuracy", "flips", "bits_per_byte"} & set(speed_meters())
    assert speed_meters(["accuracy", "size"]).keys() == {"size"}
    assert all(catalog.load("meters", name) for name in speed_meters())


def test_the_environment_bounds_a_measurement(monkeypatch: pytest.MonkeyPatch) -> None:
    for told, most in (("", float("inf")), ("2", 2.0), ("0", 0.0)):
        monkeypatch.setenv(interleave.SWITCH, told)
        assert interleave.most_seconds() == most
        assert interleave.told_seconds() == ({"measure_seconds": f"{told} s ({interleave.SWITCH})"} if told else {})
    for told in ("soon", "-1", "nan"):
        monkeypatch.setenv(interleave.SWITCH, told)
        with pytest.raises(InputError, match="LIGHTEN_MEASURE_SECONDS is") as caught:
            measure({}, WORK)
        assert caught.value.fix == "unset LIGHTEN_MEASURE_SECONDS"
