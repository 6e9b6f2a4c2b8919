"""Count the byte n-grams of the user's text: a baseline that every language model has to beat."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from lighten.core.errors import StepFailed
from lighten.core.step import Needs, Step, setting
from lighten.nets.baselines.byte_model import ByteModel, unasked
from lighten.nets.baselines.counts import HIGHEST, fit_ngram


@dataclass(frozen=True)
class NGramModel(Step):
    """Modified Kneser-Ney over bytes, in place of the model: learned in a second, a few megabytes, no arithmetic.

    Nothing of the model that it replaces is used.
    """

    title: ClassVar[tuple[str, str]] = (
        "byte n-grams counted in your text, up to {order} bytes long",
        "统计您文本中的字节 n-gram，最长 {order} 字节",
    )
    consumes: ClassVar[tuple[str, ...]] = ("hf-causal", "gguf")
    produces: ClassVar[str] = "byte-lm"
    needs: ClassVar[frozenset[str]] = frozenset({"train"})

    order: int = setting(
        6, "Bytes of the longest n-grams; each byte is guessed from one less.", low=1, high=HIGHEST, search=(6, 4)
    )

    def check(self, facts: Mapping[str, Any]) -> str:
        """See :meth:`Step.check`."""
        return unasked(facts)

    def run(self, model: object, needs: Needs) -> ByteModel:
        """Count.

        Raises:
            StepFailed: there are no rows to learn from. DataError: they hold no text.
        """
        if needs.train is None:
            raise StepFailed("Counting n-grams needs rows to train on.")
        needs.watch.progress(0, 1, "counting")
        found = fit_ngram(needs.train.texts, self.order)
        needs.watch.progress(1, 1)
        return found

    def share(self, facts: Mapping[str, Any] | None = None) -> float:
        """See :meth:`Step.share`: a few look-ups for each byte."""
        return 1e-5 * self.order
