"""Float text classifier or encoder of texts in a folder as the Hugging Face hub has it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from lighten.core.artifact import Artifact
from lighten.core.format import Format, Location, Recognized
from lighten.files.weight_files import weight_files
from lighten.models.hf_folder import (
    ADAPTER,
    CONFIG,
    adapter_at,
    check_floats,
    check_found,
    copy_model,
    files_with_base,
    hub_files,
    kind_at,
    needing_torch,
    refuse_head,
)
from lighten.nets.architectures import CAUSAL, CLASSIFIER, ENCODER
from lighten.nets.encoders.longest import limited
from lighten.nets.encoders.own_tokenizer import write_own_tokenizer
from lighten.nets.facts import encoder_facts, read_config
from lighten.nets.record import record

if TYPE_CHECKING:
    from lighten.core.step import Needs
    from lighten.nets.network import Network
    from lighten.nets.training.schedule import Hyperparameters
    from lighten.nets.training.trainable import Trainable

BASES = (CLASSIFIER, ENCODER, CAUSAL), "a float HF folder"
"""What an adapter may be trained on."""


class Hf(Format):
    """``config.json``, safetensors and a tokenizer; the live model is a ``Network``."""

    tasks: ClassVar[tuple[str, ...]] = ("text_classification",)
    home: ClassVar[str] = "eager"
    noun: ClassVar[str] = "a text classifier"
    original: ClassVar[bool] = True
    lessons: ClassVar[frozenset[str]] = frozenset({"augment", "harden", "teacher", "unlabelled"})
    cuts: ClassVar[bool] = True
    instead: ClassVar[str] = "leave --task, --prompt, --answer and --choices out: it answers with its labels"

    def recognize(self, location: Location) -> Recognized | None:
        """See :meth:`Format.recognize`."""
        if adapter := adapter_at(location, "SEQ_CLS"):
            name, base = adapter
            return Recognized(location.root, "", name, f"an adapter of {base}", self.tasks, ADAPTER, base)
        kind, name = kind_at(location) or ("", "")
        if kind not in (CLASSIFIER, ENCODER):
            return None
        if kind == CLASSIFIER:
            refuse_head(location.where, name, location.read(CONFIG))
        noun = self.noun if kind == CLASSIFIER else "an encoder of texts"
        return Recognized(location.root, "", name, noun, self.tasks, kind)

    def check(self, found: Recognized, *, whole: bool = True) -> None:
        """See :meth:`Format.check`."""
        check_found(found, *BASES, whole=whole)
        if whole and found.kind != ADAPTER:
            read_config(found.path)

    def check_complete(self, found: Recognized) -> None:
        """See :meth:`Format.check_complete`."""
        if found.kind != ADAPTER:
            weight_files(found.path)

    def wanted(self, found: Recognized, names: Sequence[str]) -> list[str]:
        """See :meth:`Format.wanted`."""
        return hub_files(names)

    def files(self, found: Recognized) -> Sequence[Path]:
        """See :meth:`Format.files`: of an adapter, those of its base, too."""
        return files_with_base(super().files, found, *BASES)

    def bring(self, found: Recognized, folder: Path, model: str) -> Mapping[str, Any]:
        """See :meth:`Format.bring`."""
        copy_model(found, folder, *BASES)
        write_own_tokenizer(folder, model)
        known = encoder_facts(folder)
        check_floats(folder)
        with needing_torch():
            from lighten.nets.encoders.network import expected_shapes
        expected_shapes(folder)
        return {"family": known["family"], "labels": list(known["labels"])}

    def shorten(self, artifact: Artifact, longest: int) -> Artifact:
        """See :meth:`Format.shorten`."""
        return limited(artifact, longest)

    def open(self, artifact: Artifact, labels: tuple[str, ...]) -> Network:
        """See :meth:`Format.open`."""
        from lighten.nets.encoders.network import open_network

        return open_network(artifact, labels=labels)

    def trainable(self, model: Network, needs: Needs, asked: Hyperparameters) -> Trainable:
        """See :meth:`Format.trainable`."""
        from lighten.nets.training.rows import of_needs

        return of_needs(model, needs, asked)

    def save(self, model: Network, folder: Path) -> Mapping[str, Any]:
        """See :meth:`Format.save`."""
        from lighten.nets.encoders.network import save_network

        save_network(model, folder)
        return record(model)

    def facts(self, path: Path) -> dict[str, Any]:
        """See :meth:`Format.facts`; also sizes, the kind of the tokenizer, and the number formats of the weights."""
        return encoder_facts(path)
