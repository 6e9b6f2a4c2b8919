"""Language model as an OpenVINO graph that keeps its keys and values, as OpenVINO GenAI lays it out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from lighten.core.format import Format

if TYPE_CHECKING:
    from lighten.nets.runtimes.ov_language import OvLanguage


class OpenvinoCausal(Format):
    """A graph and its weights beside the tokenizer's; no step takes it."""

    tasks: ClassVar[tuple[str, ...]] = ("text_generation",)
    home: ClassVar[str] = "ov_genai"
    noun: ClassVar[str] = "a language model"
    packed: ClassVar[bool] = True

    def save(self, model: OvLanguage, folder: Path) -> Mapping[str, Any]:
        """See :meth:`Format.save`."""
        from lighten.nets.runtimes.ov_language import save_ov_language

        save_ov_language(model, folder)
        return dict(model.record)
