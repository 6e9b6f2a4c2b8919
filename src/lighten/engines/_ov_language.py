"""A language model in OpenVINO: sequences side by side in one state, what they share computed once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from lighten.core.errors import BuildFailed, InputError
from lighten.core.language import (
    GREEDY,
    LEAST_SHARED,
    Answers,
    Sampling,
    Scores,
    Span,
    check_spans,
    common_start,
    kept_start,
)
from lighten.engines._sampling import chosen, log_softmax_at
from lighten.engines._tokens import TokenSession
from lighten.nets.language.network import Tokens
from lighten.nets.runtimes.ov_language import answer_wanted, read_config, read_ov_language
from lighten.nets.runtimes.ov_model import import_ov

MOST_LOGITS = 1 << 24
"""Numbers of the output layer that are held at a time: with 262,144 tokens in the vocabulary, 64 places."""

Ids = NDArray[np.int64]
Logits = NDArray[np.float32]


class OvSettings(Protocol):
    """Settings that a session takes from its engine; see there for what each means."""

    @property
    def context(self) -> int: ...
    @property
    def streams(self) -> int: ...
    @property
    def batch(self) -> int: ...
    @property
    def precision(self) -> str: ...
    @property
    def cache(self) -> str: ...
    @property
    def group(self) -> int: ...


class Row:
    """One sequence by itself. request: an infer request of its own, whose state holds it."""

    def __init__(self, request: Any) -> None:
        self.request, self.length = request, 0


class OvLanguageSession(TokenSession):
    """See :class:`LanguageSession`. One infer request; its state holds the rows that are at work.

    The state of what all contexts of a call shared stays, for calls that begin in the same way.
    """

    def __init__(self, folder: Path, engine: OvSettings, *, threads: int) -> None:
        config = read_config(folder)
        super().__init__(Tokens.open(folder), config.get("eos_token_id"))
        self.context = min(engine.context, int(config.get("max_position_embeddings", engine.context)))
        self._slides = bool(config.get("sliding_window")) and bool(config.get("use_sliding_window", True))
        self.streams, self._batch = engine.streams, engine.batch
        self._places = max(MOST_LOGITS // int(config["vocab_size"]), engine.streams)
        self._compiled: Any = _compiled(folder, engine, threads)
        self._request: Any = self._compiled.create_infer_request()
        self._idle: list[Any] = []
        self._mask = np.ones((1, 0), np.int64)
        self._prefix: tuple[int, ...] = ()
        self._kept: list[tuple[Any, Any]] = []

    def score(self, spans: Sequence[Span]) -> list[Scores]:
        """See :meth:`LanguageSession.score`."""
        check_spans(spans, self.context)
        found = [Scores(np.empty(len(s.targets)), np.empty(len(s.targets), np.int32)) for s in spans]
        shared = self._share([span.context for span in spans])
        lengths = [len(span.context) + len(span.targets) - 1 - len(shared) for span in spans]
        order = sorted(range(len(spans)), key=lengths.__getitem__)
        while order:
            # As many rows of about the same length as keep the padding small; the longest first.
            longest = lengths[order[-1]]
            alike = sum(2 * lengths[n] >= longest for n in order)
            rows = [order.pop() for _ in range(min(alike, self.streams))]
            self._score_rows(spans, rows, len(shared), found)
            if order:
                self._recall()
        return found

    def _score_rows(self, spans: Sequence[Span], rows: Sequence[int], skip: int, found: Sequence[Scores]) -> None:
        ids = [[*spans[n].context[skip:], *spans[n].targets[:-1]] for n in rows]
        longest = max(map(len, ids))
        padded = np.array([row + [0] * (longest - len(row)) for row in ids], np.int64)
        wanted = np.zeros(padded.shape, bool)
        for row, number in enumerate(rows):
            wanted[row, len(spans[number].context) - skip - 1 : len(ids[row])] = True
        self._spread(len(rows))
        # Rows are padded behind: what comes later is not seen by what is read.
        for logits, places in self._feed(padded, np.ones_like(padded), wanted):
            spots = [(rows[row], column + skip + 1 - len(spans[rows[row]].context)) for row, column in places]
            targets = np.array([spans[number].targets[spot] for number, spot in spots])
            logprobs, best = log_softmax_at(logits, np.arange(len(spots)), targets)
            for (number, spot), logprob, token in zip(spots, logprobs, best, strict=True):
                found[number].logprobs[spot], found[number].greedy[spot] = logprob, token

    def generate(
        self,
        prompts: Sequence[Sequence[int]],
        most: int,
        *,
        sampling: Sampling = GREEDY,
        stop: bool = True,
        heard: Callable[[int, int], bool] | None = None,
    ) -> list[list[int]]:
        """See :meth:`LanguageSession.generate`."""
        answers = Answers(self, prompts, most, stop=stop, heard=heard)
        if most < 1:
            return answers.kept
        random = np.random.default_rng(sampling.seed)
        # Padding between what is shared and the rest would count as tokens that a sliding window has seen.
        even = not self._slides or len({len(prompt) for prompt in prompts}) == 1
        shared = self._share([tuple(prompt) for prompt in prompts] if even else [])

        def said(number: int, logits: Logits) -> bool:
            """Take the next token of a prompt; whether the prompt goes on."""
            return answers.take(number, chosen(logits, sampling, random))

        order = sorted(range(len(prompts)), key=lambda n: len(prompts[n]))
        for begin in range(0, len(order), self.streams):
            if begin:
                self._recall()
            self._write(prompts, sorted(order[begin : begin + self.streams]), len(shared), answers.kept, said)
        return answers.kept

    def _write(
        self,
        prompts: Sequence[Sequence[int]],
        numbers: list[int],
        skip: int,
        made: Sequence[Sequence[int]],
        said: Callable[[int, Logits], bool],
    ) -> None:
        """Continue some prompts together; they are padded in front, and a row leaves as soon as it has ended."""
        longest = max(len(prompts[n]) for n in numbers) - skip
        ids = np.zeros((len(numbers), longest), np.int64)
        for row, number in enumerate(numbers):
            own = prompts[number][skip:]
            ids[row, longest - len(own) :] = own
        seen = np.arange(longest)[None] >= longest - np.array([len(prompts[n]) - skip for n in numbers])[:, None]
        wanted = np.zeros(ids.shape, bool)
        wanted[:, -1] = True
        self._spread(len(numbers))
        mask = seen.astype(np.int64)
        while numbers:
            logits = next(logits for logits, _ in self._feed(ids, mask, wanted))
            going = [row for row, number in enumerate(numbers) if said(number, logits[row])]
            if len(going) < len(numbers):
                numbers = [numbers[row] for row in going]
                self._from = np.array(going, np.int32)
            ids = np.array([[made[number][-1]] for number in numbers], np.int64)
            mask = wanted = np.ones_like(ids)

    def _feed(self, ids: Ids, mask: Ids, wanted: NDArray[Any]) -> Iterator[tuple[Logits, list[tuple[int, int]]]]:
        """Compute tokens behind what is in the state, some columns at a time.

        Args:
            ids, mask, wanted: [rows, tokens]; 0 in the mask is padding.

        Returns:
            Where something is wanted: logits [places, vocabulary], and the (row, column) of each. An array is valid
            until the next one is asked for.
        """
        rows, columns = ids.shape
        asked = wanted.astype(bool)
        begin = 0
        while begin < columns:
            end, places = begin, 0
            while end < columns and (end == begin or rows * (end + 1 - begin) <= self._batch):
                places += int(asked[:, end].sum())
                if places > self._places and end > begin:
                    break
                end += 1
            here = np.argwhere(asked[:, begin:end])
            logits = self._infer(ids[:, begin:end], mask[:, begin:end], here[:, 0] * (end - begin) + here[:, 1])
            if len(here):
                yield logits, [(int(row), int(column) + begin) for row, column in here]
            begin = end

    def _infer(self, ids: Ids, mask: Ids, wanted: NDArray[Any]) -> Logits:
        if self._request is None:
            raise InputError("This session is closed.", fix="open the artifact again")
        self._mask = np.concatenate([self._mask[self._from], mask], axis=1)
        positions = np.maximum(self._mask.cumsum(axis=1) - 1, 0)[:, -ids.shape[1] :]
        # OpenVINO has no product of nothing: one place is computed where none is wanted.
        places = wanted.astype(np.int64) if len(wanted) else np.zeros(1, np.int64)
        given = {"input_ids": ids, "attention_mask": self._mask, "position_ids": positions, "wanted": places}
        given["beam_idx"] = self._from
        _ask(self._request, given)
        self._from = np.arange(len(ids), dtype=np.int32)
        logits: Logits = self._request.get_tensor("logits").data[0]
        return logits

    def _spread(self, rows: int) -> None:
        """The next tokens are those of so many rows, each of which continues what is shared, or begins."""
        if self._mask.shape[1]:
            self._from = np.zeros(rows, np.int32)
        else:
            self._mask, self._from = np.ones((rows, 0), np.int64), np.arange(rows, dtype=np.int32)

    def _share(self, contexts: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
        """What all contexts begin with, kept or computed into the state and remembered; empty when not worth it."""
        shared = common_start(contexts)
        if kept_start(self._prefix, contexts) < max(len(self._prefix), 1):
            self.forget()
        self._recall()
        if len(shared) >= len(self._prefix) + LEAST_SHARED:
            ids = np.array([shared[len(self._prefix) :]], np.int64)
            for _ in self._feed(ids, np.ones_like(ids), np.zeros_like(ids)):
                raise AssertionError("nothing was asked")
            self._kept = [(state, _copied(state.state)) for state in self._request.query_state()]
            self._prefix = shared
        return self._prefix

    def _recall(self) -> None:
        """Go back to what was shared, or to nothing."""
        if self._request is None:
            raise InputError("This session is closed.", fix="open the artifact again")
        self._request.reset_state()
        for state, kept in self._kept:
            state.state = kept
        self._mask, self._from = np.ones((1, len(self._prefix)), np.int64), np.zeros(1, np.int32)

    def opened(self) -> Row:
        """See :meth:`SteppingSession.opened`. Requests share the weights."""
        if self._compiled is None:
            raise InputError("This session is closed.", fix="open the artifact again")
        return Row(self._idle.pop() if self._idle else self._compiled.create_infer_request())

    def feed(self, state: Row, tokens: Sequence[int]) -> Logits:
        """See :meth:`SteppingSession.feed`."""
        for begin in range(0, len(tokens), self._batch):
            ids = np.array([tokens[begin : begin + self._batch]], np.int64)
            before, state.length = state.length, state.length + ids.shape[1]
            given = {
                "input_ids": ids,
                "attention_mask": np.ones((1, state.length), np.int64),
                "position_ids": np.arange(before, state.length)[None],
                "wanted": np.array([ids.shape[1] - 1]),
                "beam_idx": np.zeros(1, np.int32),
            }
            _ask(state.request, given)
        logits: Logits = state.request.get_tensor("logits").data[0, -1]
        return logits

    def released(self, state: Row) -> None:
        """See :meth:`SteppingSession.released`: another sequence may have the request."""
        state.request.reset_state()
        self._idle.append(state.request)

    def forget(self) -> None:
        """See :meth:`LanguageSession.forget`."""
        self._prefix, self._kept = (), []

    def close(self) -> None:
        """See :meth:`Session.close`."""
        super().close()
        self._compiled, self._request, self._kept, self._prefix, self._idle = None, None, [], (), []


def _ask(request: Any, given: Mapping[str, NDArray[Any]]) -> None:
    """Compute some tokens.

    Raises:
        BuildFailed: OpenVINO cannot.
    """
    try:
        request.infer({name: np.ascontiguousarray(value) for name, value in given.items()})
    except RuntimeError as error:
        count = given["input_ids"].size
        raise BuildFailed(f"OpenVINO failed while it computed {count} tokens: {error}") from error


def _compiled(folder: Path, engine: OvSettings, threads: int) -> Any:
    """The model compiled; its infer requests are ready to be asked.

    Raises:
        BuildFailed: OpenVINO refuses it.
    """
    model = read_ov_language(folder)
    answer_wanted(model)
    settings = {
        "INFERENCE_NUM_THREADS": threads,
        "NUM_STREAMS": 1,
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": engine.precision,
        "KV_CACHE_PRECISION": engine.cache,
        "DYNAMIC_QUANTIZATION_GROUP_SIZE": engine.group,
    }
    try:
        return import_ov("the engine ov_genai").Core().compile_model(model, "CPU", settings)
    except RuntimeError as error:
        raise BuildFailed(f"OpenVINO refuses the model: {error}") from error


def _copied(tensor: Any) -> Any:
    """A tensor of its own with the same content."""
    made = type(tensor)(tensor.element_type, tensor.shape)
    made.data[:] = tensor.data
    return made
