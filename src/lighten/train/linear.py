"""Learn logistic regression on the n-grams of labelled rows: the baseline of every prompt with choices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from lighten.core.errors import StepFailed
from lighten.core.step import Needs, Step, setting
from lighten.core.task import task_record
from lighten.nets.baselines.linear import LinearModel
from lighten.nets.baselines.linear_fit import fit_linear
from lighten.nets.baselines.ngram_features import LONGEST


@dataclass(frozen=True)
class LinearTraining(Step):
    """Words, word pairs and character n-grams by tf-idf, in place of the model, from which nothing is taken.

    It ranks choices, and writes no text.
    """

    title: ClassVar[tuple[str, str]] = (
        "logistic regression on words, word pairs and character n-grams of your labelled rows",
        "在您的标注行上以词、词对与字符 n-gram 训练的逻辑回归",
    )
    consumes: ClassVar[tuple[str, ...]] = ("hf-causal", "gguf")
    produces: ClassVar[str] = "linear"
    needs: ClassVar[frozenset[str]] = frozenset({"train", "tune"})
    extra: ClassVar[str] = "train"

    characters: int = setting(
        5, "Characters of the longest n-grams; 0 for words and word pairs alone.", low=0, high=LONGEST, search=(5, 0)
    )
    features: int = setting(
        200_000, "N-grams that count, those that most rows have first.", unit="n-grams", low=1, high=50_000_000
    )

    def check(self, facts: Mapping[str, Any]) -> str:
        """See :meth:`Step.check`: there must be choices to learn."""
        return "" if facts.get("evidence") == "choices" else "it learns labelled rows with choices, and there are none"

    def run(self, model: object, needs: Needs) -> LinearModel:
        """Learn, and choose the strength on ``tune``.

        Raises:
            StepFailed: there are no rows to learn from. DataError: they have no choices, or a row has none of them.
        """
        if needs.train is None or needs.tune is None:
            raise StepFailed("A linear model needs rows to train and to tune on.")
        return fit_linear(
            needs.train.texts,
            needs.train.targets,
            task_record(needs.task).get("choices", ()),
            (needs.tune.texts, needs.tune.targets),
            characters=self.characters,
            most=self.features,
            heard=lambda done, total, nats: needs.watch.progress(done, total, f"held-out {nats:.3f} nats a row"),
        )

    def share(self, facts: Mapping[str, Any] | None = None) -> float:
        """See :meth:`Step.share`: a look-up for each n-gram of a text."""
        return 1e-6
