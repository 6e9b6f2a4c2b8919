"""What the fake engine opens: a file whose text is the model."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from lighten.core.format import Format


class FakeFormat(Format):
    """A classifier that is made by :func:`lighten.testing.fake.fake_artifact` and that no step takes."""

    tasks: ClassVar[tuple[str, ...]] = ("text_classification",)
    home: ClassVar[str] = "fake"
    noun: ClassVar[str] = "a classifier"

    def save(self, model: str, folder: Path) -> Mapping[str, Any]:
        """Write its text."""
        (folder / "fake.txt").write_text(model, encoding="utf-8")
        return {"labels": ["even", "odd"]}
