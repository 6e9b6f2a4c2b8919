"""A language model in eager torch: batches by length, what contexts share computed once, keys and values kept."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

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
from lighten.nets.language.network import LanguageNetwork
from lighten.nets.training.precision import using_threads

Logits = NDArray[np.float32]
MOST_CONTEXT = 4096
TOKENS = 2048
"""Tokens in a batch, padding included."""
PLACES = 64
"""Places whose logits are held at a time."""


class Row:
    """Keys and values of one sequence; None before its first token."""

    cache: Any = None


class EagerLanguageSession(TokenSession):
    """See :class:`LanguageSession`."""

    def __init__(self, network: LanguageNetwork, *, rows: int, threads: int) -> None:
        config = network.net.config
        super().__init__(network.tokens, getattr(config, "eos_token_id", None))
        self._net, self._threads = network.net, threads
        self.context = min(int(getattr(config, "max_position_embeddings", MOST_CONTEXT)), MOST_CONTEXT)
        self.streams = rows
        self._kept: tuple[tuple[int, ...], Any] | None = None

    def score(self, spans: Sequence[Span]) -> list[Scores]:
        """See :meth:`LanguageSession.score`."""
        check_spans(spans, self.context)
        found: list[Scores | None] = [None] * len(spans)
        with using_threads(self._threads), torch.inference_mode():
            shared = self._share([span.context for span in spans])
            skip = len(shared[0]) if shared else 0
            order = sorted(range(len(spans)), key=lambda i: len(spans[i].context) + len(spans[i].targets))
            batch: list[int] = []
            for number in order:
                length = len(spans[number].context) + len(spans[number].targets) - skip
                if batch and (length * (len(batch) + 1) > TOKENS or len(batch) == self.streams):
                    self._score_batch(spans, batch, shared, found)
                    batch = []
                batch.append(number)
            if batch:
                self._score_batch(spans, batch, shared, found)
        return [scores for scores in found if scores is not None]

    def _share(self, contexts: Sequence[tuple[int, ...]]) -> tuple[tuple[int, ...], Any] | None:
        """What all contexts begin with, and its keys and values, kept or computed; None when it is not worth a pass."""
        shared, kept = common_start(contexts), self._kept
        if kept is not None and kept_start(kept[0], contexts) < len(kept[0]):
            kept = None
        known = kept[0] if kept is not None else ()
        if len(shared) >= len(known) + LEAST_SHARED:
            cache = copy.deepcopy(kept[1]) if kept is not None else None
            ids = torch.tensor([shared[len(known) :]])
            output = self._net(input_ids=ids, past_key_values=cache, use_cache=True, logits_to_keep=1)
            kept = shared, output.past_key_values
        self._kept = kept
        return kept

    def forget(self) -> None:
        """See :meth:`LanguageSession.forget`."""
        self._kept = None

    def _score_batch(
        self, spans: Sequence[Span], batch: Sequence[int], shared: Any, found: list[Scores | None]
    ) -> None:
        skip = len(shared[0]) if shared else 0
        rows = [[*spans[n].context[skip:], *spans[n].targets[:-1]] for n in batch]
        longest = max(map(len, rows))
        ids = torch.zeros(len(rows), longest, dtype=torch.long)
        for i, row in enumerate(rows):
            ids[i, : len(row)] = torch.tensor(row)
        more: dict[str, Any] = {}
        if shared:
            cache = copy.deepcopy(shared[1])
            cache.batch_repeat_interleave(len(rows))
            more = {
                "past_key_values": cache,
                "position_ids": torch.arange(skip, skip + longest)[None].expand(len(rows), -1),
            }
        # Rows are padded behind: what comes later is not seen by what is read.
        hidden = self._net.model(input_ids=ids, use_cache=bool(shared), **more).last_hidden_state
        for i, number in enumerate(batch):
            span = spans[number]
            first, pieces = len(span.context) - skip - 1, []
            for begin in range(0, len(span.targets), PLACES):
                targets = np.array(span.targets[begin : begin + PLACES])
                logits = self._net.lm_head(hidden[i, first + begin : first + begin + len(targets)]).float().numpy()
                pieces.append(log_softmax_at(logits, np.arange(len(targets)), targets))
            logprobs, greedy = zip(*pieces, strict=True)
            found[number] = Scores(np.concatenate(logprobs), np.concatenate(greedy))

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
        with using_threads(self._threads), torch.inference_mode():
            for begin in range(0, len(prompts), self.streams):
                numbers = list(range(begin, min(begin + self.streams, len(prompts))))
                self._together(prompts, numbers, answers, sampling, random)
        return answers.kept

    def _together(
        self,
        prompts: Sequence[Sequence[int]],
        numbers: Sequence[int],
        answers: Answers,
        sampling: Sampling,
        random: np.random.Generator,
    ) -> None:
        """Continue some prompts at the same time; they are padded in front."""
        longest = max(len(prompts[n]) for n in numbers)
        ids = torch.zeros(len(numbers), longest, dtype=torch.long)
        mask = torch.zeros(len(numbers), longest, dtype=torch.long)
        for i, n in enumerate(numbers):
            ids[i, longest - len(prompts[n]) :] = torch.tensor(list(prompts[n]))
            mask[i, longest - len(prompts[n]) :] = 1
        running = set(numbers)
        cache = None
        while running:
            positions = (mask.cumsum(-1) - 1).clamp(min=0)[:, -ids.shape[1] :]
            padded = bool((mask == 0).any())
            output = self._net(
                input_ids=ids,
                attention_mask=mask if padded else None,
                position_ids=positions,
                past_key_values=cache,
                use_cache=True,
                logits_to_keep=1,
            )
            cache, logits = output.past_key_values, output.logits[:, -1].float().numpy()
            tokens = []
            for i, n in enumerate(numbers):
                token = chosen(logits[i], sampling, random)
                tokens.append(token)
                if n in running and not answers.take(n, token):
                    running.discard(n)
            ids = torch.tensor(tokens)[:, None]
            mask = torch.cat([mask, torch.ones(len(numbers), 1, dtype=torch.long)], dim=1)

    def opened(self) -> Row:
        """See :meth:`SteppingSession.opened`."""
        return Row()

    def feed(self, state: Row, tokens: Sequence[int]) -> Logits:
        """See :meth:`SteppingSession.feed`."""
        with using_threads(self._threads), torch.inference_mode():
            ids = torch.tensor([list(tokens)])
            output = self._net(input_ids=ids, past_key_values=state.cache, use_cache=True, logits_to_keep=1)
            state.cache = output.past_key_values
            logits: Logits = output.logits[0, -1].float().numpy()
            return logits

    def close(self) -> None:
        """See :meth:`Session.close`."""
        super().close()
        self.__dict__.pop("_net", None)
        self._kept = None
