"""How language models are asked: documents by likelihood, prompts by what follows, choices by which is likeliest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lighten.core.errors import BuildFailed, DataError
from lighten.core.item import Item, texts
from lighten.core.language import ChoiceSession, LanguageSession, Scores, Span
from lighten.core.language_codes import BYTES, NATS, PROBED, PROBES, TOKENS, UNKNOWN, answer_code, code_of, probe_places
from lighten.core.session import Session

if TYPE_CHECKING:
    from numpy.typing import NDArray

DOCUMENTS, ANSWERS, CHOICES = "documents", "answers", "choices"
"""What is asked of a language model."""


@dataclass(frozen=True)
class Asking:
    """What is asked of a language model, and how.

    Attributes:
        evidence: ``documents``, ``answers`` or ``choices``.
        choices: the texts to choose from, as they follow the prompt.
        prefix: text before every prompt, such as the examples of a few-shot prompt.
        longest: tokens of a window; longer documents are scored in windows that overlap by half, nothing is cut.
        most: tokens that an answer may have.
        until: text that ends an answer.
    """

    evidence: str = DOCUMENTS
    choices: tuple[str, ...] = ()
    prefix: str = ""
    longest: int = 512
    most: int = 32
    until: str = "\n"

    @property
    def width(self) -> int:
        """Columns of the answers."""
        return {DOCUMENTS: PROBED + PROBES, ANSWERS: 1, CHOICES: len(self.choices)}[self.evidence]


class PromptedSession(Session):
    """A language session that is asked what the task wants to know.

    Attributes:
        language: the session itself, for meters of decoding.
    """

    def __init__(self, asking: Asking, session: LanguageSession) -> None:
        self.asking, self.language = asking, session

    def run(self, inputs: Sequence[Item]) -> NDArray[np.float64]:
        """Answers to ``inputs``, float64 [n, columns].

        Documents: nats, bytes, tokens, then the most likely token at each probed place. Prompts with an answer: the
        code of what was answered. Choices: the log-likelihood of each, in nats.
        """
        ask: Callable[[Sequence[str]], NDArray[np.float64]] = {
            DOCUMENTS: self._documents,
            ANSWERS: self._answers,
            CHOICES: self._choices,
        }[self.asking.evidence]
        return ask(texts(inputs)) if inputs else np.empty((0, self.asking.width))

    def close(self) -> None:
        """See :meth:`Session.close`."""
        self.language.close()

    def replies(self, prompts: Sequence[str]) -> list[str]:
        """What the model says after each prompt, greedily, up to the text that ends an answer."""
        return [text.strip() for text in self._continued(prompts)]

    def _documents(self, texts: Sequence[str]) -> NDArray[np.float64]:
        spans: list[Span] = []
        owners: list[tuple[list[int], list[int]]] = []
        for text in texts:
            start, ids = self._split(text)
            made = windows(start, ids, min(self.asking.longest, self.language.context))
            owners.append((ids if start else ids[1:], list(range(len(spans), len(spans) + len(made)))))
            spans += made
        scores = self.language.score(spans)
        return np.stack(
            [
                self._document(text, ids, [scores[i] for i in own])
                for text, (ids, own) in zip(texts, owners, strict=True)
            ]
        )

    def _split(self, text: str) -> tuple[list[int], list[int]]:
        """The start token, where the model has one, and the tokens of the text.

        Raises:
            DataError: a text with nothing to score.
        """
        ids, plain = self.language.encode(text), self.language.encode(text, begin=False)
        start = ids[: len(ids) - len(plain)] if ids[len(ids) - len(plain) :] == plain else []
        rest = ids[len(start) :]
        if len(ids) < 2 or not rest:
            raise DataError(
                f"The document {text[:40]!r} has {len(ids)} token, and nothing of it can be scored.",
                allowed="documents of at least two tokens",
                fix="leave it out, or join it with others",
            )
        return start, rest

    def _document(self, text: str, scored: list[int], scores: Sequence[Scores]) -> NDArray[np.float64]:
        logprobs = np.concatenate([score.logprobs for score in scores])
        greedy = np.concatenate([score.greedy for score in scores])
        raw = text.encode("utf-8", "surrogatepass")
        pieces = self.language.pieces(scored)
        row = np.full(PROBED + PROBES, UNKNOWN)
        # Pieces are spelled with a space before the first word by some tokenizers: what is before the text counts not.
        offsets = len(raw) - np.cumsum([len(piece) for piece in reversed(pieces)])[::-1]
        row[NATS], row[BYTES], row[TOKENS] = -logprobs.sum(), len(raw) - max(int(offsets[0]), 0), len(scored)
        at = {int(offset): i for i, offset in enumerate(offsets)}
        places = [(number, at[place]) for number, place in enumerate(probe_places(raw)) if place in at]
        texts = self.language.pieces([int(greedy[i]) for _, i in places])
        for (number, _), piece in zip(places, texts, strict=True):
            row[PROBED + number] = code_of(piece)
        return row

    def _choices(self, prompts: Sequence[str]) -> NDArray[np.float64]:
        spans = [span for prompt in prompts for span in self.spans(prompt)]
        sums = [float(score.logprobs.sum()) for score in self.language.score(spans)]
        return np.array(sums).reshape(len(prompts), len(self.asking.choices))

    def spans(self, prompt: str) -> list[Span]:
        """One span for each choice, all after the same context: the tokens that all of them begin with."""
        text = self.asking.prefix + prompt
        context = self.language.encode(text)
        whole = [self.language.encode(text + choice) for choice in self.asking.choices]
        common = min(_shared(context, ids) for ids in whole)
        common = min(common, *(len(ids) - 1 for ids in whole))
        if common < 1:
            raise DataError(f"The prompt {prompt[:40]!r} is empty.", allowed="a text before the choices")
        return [Span(tuple(ids[:common]), tuple(ids[common:])) for ids in whole]

    def _answers(self, prompts: Sequence[str]) -> NDArray[np.float64]:
        return np.array([[answer_code(text)] for text in self._continued(prompts)])

    def _continued(self, prompts: Sequence[str]) -> list[str]:
        ids = [self.language.encode(self.asking.prefix + prompt) for prompt in prompts]
        until, heard = self.asking.until.encode(), [b""] * len(prompts)

        def hear(number: int, token: int) -> bool:
            heard[number] += self.language.pieces([token])[0]
            return bool(until) and until in heard[number].lstrip()

        self.language.generate(ids, self.asking.most, heard=hear)
        texts = [said.decode("utf-8", "replace").lstrip() for said in heard]
        return [text.partition(self.asking.until)[0] if self.asking.until else text for text in texts]


class RankedSession(Session):
    """A session that ranks choices, asked for those of the task. The examples before every prompt tell it nothing.

    Raises:
        BuildFailed: the task has no choices, or others.
    """

    def __init__(self, asking: Asking, session: ChoiceSession) -> None:
        if set(session.choices) != set(asking.choices) or len(session.choices) != len(asking.choices):
            asked = f"choices {', '.join(map(repr, asking.choices))}" if asking.choices else asking.evidence
            raise BuildFailed(
                f"This model ranks choices, and it is asked for {asked}.",
                allowed=f"the choices that it was trained on: {', '.join(map(repr, session.choices))}",
            )
        self._session, self._columns = session, [session.choices.index(choice) for choice in asking.choices]

    def run(self, inputs: Sequence[Item]) -> NDArray[np.float64]:
        """Logarithm of the probability of each choice after each prompt: float64 [n, choices]."""
        return np.asarray(self._session.run(inputs)[:, self._columns], np.float64)

    def close(self) -> None:
        """See :meth:`Session.close`."""
        self._session.close()


def windows(start: Sequence[int], ids: Sequence[int], longest: int) -> list[Span]:
    """A document in spans of at most ``longest`` tokens: each token is scored once, after at least half a window.

    Args:
        start: the start token, or nothing; then the first token of the document is context only.
    """
    first = list(start) or [ids[0]]
    rest = list(ids) if start else list(ids[1:])
    room = longest - len(first)
    spans = [Span(tuple(first), tuple(rest[:room]))]
    half = max(longest // 2, 1)
    at = room
    while at < len(rest):
        keep = rest[max(at - (longest - half - len(start)), 0) : at]
        spans.append(Span((*start, *keep), tuple(rest[at : at + half])))
        at += half
    return spans


def _shared(a: Sequence[int], b: Sequence[int]) -> int:
    """Length of the beginning that two sequences share."""
    for number, (x, y) in enumerate(zip(a, b, strict=False)):
        if x != y:
            return number
    return min(len(a), len(b))
