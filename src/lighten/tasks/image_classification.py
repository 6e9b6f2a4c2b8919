"""Image classification: one class per picture, such as what is on it or whether a part is faulty."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from lighten.tasks._classification import Classification


@dataclass(frozen=True)
class ImageClassification(Classification):
    """Exactly one class per picture; the answer is the class with the largest logit."""

    models: ClassVar[str] = "a classifier of pictures"
    kind: ClassVar[str] = "image"
