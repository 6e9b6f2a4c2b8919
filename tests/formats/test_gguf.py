"""A GGUF file is opened and saved bit for bit, and its facts are told from its header."""

from __future__ import annotations

from pathlib import Path

from lighten.formats.gguf import Gguf
from lighten.testing.format_contract import check_declaration, check_round_trip
from lighten.testing.tiny_language import tiny_gguf


def test_it_keeps_the_contract_of_formats(tmp_path: Path) -> None:
    check_declaration(Gguf())
    model = tiny_gguf("qwen2", tmp_path / "made")
    check_round_trip(Gguf(), model, tmp_path / "again")
    assert Gguf().facts(model.path) == Gguf().facts(model.path / "model.gguf")
