"""A text classifier in an HF folder is opened and saved bit for bit, and its facts are told from its headers."""

from __future__ import annotations

from pathlib import Path

from lighten.formats.hf import Hf
from lighten.testing.format_contract import check_bringing, check_declaration, check_round_trip, check_strangers
from lighten.testing.tiny import tiny_network_folder
from lighten.testing.tiny_artifacts import tiny_artifact


def test_it_keeps_the_contract_of_formats(tmp_path: Path) -> None:
    check_declaration(Hf())
    again = check_round_trip(Hf(), tiny_artifact("hf"), tmp_path / "again")
    known = Hf().facts(again.path)
    assert (known["layers"], known["hidden"], known["labels"]) == (2, 64, ("negative", "positive"))


def test_what_a_user_has_is_brought(tmp_path: Path) -> None:
    check_strangers(Hf(), tmp_path)
    made = check_bringing(Hf(), tiny_network_folder(tmp_path / "mine"), tmp_path / "made")
    assert (made.meta["family"], made.meta["labels"]) == ("bert", ["negative", "positive"])
