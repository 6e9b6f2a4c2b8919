"""Language model in one GGUF file, whose numbers may have few bits."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from lighten.core.artifact import Artifact
from lighten.core.format import Format, Traffic
from lighten.nets.facts import gguf_facts
from lighten.nets.gguf.file import FILE, read_gguf
from lighten.nets.language.traffic import gguf_traffic

if TYPE_CHECKING:
    from lighten.nets.gguf.network import GgufModel


class Gguf(Format):
    """One file with the tokenizer in its header; the live model is a ``GgufModel``, whose tensors stay as they lie."""

    tasks: ClassVar[tuple[str, ...]] = ("text_generation",)
    home: ClassVar[str] = "llama"
    noun: ClassVar[str] = "a language model"
    original: ClassVar[bool] = True
    packed: ClassVar[bool] = True
    large: ClassVar[bool] = True

    def open(self, artifact: Artifact, labels: tuple[str, ...]) -> GgufModel:
        """See :meth:`Format.open`."""
        from lighten.nets.gguf.network import open_gguf

        return open_gguf(artifact)

    def save(self, model: GgufModel, folder: Path) -> Mapping[str, Any]:
        """See :meth:`Format.save`."""
        from lighten.nets.gguf.network import save_gguf

        save_gguf(model, folder)
        return dict(model.record)

    def facts(self, path: Path) -> dict[str, Any]:
        """See :meth:`Format.facts`; also sizes, bytes, bits, and why it cannot be opened as a network."""
        return gguf_facts(path / FILE if path.is_dir() else path)

    def traffic(self, path: Path, settings: Mapping[str, Any]) -> Traffic:
        """See :meth:`Format.traffic`: bytes as they lie in the file."""
        return gguf_traffic(read_gguf(path / FILE))
