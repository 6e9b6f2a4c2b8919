"""Text classification: one class per text, such as sentiment, topic or intent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from lighten.tasks._classification import Classification


@dataclass(frozen=True)
class TextClassification(Classification):
    """Exactly one class per text; the answer is the class with the largest logit."""

    options: ClassVar[tuple[str, ...]] = (*Classification.options, "longest")
