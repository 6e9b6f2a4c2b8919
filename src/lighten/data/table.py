"""Read a table from wherever the user keeps it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from lighten.core.errors import DataError
from lighten.core.home import expanded
from lighten.data.cells import Cell, Table
from lighten.data.files import DATA_SUFFIXES, read_data, read_file
from lighten.data.folders import HUB_ID, read_folder, read_hub
from lighten.data.items import kind_of_file, table_of_files, with_file_names
from lighten.data.samples import fetch_sample, sample_notes

__all__ = ["Cell", "Table", "read_table"]


def read_table(source: str | Path | Sequence[str], *, labelled: bool = True) -> Table:
    """Read users' data.

    Args:
        source: a file (csv, tsv, jsonl, json, parquet, arrow, txt, IDX; csv and json also gzipped), a folder (what
            ``save_to_disk`` writes, files whose names may say their split, a folder for each class), a hub id
            ``user/name``, ``sample:NAME``, or ``-`` for csv or JSON on standard input. One file that is an item
            itself, such as a picture, or several, are a table of them.
        labelled: whether folders are to name classes; else every file in them is a row, wherever it lies.

    Returns:
        the table; its ``notes`` say what was noticed. Rows of several splits are joined, with a column ``split``.

    Raises:
        DataError: missing, empty, binary, not UTF-8, ragged, or without a header; says where and what to do.
        UnsafeFile: a format that can hold pickled objects.
        MissingExtra: parquet without pyarrow, a hub id without huggingface_hub.
    """
    if not isinstance(source, str | Path):
        return table_of_files(source) if len(source) != 1 else read_table(source[0], labelled=labelled)
    name = str(source)
    if name == "-":
        return _with_rows(with_file_names(read_data(sys.stdin.buffer.read(), "standard input"), Path.cwd()))
    if name.startswith("sample:"):
        sample = name.removeprefix("sample:")
        fetched = fetch_sample(sample)
        table = read_folder(fetched, labelled=labelled) if fetched.is_dir() else read_file(fetched, labelled=labelled)
        return Table(table.columns, name, (*table.notes, *sample_notes(sample)))
    path = expanded(name)
    if path.is_dir():
        return _with_rows(read_folder(path, labelled=labelled))
    if path.exists():
        return table_of_files([name]) if kind_of_file(path) else _with_rows(read_file(path, labelled=labelled))
    looks_like_file = name.lower().removesuffix(".gz").endswith((*DATA_SUFFIXES, ".md"))
    if HUB_ID.fullmatch(name) and not looks_like_file:
        return _with_rows(read_hub(name))
    near = _similar_files(path)
    raise DataError(
        f"There is no file or folder {name!r}.",
        allowed="a path, a hub id (user/name), sample:NAME, or - for standard input",
        fix=f"did you mean {' or '.join(repr(str(n)) for n in near)}?" if near else "check the path",
    )


def _with_rows(table: Table) -> Table:
    if not len(table):
        raise DataError(f"{table.source} has no rows.", allowed="at least one row")
    return table


def _similar_files(path: Path) -> list[Path]:
    from difflib import get_close_matches

    folder = path.parent
    names = [p.name for p in folder.iterdir()] if folder.is_dir() else []
    return [folder / n for n in get_close_matches(path.name, names, n=2)]
