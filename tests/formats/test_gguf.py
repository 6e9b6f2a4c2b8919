"""A GGUF file is opened and saved bit for bit, and its facts are told from its header."""

from __future__ import annotations

from pathlib import Path

from lighten.formats.gguf import Gguf
from lighten.models.recognize import recognize
from lighten.testing.format_contract import check_bringing, check_declaration, check_round_trip, check_strangers
from lighten.testing.tiny_language import tiny_gguf


def test_it_keeps_the_contract_of_formats(tmp_path: Path) -> None:
    check_declaration(Gguf())
    model = tiny_gguf("qwen2", tmp_path / "made")
    check_round_trip(Gguf(), model, tmp_path / "again")
    assert Gguf().facts(model.path) == Gguf().facts(model.path / "model.gguf")


def test_what_a_user_has_is_brought_or_borrowed(tmp_path: Path) -> None:
    check_strangers(Gguf(), tmp_path)
    file = tiny_gguf("qwen2", tmp_path / "mine").path / "model.gguf"
    made = check_bringing(Gguf(), file, tmp_path / "made")
    assert made.meta["family"] == "qwen2"
    (tmp_path / "lent").mkdir()
    assert Gguf().borrow(recognize(file), tmp_path / "lent")
    assert (tmp_path / "lent" / "model.gguf").resolve() == file


def test_what_cannot_be_opened_as_a_network_is_never_trained() -> None:
    known = {"parameters": 1000, "bytes": 500, "vocabulary": 10, "hidden": 4}
    assert Gguf().memory({**known, "no_network": "phi3 is unknown"})["a candidate while it is written"] == 500
    assert sum(Gguf().memory(known).values()) - 10**9 == 4 * 964 + 12 * 964
