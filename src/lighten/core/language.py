"""Language sessions: what a loaded language model can be asked, whatever engine runs it."""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from lighten.core.errors import InputError
from lighten.core.item import Item
from lighten.core.session import Session
from lighten.core.streamed_text import StreamedText

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Span:
    """Tokens whose probability is asked.

    Attributes:
        context: what comes before, at least one token (the model's start token, where it has one).
        targets: the tokens that are scored, each given the context and the targets before it; at least one.
    """

    context: tuple[int, ...]
    targets: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Scores:
    """What a model says of a span.

    Attributes:
        logprobs: float64 [targets], natural logarithm of the probability of each target.
        greedy: int32 [targets], the most likely token at each place.
    """

    logprobs: NDArray[Any]
    greedy: NDArray[Any]


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the next token is drawn.

    Attributes:
        temperature: 0 takes the most likely token.
        top_p: share of probability that the tokens to draw from hold together, the most likely first.
        seed: of the draws. draw: which of several answers that are drawn from the same seed this is.
        repeatable: whether the same is to come of it when it is asked again: then the prompt is computed anew, for
            going on from what another one left rounds otherwise.
    """

    temperature: float = 0.0
    top_p: float = 1.0
    seed: int = 0
    draw: int = 0
    repeatable: bool = False


GREEDY = Sampling()

END, STOP, MOST, FULL, BROKEN = "end", "stop", "most", "full", "broken"
"""Why an answer ended: the model ended it, it came to a text that ends it, it had its tokens, the context is full;
nothing can follow, because no text keeps its schema or what was computed is no number."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """What is to be continued, and how.

    Attributes:
        tokens: of the prompt, at least one.
        most: tokens of the answer; 0 only where the prompt itself is ``told``.
        stop: whether a token that ends an answer ends it.
        until: texts that end an answer; the one that comes first, which is no part of it.
        likely: of how many tokens, the most likely ones at each place, the probability is told; 0 for that of the
            chosen one only, None for none.
        told: whether the tokens of the prompt are told, too, before those of the answer.
        schema: JSON Schema, as JSON, that the answer is to keep; empty for any text.
        live: whether each token is wanted as soon as it is written; else some may be told together.
    """

    tokens: tuple[int, ...]
    most: int
    sampling: Sampling = GREEDY
    stop: bool = True
    until: tuple[str, ...] = ()
    likely: int | None = None
    told: bool = False
    schema: str = ""
    live: bool = True

    @property
    def anew(self) -> bool:
        """Whether all of it is computed, whatever is kept of other prompts."""
        return self.told or self.sampling.repeatable


@dataclass(frozen=True, slots=True)
class Likely:
    """A token that may stand at a place.

    Attributes:
        logprob: natural logarithm of its probability, before temperature and whatever bounds the draw; None for the
            first token of a prompt, which follows nothing. piece: bytes that it stands for.
    """

    token: int
    logprob: float | None
    piece: bytes


@dataclass(frozen=True, slots=True)
class Written:
    """What a step brought to one sequence.

    Attributes:
        number: of the sequence, as :meth:`LanguageSession.add` gave it.
        token: that was written; None where the answer ends without one more.
        text: of the answer that is certain since: whole characters, and nothing that may be a text that ends it.
        ended: ``END``, ``STOP``, ``MOST``, ``FULL`` or ``BROKEN`` when the sequence is over; empty before.
        chosen: the token with its probability; None where it is not asked. top: the most likely ones there.
        given: whether it is a token of the prompt.
    """

    number: int
    token: int | None
    text: str = ""
    ended: str = ""
    chosen: Likely | None = None
    top: tuple[Likely, ...] = ()
    given: bool = False


class LanguageSession(Session):
    """A language model that is loaded. Tokens are its own; text goes in and out by :meth:`encode` and :meth:`pieces`.

    Prompts are continued in two ways: all at once by :meth:`generate`, or in a batch that they join and leave while it
    runs (:meth:`add`, :meth:`step`, :meth:`drop`). A session that knows no better writes one whole answer in a step;
    those of lighten's own engines come on by a token in each.

    Attributes:
        context: most tokens of one sequence, prompt and answer together.
        streams: sequences that :meth:`generate` and :meth:`step` work on at the same time.
    """

    context: int
    streams: int
    _added: dict[int, Prompt] | None = None
    _numbers: int = 0

    @abstractmethod
    def encode(self, text: str, *, begin: bool = True, special: bool = False) -> list[int]:
        """Token ids of ``text``.

        Args:
            begin: put the model's start token first, where it has one.
            special: control tokens that are written out in ``text`` become those tokens; else they stay text.
        """

    @abstractmethod
    def pieces(self, tokens: Sequence[int]) -> list[bytes]:
        """The bytes that each token stands for; none for a control token."""

    @abstractmethod
    def ends(self, token: int) -> bool:
        """Whether ``token`` ends an answer."""

    @abstractmethod
    def score(self, spans: Sequence[Span]) -> list[Scores]:
        """The probability of each target of each span, in the order of ``spans``.

        Contexts that spans share are computed once, and logits only where they are asked; the result is that of one
        pass for each span, up to floating-point tolerance.

        Raises:
            InputError: a span that is longer than the context, or empty.
        """

    @abstractmethod
    def generate(
        self,
        prompts: Sequence[Sequence[int]],
        most: int,
        *,
        sampling: Sampling = GREEDY,
        stop: bool = True,
        heard: Callable[[int, int], bool] | None = None,
    ) -> list[list[int]]:
        """Continue every prompt by up to ``most`` tokens; the ending token is not among them.

        Args:
            prompts: token ids, at least one each.
            stop: end a sequence at a token that ends an answer; False goes on to ``most`` (for measuring).
            heard: called with (number of the prompt, token) as soon as each token is known; True ends that sequence,
                and this token is the last one kept.

        Raises:
            InputError: a prompt that leaves no room for an answer within the context.
        """

    @property
    def vocabulary(self) -> int:
        """Number of tokens that there are; 0 where nobody says."""
        return 0

    def add(self, prompt: Prompt) -> int:
        """Have a prompt continued beside those that are; it begins in one of the next steps.

        Returns:
            Its number, which no other sequence of this session has.

        Raises:
            InputError: a prompt that leaves no room for an answer, or that asks for what this engine cannot give.
        """
        check_prompt(prompt, self.context)
        if prompt.likely is not None or prompt.told or prompt.schema:
            what = "keeps no schema" if prompt.schema else "tells no probabilities"
            raise InputError(f"This engine {what}.", allowed="prompts without", fix="take a model of another engine")
        if self._added is None:
            self._added = {}
        self._numbers += 1
        self._added[self._numbers] = prompt
        return self._numbers

    def step(self) -> list[Written]:
        """Go on with what was added; nothing where there is nothing to go on with.

        Returns:
            What came, in the order in which it did. A sequence is over with the one that says why it ended; a step may
            bring nothing to a sequence, such as while its prompt is long or there is no room for it yet.
        """
        if not self._added:
            return []
        number = next(iter(self._added))
        prompt = self._added.pop(number)
        text, found = StreamedText(prompt.until), list[Written]()

        def hear(_: int, token: int) -> bool:
            found.append(Written(number, token, text.push(self.pieces([token])[0])))
            return text.ended

        drawn = _of_a_seed_alone(prompt.sampling)
        made = self.generate([prompt.tokens], prompt.most, sampling=drawn, stop=prompt.stop, heard=hear)
        full = len(prompt.tokens) + len(made[0]) >= self.context
        ended = END if len(made[0]) < prompt.most else MOST
        ended = STOP if text.ended else FULL if full and ended == END else ended
        return [*found, Written(number, None, text.finish(), ended)]

    def drop(self, number: int) -> None:
        """Go on with a sequence no more; nothing happens when it is over."""
        if self._added is not None:
            self._added.pop(number, None)

    def forget(self) -> None:
        """Let go of what is kept of earlier calls to save work, so that the next call computes everything anew."""

    def run(self, inputs: Sequence[Item]) -> NDArray[Any]:
        """A language model answers through its task, which knows what is to be asked."""
        raise InputError("A language model was asked without a task.", fix="open it with the task text_generation")


class ChoiceSession(Session):
    """A model that knows how likely each of a few choices is, and writes nothing.

    Attributes:
        choices: what it chooses from, as it follows the prompt. :meth:`run` gives [n, choices] logarithms of
            probabilities, each row normalised.
    """

    choices: tuple[str, ...]


def writer(session: Session) -> LanguageSession | None:
    """A session as one that goes on with texts; None where it does not."""
    return session if isinstance(session, LanguageSession) else None


def check_spans(spans: Sequence[Span], context: int) -> None:
    """Refuse spans that no engine can score.

    Raises:
        InputError: a span that is longer than ``context`` tokens, or empty.
    """
    for number, span in enumerate(spans):
        if not span.context or not span.targets:
            raise InputError(f"Span {number} has no context or nothing to score.", allowed="at least one token each")
        length = len(span.context) + len(span.targets)
        if length > context:
            raise InputError(f"Span {number} has {length:,} tokens.", allowed=f"at most {context:,} tokens")


def check_prompts(prompts: Sequence[Sequence[int]], context: int) -> None:
    """Refuse prompts that no engine can continue.

    Raises:
        InputError: an empty prompt, or one that leaves no room for an answer within ``context`` tokens.
    """
    for number, prompt in enumerate(prompts):
        if not prompt or len(prompt) >= context:
            raise InputError(f"Prompt {number} has {len(prompt):,} tokens.", allowed=f"1 to {context - 1:,} tokens")


def check_tokens(tokens: Sequence[int], vocabulary: int) -> None:
    """Refuse tokens that there are not; native code may take them for something else.

    Raises:
        InputError: one of them is not below ``vocabulary``.
    """
    strange = next((token for token in tokens if not 0 <= token < vocabulary), None)
    if strange is not None:
        raise InputError(f"There is no token {strange}.", allowed=f"0 to {vocabulary - 1:,}")


def check_prompt(prompt: Prompt, context: int) -> None:
    """Refuse a prompt that no engine can continue.

    Raises:
        InputError: see :func:`check_prompts`; or no answer is asked for.
    """
    room = context + (prompt.told and not prompt.most)
    if not prompt.tokens or len(prompt.tokens) >= room:
        raise InputError(f"The prompt has {len(prompt.tokens):,} tokens.", allowed=f"1 to {room - 1:,} tokens")
    if prompt.most < (not prompt.told):
        raise InputError(f"An answer of at most {prompt.most} tokens was asked for.", allowed="1 or more")


def written_by_steps(
    session: LanguageSession,
    prompts: Sequence[Sequence[int]],
    most: int,
    *,
    sampling: Sampling = GREEDY,
    stop: bool = True,
    heard: Callable[[int, int], bool] | None = None,
) -> list[list[int]]:
    """:meth:`LanguageSession.generate` of a session whose steps are as fast: all prompts are added at once.

    Each prompt has draws of its own, whatever it is asked with: the first one those of ``sampling``, the others those
    behind. Nothing goes on when this returns or raises.
    """
    check_prompts(prompts, session.context)
    made: list[list[int]] = [[] for _ in prompts]
    if most < 1:
        return made
    running: dict[int, int] = {}
    try:
        for place, tokens in enumerate(prompts):
            drawn = replace(sampling, draw=sampling.draw + place)
            running[session.add(Prompt(tuple(tokens), most, drawn, stop))] = place
        while running:
            for one in session.step():
                if one.number not in running:
                    continue
                place, over = running[one.number], bool(one.ended)
                if one.token is not None:
                    made[place].append(one.token)
                    if heard is not None and heard(place, one.token) and not over:
                        session.drop(one.number)
                        over = True
                if over:
                    del running[one.number]
    except BaseException as error:
        for number in running:
            session.drop(number)
        if not isinstance(error, InputError):  # what is refused has computed nothing
            session.forget()
        raise
    return made


def _of_a_seed_alone(sampling: Sampling) -> Sampling:
    """The draws of an answer where only seeds are known: another ``draw`` is another seed."""
    if not sampling.draw:
        return sampling
    mixed = hashlib.sha256(f"{sampling.seed} {sampling.draw}".encode()).digest()
    return replace(sampling, seed=int.from_bytes(mixed[:4], "big") >> 1, draw=0)


class Answers:
    """Answers while :meth:`LanguageSession.generate` writes them: what is kept of each, and whether it goes on.

    Attributes:
        kept: tokens of each answer.

    Args:
        session, prompts, most, stop, heard: see :meth:`LanguageSession.generate`.

    Raises:
        InputError: see :func:`check_prompts`.
    """

    def __init__(
        self,
        session: LanguageSession,
        prompts: Sequence[Sequence[int]],
        most: int,
        *,
        stop: bool,
        heard: Callable[[int, int], bool] | None,
    ) -> None:
        check_prompts(prompts, session.context)
        self.kept: list[list[int]] = [[] for _ in prompts]
        self._most = [max(min(most, session.context - len(prompt)), 0) for prompt in prompts]
        self._ends = session.ends if stop else None
        self._heard = heard

    def room(self, number: int) -> int:
        """How many tokens may still be kept."""
        return self._most[number] - len(self.kept[number])

    def take(self, number: int, token: int) -> bool:
        """Keep the next token of an answer, unless it ends it; whether the answer goes on."""
        if self._ends is not None and self._ends(token):
            return False
        self.kept[number].append(token)
        over = self._heard is not None and self._heard(number, token)
        return not over and self.room(number) > 0


BETWEEN_SHOTS = "\n\n"
"""Behind each example of a few-shot prompt."""
LEAST_SHARED = 8
"""Tokens below which a pass of its own for what several sequences begin with does not pay."""


def kept_start(kept: Sequence[int], contexts: Sequence[Sequence[int]]) -> int:
    """How many tokens of ``kept`` every context begins with; at least one token of each context is left.

    0 without contexts.
    """
    count = min([len(kept), *(len(context) - 1 for context in contexts)]) if contexts else 0
    for context in contexts:
        count = next((i for i in range(count) if kept[i] != context[i]), count)
    return count


def common_start(contexts: Sequence[tuple[int, ...]], least: int = LEAST_SHARED) -> tuple[int, ...]:
    """What all contexts begin with, when there are several and computing it once is worth a pass of its own; else ().

    At least one token of each context is left, because the logits of what follows come from it.

    Args:
        least: fewer tokens than this are not worth it.
    """
    if len(set(contexts)) < 2:
        return ()
    first, last = min(contexts), max(contexts)
    most = min(map(len, contexts)) - 1
    count = next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), most)
    return first[: min(count, most)] if min(count, most) >= least else ()
