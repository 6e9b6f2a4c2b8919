"""Float network that classifies pictures in a folder as the Hugging Face hub has it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from lighten.core.artifact import Artifact
from lighten.core.errors import ModelError
from lighten.core.format import Format, Location, Recognized
from lighten.core.rows import Parts
from lighten.data.classes import unrelated
from lighten.models.hf_folder import copy_files, has_weights, needing_torch, refuse_head, tensor_names
from lighten.models.refusals import refuse_weights
from lighten.nets.record import record
from lighten.nets.vision.facts import read_vision_config, vision_facts
from lighten.nets.vision.folder import (
    CONFIG,
    FILES,
    PROCESSOR,
    check_picture_folder,
    kind_of_pictures,
    leave_head_out,
)

if TYPE_CHECKING:
    from lighten.core.step import Needs
    from lighten.nets.network import Network
    from lighten.nets.training.schedule import Hyperparameters
    from lighten.nets.training.trainable import Trainable


class HfImage(Format):
    """``config.json``, safetensors and an image processor; the live model is a ``Network``."""

    tasks: ClassVar[tuple[str, ...]] = ("image_classification",)
    home: ClassVar[str] = "eager"
    noun: ClassVar[str] = "a classifier of pictures"
    like: ClassVar[str] = "hf"
    original: ClassVar[bool] = True
    lessons: ClassVar[frozenset[str]] = frozenset({"augment", "harden", "teacher", "unlabelled"})
    replaces_heads: ClassVar[bool] = True
    extra: ClassVar[str] = "vision"

    def recognize(self, location: Location) -> Recognized | None:
        """See :meth:`Format.recognize`."""
        if location.is_file or CONFIG not in location.names or "model_index.json" in location.names:
            return None
        config = location.read(CONFIG)
        found = kind_of_pictures(location.where, config, tensor_names(location, config))
        if found is None:
            return None
        name, headed = found
        if not has_weights(location.names):
            refuse_weights(location.where, location.names, config)
        if PROCESSOR not in location.names:
            raise ModelError(
                f"{location.where} does not say how pictures become its inputs: it has no {PROCESSOR}.",
                allowed="a folder with the file that its image processor is saved in",
                fix="AutoImageProcessor.from_pretrained(WHERE_THE_MODEL_IS_FROM).save_pretrained(THIS_FOLDER)",
            )
        if headed:
            refuse_head(location.where, name, config)
        return Recognized(location.root, "", name, self.noun if headed else "a network for pictures", self.tasks)

    def check(self, found: Recognized, *, whole: bool = True) -> None:
        """See :meth:`Format.check`."""
        if whole:
            check_picture_folder(found.path)
            read_vision_config(found.path)

    def wanted(self, found: Recognized, names: Sequence[str]) -> list[str]:
        """See :meth:`Format.wanted`."""
        return [name for name in names if name in FILES or name.endswith((".safetensors", ".safetensors.index.json"))]

    def bring(self, found: Recognized, folder: Path, model: str) -> Mapping[str, Any]:
        """See :meth:`Format.bring`."""
        copy_files(found.path, folder, check_picture_folder(found.path))
        known = vision_facts(folder)
        with needing_torch():
            from lighten.nets.vision.network import check_vision
        check_vision(folder)
        return {"family": known["family"], "labels": list(known["labels"])}

    def suit(self, artifact: Artifact, parts: Parts, seed: int = 0) -> Artifact:
        """See :meth:`Format.suit`."""
        known, labels = vision_facts(artifact.path), parts.labels
        if not known["has_head"] or not labels or not unrelated(known["labels"], labels):
            return artifact
        leave_head_out(artifact.path)
        return Artifact.seal(
            artifact.path,
            format=artifact.format,
            parent=artifact.parent,
            step=artifact.step,
            seed=artifact.seed,
            versions=artifact.versions,
            meta={**artifact.meta, "labels": []},
        )

    def open(self, artifact: Artifact, labels: tuple[str, ...]) -> Network:
        """See :meth:`Format.open`."""
        from lighten.nets.vision.network import open_vision

        return open_vision(artifact, labels=labels)

    def trainable(self, model: Network, needs: Needs, asked: Hyperparameters) -> Trainable:
        """See :meth:`Format.trainable`."""
        from lighten.nets.training.rows import of_needs

        return of_needs(model, needs, asked)

    def save(self, model: Network, folder: Path) -> Mapping[str, Any]:
        """See :meth:`Format.save`."""
        from lighten.nets.vision.network import save_vision

        save_vision(model, folder)
        return record(model)

    def facts(self, path: Path) -> dict[str, Any]:
        """See :meth:`Format.facts`; also what :func:`vision_facts` says."""
        return vision_facts(path)
