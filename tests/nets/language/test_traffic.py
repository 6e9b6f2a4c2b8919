"""Bytes that a token reads and weights that it meets, from the headers alone, by hand-computed cases."""

from __future__ import annotations

from lighten.core.format import Traffic
from lighten.nets.gguf.file import GgufHeader, GgufTensor
from lighten.nets.language.traffic import gguf_traffic


def header(**tensors: tuple[tuple[int, ...], int]) -> GgufHeader:
    found = {
        name.replace("__", "."): GgufTensor("Q8_0", shape, 1000, 1000 + size) for name, (shape, size) in tensors.items()
    }
    return GgufHeader(3, {"general.architecture": "toy"}, found)


def test_a_tied_embedding_is_read_but_of_a_prompt_not_multiplied() -> None:
    load = gguf_traffic(header(token_embd__weight=((100, 8), 850), blk__0__w=((8, 8), 68), norm__weight=((8,), 32)))
    assert load == Traffic(read=850 + 68 + 32, multiplied=64)


def test_an_embedding_beside_an_output_layer_is_only_looked_up() -> None:
    load = gguf_traffic(
        header(token_embd__weight=((100, 8), 850), output__weight=((100, 8), 656), blk__0__w=((8, 16), 136))
    )
    assert load == Traffic(read=656 + 136, multiplied=128)


def test_of_experts_those_count_that_a_token_meets() -> None:
    plain = header(token_embd__weight=((10, 8), 85), blk__0__ffn_up_exps__weight=((4, 8, 8), 272))
    mixed = GgufHeader(3, {**plain.values, "toy.expert_count": 4, "toy.expert_used_count": 1}, plain.tensors)
    assert gguf_traffic(mixed) == Traffic(read=85 + 68, multiplied=64)
