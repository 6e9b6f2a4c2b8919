"""The format of networks that a user's own code makes."""

from __future__ import annotations

from pathlib import Path

import pytest

from lighten.core.artifact import Artifact
from lighten.core.errors import InputError, ModelError
from lighten.core.rows import Parts, Rows
from lighten.formats.module import Module
from lighten.models.bring import bring, find
from lighten.testing.format_contract import (
    check_bringing,
    check_declaration,
    check_named,
    check_round_trip,
    check_strangers,
)
from lighten.testing.tiny import toy_rows
from lighten.testing.tiny_modules import allowing, tiny_code, tiny_module
from lighten.testing.tiny_pictures import LABELS, tiny_pictures


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_code(tmp_path_factory.mktemp("code"))


@pytest.fixture
def trained(tmp_path: Path, code: Path) -> Artifact:
    """A network that knows its classes."""
    with allowing(code):
        return bring("mynets:knowing", tmp_path / "trained")


def test_it_keeps_the_contract(tmp_path: Path, trained: Artifact) -> None:
    check_declaration(Module())
    check_strangers(Module(), tmp_path / "strangers")
    check_round_trip(Module(), trained, tmp_path / "again")
    (trained.path / "lighten.json").unlink()
    made = check_bringing(Module(), trained.path, tmp_path / "brought")
    assert made.meta["labels"] == ["bright", "dark", "striped"]


def test_what_a_user_names_keeps_the_contract(tmp_path: Path, code: Path) -> None:
    rows = toy_rows(30)
    with allowing(code):
        check_named(Module(), "mynets:masked", Parts(rows, rows, rows, rows, ("bad", "good")), tmp_path / "made")


def test_a_factory_is_a_model_for_both_kinds_of_data_until_it_met_some(tmp_path: Path, code: Path) -> None:
    with allowing(code):
        found = find("mynets:texts")
        assert found.tasks == Module.tasks and not found.sealed
    made = tiny_module(code, "texts", tmp_path / "made", toy_rows(20).inputs, ("bad", "good"))
    assert find(str(made.path)).task == "text_classification"
    pictures = tiny_pictures(tmp_path / "pictures", 6).inputs
    assert (
        find(str(tiny_module(code, "pictures", tmp_path / "seen", pictures, LABELS).path)).task
        == "image_classification"
    )


def test_a_factory_may_be_named_with_the_folder_of_its_code(tmp_path: Path, code: Path) -> None:
    brought = bring(f"{code}/mynets:knowing", tmp_path / "brought")
    assert brought.meta["model"] == f"{code}/mynets:knowing" and brought.meta["factory"] == "mynets:knowing"
    with pytest.raises(ModelError, match="There is no module mynets in"):
        find(f"{tmp_path}/mynets:knowing")


def test_what_was_made_is_not_made_again(tmp_path: Path, code: Path) -> None:
    made = tiny_module(code, "texts", tmp_path / "made", toy_rows(20).inputs, ("bad", "good"))
    rows = Rows(("a", "b"), (0, 1))
    assert Module().suit(made, Parts(rows, rows, rows, rows, ("x", "y"))) == made


def test_texts_of_one_length_cannot_be_made_shorter_afterwards(tmp_path: Path, code: Path) -> None:
    made = tiny_module(code, "texts", tmp_path / "made", toy_rows(20).inputs, ("bad", "good"))
    with pytest.raises(InputError, match="--longest is 5"):
        Module().shorten(made, 5)


@pytest.mark.parametrize("name", ["mynets:nothing", "mynets:raising"])
def test_a_factory_that_cannot_be_used_is_refused_before_it_is_brought(tmp_path: Path, code: Path, name: str) -> None:
    rows = toy_rows(20)
    with pytest.raises(ModelError), allowing(code):
        brought = bring(name, tmp_path / "brought")
        Module().suit(brought, Parts(rows, rows, rows, rows, ("bad", "good")))
