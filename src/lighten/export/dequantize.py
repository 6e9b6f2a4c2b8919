"""Open a GGUF file as the float network it stands for, so that it can be pruned and trained."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from lighten.core.step import Needs, Step

if TYPE_CHECKING:
    from lighten.nets.gguf.network import GgufModel
    from lighten.nets.language.network import LanguageNetwork


@dataclass(frozen=True)
class Dequantize(Step):
    """Every tensor as the float numbers that its blocks stand for; nothing is lost, nothing is won back."""

    title: ClassVar[tuple[str, str]] = ("float weights read out of the GGUF file", "由 GGUF 文件还原浮点权重")
    consumes: ClassVar[tuple[str, ...]] = ("gguf",)
    produces: ClassVar[str] = "hf-causal"
    lossy: ClassVar[bool] = False
    extra: ClassVar[str] = "llama"

    def check(self, facts: Mapping[str, Any]) -> str:
        """Refuses a file whose architecture or tokenizer lighten cannot take apart."""
        return str(facts.get("no_network") or "").rstrip(".")

    def run(self, model: GgufModel, needs: Needs) -> LanguageNetwork:
        """The network; it remembers its file, so that what is not changed can be copied back bit for bit.

        Raises:
            ModelError: an architecture or tokenizer that lighten cannot take apart.
        """
        from lighten.nets.gguf.network import to_network

        with tempfile.TemporaryDirectory(prefix="lighten-") as scratch:
            return to_network(model, Path(scratch))
