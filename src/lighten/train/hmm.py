"""Learn a hidden Markov model of the user's text, byte by byte: the smallest baseline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from lighten.core.errors import StepFailed
from lighten.core.step import Needs, Step, setting
from lighten.nets.baselines.byte_model import ByteModel, draw_texts, unasked
from lighten.nets.baselines.hmm import MOST_STATES, fit_hmm


@dataclass(frozen=True)
class HiddenMarkovModel(Step):
    """Baum-Welch over bytes, in place of the model, from which nothing is taken. Some hundred kilobytes."""

    title: ClassVar[tuple[str, str]] = (
        "hidden Markov model of {states} states learned from your text",
        "由您的文本学得 {states} 个状态的隐马尔可夫模型",
    )
    consumes: ClassVar[tuple[str, ...]] = ("hf-causal", "gguf")
    produces: ClassVar[str] = "byte-lm"
    needs: ClassVar[frozenset[str]] = frozenset({"train"})

    states: int = setting(64, "Hidden states; time grows with their square.", low=1, high=MOST_STATES, search=(64,))
    iterations: int = setting(15, "Passes over the text; it ends sooner when little is gained.", low=1, high=1000)
    most: int = setting(
        500_000,
        "Text that it learns from, drawn at random when there is more: every pass goes through all of it.",
        unit="characters",
        low=1,
        high=100_000_000,
    )

    def check(self, facts: Mapping[str, Any]) -> str:
        """See :meth:`Step.check`."""
        return unasked(facts)

    def run(self, model: object, needs: Needs) -> ByteModel:
        """Learn, up to the deadline.

        Raises:
            StepFailed: there are no rows to learn from. DataError: they hold no text.
        """
        if needs.train is None:
            raise StepFailed("Learning a hidden Markov model needs rows to train on.")
        texts = needs.train.texts

        def heard(done: int, likelihood: float) -> bool:
            needs.watch.progress(done, self.iterations, f"log-likelihood {likelihood:,.0f}")
            return needs.watch.seconds_left() <= 0

        return fit_hmm(draw_texts(texts, self.most, needs.seed), self.states, iterations=self.iterations, heard=heard)

    def seconds(self, characters: int) -> float:
        """See :meth:`Step.seconds`: 33 s for a million characters, with 64 states on two cores."""
        return 33e-6 * min(characters, self.most) * (self.states / 64) ** 2

    def share(self, facts: Mapping[str, Any] | None = None) -> float:
        """See :meth:`Step.share`: two products of a small matrix for each byte."""
        return 1e-6 * self.states
