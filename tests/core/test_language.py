"""What language sessions and their callers share: checks of spans, codes of answers, places that are probed."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest

from lighten.core.errors import InputError
from lighten.core.language import (
    CODED_BYTES,
    END,
    MOST,
    PROBES,
    LanguageSession,
    Prompt,
    Sampling,
    Span,
    answer_code,
    check_prompt,
    check_spans,
    code_of,
    probe_places,
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


def test_codes_of_pieces_are_equal_for_equal_beginnings() -> None:
    assert CODED_BYTES == 6
    assert code_of(b"") == 0.0
    assert code_of(b" film") == int.from_bytes(b" film\0", "big")
    assert code_of(b" films and") == code_of(b" films")
    codes = [code_of(piece) for piece in (b"", b" ", b" a", b" b", b"a", b"\xff\xff\xff\xff\xff\xff", "é".encode())]
    assert len(set(codes)) == len(codes)
    assert all(code >= 0 and int(code) == code for code in codes)  # no code is the one of an unknown place
    assert float(int(codes[5])) == 2.0**48 - 1


def test_codes_of_answers_heed_neither_case_nor_spaces_nor_a_full_stop() -> None:
    assert answer_code("Paris") == answer_code("  paris.\n") == answer_code("PARIS")
    assert answer_code("New  York") == answer_code("new\tyork")
    assert answer_code("Straße") == answer_code("STRASSE")
    assert len({answer_code(text) for text in ("", "Paris", "Paris!", "Par is", "巴黎", "\ud800")}) == 6


def test_places_are_where_words_begin() -> None:
    assert probe_places(b"") == probe_places(b"word") == probe_places(b" word") == []
    assert probe_places(b"a b  c") == [1, 3]
    text = b"x" + b" y" * 40
    assert probe_places(text[:33]) == list(range(1, 33, 2))
    many = probe_places(text)
    assert len(many) == len(set(many)) == PROBES == 16
    assert many == sorted(many) and all(text[place : place + 1] == b" " for place in many)
    gaps = {after - before for before, after in pairwise(many)}
    assert gaps <= {4, 6}
    assert probe_places(text, 1) == [41]


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
