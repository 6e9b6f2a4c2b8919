"""Folders of data: what ``save_to_disk`` writes, folders of files, and data sets of the hub."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lighten.core.errors import DataError, MissingExtra, UnsafeFile
from lighten.core.readers import kinds_of_files
from lighten.data.arrow import read_arrow_files
from lighten.data.cells import Cell, Table, count_of, join_tables
from lighten.data.classfolders import is_class_folder, is_text, items_in, read_class_folder, read_item_folder
from lighten.data.decode import is_packed
from lighten.data.files import DATA_SUFFIXES, read_file
from lighten.data.fixed import split_word
from lighten.data.idx import is_idx, read_idx
from lighten.data.items import holds_items, kind_of_file
from lighten.data.tree import Tree, tree_of
from lighten.isolate.hub import DATA_SETS, SECONDS, Refusal, asked, cached, offline

HUB_ID = re.compile(r"(?P<repo>[A-Za-z0-9][\w.-]*/[\w.-]+?)(?P<inside>/[\w.-][\w./-]*)?")
_ONE_OF = re.compile(r"(?P<before>.+)-(?P<number>\d+)-of-(?P<of>\d+)(?P<after>\..+)")
"""Names of files of which there is a number: ``train-00001-of-00003.parquet``."""
_HUB_SUFFIXES = (".parquet", ".csv", ".csv.gz", ".tsv", ".jsonl", ".jsonl.gz", ".json", ".ndjson")


def read_folder(folder: Path, *, labelled: bool = True) -> Table:
    """Rows of every file of a folder. Splits are joined, and the column ``split`` says where each row came from.

    Links to other folders are followed. Files and folders whose names begin with ``.`` or ``_`` are left out, and
    counted (see ``tree.Tree``).

    Args:
        labelled: whether folders are to name classes; else every file in them is a row, wherever it lies.

    Raises:
        DataError: no data file inside, or files whose columns differ.
        UnsafeFile: a file list that points outside the folder.
    """
    if (folder / "dataset_dict.json").is_file():
        splits = _json_object(folder / "dataset_dict.json").get("splits")
        names = [str(name) for name in splits] if isinstance(splits, list) else []
        if not names:
            raise DataError(f"{folder / 'dataset_dict.json'} lists no splits.", fix="save the dataset again")
        return _joined({n: _read_saved(_inside(folder, n)) for n in names}, folder)
    if (folder / "state.json").is_file():
        return _read_saved(folder)
    tree = tree_of(folder)
    notes = tree.notes(folder, _would_be_read)
    table = _read_tree(folder, tree, labelled, notes)
    return Table(table.columns, table.source, (*table.notes, *notes)) if notes else table


def _read_tree(folder: Path, tree: Tree, labelled: bool, notes: Sequence[str]) -> Table:
    """Rows of files that no list names. notes: on what was left out, for one in which nothing else is."""
    visible = tree.files
    if pictures := [folder / path for path in visible if is_idx(path)]:
        return read_idx(pictures, str(folder), labelled=labelled)
    other = [path for path in visible if _is_data(path) and path.suffix.lower() != ".txt"]
    items = items_in(visible)
    if items and not any(_names_items(folder / path) for path in other):
        return read_item_folder(folder, visible, items, labelled=labelled)
    if not other and is_class_folder(visible):
        return read_class_folder(folder, visible, labelled=labelled)
    files = [folder / path for path in visible if _is_data(path)]
    if not files:
        packed = [path for path in visible if is_packed(path.name)]
        found = [f"It holds the archive {packed[0]}."] if packed else []
        raise DataError(
            " ".join([f"{folder} holds no data file.", *found, *notes]),
            allowed=", ".join((*DATA_SUFFIXES, *kinds_of_files())),
            fix="unpack it and give the folder that comes out" if packed else "",
        )
    tables = [read_file(_inside(folder, str(path.relative_to(folder)))) for path in files]
    splits = [split_of(path.relative_to(folder)) for path in files]
    if len(files) > 1 and not any(splits) and all(set(table.columns) == {"text"} for table in tables):
        tables = [_named(table, path.stem) for table, path in zip(tables, files, strict=True)]
    if "train" in splits and len(set(splits) - {""}) > 1:
        return _joined_splits(tables, splits, folder)
    return _noted(join_tables(tables, str(folder)), f"{folder} holds {len(files)} data files; all were read.")


def read_hub(name: str) -> Table:
    """A data set of the Hugging Face hub: its parquet, csv and JSON files only; no loading script is ever run.

    Args:
        name: ``user/name``, or ``user/name/folder`` for one folder (one configuration) of it.

    Raises:
        MissingExtra: huggingface_hub is not installed, and the data set is not in the cache.
        DataError: not reachable, not found, without such files, or in the cache in part only.
    """
    match = HUB_ID.fullmatch(name)
    if match is None:
        raise DataError(f"{name!r} is not a data set's id.", allowed="user/name or user/name/folder")
    repo, inside = match["repo"], (match["inside"] or "").strip("/")
    patterns = [f"{inside}/*{s}" if inside else f"*{s}" for s in _HUB_SUFFIXES]

    def fetched(hub: Any) -> str:
        hub.HfApi().dataset_info(repo, timeout=SECONDS)
        return str(hub.snapshot_download(repo, repo_type="dataset", allow_patterns=patterns, etag_timeout=SECONDS))

    kept, why = cached(repo, DATA_SETS), ""
    try:
        if kept is not None and offline():
            root, why = kept, "HF_HUB_OFFLINE says to leave the network alone"
        else:
            root = Path(asked(repo, DATA_SETS, fetched))
    except MissingExtra:
        if kept is None:
            raise
        root, why = kept, "huggingface_hub is not installed"
    except Refusal as error:
        if kept is None or error.missing or error.full:
            allowed = "a path, a hub id (user/name), sample:NAME, or - for standard input"
            raise DataError(error.seen, allowed=allowed, fix=error.fix) from error
        root, why = kept, f"the hub does not give it now ({error.seen.removesuffix('.')})"
    folder = root / inside
    if why:
        _check_fetched(folder, repo, why)
    if not folder.is_dir():
        raise DataError(f"The data set {repo!r} has no folder {inside!r} with parquet, csv or JSON files.")
    table = read_folder(folder)
    note = f"{name} was read from the cache, as it was fetched before: {why}."
    return Table(table.columns, name, (*table.notes, *([note] if why else [])))


def _check_fetched(folder: Path, repo: str, why: str) -> None:
    """Refuse what was fetched in part only, as far as the names of its files say so. why: it is not fetched now.

    Raises:
        DataError: the folder, or one of a number of files (``train-00001-of-00003.parquet``), is not there.
    """
    lacking = [] if folder.is_dir() else [f"the folder {folder.name!r}"]
    groups: dict[tuple[str, ...], set[int]] = defaultdict(set)
    for path in folder.rglob("*-of-*"):
        if (match := _ONE_OF.fullmatch(str(path.relative_to(folder)))) and path.is_file():
            groups[match["before"], match["of"], match["after"]].add(int(match["number"]))
    for (before, of, after), numbers in groups.items():
        first = int(int(of) in numbers)  # some count from one
        gone = [number for number in range(first, int(of) + first) if number not in numbers]
        lacking += [f"{before}-{number:0{len(of)}}-of-{of}{after}" for number in gone]
    if lacking:
        shown = ", ".join(lacking[:3]) + (f" and {len(lacking) - 3:,} more" if len(lacking) > 3 else "")
        raise DataError(
            f"The cache has {repo} in part only: it lacks {shown}; and {why}.",
            allowed="a data set that was fetched whole",
            fix=f"{DATA_SETS.fetch} {repo}",
        )


def _read_saved(folder: Path) -> Table:
    """A folder of Arrow files as ``Dataset.save_to_disk`` writes it."""
    listed = _json_object(folder / "state.json").get("_data_files")
    names = (
        [str(f["filename"]) for f in listed if isinstance(f, dict) and "filename" in f]
        if isinstance(listed, list)
        else []
    )
    if not names:
        raise DataError(f"{folder / 'state.json'} lists no data files.", fix="save the dataset again")
    paths = [_inside(folder, name) for name in names]
    missing = [str(p) for p in paths if not p.is_file()]
    if missing:
        raise DataError(f"{folder} lacks files that its state.json lists: {', '.join(missing)}.")
    info = folder / "dataset_info.json"
    features = _json_object(info).get("features") if info.is_file() else None
    return read_arrow_files(paths, str(folder), features if isinstance(features, dict) else {})


def _joined(tables: Mapping[str, Table], folder: Path) -> Table:
    splits = [split_word(name) or name for name in tables]
    if "train" in splits and len(set(splits)) > 1:
        return _joined_splits(list(tables.values()), splits, folder)
    parts = [_with_split(table, split) for table, split in zip(tables.values(), splits, strict=True)]
    return _noted(join_tables(parts, str(folder)), f"{folder} holds the splits {', '.join(tables)}; all were read.")


def _joined_splits(tables: Sequence[Table], splits: Sequence[str], folder: Path) -> Table:
    """Rows of files of which some say train and some another part, with the columns of train.

    A part may lack a column, such as the labels of a competition's test file: its cells are missing. A file that says
    no part and has other columns (an example of a submission) is left out; one with train's columns keeps its rows, in
    no part, which is refused where the split is used.
    """
    train = [table for table, split in zip(tables, splits, strict=True) if split == "train"]
    names = list(join_tables(train, str(folder)).columns)
    joined, notes = [], []
    for table, split in zip(tables, splits, strict=True):
        other = [name for name in table.columns if name not in names]
        lacking = [name for name in names if name not in table.columns]
        about = f"{', '.join(table.columns)} against {', '.join(names)} of train"
        if not split and (other or lacking):
            notes.append(f"{table.source} was left out: its name says no part, and it has other columns ({about}).")
            continue
        if len(lacking) == len(names):
            raise DataError(
                f"{table.source} and the train files have different columns: {about}.",
                allowed="a folder whose files have the same columns",
                fix="name one file or one sub-folder",
            )
        if lacking or other:
            notes.append(f"{table.source} has other columns than train: {about}.")
        cells: dict[str, tuple[Cell, ...]] = {name: table.columns.get(name, (None,) * len(table)) for name in names}
        joined.append(_with_split(Table(cells, table.source, table.notes), split))
    found = ", ".join(dict.fromkeys(split for split in splits if split))
    note = f"{folder} holds {count_of(len(tables), 'file')} of the parts {found}."
    whole = join_tables(joined, str(folder))
    return Table(whole.columns, whole.source, (*whole.notes, note, *notes))


def _with_split(table: Table, split: str) -> Table:
    if "split" in table.columns:
        return table
    return Table({**table.columns, "split": (split,) * len(table)}, table.source, table.notes)


def _named(table: Table, name: str) -> Table:
    """Lines of one file of several, with the file's name, which may be their label (``pos.txt``, ``neg.txt``)."""
    return Table({**table.columns, "file": (name,) * len(table)}, table.source, table.notes)


def _noted(table: Table, note: str) -> Table:
    return Table(table.columns, table.source, (*table.notes, note))


def _names_items(path: Path) -> bool:
    """Whether a data file has a column that names files of items."""
    try:
        return any(map(holds_items, read_file(path).columns.values()))
    except DataError:
        return False


def _would_be_read(path: Path) -> bool:
    """Whether a file would be read if nothing in its path were hidden."""
    return bool(kind_of_file(path)) or _is_data(path) or (is_text(path) and not any(p[0] == "." for p in path.parts))


def _is_data(path: Path) -> bool:
    """Whether a path relative to the data folder is a data file, and not a description of the folder."""
    name = path.name.lower().removesuffix(".gz")
    if path.name.lower() in {"dataset_info.json", "dataset_infos.json", "state.json", "package.json"}:
        return False
    if name.endswith(".arrow") and name.startswith("cache-"):  # what a data set was computed to on the way
        return False
    return name.endswith(DATA_SUFFIXES) and not (
        name.endswith(".txt") and name.startswith(("readme", "licen", "notes"))
    )


def split_of(path: Path) -> str:
    """The split that a file's path says (``train-00000.parquet``, ``test/part.csv``); empty when none or several."""
    name = path.name.lower().removesuffix(".gz")
    stem = next((name.removesuffix(s) for s in (*DATA_SUFFIXES, ".md") if name.endswith(s)), name)
    named = {split_word(part) for part in (*path.parts[:-1], stem)} - {""}
    return next(iter(named)) if len(named) == 1 else ""


def _inside(folder: Path, name: str) -> Path:
    if not (folder / name).absolute().is_relative_to(folder.absolute()) or ".." in Path(name).parts:
        raise UnsafeFile(f"{folder} lists the file {name!r}, which is outside of it.")
    return folder / name


def _json_object(path: Path) -> Mapping[str, object]:
    try:
        value = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read as JSON ({error}).") from error
    if not isinstance(value, dict):
        raise DataError(f"{path} is not a JSON object.")
    return value
