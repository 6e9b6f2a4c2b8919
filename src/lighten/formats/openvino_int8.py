"""OpenVINO graph (IR) with weights, or weights and activations, in 8-bit integers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from lighten.core.artifact import Artifact
from lighten.core.format import Format
from lighten.nets.encoders.longest import limited
from lighten.nets.record import record

if TYPE_CHECKING:
    from lighten.nets.runtimes.ov_model import OvModel


class OpenvinoInt8(Format):
    """A graph and its weights beside the files of its reader; no step takes it."""

    tasks: ClassVar[tuple[str, ...]] = ("text_classification",)
    home: ClassVar[str] = "ov"
    noun: ClassVar[str] = "a classifier"
    packed: ClassVar[bool] = True
    cuts: ClassVar[bool] = True

    def save(self, model: OvModel, folder: Path) -> Mapping[str, Any]:
        """See :meth:`Format.save`."""
        from lighten.nets.runtimes.ov_model import save_ov

        save_ov(model, folder)
        return record(model)

    def shorten(self, artifact: Artifact, longest: int) -> Artifact:
        """See :meth:`Format.shorten`."""
        return limited(artifact, longest)
