"""What language sessions and their callers share: checks of spans and prompts, and ways to write."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lighten.core.errors import InputError
from lighten.core.language import (
    END,
    MOST,
    LanguageSession,
    Prompt,
    Sampling,
    Span,
    check_prompt,
    check_spans,
    written_by_steps,
)
from lighten.testing.fake import FakeLanguageSession
from lighten.testing.scribe import Scribe, ScribeSession


def test_spans_that_fit() -> None:
    check_spans([], 1)
    check_spans([Span((1,), (2,)), Span((1, 2, 3), (4,))], 4)


@pytest.mark.parametrize(
    ("span", "seen"),
    [
        (Span((), (1,)), "Span 1 has no context or nothing to score"),
        (Span((1,), ()), "Span 1 has no context or nothing to score"),
        (Span((1, 2, 3), (4, 5)), r"Span 1 has 5 tokens.\n *allowed: at most 4 tokens"),
    ],
)
def test_spans_that_do_not(span: Span, seen: str) -> None:
    with pytest.raises(InputError, match=seen):
        check_spans([Span((1,), (2,)), span], 4)


class Whole(FakeLanguageSession):
    """Writes whole answers, as an engine does that knows no steps."""


def test_a_session_that_knows_no_steps_writes_whole_answers() -> None:
    session = Whole(2)
    first, second = session.encode("ab"), session.encode("xyz")
    one, other = session.add(Prompt(tuple(first), 6)), session.add(Prompt(tuple(second), 4, stop=False))
    gone = session.add(Prompt(tuple(second), 4))
    session.drop(gone)
    heard = {number: [w for w in session.step() if w.number == number] for number in (one, other)}
    assert session.step() == []
    for number, prompt, most, stop in ((one, first, 6, True), (other, second, 4, False)):
        made = session.generate([prompt], most, stop=stop)[0]
        assert [w.token for w in heard[number] if w.token is not None] == made
        assert heard[number][-1].ended == (END if len(made) < most else MOST)
    for asked in (Prompt((1,), 3, likely=0), Prompt((1,), 3, told=True), Prompt((1,), 3, schema="{}")):
        with pytest.raises(InputError, match="This engine"):
            session.add(asked)


def test_a_session_that_knows_no_steps_draws_several_answers_of_one_seed() -> None:
    session = Whole(2)
    session.table[:] /= 100.0  # anything may come
    given = tuple(session.encode("ab"))

    def drawn(draw: int) -> list[int | None]:
        session.add(Prompt(given, 8, Sampling(1.0, 1.0, 3, draw), stop=False))
        return [one.token for one in session.step()][:-1]

    assert drawn(0) == session.generate([given], 8, sampling=Sampling(1.0, 1.0, 3), stop=False)[0]
    answers = [drawn(draw) for draw in range(4)]
    assert len({tuple(answer) for answer in answers}) == 4 and drawn(2) == answers[2]


@pytest.mark.parametrize(
    ("prompt", "seen"),
    [
        (Prompt((), 3), "The prompt has 0 tokens"),
        (Prompt((1,) * 8, 3), "The prompt has 8 tokens"),
        (Prompt((1,), 0), "at most 0 tokens"),
        (Prompt((1,) * 9, 0, told=True), "The prompt has 9 tokens"),
    ],
)
def test_a_prompt_that_cannot_be_continued_is_refused(prompt: Prompt, seen: str) -> None:
    check_prompt(Prompt((1,) * 7, 3), 8)
    check_prompt(Prompt((1,) * 8, 0, told=True), 8)
    with pytest.raises(InputError, match=seen):
        check_prompt(prompt, 8)


@pytest.mark.parametrize("make", [lambda: Whole(3), lambda: ScribeSession(Scribe())], ids=["whole", "stepwise"])
def test_written_by_steps_is_generate_and_leaves_nothing_behind(make: Callable[[], LanguageSession]) -> None:
    session = make()
    prompts = [session.encode(text) for text in ("ab", "cd", "q")]
    plain = [session.generate([prompt], 7, stop=False)[0] for prompt in prompts]
    assert written_by_steps(session, prompts, 7, stop=False) == plain
    assert written_by_steps(session, prompts, 0) == [[], [], []] and written_by_steps(session, [], 4) == []
    heard: list[tuple[int, int]] = []

    def hear(number: int, token: int) -> bool:
        heard.append((number, token))
        return number == 1 and len([1 for at, _ in heard if at == 1]) == 2

    assert written_by_steps(session, prompts, 7, stop=False, heard=hear) == [plain[0], plain[1][:2], plain[2]]

    def fails(number: int, token: int) -> bool:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        written_by_steps(session, prompts, 7, heard=fails)
    assert session.step() == []
    with pytest.raises(InputError, match="Prompt 1 has 0 tokens"):
        written_by_steps(session, [[1], []], 3)


def test_a_prompt_that_is_refused_takes_those_before_it_along_and_nothing_that_is_kept() -> None:
    session = ScribeSession(Scribe())
    forgotten: list[bool] = []
    session.forget = lambda: forgotten.append(True)  # type: ignore[method-assign]
    with pytest.raises(InputError, match="There is no token 999"):
        written_by_steps(session, [[97], [999]], 3)
    assert session.step() == [] and not forgotten


def test_prompts_written_by_steps_have_the_draws_behind_the_one_asked_for() -> None:
    session = ScribeSession(Scribe())
    session.table /= 100.0  # anything may come
    prompts = [[97], [97], [97]]
    first, second, third = written_by_steps(session, prompts, 6, sampling=Sampling(1.0, seed=3), stop=False)
    behind = written_by_steps(session, prompts[:2], 6, sampling=Sampling(1.0, seed=3, draw=1), stop=False)
    assert behind == [second, third] and first not in behind
