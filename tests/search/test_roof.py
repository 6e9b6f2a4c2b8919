"""The roof: bytes that a token reads and weights that it meets, from the headers alone, by hand-computed cases."""

from __future__ import annotations

from pathlib import Path

import pytest

from lighten.core.artifact import Artifact
from lighten.core.result import HIGHER, Candidate, Result
from lighten.nets.gguf.file import GgufHeader, GgufTensor
from lighten.search.roof import Load, Rates, load_of, load_of_gguf, roof


def header(**tensors: tuple[tuple[int, ...], int]) -> GgufHeader:
    found = {
        name.replace("__", "."): GgufTensor("Q8_0", shape, 1000, 1000 + size) for name, (shape, size) in tensors.items()
    }
    return GgufHeader(3, {"general.architecture": "toy"}, found)


def test_a_tied_embedding_is_read_but_of_a_prompt_not_multiplied() -> None:
    load = load_of_gguf(header(token_embd__weight=((100, 8), 850), blk__0__w=((8, 8), 68), norm__weight=((8,), 32)))
    assert load == Load(read=850 + 68 + 32, multiplied=64)


def test_an_embedding_beside_an_output_layer_is_only_looked_up() -> None:
    load = load_of_gguf(
        header(token_embd__weight=((100, 8), 850), output__weight=((100, 8), 656), blk__0__w=((8, 16), 136))
    )
    assert load == Load(read=656 + 136, multiplied=128)


def test_of_experts_those_count_that_a_token_meets() -> None:
    plain = header(token_embd__weight=((10, 8), 85), blk__0__ffn_up_exps__weight=((4, 8, 8), 272))
    mixed = GgufHeader(3, {**plain.values, "toy.expert_count": 4, "toy.expert_used_count": 1}, plain.tensors)
    assert load_of_gguf(mixed) == Load(read=85 + 68, multiplied=64)


def test_shares_are_measured_over_what_the_machine_allows(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    artifact = Artifact(tmp_path, "a", "gguf", {})
    monkeypatch.setattr("lighten.search.roof.load_of", lambda *_: Load(read=100e6, multiplied=1e8))

    def of(key: int, **values: float | None) -> Candidate:
        results = {n: Result("a", "llama", "cpu", n, v, "tok/s", HIGHER, 5) for n, v in values.items()}
        return Candidate(key, "c", (), "llama", state="ok", artifact="a", results=results)

    found = roof(
        [of(0, decode=80.0, prefill=500.0), of(1, decode=None, prefill=1200.0), of(2)], {"a": artifact}, Rates(20, 200)
    )
    assert found == {"0": {"decode": pytest.approx(0.4), "prefill": pytest.approx(0.5)}, "1": {"prefill": 1.2}}


def test_what_is_not_in_the_store_or_has_no_weights_is_left_out(tmp_path: Path) -> None:
    counted = Artifact(tmp_path, "a", "byte-lm", {})
    assert load_of(counted) is None
    candidates = [Candidate(i, "c", (), "numpy", state="ok", artifact=name) for i, name in enumerate(("a", "gone"))]
    assert roof(candidates, {"a": counted}, Rates(20, 200)) == {}
