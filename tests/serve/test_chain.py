"""Inputs and answers past the guards of a model."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from lighten.core.guard import Guard, TextGuard
from lighten.core.prediction import Prediction
from lighten.guards.answers import Answers
from lighten.guards.classifier import Classifier
from lighten.guards.normalised import Normalised
from lighten.guards.words import Words
from lighten.serve.cases import VersionAnswer
from lighten.serve.chain import LARGE, Chain
from lighten.serve.presence import Presence
from lighten.serve.refusals import Refusal, overloaded
from lighten.serve.rules import Rule

INPUT, OUTPUT = ("input",), ("output",)


class Kept:
    """Keeps cases as they come: kind, input, answers, note."""

    def __init__(self) -> None:
        self.cases: list[tuple[str, Any, list[str], str]] = []

    def add(self, model: str, kind: str, input: Any, answers: Sequence[VersionAnswer] = (), note: str = "") -> None:
        assert model == "m"
        self.cases.append((kind, input, [one.answer for one in answers], note))


async def lower(values: Sequence[Any], deadline: float, presence: Presence) -> list[Prediction]:
    """A model that says whether a text is in small letters, and is less sure of short ones."""
    assert deadline > 0
    found = []
    for value in values:
        text = value if isinstance(value, str) else value["text"]
        sure = 0.9 if len(text) > 3 else 0.55
        label = "small" if text == text.lower() else "large"
        found.append(Prediction(label, {label: sure, "other": 1 - sure}))
    return found


async def echo(values: Sequence[Any], deadline: float, presence: Presence) -> list[Prediction]:
    """A model that writes what it is asked."""
    return [Prediction(str(value)) for value in values]


def rules(*guards: Guard) -> list[Rule]:
    return [
        Rule(f"{n}", one, "", one.finder(Path()) if isinstance(one, TextGuard) else None)
        for n, one in enumerate(guards)
    ]


def words(action: str, on: tuple[str, ...], *entries: str) -> Words:
    return Words(action=action, on=on, words=entries)


def asked(
    kept: Kept, guards: Sequence[Guard], values: Sequence[Any], model: Any = lower, idle: bool = True, **ask: Any
) -> tuple[list[str] | str, Chain]:
    """Labels, or the code of the refusal; and the chain, after all that it does later."""
    chain = Chain("m", "1", rules(*guards), ask=ask, cases=kept)

    async def body() -> list[str] | str:
        try:
            found = await chain.answered(model, lambda: idle, values, 5.0, Presence())
            while chain._tasks:
                await asyncio.sleep(0)
            return [one.label for one in found]
        except Refusal as refusal:
            return refusal.code

    return asyncio.run(body()), chain


def test_an_input_is_refused_without_a_word_of_why_and_people_see_it() -> None:
    kept = Kept()
    told, chain = asked(kept, [words("refuse", INPUT, "bad")], ["good", "a bad one"])
    assert told == "guarded_input" and chain.counts == {("0", "refuse"): 1}
    assert kept.cases == [("guard", "a bad one", [], "the guard 0 stopped the input")]


def test_what_one_guard_replaces_the_next_one_and_the_model_see_replaced() -> None:
    kept = Kept()
    guards = [words("redact", INPUT, "BAD"), words("refuse", INPUT, "bad")]
    told, chain = asked(kept, guards, ["so BAD", {"text": "BAD", "n": 3}, b"BAD"], echo)
    assert told == ["so [removed]", "{'text': '[removed]', 'n': 3}", "[removed]"]
    assert chain.counts == {("0", "redact"): 3} and not kept.cases


def test_a_flag_goes_to_people_with_the_answer() -> None:
    kept = Kept()
    guards = [words("flag", INPUT, "bad"), Answers(action="flag", floor=0.6)]
    told, chain = asked(kept, guards, ["bad", "fine", "bad idea"])
    assert told == ["small", "small", "small"] and chain.counts == {("0", "flag"): 2, ("1", "flag"): 1}
    assert kept.cases == [
        ("suspicious", "bad", ["small"], "flagged by the guard 0, 1"),
        ("suspicious", "bad idea", ["small"], "flagged by the guard 0"),
    ]


def test_answers_are_replaced_or_refused() -> None:
    kept = Kept()
    told, _ = asked(kept, [Answers(action="replace", floor=0.6, fallback="unsure")], ["long enough", "no"])
    assert told == ["small", "unsure"]
    assert kept.cases == [("guard", "no", ["small"], "the guard 0 stopped the output")]
    assert asked(kept, [Answers(action="refuse", labels=("small",))], ["NO WAY"])[0] == "guarded_output"
    assert asked(kept, [words("redact", OUTPUT, "bad")], ["it is bad"], echo)[0] == ["it is [removed]"]
    assert asked(kept, [words("refuse", OUTPUT, "small")], ["labels are no texts"])[0] == ["small"]


def test_another_model_judges_texts_and_is_waited_for() -> None:
    kept, seen = Kept(), list[Any]()

    async def judge(values: Sequence[Any], deadline: float, presence: Presence) -> list[Prediction]:
        seen.append(list(values))
        return await lower(values, deadline, presence)

    def shouts(on: tuple[str, ...]) -> Classifier:
        return Classifier(action="refuse", on=on, model="m", label="large")

    told, _ = asked(kept, [shouts(INPUT)], [{"text": "quiet", "note": "LOUD", "blank": " "}], **{"0": judge})
    assert told == "guarded_input" and seen == [["quiet", "LOUD"]]
    assert asked(kept, [shouts(OUTPUT)], ["quiet", " "], echo, **{"0": judge})[0] == ["quiet", " "]
    assert asked(kept, [shouts(OUTPUT)], ["LOUD"], echo, **{"0": judge})[0] == "guarded_output"

    async def full(values: Sequence[Any], deadline: float, presence: Presence) -> list[Prediction]:
        raise overloaded("full", 1.0)

    assert asked(kept, [shouts(INPUT)], ["quiet"], **{"0": full})[0] == "overloaded"  # and not let in unseen


def test_a_model_that_only_flags_is_asked_afterwards_and_fails_nothing() -> None:
    async def full(values: Sequence[Any], deadline: float, presence: Presence) -> list[Prediction]:
        raise overloaded("The model 'toxic' has no room.", 1.0)

    def shouts(on: tuple[str, ...], action: str = "flag") -> Classifier:
        return Classifier(action=action, on=on, model="m", label="large")

    kept = Kept()
    told, chain = asked(kept, [shouts(INPUT)], ["LOUD", {"text": "quiet", "note": "LOUD"}], **{"0": lower})
    assert told == ["large", "small"] and chain.counts == {("0", "flag"): 2}
    assert [case[:3] for case in kept.cases] == [
        ("suspicious", "LOUD", ["large"]),
        ("suspicious", {"text": "quiet", "note": "LOUD"}, ["small"]),
    ]
    told, chain = asked(kept, [shouts(OUTPUT)], ["LOUD"], echo, **{"0": lower})
    assert told == ["LOUD"] and chain.counts == {("0", "flag"): 1} and len(kept.cases) == 3
    told, chain = asked(kept, [shouts(INPUT)], ["LOUD"], **{"0": full})
    assert told == ["large"] and chain.counts == {("0", "skip"): 1}
    chain = Chain("m", "1", rules(shouts(INPUT, "refuse")), ask={"0": full})
    with pytest.raises(Refusal, match="could not be asked") as caught:
        asyncio.run(chain.taken(["LOUD"], 1.0, Presence()))
    assert (caught.value.status, caught.value.retry_after) == (429, 1.0) and "toxic" not in caught.value.line


def test_an_answer_that_changes_with_the_form_goes_to_people() -> None:
    kept = Kept()
    told, chain = asked(kept, [Normalised(share=1.0)], ["Loud words", "quiet"])
    assert told == ["large", "small"] and chain.counts == {("0", "flag"): 1}
    assert kept.cases == [("suspicious", "Loud words", ["large", "small"], "the guard 0: the answer changes with case")]


def test_nothing_is_asked_again_while_others_wait_or_no_share_is_wanted() -> None:
    kept = Kept()
    assert asked(kept, [Normalised(share=1.0)], ["Loud"], idle=False)[1].counts == {("0", "skip"): 1}
    assert asked(kept, [Normalised(share=0.0)], ["Loud"])[1].counts == {} and not kept.cases


def test_large_texts_are_looked_at_by_another_thread() -> None:
    kept = Kept()
    told, _ = asked(kept, [words("refuse", INPUT, "bad")], ["x " * LARGE + "bad"])
    assert told == "guarded_input"


def test_what_is_no_text_is_left_to_who_reads_it() -> None:
    told, _ = asked(Kept(), [words("refuse", INPUT, "bad")], [None, ["bad"], {"a": None, "b": True}], echo)
    assert told == ["None", "['bad']", "{'a': None, 'b': True}"]


def test_without_anybody_who_takes_cases_it_stops_all_the_same() -> None:
    chain = Chain("m", "1", rules(words("refuse", INPUT, "bad")))
    with pytest.raises(Refusal, match="stopped by a rule") as caught:
        asyncio.run(chain.taken(["bad"], 1.0, Presence()))
    assert caught.value.status == 403 and "bad" not in caught.value.line
