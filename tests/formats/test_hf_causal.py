"""A language model in an HF folder is opened and saved bit for bit, and what it needs is told from its headers."""

from __future__ import annotations

from pathlib import Path

from lighten.core.artifact import Artifact
from lighten.formats.hf_causal import HfCausal
from lighten.testing.format_contract import check_bringing, check_declaration, check_round_trip, check_strangers
from lighten.testing.tiny_language import tiny_language


def test_it_keeps_the_contract_of_formats(tmp_path: Path) -> None:
    check_declaration(HfCausal())
    model = Artifact.seal(tiny_language("llama", tmp_path / "hf"), format="hf-causal", meta={"labels": []})
    again = check_round_trip(HfCausal(), model, tmp_path / "again")
    known = HfCausal().facts(again.path)
    assert (known["family"], known["language"], known["no_gguf"]) == ("llama", True, "")


def test_what_a_user_has_is_brought(tmp_path: Path) -> None:
    check_strangers(HfCausal(), tmp_path)
    made = check_bringing(HfCausal(), tiny_language("llama", tmp_path / "mine"), tmp_path / "made")
    known = HfCausal().facts(made.path)
    needed, whole = (sum(HfCausal().memory(known, whole=all_).values()) for all_ in (False, True))
    assert 4 * known["parameters"] < needed < whole
