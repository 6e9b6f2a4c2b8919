"""Float text classifier or encoder of texts in a folder as the Hugging Face hub has it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from lighten.core.artifact import Artifact
from lighten.core.format import Format
from lighten.nets.facts import encoder_facts
from lighten.nets.record import record

if TYPE_CHECKING:
    from lighten.nets.network import Network


class Hf(Format):
    """``config.json``, safetensors and a tokenizer; the live model is a ``Network``."""

    tasks: ClassVar[tuple[str, ...]] = ("text_classification",)
    home: ClassVar[str] = "eager"
    noun: ClassVar[str] = "a text classifier"
    original: ClassVar[bool] = True

    def open(self, artifact: Artifact, labels: tuple[str, ...]) -> Network:
        """See :meth:`Format.open`."""
        from lighten.nets.encoders.network import open_network

        return open_network(artifact, labels=labels)

    def save(self, model: Network, folder: Path) -> Mapping[str, Any]:
        """See :meth:`Format.save`."""
        from lighten.nets.encoders.network import save_network

        save_network(model, folder)
        return record(model)

    def facts(self, path: Path) -> dict[str, Any]:
        """See :meth:`Format.facts`; also sizes, the kind of the tokenizer, and the number formats of the weights."""
        return encoder_facts(path)
