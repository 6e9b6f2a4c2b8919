"""Float network that classifies pictures in a folder as the Hugging Face hub has it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from lighten.core.artifact import Artifact
from lighten.core.format import Format
from lighten.nets.record import record
from lighten.nets.vision.facts import vision_facts

if TYPE_CHECKING:
    from lighten.nets.network import Network


class HfImage(Format):
    """``config.json``, safetensors and an image processor; the live model is a ``Network``."""

    tasks: ClassVar[tuple[str, ...]] = ("image_classification",)
    home: ClassVar[str] = "eager"
    noun: ClassVar[str] = "a classifier of pictures"
    like: ClassVar[str] = "hf"
    original: ClassVar[bool] = True

    def open(self, artifact: Artifact, labels: tuple[str, ...]) -> Network:
        """See :meth:`Format.open`."""
        from lighten.nets.vision.network import open_vision

        return open_vision(artifact, labels=labels)

    def save(self, model: Network, folder: Path) -> Mapping[str, Any]:
        """See :meth:`Format.save`."""
        from lighten.nets.vision.network import save_vision

        save_vision(model, folder)
        return record(model)

    def facts(self, path: Path) -> dict[str, Any]:
        """See :meth:`Format.facts`; also what :func:`vision_facts` says."""
        return vision_facts(path)
