"""Live models of artifacts: opened for the first step, saved after the last."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lighten.core.artifact import Artifact
from lighten.core.matching import format_named, format_of


def open_model(artifact: Artifact, labels: tuple[str, ...]) -> Any:
    """Load the live model of an artifact. ``labels``: names of the classes, for a network that has no head yet.

    Raises:
        ModelError: no step can open a model of its format.
    """
    return format_of(artifact).open(artifact, labels)


def save_model(model: Any, format: str, folder: Path) -> Mapping[str, Any]:
    """Write a live model into an empty folder and return what belongs into its record beside format and lineage.

    Raises:
        ModelError: nothing that is installed brings the format.
    """
    return format_named(format).save(model, folder)
