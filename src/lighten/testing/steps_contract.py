"""Contract of sessions whose prompts join and leave a running batch: see :func:`check_steps`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lighten.core.language import END, FULL, MOST, STOP, LanguageSession, Prompt, Sampling, Written


def check_steps(session: LanguageSession, prompts: Sequence[Sequence[int]], *, exact: bool = True) -> None:
    """Ask a session in every way that prompts can come and go.

    Args:
        session: open, idle. prompts: three or more, of which none ends at once and all are short.
        exact: whether answers are the same to the last token however they come together; numbers of low precision are
            not.

    Raises:
        AssertionError: it breaks the contract; says how.
    """
    check_answers(session, prompts, exact)
    check_leaving(session, prompts, exact)
    check_telling(session, prompts[0])
    check_ends(session, prompts[0])


def check_answers(session: LanguageSession, prompts: Sequence[Sequence[int]], exact: bool) -> None:
    """Prompts that join one after the other are continued as each of them alone, and as ``generate`` does."""
    alone = [session.generate([prompt], 9, stop=False)[0] for prompt in prompts]
    numbers = []
    heard: dict[int, list[Written]] = {}
    for prompt in prompts:  # one more for each step
        numbers.append(session.add(Prompt(tuple(prompt), 9, stop=False)))
        take(heard, session.step())
    run(session, heard, len(prompts))
    assert len(set(numbers)) == len(numbers), "two sequences have the same number"
    made = [tokens_of(heard[number]) for number in numbers]
    assert not exact or made == alone, "prompts that join are continued otherwise than alone"
    assert [len(one) for one in made] == [9] * len(prompts)
    for number, tokens in zip(numbers, made, strict=True):
        said = "".join(one.text for one in heard[number])
        assert said == b"".join(session.pieces(tokens)).decode("utf-8", "replace"), "the text is not that of its tokens"
    assert session.step() == [], "a step of nothing brings something"


def check_leaving(session: LanguageSession, prompts: Sequence[Sequence[int]], exact: bool) -> None:
    """One that leaves is heard of no more, and the others go on as if it had never been there."""
    alone = [session.generate([prompt], 8, stop=False)[0] for prompt in prompts[1:3]]
    first, second = (session.add(Prompt(tuple(prompt), 8, stop=False)) for prompt in prompts[:2])
    heard: dict[int, list[Written]] = {}
    while len(heard) < 2:
        take(heard, session.step())
    before = len(heard[first])
    session.drop(first)
    session.drop(first)  # what is over can be dropped
    third = session.add(Prompt(tuple(prompts[2]), 8, stop=False))
    run(session, heard, 2)
    assert len(heard[first]) == before, "a sequence that was dropped goes on"
    stayed = [tokens_of(heard[number]) for number in (second, third)]
    assert [len(one) for one in stayed] == [8, 8]
    assert not exact or stayed == alone, "prompts beside one that leaves are continued otherwise than alone"


def check_telling(session: LanguageSession, prompt: Sequence[int]) -> None:
    """Probabilities are those of ``score``, of the prompt's tokens too; a seed gives the same draws again."""
    from lighten.core.language import Span

    given = tuple(prompt)
    number = session.add(Prompt(given, 4, Sampling(1.0, 0.9, 7), stop=False, likely=3, told=True))
    heard: dict[int, list[Written]] = {}
    run(session, heard, 1)
    every = [one.chosen for one in heard[number] if one.chosen is not None]
    assert [one.given for one in heard[number]][: len(given)] == [True] * len(given)
    assert every[0].logprob is None and [one.token for one in every[: len(given)]] == list(given)
    tokens = [one.token for one in every]
    scores = session.score([Span((tokens[0],), tuple(tokens[1:]))])[0]
    told = [one.logprob for one in every[1:]]
    assert max(abs(a - b) for a, b in zip(told, scores.logprobs, strict=True) if a is not None) < 2e-2
    for one in heard[number][1:]:
        top = [other.logprob for other in one.top if other.logprob is not None]
        assert len(top) == 3 and top == sorted(top, reverse=True), "the most likely tokens are not in their order"
    drawn = []
    for draw in (0, 0, 1):
        number = session.add(Prompt(given, 8, Sampling(1.5, 1.0, 7, draw), stop=False))
        heard = {}
        run(session, heard, 1)
        drawn.append(tokens_of(heard[number]))
    assert drawn[0] == drawn[1] != drawn[2], "draws do not follow their seed"
    only = session.add(Prompt(given, 0, likely=0, told=True))
    heard = {}
    run(session, heard, 1)
    assert tokens_of(heard[only]) == [] and heard[only][-1].ended == MOST


def check_ends(session: LanguageSession, prompt: Sequence[int]) -> None:
    """An answer ends with its tokens, at a text, at an ending token, or with the context."""
    given = tuple(prompt)
    whole = session.generate([prompt], 12, stop=False)[0]
    said = b"".join(session.pieces(whole)).decode("utf-8", "replace")
    until = said[3:5]
    stopped = session.add(Prompt(given, 12, stop=False, until=("never there", until)))
    heard: dict[int, list[Written]] = {}
    run(session, heard, 1)
    assert "".join(one.text for one in heard[stopped]) == said.partition(until)[0]
    assert heard[stopped][-1].ended == STOP
    long = given * (session.context // len(given) + 1)
    if session.context <= 4096:
        full = session.add(Prompt(long[: session.context - 3], 50, stop=False))
        heard = {}
        run(session, heard, 1)
        assert len(tokens_of(heard[full])) == 3 and heard[full][-1].ended == FULL
    ends, session.ends = session.ends, lambda token: token == whole[2]  # type: ignore[method-assign]
    try:
        ended = session.add(Prompt(given, 12))
        heard = {}
        run(session, heard, 1)
        assert tokens_of(heard[ended]) == whole[: whole.index(whole[2])] and heard[ended][-1].ended == END
    finally:
        session.ends = ends  # type: ignore[method-assign]


def run(session: LanguageSession, heard: dict[int, list[Written]], count: int) -> None:
    """Step until so many sequences are over."""
    for _ in range(10_000):
        if sum(bool(one.ended) for every in heard.values() for one in every) >= count:
            return
        take(heard, session.step())
    raise AssertionError(f"{count} sequences did not come to an end")


def take(heard: dict[int, list[Written]], written: Sequence[Written]) -> None:
    """Sort what came by its sequence."""
    for one in written:
        heard.setdefault(one.number, []).append(one)


def tokens_of(written: Sequence[Written]) -> list[int]:
    """Tokens of an answer."""
    return [one.token for one in written if one.token is not None and not one.given]


def texts_of(heard: Mapping[int, Sequence[Written]]) -> dict[int, str]:
    """Texts of answers."""
    return {number: "".join(one.text for one in every) for number, every in heard.items()}
