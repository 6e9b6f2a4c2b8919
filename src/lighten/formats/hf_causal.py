"""Float causal language model in a folder as the Hugging Face hub has it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from lighten.core.artifact import Artifact
from lighten.core.format import Format, Traffic
from lighten.nets.facts import language_facts
from lighten.nets.language.traffic import folder_traffic

if TYPE_CHECKING:
    from lighten.nets.language.network import LanguageNetwork


class HfCausal(Format):
    """``config.json``, safetensors and a tokenizer; the live model is a ``LanguageNetwork``."""

    tasks: ClassVar[tuple[str, ...]] = ("text_generation",)
    home: ClassVar[str] = "eager"
    noun: ClassVar[str] = "a language model"
    original: ClassVar[bool] = True
    large: ClassVar[bool] = True

    def open(self, artifact: Artifact, labels: tuple[str, ...]) -> LanguageNetwork:
        """See :meth:`Format.open`."""
        from lighten.nets.language.network import open_language

        return open_language(artifact)

    def save(self, model: LanguageNetwork, folder: Path) -> Mapping[str, Any]:
        """See :meth:`Format.save`."""
        from lighten.nets.language.network import save_language

        save_language(model, folder)
        return dict(model.record)

    def facts(self, path: Path) -> dict[str, Any]:
        """See :meth:`Format.facts`; also sizes, bytes, and why it cannot be written as GGUF."""
        return language_facts(path)

    def traffic(self, path: Path, settings: Mapping[str, Any]) -> Traffic | None:
        """See :meth:`Format.traffic`: bytes in the type that the engine computes in."""
        return folder_traffic(path, str(settings.get("dtype", "")))
