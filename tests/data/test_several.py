"""Several tasks of one model: sections of a file, their rows beside each other, what is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from lighten.core.data_options import DataOptions, NewRows
from lighten.core.errors import DataError, InputError
from lighten.core.rows import PART_NAMES, Parts, Rows
from lighten.data.several import heads_of, joined_new, joined_parts, sections_in

TWO = '[topic]\ndata = "news.csv"\nlabel = "section"\n\n[mood]\ndata = "sample:reviews"\nmerge_labels = true\n'


def file(folder: Path, text: str) -> Path:
    path = folder / "tasks.toml"
    path.write_text(text, encoding="utf-8")
    return path


def rows(name: str, *targets: int, groups: tuple[str, ...] = (), units: tuple[str, ...] = ()) -> Rows:
    ids = tuple(f"{name}{i}" for i in range(len(targets)))
    return Rows(tuple(f"{name} {i}" for i in range(len(targets))), targets, groups, units, ids)


def parts(name: str, labels: tuple[str, ...], one: Rows) -> Parts:
    every = (replace(one, ids=tuple(f"{part}-{own}" for own in one.ids)) for part in PART_NAMES)
    return Parts(*every, labels, (f"about {name}",))


def test_sections_stand_by_name_with_paths_beside_the_file(tmp_path: Path) -> None:
    (tmp_path / "news.csv").write_text("x")
    mood, topic = sections_in(file(tmp_path, TWO), DataOptions(longest=64), ("longest",))
    assert (mood.name, mood.source, mood.options) == (
        "mood", "sample:reviews", DataOptions(merge_labels=True, longest=64),
    )  # fmt: skip
    assert (topic.name, topic.source, topic.options.label) == ("topic", str(tmp_path / "news.csv"), "section")
    assert sections_in("rows.csv") == () == sections_in(["a.toml", "b.toml"])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[a]\ndata = ", "not valid TOML"),
        ('[a]\ndata = "x"\n', "has 1 sections"),
        ('data = "x"\n[a]\ndata = "x"\n[b]\ndata = "y"\n', "'data' outside of a section"),
        ('[a]\ndata = "x"\n[b]\n', r"\[b\] has no data"),
        ('[a]\ndata = "x"\ncolour = 1\n[b]\ndata = "y"\n', r"\[a\] has 'colour'"),
        ('[a]\ndata = "x"\ndrop_rare = true\n[b]\ndata = "y"\n', r"\[a\] has drop_rare = True"),
    ],
)
def test_what_is_no_description_is_refused_with_what_is_allowed(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(DataError, match=said):
        sections_in(file(tmp_path, text))


def test_columns_are_named_in_the_section_that_they_belong_to(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--label was given beside") as error:
        sections_in(file(tmp_path, TWO), DataOptions(label="section"), ("longest",))
    assert "write label into the section" in str(error.value)
    with pytest.raises(InputError, match="--labels was given beside") as error:
        sections_in(file(tmp_path, TWO), DataOptions(labels=("a=b",)), ("longest",))
    assert "leave it out" in str(error.value)
    with pytest.raises(DataError, match="no file"):
        sections_in(tmp_path / "none.toml")


def test_rows_of_all_tasks_have_classes_of_their_own_and_the_task_as_group() -> None:
    a, b = rows("a", 0, 1, 1), rows("b", 2, 0, groups=("east", "west"), units=("u", "v"))
    both = {"a": parts("a", ("no", "yes"), a), "b": parts("b", ("x", "y", "z"), b)}
    found = joined_parts(both)
    assert found.labels == ("a: no", "a: yes", "b: x", "b: y", "b: z")
    assert found.train.inputs == a.inputs + b.inputs and found.proof.targets == (0, 1, 1, 4, 2)
    assert found.train.groups == ("a", "a", "a", "b: east", "b: west")
    assert found.train.units == ("a row:train-a0", "a row:train-a1", "a row:train-a2", "u", "v")
    assert found.train.ids == ("train-a0", "train-a1", "train-a2", "train-b0", "train-b1")
    assert found.notes[1:] == ("a: about a", "b: about b") and "a 3, b 2" in found.notes[0]
    assert heads_of(both) == (0, 0, 1, 1, 1)


def test_what_one_task_judges_by_no_other_learns_from() -> None:
    a, b = (Parts(*(rows(f"{name}-{part}", 0, 1) for part in PART_NAMES), ("no", "yes")) for name in "ab")
    shared = replace(b, proof=replace(b.proof, ids=(a.train.ids[0], b.proof.ids[1])))
    found = joined_parts({"a": a, "b": shared})
    assert found.train.inputs == (a.train.inputs[1], *b.train.inputs)
    assert found.proof.inputs == a.proof.inputs + b.proof.inputs
    assert found.notes[1].startswith("1 row of one task is in a more guarded part of another")
    assert joined_parts({"a": a, "b": b}).notes[1:] == ()
    with pytest.raises(DataError, match="Every item of train of the task a") as error:
        joined_parts({"a": a, "b": replace(b, proof=replace(b.proof, ids=a.train.ids))})
    assert "split_column" in str(error.value)


def test_new_rows_keep_their_numbers() -> None:
    found = joined_new({"a": NewRows(rows("a", 0), ("no", "yes"), (4,)), "b": NewRows(rows("b", 1), ("x", "y"), (9,))})
    assert found.rows.targets == (0, 3) and found.numbers == (4, 9) and found.labels[2] == "b: x"
