"""The made-up language model is one: its probabilities add up, and what it writes is what it finds most likely."""

from math import exp

import pytest

from lighten.core.errors import InputError
from lighten.core.language import Sampling, Span
from lighten.testing.fake import FakeLanguageSession

PROMPT = (256, 97, 98)


def test_probabilities_add_up_and_differ_between_models() -> None:
    first, second = (FakeLanguageSession(seed).score([Span(PROMPT, (t,)) for t in range(258)]) for seed in (0, 1))
    assert sum(exp(score.logprobs[0]) for score in first) == pytest.approx(1.0)
    assert first[7].logprobs[0] != second[7].logprobs[0]


def test_it_writes_what_it_finds_most_likely() -> None:
    session = FakeLanguageSession()
    (made,) = session.generate([PROMPT], 12, stop=False)
    assert session.score([Span(PROMPT, tuple(made))])[0].greedy.tolist() == made
    (drawn,) = session.generate([PROMPT], 12, sampling=Sampling(temperature=1.0, seed=3))
    assert drawn != made and drawn == session.generate([PROMPT], 12, sampling=Sampling(1.0, seed=3))[0]
    assert session.generate([PROMPT], 12, sampling=Sampling(1.0, top_p=1e-9), stop=False) == [made]


def test_prompts_are_worked_on_four_at_a_time_and_end_when_told() -> None:
    heard: list[int] = []
    session = FakeLanguageSession()
    made = session.generate([PROMPT] * 5, 2, stop=False, heard=lambda number, _: bool(heard.append(number)))
    assert heard == [0, 1, 2, 3, 0, 1, 2, 3, 4, 4] and len({tuple(one) for one in made}) == 1
    assert [len(one) for one in session.generate([PROMPT] * 2, 9, stop=False, heard=lambda n, _: n == 1)] == [9, 1]


def test_an_ending_token_ends_an_answer() -> None:
    session = FakeLanguageSession()
    session.table[98, session.END] = 1.0
    assert session.generate([PROMPT], 5) == [[]] and len(session.generate([PROMPT], 5, stop=False)[0]) == 5


def test_text_goes_in_and_out() -> None:
    session = FakeLanguageSession()
    assert session.encode("é<end>") == [256, 195, 169, *b"<end>"]
    assert session.encode("é<end>x", begin=False, special=True) == [195, 169, 257, 120]
    assert b"".join(session.pieces(session.encode("é<end>", special=True))).decode() == "é"


@pytest.mark.parametrize("prompt", [(), (97,) * 16])
def test_a_prompt_must_leave_room(prompt: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match="tokens"):
        FakeLanguageSession(context=16).generate([prompt], 1)
