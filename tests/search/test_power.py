"""Power is said before anything is written, of what is independent; what can never hold is refused with the number."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from lighten.core.errors import DataError
from lighten.core.power import Power
from lighten.search.listener import Quiet
from lighten.search.options import Options
from lighten.search.power import check_power
from lighten.search.start import Asked, ask


class Notes(Quiet):
    """Remembers what is said."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def note(self, text: str) -> None:
        """Remember it."""
        self.said.append(text)


Cell = Callable[[int], str]


def table(folder: Path, n: int, classes: Cell = lambda i: "yn"[i % 2], **columns: Cell) -> Path:
    """A csv of n rows with these columns beside text and label."""
    path = folder / "data.csv"
    names = ("text", "label", *columns)
    lines = [",".join((f"a text number {i}", classes(i), *(of(i) for of in columns.values()))) for i in range(n)]
    path.write_text("\n".join([",".join(names), *lines]) + "\n", encoding="utf-8")
    return path


def documents(folder: Path, n: int) -> Path:
    path = folder / "documents.jsonl"
    texts = [" ".join(f"Sentence {i} of document {k} says a little more." for i in range(12)) for k in range(n)]
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts), encoding="utf-8")
    return path


def asked(data: Path, *keep: str, heard: Notes | None = None, **more: object) -> Asked:
    more = {"task": "text_classification", **more}
    return ask(Options("m", str(data), data.parent / "run", keep=keep, **more), heard or Notes())  # type: ignore[arg-type]


def refusal(data: Path, *keep: str, **more: object) -> DataError:
    with pytest.raises(DataError) as caught:
        asked(data, *keep, **more)
    assert not (data.parent / "run").exists()
    return caught.value


def test_rows_that_are_independent_prove_what_they_did(tmp_path: Path) -> None:
    heard = Notes()
    found = asked(table(tmp_path, 4000), heard=heard)
    (power,) = found.power
    assert (power.of, power.n) == ("rows", len(found.parts.proof))
    assert any(f"Your {power.n:,} proof rows can prove a loss of at most 1." in note for note in heard.said)


def test_users_count_and_not_their_rows(tmp_path: Path) -> None:
    data = table(tmp_path, 4000, user=lambda i: f"u{i % 60}")
    error = refusal(data)
    units = len(set(asked(data, unit="none").parts.proof.units))
    assert units == 0
    assert "independent units in the proof part (column 'user') can never prove accuracy>=-" in str(error)
    assert "on fewer than 30 no verdict is given" in str(error)
    assert error.allowed.startswith("30 units in the proof part, about 1")  # some 120 users in all
    assert "--unit none when the rows are independent of each other" in error.fix


def test_the_default_floor_follows_from_the_units(tmp_path: Path) -> None:
    rows = asked(table(tmp_path, 4000)).budget.keep[0].bound
    heard = Notes()
    found = asked(table(tmp_path, 4000, user=lambda i: f"u{i % 800}"), heard=heard)
    (power,) = found.power
    assert power.of == "units" and 100 < power.n <= 240  # a quarter of 800, worth a little less
    assert found.budget.keep[0].bound > 2 * rows
    assert any("independent units in the proof part (column 'user') can prove a loss" in note for note in heard.said)


def test_a_margin_that_the_units_cannot_prove_is_refused_with_one_that_they_can(tmp_path: Path) -> None:
    error = refusal(table(tmp_path, 4000, user=lambda i: f"u{i % 800}"), "accuracy>=-1pt")
    assert "even without one changed answer the bound would be 1." in str(error)
    assert error.allowed.startswith("299 units in the proof part, about 1,")
    assert "allow more, such as accuracy>=-1." in error.fix


@pytest.mark.parametrize(("floor", "enough"), [("worst_group>=-2pt", 149), ("worst_group>=0.9", 29)])
def test_the_smallest_group_decides(tmp_path: Path, floor: str, enough: int) -> None:
    error = refusal(table(tmp_path, 4000, group=lambda i: "rare" if i % 100 == 0 else "usual"), floor)
    assert "proof rows of the smallest group ('rare') can never prove" in str(error)
    assert error.allowed.startswith(f"{enough} rows of this group in the proof part")
    assert "join small groups" in error.fix


def test_groups_that_are_large_enough_are_told(tmp_path: Path) -> None:
    found = asked(table(tmp_path, 8000, group=lambda i: "ab"[i % 5 == 0]), "worst_group>=-5pt")
    (power,) = found.power
    assert (power.of, power.which) == ("group", "b")
    assert 300 < power.n < 500 and power.provable is not None and power.provable < 0.05


def test_the_rarest_class_decides_macro_f1(tmp_path: Path) -> None:
    def named(i: int) -> str:
        return "rare" if i % 80 == 0 else "yn"[i % 2]

    error = refusal(table(tmp_path, 4000, named), "macro_f1>=-2pt")
    assert "proof rows of the rarest class ('rare') can never prove macro_f1>=-2pt" in str(error)
    assert "rows of this class in the proof part" in error.allowed
    assert asked(table(tmp_path, 4000, named), "macro_f1>=-15pt").power[0].which == "rare"
    assert asked(table(tmp_path, 4000), "macro_f1>=-3pt").power[0].of == "class"


@pytest.mark.parametrize(
    ("floor", "rows", "says"),
    [
        ("accuracy>=0.99", 800, "299 rows in the proof part, about 1,"),
        ("flips<=1%", 800, "299 rows in the proof part, about 1,"),
        ("brier<=+0.005", 4000, "1,197 rows in the proof part, about 4,"),
        ("accuracy>=100%", 4000, "a floor that leaves some room"),
    ],
)
def test_absolute_floors_and_scores_with_too_few_rows(tmp_path: Path, floor: str, rows: int, says: str) -> None:
    assert says in refusal(table(tmp_path, rows), floor).allowed


def test_what_a_candidate_must_show_for_an_absolute_floor_is_said(tmp_path: Path) -> None:
    heard = Notes()
    found = asked(table(tmp_path, 4000), "accuracy>=0.90", "flips<=0.02", heard=heard)
    accuracy, flips = found.power
    assert accuracy.kind == flips.kind == "absolute"
    assert accuracy.provable is not None and 0.91 < accuracy.provable < 0.92
    assert flips.provable is not None and 0.01 < flips.provable < 0.015
    assert any("can prove accuracy>=0.90 of a candidate that shows 91." in note for note in heard.said)


def test_few_documents_take_a_larger_proof_and_say_so(tmp_path: Path) -> None:
    heard = Notes()
    found = asked(documents(tmp_path, 150), task="text_generation", heard=heard)
    assert len(found.parts.proof) >= 30
    assert any("150 documents are few" in note and "no verdict is given" in note for note in heard.said)
    many = asked(documents(tmp_path, 400), task="text_generation", heard=(more := Notes()))
    assert 30 <= len(many.parts.proof) < 80 and not any("are few" in note for note in more.said)


def test_too_few_documents_are_refused_with_the_number(tmp_path: Path) -> None:
    error = refusal(documents(tmp_path, 72), task="text_generation")
    assert "proof documents can never prove bits_per_byte<=+1%: on fewer than 30 no verdict is given" in str(error)
    assert error.allowed.startswith("30 documents in the proof part, about ")
    assert error.fix == "give more documents"


def test_a_power_is_kept_for_the_report(tmp_path: Path) -> None:
    (power,) = asked(table(tmp_path, 4000)).power
    assert isinstance(power, Power) and power.enough is not None and power.n >= power.enough


def test_what_is_said_of_each_floor_is_kept_with_it_and_floors_that_say_nothing_are_left_out(tmp_path: Path) -> None:
    found = asked(table(tmp_path, 4000), "accuracy>=-2pt", "log_loss<=+5%")
    power, notes = check_power(found.budget, found.quality, found.parts, found.columns)
    assert power == found.power and len(power) == len(notes) == 1
    assert f"Your {power[0].n:,} proof rows can prove" in notes[0] and "you allow 2.0" in notes[0]
    few = replace(found.parts, proof=found.parts.proof.take(range(20)))
    with pytest.raises(DataError, match=r"20 proof rows can never prove accuracy>=-2pt"):
        check_power(found.budget, found.quality, few, found.columns)


def test_a_floor_of_groups_needs_groups(tmp_path: Path) -> None:
    error = refusal(table(tmp_path, 4000), "worst_group>=-2pt")
    assert "--keep worst_group cannot be proved" in str(error) and error.fix == "name one with --group COLUMN"
