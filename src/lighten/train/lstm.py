"""Train a small LSTM on the bytes of the user's text: the baseline that learns as large language models do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from lighten.core.errors import StepFailed
from lighten.core.step import Needs, Step, setting
from lighten.nets.baselines.byte_model import draw_texts, unasked
from lighten.nets.baselines.lstm import WIDEST, ByteLstm
from lighten.nets.baselines.lstm_loop import LstmSchedule, fit_lstm

FIXED, QUADRATIC = 10.0, 3.2e-4
"""Microseconds that a byte takes to learn from on one core, and for each square of the width."""


@dataclass(frozen=True)
class LstmTraining(Step):
    """One layer, in place of the model, from which nothing is taken: a minute or two of training, a megabyte or two.

    What it remembers of a text has one size, so that every byte costs the same, however long the text is.
    """

    title: ClassVar[tuple[str, str]] = (
        "byte-level LSTM, {width} wide, trained on your text, passes: {epochs}",
        "在您的文本上训练宽 {width} 的字节级 LSTM {epochs} 遍",
    )
    consumes: ClassVar[tuple[str, ...]] = ("hf-causal", "gguf")
    produces: ClassVar[str] = "byte-lm"
    needs: ClassVar[frozenset[str]] = frozenset({"train", "tune"})
    extra: ClassVar[str] = "train"

    width: int = setting(256, "Hidden values; time grows with their square.", low=1, high=WIDEST, search=(256, 128))
    epochs: int = setting(4, "Passes over the text; it ends sooner when held-out text loses.", low=1, high=1000)
    learning_rate: float = setting(1e-2, "Peak rate of Adam.", low=1e-6, high=1.0)
    rows: int = setting(16, "Texts learned side by side.", unit="texts", low=1, high=4096)
    most: int = setting(
        1_000_000,
        "Text that it learns from, drawn at random when there is more: every pass goes through all of it.",
        unit="characters",
        low=1,
        high=1_000_000_000,
    )

    def check(self, facts: Mapping[str, Any]) -> str:
        """See :meth:`Step.check`."""
        return unasked(facts)

    def run(self, model: object, needs: Needs) -> ByteLstm:
        """Train, up to the deadline; the weights that were best on ``tune`` stay.

        Raises:
            StepFailed: there are no rows to learn from, or the loss became infinite or NaN.
            DataError: the rows hold no text.
        """
        if needs.train is None or needs.tune is None:
            raise StepFailed("Training an LSTM needs rows to train and to tune on.")

        def heard(done: int, total: int, bits: float) -> bool:
            needs.watch.progress(done, total, f"held-out {bits:.3f} bits a byte")
            return needs.watch.seconds_left() <= 0

        return fit_lstm(
            draw_texts(needs.train.texts, self.most, needs.seed),
            needs.tune.texts,
            LstmSchedule(self.width, self.epochs, self.learning_rate, self.rows),
            seed=needs.seed,
            heard=heard,
        )

    def seconds(self, characters: int) -> float:
        """See :meth:`Step.seconds`."""
        passed = self.epochs * min(characters, self.most)
        return passed * (FIXED + QUADRATIC * self.width**2) * 1e-6

    def share(self, facts: Mapping[str, Any] | None = None) -> float:
        """See :meth:`Step.share`: one product with a small matrix for each byte."""
        return 1e-4 * self.width
