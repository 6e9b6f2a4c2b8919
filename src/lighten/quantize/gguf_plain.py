"""Quantize the tensors of a GGUF file one by one, as everybody does: no data, no network, whatever the architecture."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from math import prod
from typing import TYPE_CHECKING, Any, ClassVar

from lighten.core.step import Needs, Step, setting

if TYPE_CHECKING:
    from lighten.nets.gguf.network import GgufModel
    from lighten.nets.gguf.weights import QuantizedTensor

FILE_TYPES: Mapping[str, int] = {"Q4_0": 2, "Q8_0": 7, "Q4_K_M": 15, "Q5_K_M": 17, "Q6_K": 18}
"""Number of each mixture in ``general.file_type``."""
BITS: Mapping[str, float] = {"Q4_0": 4.6, "Q8_0": 8.5, "Q4_K_M": 4.9, "Q5_K_M": 5.7, "Q6_K": 6.6}
"""Bits per weight that a mixture leaves, about."""
INSTEAD: Mapping[str, str] = {"Q4_K": "Q5_0", "Q5_K": "Q5_1", "Q6_K": "Q8_0"}
"""What a format with blocks of 256 is replaced by where the columns do not fill them."""
KEPT = re.compile(
    r"_norm\.weight|ffn_gate_inp|altup|laurel|per_layer_model_proj|position_embd|token_types|ssm_conv1d|shortconv"
    r"|time_mix_|_rel_b\.|conv1d|\.mask$"
)
"""Tensors that are never rounded: small, and read in other ways than by a product of matrices."""


@dataclass(frozen=True)
class GgufPlain(Step):
    """A mixture of formats of llama.cpp's own tool, such as Q8_0 or Q4_K_M. What is smaller already is copied.

    Source: ``llama-quant.cpp`` of llama.cpp.
    """

    title: ClassVar[tuple[str, str]] = (
        "quantized tensor by tensor as llama.cpp’s own tool does: {mixture}",
        "按 llama.cpp 自带工具的做法逐张量量化：{mixture}",
    )
    consumes: ClassVar[tuple[str, ...]] = ("gguf",)
    produces: ClassVar[str] = "gguf"
    extra: ClassVar[str] = "llama"
    stock: ClassVar[bool] = True

    mixture: str = setting(
        "Q8_0", "Format of most tensors.", choices=tuple(FILE_TYPES), search=("Q8_0", "Q4_K_M", "Q4_0")
    )

    def check(self, facts: Mapping[str, Any]) -> str:
        """Refuses a file that is no larger already."""
        bits = facts.get("bits")
        if isinstance(bits, (int, float)) and bits < BITS[self.mixture] * 1.05:
            return f"the weights have {bits:.1f} bits each already, and {self.mixture} leaves {BITS[self.mixture]:.1f}"
        return ""

    def run(self, model: GgufModel, needs: Needs) -> GgufModel:
        """The same model, rounded while it is written.

        Raises:
            ModelError: a tensor in a format that cannot be read.
        """
        layers = int(model.values.get(f"{model.values['general.architecture']}.block_count", 0) or 0)

        def tensors() -> Iterator[tuple[str, QuantizedTensor]]:
            every = list(model.tensors())  # mapped, not read
            tied = all(name != "output.weight" for name, _ in every)
            for done, (name, packed) in enumerate(every):
                needs.watch.progress(done, len(every), "quantizing")
                yield name, _rounded(packed, format_of(self.mixture, name, packed.shape, layers, tied=tied))

        values = {**model.values, "general.file_type": FILE_TYPES[self.mixture], "general.quantization_version": 2}
        return replace(model, values=values, tensors=tensors)

    def share(self, facts: Mapping[str, Any] | None = None) -> float:
        """Bytes against half precision."""
        return BITS[self.mixture] / 16.0


def format_of(mixture: str, name: str, shape: tuple[int, ...], layers: int, *, tied: bool) -> str:
    """Format of a tensor in a mixture; empty for one that stays as it is.

    Args:
        name: in GGUF. shape: the contiguous dimension last. tied: whether the embedding is the output layer too.

    >>> format_of("Q4_K_M", "blk.0.attn_v.weight", (256, 256), 24, tied=True)
    'Q6_K'
    >>> format_of("Q4_0", "token_embd.weight", (480, 64), 24, tied=True)
    'Q8_0'
    """
    if len(shape) < 2 or not name.endswith("weight") or KEPT.search(name):
        return ""
    wanted = mixture.removesuffix("_M")
    if name == "output.weight" or (tied and name == "token_embd.weight"):
        wanted = "Q8_0" if mixture == "Q8_0" else "Q6_K"
    elif mixture.endswith("_M") and (match := re.fullmatch(r"blk\.(\d+)\.(attn_v|ffn_down)\w*\.weight", name)):
        wanted = "Q6_K" if _more(int(match[1]), layers) else wanted
    if shape[-1] % 256:
        wanted = INSTEAD.get(wanted, wanted)
    return wanted if shape[-1] % 32 == 0 else ""


def _more(layer: int, layers: int) -> bool:
    """Whether the values and the way down of a layer get more bits: first and last eighth, every third in between."""
    eighth = layers // 8
    return layer < eighth or layer >= 7 * layers // 8 or (layer - eighth) % 3 == 2


def _rounded(packed: QuantizedTensor, wanted: str) -> QuantizedTensor:
    from lighten.nets.gguf.network import bits
    from lighten.nets.gguf.weights import BLOCKS, floats, pack

    block, _ = BLOCKS.get(packed.format, (1, 0))
    if not wanted or (packed.format.startswith("I") and block == 1) or bits(packed.format) <= bits(wanted):
        return packed
    shape = packed.shape
    made = pack(floats(packed).reshape(prod(shape[:-1]), shape[-1]), wanted)
    return replace(made, shape=shape, data=made.data.reshape(*shape[:-1], -1))
