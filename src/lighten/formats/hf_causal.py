"""Float causal language model in a folder as the Hugging Face hub has it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from lighten.core.artifact import Artifact
from lighten.core.format import Format, Location, Recognized, Traffic
from lighten.files.json_file import read_object
from lighten.files.weight_files import weight_files
from lighten.models.base_of import base_of
from lighten.models.hf_folder import (
    ADAPTER,
    CONFIG,
    adapter_at,
    check_floats,
    check_found,
    copy_files,
    copy_model,
    files_with_base,
    hub_files,
    kind_at,
    needing_torch,
    wanted_files,
)
from lighten.nets.architectures import CAUSAL, TEXT_PART
from lighten.nets.encoders.own_tokenizer import write_own_tokenizer
from lighten.nets.facts import language_facts
from lighten.nets.language.memory import memory_to_train
from lighten.nets.language.network import check_language_weights, read_language_config
from lighten.nets.language.text_part import take_text_part, text_config, text_tensors
from lighten.nets.language.traffic import folder_traffic

if TYPE_CHECKING:
    from lighten.core.step import Needs
    from lighten.nets.language.network import LanguageNetwork
    from lighten.nets.training.schedule import Hyperparameters
    from lighten.nets.training.trainable import Trainable

BASES = (CAUSAL,), "a causal language model in an HF folder"
"""What an adapter may be trained on."""


class HfCausal(Format):
    """``config.json``, safetensors and a tokenizer; the live model is a ``LanguageNetwork``."""

    tasks: ClassVar[tuple[str, ...]] = ("text_generation",)
    home: ClassVar[str] = "eager"
    noun: ClassVar[str] = "a language model"
    original: ClassVar[bool] = True
    large: ClassVar[bool] = True
    instead: ClassVar[str] = "leave --task out; to have it choose between labels, give --prompt and --choices"

    def recognize(self, location: Location) -> Recognized | None:
        """See :meth:`Format.recognize`; of a model of texts and images its text part."""
        if adapter := adapter_at(location, "CAUSAL_LM"):
            name, base = adapter
            return Recognized(location.root, "", name, f"an adapter of {base}", self.tasks, ADAPTER, base)
        kind, name = kind_at(location) or ("", "")
        return Recognized(location.root, "", name, self.noun, self.tasks, kind) if kind in (CAUSAL, TEXT_PART) else None

    def check(self, found: Recognized, *, whole: bool = True) -> None:
        """See :meth:`Format.check`."""
        check_found(found, *BASES, whole=whole)
        if whole and found.kind == TEXT_PART:
            text_tensors(found.path)
        elif whole and found.kind == CAUSAL:
            read_language_config(found.path)

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
        if found.kind == TEXT_PART:
            copy_files(found.path, folder, wanted_files(found.path))
            take_text_part(found.path, folder)
        else:
            copy_model(found, folder, *BASES)
        if not (folder / "tokenizer.json").exists():
            write_own_tokenizer(folder, model)
        check_floats(folder)
        with needing_torch():
            check_language_weights(folder)
        return {"labels": []}

    def open(self, artifact: Artifact, labels: tuple[str, ...]) -> LanguageNetwork:
        """See :meth:`Format.open`."""
        from lighten.nets.language.network import open_language

        return open_language(artifact)

    def trainable(self, model: LanguageNetwork, needs: Needs, asked: Hyperparameters) -> Trainable:
        """See :meth:`Format.trainable`."""
        from lighten.nets.language.training import of_needs

        return of_needs(model, needs, asked)

    def save(self, model: LanguageNetwork, folder: Path) -> Mapping[str, Any]:
        """See :meth:`Format.save`."""
        from lighten.nets.language.network import save_language

        save_language(model, folder)
        return dict(model.record)

    def facts(self, path: Path) -> dict[str, Any]:
        """See :meth:`Format.facts`; also sizes, bytes, and why it cannot be written as GGUF."""
        return language_facts(path)

    def facts_of(self, found: Recognized) -> dict[str, Any]:
        """See :meth:`Format.facts_of`: of an adapter those of its base, of a text part its own."""
        if found.kind == ADAPTER:
            return language_facts(base_of(found, *BASES).path)
        if found.kind == TEXT_PART:
            return language_facts(found.path, text_config(read_object(found.path / CONFIG)), text_tensors(found.path))
        return language_facts(found.path)

    def memory(self, facts: Mapping[str, Any], *, whole: bool = False) -> Mapping[str, int]:
        """See :meth:`Format.memory`."""
        return memory_to_train(facts, whole=whole)

    def traffic(self, path: Path, settings: Mapping[str, Any]) -> Traffic | None:
        """See :meth:`Format.traffic`: bytes in the type that the engine computes in."""
        return folder_traffic(path, str(settings.get("dtype", "")))
