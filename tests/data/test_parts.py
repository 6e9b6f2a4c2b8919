"""Parts are decided by content: stable when rows are added, no text on two sides, units in one piece."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lighten.core.errors import DataError
from lighten.core.rows import PART_NAMES, Parts
from lighten.data.cells import Cell, Table
from lighten.data.columns import Columns, find_columns
from lighten.data.examples import Example
from lighten.data.parts import FRACTIONS, encode, new_rows, split

BASE = [(f"sentence number {i}", ("no", "yes")[i % 2], f"user{i % 60}") for i in range(400)]
PLAIN, BY_UNIT = Columns("text", "label"), Columns("text", "label", unit="user")
OWN = Columns("text", "label", split="split")
Row = tuple[str, str, str]


def table(rows: Sequence[Row], **more: Sequence[Cell]) -> Table:
    texts, labels, users = zip(*rows, strict=True)
    return Table({"text": texts, "label": labels, "user": users, **{n: tuple(v) for n, v in more.items()}}, "data.csv")


def part_of(parts: Parts) -> dict[str, str]:
    return {text: name for name in PART_NAMES for text in parts[name].inputs}


def keys(parts: Parts, name: str) -> set[str]:
    return {Example(text, "", 0).key for text in parts[name].inputs}


added = st.lists(
    st.tuples(
        st.sampled_from(["sentence number 7", "Sentence  NUMBER 7", "new", "brand new"]) | st.text("ab ", min_size=1),
        st.sampled_from(["no", "yes"]),
        st.sampled_from(["user1", "user2", "someone"]),
    ).filter(lambda row: bool(row[0].strip())),
    max_size=30,
)


@settings(max_examples=40, deadline=None)
@given(added, st.integers(0, 5), st.booleans())
def test_adding_rows_never_moves_others(rows: list[Row], seed: int, by_unit: bool) -> None:
    columns = BY_UNIT if by_unit else PLAIN
    before = part_of(split(table(BASE), columns, seed=seed))
    after = part_of(split(table([*BASE, *rows]), columns, seed=seed))
    moved = [text for text, name in after.items() if before.get(text, name) != name]
    if by_unit:  # a text that now also belongs to a more guarded unit is kept there only
        assert all(any(Example(row[0], "", 0).key == Example(text, "", 0).key for row in rows) for text in moved)
    else:
        assert not moved
        assert set(before) <= set(after)


@settings(max_examples=40, deadline=None)
@given(added, st.booleans())
def test_no_text_is_on_two_sides_and_units_stay_whole(rows: list[Row], by_unit: bool) -> None:
    parts = split(table([*BASE, *rows, *rows]), BY_UNIT if by_unit else PLAIN)
    for one in PART_NAMES:
        for other in PART_NAMES:
            if one < other:
                assert not keys(parts, one) & keys(parts, other)
                assert not set(parts[one].units) & set(parts[other].units)
        if one != "train":
            assert len(keys(parts, one)) == len(parts[one]), "items outside train are independent"


def test_shares_and_seed() -> None:
    rows = [(f"text {i}", "ab"[i % 2], "") for i in range(4000)]
    parts = split(table(rows), PLAIN)
    for name, share in FRACTIONS.items():
        assert len(parts[name]) / len(rows) == pytest.approx(share, abs=0.03)
    assert sum(len(parts[name]) for name in PART_NAMES) == len(rows)
    assert parts.fingerprint == split(table(rows), PLAIN).fingerprint
    assert parts.fingerprint != split(table(rows), PLAIN, seed=1).fingerprint
    halves = split(table(rows), PLAIN, fractions={"train": 0.5, "proof": 0.5})
    assert len(halves.tune) == 0 and len(halves.proof) > 1800
    with pytest.raises(DataError, match="together 1"):
        split(table(rows), PLAIN, fractions={"train": 0.5})


def test_rows_carry_labels_groups_units_and_ids() -> None:
    parts = split(table(BASE), Columns("text", "label", group="label", unit="user"))
    assert parts.labels == ("no", "yes")
    for text, target, group, unit, row_id in zip(
        parts.proof.inputs, parts.proof.targets, parts.proof.groups, parts.proof.units, parts.proof.ids, strict=True
    ):
        number = int(text.split()[-1])
        assert (target, group, unit) == (number % 2, ("no", "yes")[number % 2], f"user{number % 60}")
        assert len(row_id) == 16


def test_repeated_texts_are_counted_and_conflicts_named() -> None:
    rows = [
        *BASE,
        *((t.upper(), "maybe", u) for t, _, u in BASE[:50]),
        *(("extra " + t, "maybe", u) for t, _, u in BASE),
    ]
    parts = split(table(rows), PLAIN)
    assert any("50 texts occur more than once" in note for note in parts.notes)
    assert any("50 repeated texts have different labels" in note for note in parts.notes)
    in_train = sum(text.casefold() in {t for t, _, _ in BASE[:50]} for text in parts.train.inputs)
    assert in_train % 2 == 0 and in_train > 0, "train keeps both copies"


def test_too_few_rows_says_how_many_are_needed() -> None:
    with pytest.raises(DataError, match=r"too few rows(.|\n)*about 89 rows"):
        split(table(BASE[:6]), PLAIN)


def test_a_class_that_train_would_lack_is_put_there_whole_and_a_note_says_so() -> None:
    names = part_of(split(table(BASE), PLAIN))
    lone = next(t for t, _, _ in BASE if names[t] == "proof")
    rows = [(t, "rare" if t == lone else label, u) for t, label, u in BASE]
    parts = split(table(rows), PLAIN)
    assert part_of(parts) == {**names, lone: "train"} and parts.labels == ("no", "rare", "yes")
    assert any("'rare' (1) were put into train" in note and "--drop-rare" in note for note in parts.notes)
    by_unit = split(table(rows), BY_UNIT)
    assert lone in by_unit.train.inputs and not set(by_unit.train.units) & set(by_unit.proof.units)


def test_rare_classes_are_left_out_when_asked() -> None:
    rows = [(t, "rare" if i in (7, 9) else label, u) for i, (t, label, u) in enumerate(BASE)]
    parts = split(table(rows), PLAIN, drop_rare=3)
    assert parts.labels == ("no", "yes") and sum(len(parts[name]) for name in PART_NAMES) == 398
    assert any("Left out: 2 rows of 1 class" in note for note in parts.notes)
    assert split(table(rows), PLAIN, drop_rare=2).labels == ("no", "rare", "yes")
    with pytest.raises(DataError, match="leaves 0 classes"):
        split(table(rows), PLAIN, drop_rare=300)


def test_near_equal_labels_are_asked_about() -> None:
    rows = [(t, label.title() if i < 60 else label, u) for i, (t, label, u) in enumerate(BASE)]
    with pytest.raises(DataError, match=r"'no' \(170 rows\) and 'No' \(30 rows\)(.|\n)*--merge-labels"):
        split(table(rows), PLAIN)
    merged, apart = split(table(rows), PLAIN, merge_labels=True), split(table(rows), PLAIN, merge_labels=False)
    assert merged.labels == ("no", "yes") and merged.fingerprint == split(table(BASE), PLAIN).fingerprint
    assert apart.labels == ("No", "Yes", "no", "yes")
    signs = [(t, ("-1", "1")[i % 2], u) for i, (t, _, u) in enumerate(BASE)]
    assert split(table(signs), PLAIN).labels == ("-1", "1"), "other numbers are other classes"


def test_a_class_that_the_proof_lacks_is_noted() -> None:
    names = part_of(split(table(BASE), PLAIN))
    rows = [(t, "third" if names[t] == "train" and i % 3 == 0 else label, u) for i, (t, label, u) in enumerate(BASE)]
    notes = split(table(rows), PLAIN).notes
    assert any(note.startswith("proof has no row of 'third'") for note in notes)


def test_fixed_split_column() -> None:
    names = [("train", "test", "train", "dev")[i // 2 % 4] for i in range(400)]
    parts = split(table(BASE, split=names), OWN)
    of = dict(zip((t for t, _, _ in BASE), names, strict=True))
    assert {of[t] for t in parts.train.inputs} == {"train"} and len(parts.train) == 200
    assert {of[t] for t in parts.proof.inputs} == {"test"} and len(parts.proof) == 100
    assert {of[t] for t in (*parts.tune.inputs, *parts.select.inputs)} == {"dev"}
    with pytest.raises(DataError, match="no rows for the proof"):
        split(table(BASE, split=["train"] * 400), OWN)
    with pytest.raises(DataError, match=r"holds 'part 7' \(usable row 1, 2"):
        split(table(BASE, split=["part 7"] * 400), OWN)


def test_fixed_split_takes_tune_and_select_from_train_and_drops_leaks() -> None:
    rows = [*BASE, (BASE[0][0] + " ", "no", "x")]
    names = [*("train" if i // 2 % 2 == 0 else "test" for i in range(400)), "test"]
    parts = split(table(rows, split=names), OWN)
    assert len(parts.tune) > 5 and len(parts.select) > 5
    assert BASE[0][0] not in parts.train.inputs and BASE[0][0] + " " in parts.proof.inputs
    assert any("1 rows whose text is in another part" in note for note in parts.notes)


def test_a_split_of_the_users_own_is_kept_where_it_tears_units_and_a_note_says_so() -> None:
    names = ["train" if i < 200 else "test" for i in range(400)]
    parts = split(table(BASE, split=names), replace(OWN, unit="user"))
    assert set(parts.proof.inputs) == {t for (t, _, _), name in zip(BASE, names, strict=True) if name == "test"}
    assert parts.proof.units and any("60 values of 'user' stand in several parts" in note for note in parts.notes)


def test_mixed_on_purpose_rows_are_divided_by_content_and_a_note_says_so() -> None:
    data = table(BASE, split=["train" if i < 200 else "test" for i in range(400)])
    mixed, plain = split(data, replace(OWN, mixed=True)), split(table(BASE), PLAIN)
    assert mixed.fingerprint == plain.fingerprint
    assert any("--split-column none" in note for note in mixed.notes)


def divided(data: Table) -> Parts:
    return split(data, find_columns(data, "text", "label", unit="none"))


def test_a_test_part_without_labels_is_left_out_and_the_rest_is_divided() -> None:
    blank = [(t, "" if i >= 300 else label, u) for i, (t, label, u) in enumerate(BASE)]
    names = ["train" if i < 300 else "test" for i in range(400)]
    parts = divided(table(blank, split=names))
    assert sum(len(parts[name]) for name in PART_NAMES) == 300 and len(parts.proof) > 50
    assert any("100 rows of 'test' came without labels in 'label'" in note for note in parts.notes)
    names[200:300] = ["validation"] * 100
    parts = divided(table(blank, split=names))
    assert {int(text.split()[-1]) // 100 for text in parts.proof.inputs} == {2} and len(parts.train) == 200
    minus = [(t, "-1" if i >= 300 else "01"[i % 2], u) for i, (t, _, u) in enumerate(BASE)]
    assert divided(table(minus, split=names)).labels == ("0", "1")
    real = [(t, "-1" if i >= 300 or i % 2 else "1", u) for i, (t, _, u) in enumerate(BASE)]
    with pytest.raises(DataError, match="proof"):  # -1 is a class of train here, so test rows of -1 alone are rows
        divided(table(real[:200] + real[300:], split=[*names[:200], *["select"] * 100]))


def test_new_data_uses_the_known_classes() -> None:
    new = new_rows(table([("x", "yes", "u"), ("y", "no", "u"), ("x", "yes", "v")]), PLAIN)
    assert (new.labels, new.numbers, new.rows.targets) == (("no", "yes"), (1, 2, 3), (1, 0, 1))
    rows, classes = encode(new, ("No", "Yes"))
    assert rows.targets == (1, 0, 1) and rows.units == () and classes.places == (0, 1)
    assert encode(new, ("no", "yes"), ("no=yes", "yes=no"))[0].targets == (0, 1, 0)
    with pytest.raises(DataError, match=r"'yes' \(row 1, 3\)(.|\n)*allowed: no, maybe"):
        encode(new, ("no", "maybe"))
