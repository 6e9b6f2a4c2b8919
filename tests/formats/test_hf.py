"""A text classifier in an HF folder is opened and saved bit for bit, and its facts are told from its headers."""

from __future__ import annotations

from pathlib import Path

from lighten.formats.hf import Hf
from lighten.testing.format_contract import check_declaration, check_round_trip
from lighten.testing.tiny_artifacts import tiny_artifact


def test_it_keeps_the_contract_of_formats(tmp_path: Path) -> None:
    check_declaration(Hf())
    again = check_round_trip(Hf(), tiny_artifact("hf"), tmp_path / "again")
    assert again.meta["max_tokens"] == 64
    known = Hf().facts(again.path)
    assert (known["layers"], known["hidden"], known["labels"]) == (2, 64, ("negative", "positive"))
