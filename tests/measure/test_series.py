"""The rounds of one meter: what is asked next, what counts, and when there is enough."""

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any, ClassVar

from lighten.core.meter import SpeedMeter, Workload
from lighten.core.result import HIGHER, LOWER, Measured, Quantity
from lighten.core.session import Session
from lighten.measure.series import PATIENCE, Series


class Cost(SpeedMeter):
    """What the turns say; a rate is compared by another unit than its own."""

    quantities = (Quantity("cost", "s", LOWER, "A cost."), Quantity("rate", "tok/s", HIGHER, "A rate."))
    turns = 3
    compared: ClassVar[Mapping[str, str]] = {"rate": "bytes/s"}

    def turn(self, session: Session, work: Workload, number: int) -> Mapping[str, Any]:
        return {"cost": 1.0, "bytes": 4.0}

    def reduce(self, turns: Sequence[Mapping[str, Any]]) -> Mapping[str, Measured]:
        cost = median(turn["cost"] for turn in turns)
        return {"cost": Measured(cost, len(turns)), "rate": Measured(1 / cost, len(turns))}

    def compare(self, turns: Sequence[Mapping[str, Any]]) -> Mapping[str, float | None]:
        cost = median(turn["cost"] for turn in turns)
        return {"cost": cost, "rate": median(turn["bytes"] for turn in turns) / cost}


def turn(cost: float, size: float = 4.0) -> dict[str, float]:
    return {"cost": cost, "bytes": size}


def series(*pairs: tuple[float, float], others: Sequence[float] = (), **usual: float) -> Series[str]:
    made = Series[str](Cost(), "a", 3, usual)
    for i, (first, own) in enumerate(pairs):
        taken = others[i] if i < len(others) else 0.0
        made.add(made.next_number("ab"), {"a": turn(first), "b": turn(own)}, {"a": 0.0, "b": taken})
    return made


def test_requests_of_a_disturbed_round_are_asked_again_and_not_for_ever() -> None:
    made = series((2.0, 1.0), (50.0, 1.0), (2.0, 1.0))
    assert [one.number for one in made.rounds] == [0, 1, 1]
    for _ in range(PATIENCE):
        made.add(made.next_number("ab"), {"a": turn(50.0), "b": turn(1.0)}, {})
    made.add(2, {"a": turn(50.0), "b": turn(1.0)}, {})
    assert [one.number for one in made.rounds] == [0, 1, 1, 2, 2, 2] and made.next_number("ab") == 3


def test_a_round_that_later_ones_show_to_be_slow_is_set_aside_then() -> None:
    made = series((50.0, 1.0))
    assert made.undisturbed("b") == [0]
    made.add(1, {"a": turn(2.0), "b": turn(1.0)}, {})
    assert made.undisturbed("b") == [1] and made.next_number("ab") == 0


def test_enough_are_as_many_quiet_rounds_as_the_meter_wants_whose_ratios_agree() -> None:
    made = series((2.0, 1.0), (2.0, 1.0))
    assert not made.enough("b")
    made.add(2, {"a": turn(2.0), "b": turn(1.0)}, {})
    assert made.enough("b") and made.sure("b")
    assert not series((2.0, 1.0), (2.0, 1.2), (2.0, 0.9)).enough("b")
    assert not series((2.0, 1.0), (2.0, 1.0), (2.0, 1.0), others=[0.0, 0.9, 0.0]).enough("b")


def test_what_is_kept_says_what_was_set_aside_and_what_is_in_doubt() -> None:
    kept = series((2.0, 1.0), (2.0, 1.0), (2.0, 1.0), (90.0, 1.0)).count("b")
    assert (len(kept.rounds), kept.note, kept.doubt) == (3, "1 of 4 rounds were set aside as disturbed", "")
    few = series((2.0, 1.0), (90.0, 1.0), (90.0, 1.0)).count("b")
    assert len(few.rounds) == 1 and few.doubt == "only 1 of 3 rounds were undisturbed"
    loud = series((2.0, 1.0), (2.0, 1.0), (2.0, 1.0), (2.0, 1.0), others=[0.5, 0.9, 0.4, 0.6]).count("b")
    assert [one.others["b"] for one in loud.rounds] == [0.5, 0.4, 0.6]
    assert loud.doubt == "all of 4 rounds were disturbed: other processes took up to 90% of the cores"


def test_an_original_that_both_were_slowed_with_is_unusual() -> None:
    slow = series((3.3, 1.2), (3.3, 1.2), (3.3, 1.2), (2.9, 1.0), cost=2.0).count("b")
    assert (slow.sure, slow.doubt) == (4, "the original took 1.6 times what it usually takes in this run")
    starved = series((50.0, 1.0), (50.0, 1.0), (50.0, 1.0), cost=2.0).count("b")
    assert starved.sure == 0 and "25.0 times what it usually takes" in starved.doubt
    assert series((2.2, 1.0), (2.2, 1.0), (2.2, 1.0), cost=2.0).count("b").doubt == ""


def test_a_session_that_failed_in_a_round_is_left_out_of_it() -> None:
    made = series((2.0, 1.0))
    made.add(1, {"a": turn(2.0)}, {})
    assert len(made.count("b").rounds) == 1 and len(made.count("a").rounds) == 2


def test_sessions_that_take_turns_beside_other_turns_of_the_first_one_have_rounds_of_their_own() -> None:
    made = series((2.0, 1.0))
    made.add(0, {"a": turn(40.0), "c": turn(1.0)}, {})
    made.add(0, {"a": turn(2.0), "c": turn(1.0)}, {})
    assert (made.taken("a"), made.taken("b"), made.taken("c")) == (3, 1, 2)
    assert made.undisturbed("b") == [0] and made.undisturbed("c") == [2]
    assert made.next_number("ab") == 1 and made.next_number("ac") == 1


def test_ratios_are_taken_of_what_is_compared() -> None:
    made = Series[str](Cost(), "a", 3)
    made.add(0, {"a": turn(1.0, 4.0), "b": turn(0.5, 2.0)}, {})
    cost, rate = Cost.quantities
    rounds = made.count("b").rounds
    assert made.ratios("b", cost, rounds) == [2.0]
    assert made.ratios("b", rate, rounds) == [1.0]  # twice as many tokens a second, of half the bytes
    assert made.values("b", rounds)["rate"].value == 2.0
