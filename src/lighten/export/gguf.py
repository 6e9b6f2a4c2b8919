"""Write a float language model as GGUF, without quantizing what was not quantized before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from lighten.core.step import Needs, Step, setting

if TYPE_CHECKING:
    from lighten.nets.gguf.network import GgufModel
    from lighten.nets.language.network import LanguageNetwork


@dataclass(frozen=True)
class Gguf(Step):
    """Half precision for matrices, single for vectors; tensors that came from a GGUF file are copied."""

    title: ClassVar[tuple[str, str]] = ("written as a GGUF file", "写成 GGUF 文件")
    consumes: ClassVar[tuple[str, ...]] = ("hf-causal",)
    produces: ClassVar[str] = "gguf"
    lossy: ClassVar[bool] = False
    extra: ClassVar[str] = "llama"

    format: str = setting("F16", "Number format of the matrices.", choices=("F16", "F32"))

    def check(self, facts: Mapping[str, Any]) -> str:
        """Refuses a network that a GGUF file has no place for: its rotary embedding, its tokenizer."""
        return str(facts.get("no_gguf") or "").rstrip(".")

    def run(self, model: LanguageNetwork, needs: Needs) -> GgufModel:
        """The model in GGUF.

        Raises:
            ModelError: a family that lighten cannot write as GGUF.
        """
        from lighten.nets.gguf.network import to_gguf_model

        return to_gguf_model(model, lambda name, shape: self.format)
