"""A loaded GGUF file: sequences share one key-value cache, and what they have in common is computed once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from lighten.core.errors import BuildFailed
from lighten.core.language import (
    GREEDY,
    LEAST_SHARED,
    LanguageSession,
    Prompt,
    Sampling,
    Scores,
    Span,
    Written,
    check_prompt,
    check_spans,
    common_start,
    kept_start,
    written_by_steps,
)
from lighten.engines._continued import Continued, Guides, check_idle
from lighten.engines._lookup import Lookup
from lighten.engines._sampling import log_softmax_at
from lighten.nets.runtimes.llama_api import LlamaVocabulary, library, load_model

FLASH = {"auto": -1, "off": 0, "on": 1}
CACHES = {"f16": 1, "q8_0": 8}
"""Number of a tensor format in ggml."""
MOST_LOGITS = 1 << 20
"""Numbers of the output layer that are held at a time: with 65,536 tokens in the vocabulary, 16 places."""

Logits = NDArray[np.float32]


def outputs_of(vocabulary: int, batch: int, streams: int) -> int:
    """Places whose logits are held at a time."""
    return max(min(MOST_LOGITS // max(vocabulary, 1), batch), streams + 1, 8)


@dataclass
class PendingToken:
    """One token to be computed.

    Attributes:
        token, position: its id and its place in the sequence.
        sequences: that it belongs to.
        wanted: whether its logits are asked.
    """

    token: int
    position: int
    sequences: tuple[int, ...]
    wanted: bool = False


@dataclass
class Branch:
    """One span while it is scored: where in the outputs its logits are, one place for each target."""

    span: int
    places: list[int] = field(default_factory=list)


@dataclass
class Running:
    """A sequence of :class:`Continued` in the cache.

    Attributes:
        sequence: its number in llama.cpp. fed: tokens of its prompt that are computed.
        shared: of those, the ones whose cells are those of sequence 0. lookup: guesses at what comes, where it guesses.
    """

    continued: Continued
    sequence: int
    fed: int
    shared: int
    lookup: Lookup | None


class LlamaSettings(Protocol):
    """Settings that a session takes from its engine; see there for what each means."""

    @property
    def library(self) -> str: ...
    @property
    def cells(self) -> int: ...
    @property
    def streams(self) -> int: ...
    @property
    def batch(self) -> int: ...
    @property
    def flash(self) -> str: ...
    @property
    def cache(self) -> str: ...
    @property
    def ahead(self) -> int: ...
    @property
    def mapped(self) -> bool: ...
    @property
    def repack(self) -> bool: ...


class LlamaSession(LanguageSession):
    """See :class:`LanguageSession`.

    Sequence 0 holds what all contexts of a call share, and stays when the call is over: a next one that begins in the
    same way, such as the next row behind the same examples or the next turn of a conversation, goes on from there.
    """

    def __init__(self, path: Path, engine: LlamaSettings, *, threads: int) -> None:
        self._lib = library(engine.library)
        self._model = load_model(self._lib, path, repack=engine.repack, mapped=engine.mapped)
        self._words = LlamaVocabulary(self._lib, self._model)
        self._batch_size = min(engine.batch, engine.cells)
        self.context, self.streams, self._cells = engine.cells, engine.streams, engine.cells
        self._ahead = engine.ahead
        self._outputs = outputs_of(self._words.size, self._batch_size, max(engine.streams, engine.ahead))
        params = self._lib.llama_context_default_params()
        params.n_ctx, params.n_batch, params.n_ubatch = engine.cells, self._batch_size, self._batch_size
        params.n_seq_max, params.kv_unified, params.swa_full = engine.streams + 1, True, True
        params.n_outputs_max = params.n_outputs_max_per_seq = self._outputs
        params.n_threads = params.n_threads_batch = threads
        params.flash_attn_type = FLASH[engine.flash]
        params.type_k = params.type_v = CACHES[engine.cache]
        self._context = self._lib.llama_init_from_model(self._model, params)
        if not self._context:
            self._lib.llama_model_free(self._model)
            raise BuildFailed(
                f"llama.cpp makes no context of {engine.cells} cells, flash attention {engine.flash}, "
                f"cache {engine.cache}.",
                fix="a quantized cache needs flash attention; fewer cells need less memory",
            )
        self._memory = self._lib.llama_get_memory(self._context)
        self._kept: tuple[int, ...] = ()
        self._waiting: dict[int, Continued] = {}
        self._running: dict[int, Running] = {}
        self._free = list(range(engine.streams, 0, -1))
        self._last = 0
        self._guides = Guides(self)
        self._batch = self._lib.llama_batch_init(self._batch_size, 0, engine.streams + 1)
        trained = int(self._lib.llama_model_n_ctx_train(self._model))
        self.context = min(self.context, trained) if trained > 0 else self.context

    def encode(self, text: str, *, begin: bool = True, special: bool = False) -> list[int]:
        """See :meth:`LanguageSession.encode`."""
        ids = self._words.encode(text, begin=begin, special=special)
        return ids[:-1] if begin and self._words.closes else ids

    def pieces(self, tokens: Sequence[int]) -> list[bytes]:
        """See :meth:`LanguageSession.pieces`."""
        return self._words.pieces(tokens)

    def ends(self, token: int) -> bool:
        """See :meth:`LanguageSession.ends`."""
        return self._words.ends(token)

    def score(self, spans: Sequence[Span]) -> list[Scores]:
        """See :meth:`LanguageSession.score`."""
        check_idle(self, len(self._running) + len(self._waiting))
        check_spans(spans, self.context)
        found: list[Scores | None] = [None] * len(spans)
        if not spans:
            return []
        with self._clean():
            contexts = [span.context for span in spans]
            shared = self._share(contexts)
            alone = contexts[0] if len(set(contexts)) == 1 else ()
            packs = list(self._packs(spans, shared))
            for number, pack in enumerate(packs, 1):
                self._score_pack(spans, pack, shared, found, alone if number == len(packs) else ())
        return [scores for scores in found if scores is not None]

    @contextmanager
    def _clean(self) -> Iterator[None]:
        """Nothing is kept of a call that failed: which tokens were computed is not known then."""
        try:
            yield
        except BaseException:
            self.forget()
            raise

    def _share(self, contexts: Sequence[tuple[int, ...]]) -> int:
        """Put what all contexts begin with into sequence 0, from what is kept or computed; how many tokens it is."""
        known, wanted = kept_start(self._kept, contexts), common_start(contexts)
        # Layers with a sliding window may have lost what was behind it, and some models cannot be cut back.
        whole = self._lib.llama_memory_seq_pos_min(self._memory, 0) == 0
        if known < LEAST_SHARED or not whole or not self._lib.llama_memory_seq_rm(self._memory, 0, known, -1):
            self.forget()
            known = 0
        if len(wanted) < known + LEAST_SHARED:
            wanted = ()
        for _ in self._decode([PendingToken(wanted[i], i, (0,)) for i in range(known, len(wanted))]):
            raise AssertionError("nothing was asked")
        self._kept = wanted or self._kept[:known]
        return len(self._kept)

    def _keep(self, sequence: int, tokens: Sequence[int]) -> None:
        """Sequence 0 becomes what another one begins with."""
        self._lib.llama_memory_seq_rm(self._memory, 0, -1, -1)
        self._lib.llama_memory_seq_cp(self._memory, sequence, 0, 0, len(tokens))
        self._kept = tuple(tokens)

    def _packs(self, spans: Sequence[Span], shared: int) -> Iterator[list[int]]:
        """Numbers of spans that fit into the cache together, those of one context side by side, the long ones first."""
        order = sorted(range(len(spans)), key=lambda i: (-len(spans[i].context), spans[i].context, i))
        pack: list[int] = []
        cells = sequences = 0
        before: tuple[int, ...] | None = None
        for number in order:
            span = spans[number]
            own = len(span.targets) - 1 + (0 if span.context == before else len(span.context) - shared)
            full = cells + own > min(self._cells - shared, 4 * self._batch_size) or sequences == self.streams
            if pack and full:
                yield pack
                pack, cells, sequences = [], 0, 0
                own = len(span.targets) - 1 + len(span.context) - shared
            pack.append(number)
            cells, sequences, before = cells + own, sequences + 1, span.context
        if pack:
            yield pack

    def _score_pack(
        self,
        spans: Sequence[Span],
        pack: Sequence[int],
        shared: int,
        found: list[Scores | None],
        alone: tuple[int, ...],
    ) -> None:
        """Score spans that fit into the cache together; ``alone`` is their one context, where it is worth keeping."""
        groups: dict[tuple[int, ...], list[tuple[int, Branch]]] = {}
        for sequence, number in enumerate(pack, 1):
            groups.setdefault(spans[number].context, []).append((sequence, Branch(number)))
            self._lib.llama_memory_seq_cp(self._memory, 0, sequence, 0, shared)
        places: list[PendingToken] = []
        asked = 0
        for context, members in groups.items():
            everyone = tuple(sequence for sequence, _ in members)
            places += [PendingToken(context[i], i, everyone) for i in range(shared, len(context))]
            places[-1].wanted = True
            for _, branch in members:
                branch.places.append(asked)
            asked += 1
            for sequence, branch in members:
                for offset, token in enumerate(spans[branch.span].targets[:-1]):
                    places.append(PendingToken(token, len(context) + offset, (sequence,), True))
                    branch.places.append(asked)
                    asked += 1
        wanted: list[list[tuple[Branch, int]]] = [[] for _ in range(asked)]
        for members in groups.values():
            for _, branch in members:
                for offset, place in enumerate(branch.places):
                    wanted[place].append((branch, offset))
                targets = len(branch.places)
                found[branch.span] = Scores(np.empty(targets), np.empty(targets, np.int32))
        at = 0
        for logits in self._decode(places):
            here = [(row, b, o) for row in range(len(logits)) for b, o in wanted[at + row]]
            rows = np.array([row for row, _, _ in here])
            tokens = np.array([spans[b.span].targets[o] for _, b, o in here])
            logprobs, best = log_softmax_at(logits, rows, tokens)
            for (row, branch, offset), value in zip(here, logprobs, strict=True):
                scores = found[branch.span]
                assert scores is not None
                scores.logprobs[offset], scores.greedy[offset] = value, best[row]
            at += len(logits)
        if alone:
            self._keep(1, alone)
        for sequence in range(1, len(pack) + 1):
            self._lib.llama_memory_seq_rm(self._memory, sequence, -1, -1)

    def generate(
        self,
        prompts: Sequence[Sequence[int]],
        most: int,
        *,
        sampling: Sampling = GREEDY,
        stop: bool = True,
        heard: Callable[[int, int], bool] | None = None,
    ) -> list[list[int]]:
        """See :meth:`LanguageSession.generate`; written by steps, which work on all prompts together."""
        check_idle(self, len(self._running) + len(self._waiting))
        return written_by_steps(self, prompts, most, sampling=sampling, stop=stop, heard=heard)

    @property
    def vocabulary(self) -> int:
        """See :attr:`LanguageSession.vocabulary`."""
        return self._words.size

    def add(self, prompt: Prompt) -> int:
        """See :meth:`LanguageSession.add`."""
        check_prompt(prompt, self.context)
        continued = Continued(self._last + 1, prompt, self, self._guides.guide(prompt))
        self._last += 1
        self._waiting[self._last] = continued
        return self._last

    def step(self) -> list[Written]:
        """See :meth:`LanguageSession.step`: one token of every sequence that runs, and some of the prompts that come.

        Prompts are read in portions of a batch, so that a long one holds up nobody for more than that.
        """
        if not self._running and not self._waiting:
            return []
        with self._clean():
            self._join()
            return self._advance()

    def drop(self, number: int) -> None:
        """See :meth:`LanguageSession.drop`."""
        self._waiting.pop(number, None)
        if number in self._running:
            with self._clean():
                self._leave(self._running[number])

    def _join(self) -> None:
        """Prompts that wait begin, as far as there are sequences and cells for them."""
        joining: list[Continued] = []
        for continued in self._waiting.values():
            if len(joining) == len(self._free) or not self._make_room([*joining, continued]):
                break
            joining.append(continued)
        if not self._running and any(one.prompt.sampling.repeatable for one in joining):
            # Cells that others hold change how sums are rounded, though nothing of them is looked at.
            self._lib.llama_memory_clear(self._memory, False)
            self._kept = ()
        self._share_among(joining)
        for continued in joining:
            del self._waiting[continued.number]
            sequence = self._free.pop()
            shared = self._branch(sequence, self._known(continued))
            lookup = Lookup(continued.prompt.tokens) if self._ahead and continued.plain else None
            self._running[continued.number] = Running(continued, sequence, shared, shared, lookup)

    def _make_room(self, joining: Sequence[Continued]) -> bool:
        """Whether there are cells for some prompts beside what runs, at the cost of what is kept for others."""
        known = self._known(joining[-1])
        for kept in dict.fromkeys((len(self._kept), known, 0)):
            held = kept + sum(self._room(one.continued) - min(one.shared, kept) for one in self._running.values())
            more = sum(self._room(one) - min(self._known(one), kept) for one in joining)
            if held + more <= self._cells:
                if kept < len(self._kept):
                    self._keep_first(kept)
                return len(self._kept) == kept or self._make_room(joining)
        return False

    def _room(self, continued: Continued) -> int:
        """Cells that a sequence may come to need."""
        return min(len(continued.prompt.tokens) + continued.prompt.most, self.context)

    def _known(self, continued: Continued) -> int:
        """How many tokens of a prompt stand in sequence 0, and need not be computed; 0 where it is not worth it."""
        if continued.prompt.anew:
            return 0
        known = kept_start(self._kept, [continued.prompt.tokens])
        return known if known >= LEAST_SHARED and self._whole() else 0

    def _whole(self) -> bool:
        """Whether nothing of sequence 0 is lost: layers with a sliding window may have lost what was behind it."""
        return bool(self._lib.llama_memory_seq_pos_min(self._memory, 0) == 0)

    def _share_among(self, joining: Sequence[Continued]) -> None:
        """What prompts that join together begin with is computed once, where it is not kept."""
        if self._running:
            return  # they would have to wait for it
        prompts = [one.prompt.tokens for one in joining if not one.prompt.anew]
        wanted = common_start(prompts)
        if len(prompts) > 1 and len(set(prompts)) == 1 and len(prompts[0]) > LEAST_SHARED:
            wanted = prompts[0][:-1]
        if not wanted:
            return
        known = kept_start(self._kept, [(*wanted, -1)])
        # Where all go on from what is kept well enough, what others may come back to is not given away for little.
        if len(wanted) < known + LEAST_SHARED:
            return
        self._keep_first(known if known >= LEAST_SHARED and self._whole() else 0)
        known = len(self._kept)
        for _ in self._decode([PendingToken(wanted[i], i, (0,)) for i in range(known, len(wanted))]):
            raise AssertionError("nothing was asked")
        self._kept = wanted

    def _keep_first(self, count: int) -> None:
        """Of sequence 0, keep so many tokens; none where the model cannot be cut back."""
        if count and not self._lib.llama_memory_seq_rm(self._memory, 0, count, -1):
            count = 0
        if not count:
            self._lib.llama_memory_seq_rm(self._memory, 0, -1, -1)
        self._kept = self._kept[:count]
        for one in self._running.values():
            one.shared = min(one.shared, count)  # the others are its own now

    def _branch(self, sequence: int, count: int) -> int:
        """A sequence begins with the first ``count`` tokens of sequence 0. Returns how many it has."""
        if not count:
            return 0
        self._lib.llama_memory_seq_cp(self._memory, 0, sequence, 0, len(self._kept))
        if count < len(self._kept) and not self._lib.llama_memory_seq_rm(self._memory, sequence, count, -1):
            self._lib.llama_memory_seq_rm(self._memory, sequence, -1, -1)
            return 0
        return count

    def _leave(self, one: Running) -> None:
        """A sequence is over; it stays as sequence 0, for a prompt that goes on from it or begins in the same way."""
        continued = one.continued
        del self._running[continued.number]
        tokens = (*continued.prompt.tokens, *continued.made[:-1])
        whole = self._lib.llama_memory_seq_pos_min(self._memory, one.sequence) == 0
        if whole and one.fed >= len(continued.prompt.tokens):
            self._keep(one.sequence, tokens)
            for other in self._running.values():
                other.shared = min(other.shared, one.shared)
        self._lib.llama_memory_seq_rm(self._memory, one.sequence, -1, -1)
        self._free.append(one.sequence)

    def _advance(self) -> list[Written]:
        """Compute a portion of what there is to compute."""
        places: list[PendingToken] = []
        asked: list[tuple[Running, int | None, int]] = []
        for one in self._running.values():
            prompt, made = one.continued.prompt.tokens, one.continued.made
            if one.fed < len(prompt):
                continue
            position = len(prompt) + len(made) - 1
            # Guesses are worth their arithmetic only where one sequence leaves most of the machine idle.
            few = min(self._ahead, one.continued.room - 1)
            guesses = one.lookup.guess(few) if one.lookup is not None and len(self._running) == 1 else []
            fed = [made[-1], *guesses]
            places += [PendingToken(token, position + i, (one.sequence,), True) for i, token in enumerate(fed)]
            asked += [(one, guess, -1) for guess in (*guesses, None)]
        for one in self._running.values():
            prompt = one.continued.prompt.tokens
            end = min(len(prompt), one.fed + max(self._batch_size - len(places), 0))
            for place in range(one.fed, end):
                wanted = place == len(prompt) - 1 or one.continued.prompt.told
                places.append(PendingToken(prompt[place], place, (one.sequence,), wanted))
                if wanted:
                    asked.append((one, None, place))
            one.fed = end
        return self._heard(places, asked)

    def _heard(self, places: Sequence[PendingToken], asked: Sequence[tuple[Running, int | None, int]]) -> list[Written]:
        """Compute places, and take from their logits.

        Args:
            asked: of each place whose logits are wanted: the sequence, the guess that follows there, and the place in
                its prompt or -1 behind that.
        """
        found: list[Written] = []
        at, missed = 0, dict[int, int]()
        for logits in self._decode(places):
            for row, (one, guess, place) in zip(logits, asked[at : at + len(logits)], strict=True):
                continued = one.continued
                if continued.over or continued.number in missed:
                    continue  # what stands behind a wrong guess, or behind the end
                if continued.prompt.told and place == 0:
                    found += continued.given(0, None)
                if 0 <= place < len(continued.prompt.tokens) - 1:
                    found += continued.given(place + 1, row)
                elif not continued.over:
                    before = len(continued.made)
                    found += continued.take(row)
                    if len(continued.made) == before or continued.over:
                        continue
                    token = continued.made[-1]
                    if one.lookup is not None:
                        one.lookup.add(token)
                    if guess is not None and guess != token:
                        missed[continued.number] = len(continued.prompt.tokens) + len(continued.made) - 1
            at += len(logits)
        for number, first in missed.items():
            self._lib.llama_memory_seq_rm(self._memory, self._running[number].sequence, first, -1)
        for one in [one for one in self._running.values() if one.continued.over]:
            self._leave(one)
        return found

    def _decode(self, places: Sequence[PendingToken]) -> Iterator[Logits]:
        """Compute tokens in their order; gives the logits that are wanted, [places, vocabulary], piece by piece.

        An array is valid until the next one is asked for.

        Raises:
            BuildFailed: llama.cpp reports a failure.
        """
        begin = 0
        while begin < len(places):
            end = outputs = 0
            for end in range(begin, min(begin + self._batch_size, len(places))):
                outputs += places[end].wanted
                if outputs > self._outputs:
                    end -= 1
                    outputs -= 1
                    break
            piece = places[begin : end + 1]
            self._fill(piece)
            code = self._lib.llama_decode(self._context, self._batch)
            if code:
                raise BuildFailed(f"llama.cpp ended with code {code} while it computed {len(piece)} tokens.")
            if outputs:
                yield np.ctypeslib.as_array(self._lib.llama_get_logits(self._context), (outputs, self._words.size))
            begin = end + 1

    def _fill(self, piece: Sequence[PendingToken]) -> None:
        batch = self._batch
        batch.n_tokens = len(piece)
        for i, place in enumerate(piece):
            batch.token[i], batch.pos[i], batch.logits[i] = place.token, place.position, place.wanted
            batch.n_seq_id[i] = len(place.sequences)
            for j, sequence in enumerate(place.sequences):
                batch.seq_id[i][j] = sequence

    def forget(self) -> None:
        """See :meth:`LanguageSession.forget`."""
        self._lib.llama_memory_clear(self._memory, False)
        self._kept = ()
        self._free = list(range(self.streams, 0, -1))  # one that joined or left when it failed is in no list
        self._running.clear()
        self._waiting.clear()

    def close(self) -> None:
        """See :meth:`Session.close`."""
        if self._context:
            self._lib.llama_batch_free(self._batch)
            self._lib.llama_free(self._context)
            self._lib.llama_model_free(self._model)
            self._context = None
