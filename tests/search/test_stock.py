"""What a user could pick without a search: by what the weights are, not by the file that they lie in."""

from __future__ import annotations

from typing import Any

from lighten.core import catalog
from lighten.core.space import Space
from lighten.search import proposals
from lighten.search.stock import not_convertible, stock

FLOAT: dict[str, Any] = {
    "language": True, "family": "llama", "layers": 2, "heads": 4, "hidden": 64, "intermediate": 96, "vocabulary": 480,
    "parameters": 90_000, "head_size": 16, "evidence": "documents", "bits": 16.0, "quantized": False, "tied": True,
}  # fmt: skip


def picked(format: str, **known: Any) -> list[str]:
    """Names of what a user could pick, for a model with these facts, in llama.cpp and eager torch."""
    engines = [catalog.load("engines", name)() for name in ("llama", "eager")]
    facts = {**FLOAT, **known}
    space = Space.compose(format, engines, facts)
    return [proposals.variant_name(one) for one in stock(space.variants, format, facts)]


PLAIN = [f"gguf_plain(mixture={name}) @ llama" for name in ("Q8_0", "Q4_K_M", "Q4_0")]


def test_the_ladder_of_a_float_file_begins_with_what_everybody_does() -> None:
    """The rule is what the weights are, not which kind of file they lie in."""
    for format, formats in (("gguf", {}), ("hf-causal", {"no_gguf": ""})):
        assert set(PLAIN) < set(picked(format, **formats))
    assert not [name for name in picked("gguf") if name.endswith("eager")]  # nobody unpacks a file, or one just made
    assert [name for name in picked("hf-causal") if name.endswith("eager")] == ["as it is @ eager"]
    assert "as it is @ eager" in picked("hf-causal")


def test_a_quantized_file_is_what_a_user_picked_unless_nothing_else_can_be_made_of_it() -> None:
    assert picked("gguf", quantized=True, bits=8.5) == []
    assert picked("gguf", quantized=True, bits=8.5, no_network="unknown") == ["as it is @ llama", *PLAIN[1:]]
    assert picked("gguf", quantized=True, bits=4.5, no_network="unknown") == ["as it is @ llama"]


def test_what_cannot_be_converted_is_said_once_with_its_reason() -> None:
    space = Space.compose(
        "hf-causal", [catalog.load("engines", "llama")()], {**FLOAT, "no_gguf": "It is scaled (yarn)."}
    )
    assert space.variants == ()
    (note,) = not_convertible(space)
    assert "export.gguf" in note and "scaled (yarn)" in note
