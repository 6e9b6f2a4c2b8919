"""Parquet and Arrow files to a table, with the class names that Hugging Face datasets keep beside the numbers."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lighten.core.errors import DataError, MissingExtra
from lighten.core.readers import is_known
from lighten.data.cells import Embedded, Table
from lighten.data.jsonrows import table_of_columns

FILE_MAGIC = b"ARROW1"
_FIRST_FEATHER = b"FEA1"


def read_parquet(data: bytes, source: str) -> Table:
    """Table of a parquet file's bytes.

    Raises:
        MissingExtra: pyarrow is not installed.
        DataError: damaged, or without rows.
    """
    _require_pyarrow(source)
    import pyarrow
    import pyarrow.parquet

    try:
        table = pyarrow.parquet.read_table(io.BytesIO(data))
    except (pyarrow.ArrowException, OSError) as error:
        raise DataError(f"{source} is damaged parquet ({error}).", fix="copy or write it again") from error
    return _plain(table, source, features_of(table.schema.metadata))


def read_arrow_files(paths: Sequence[Path], source: str, features: Mapping[str, object]) -> Table:
    """Table of the ``.arrow`` files that ``save_to_disk`` writes (the stream format; the file format too).

    Raises:
        MissingExtra: pyarrow is not installed.
        DataError: a damaged file, or no rows.
    """
    _require_pyarrow(source)
    import pyarrow

    tables = [_arrow_table(path.read_bytes(), str(path)) for path in paths]
    return _plain(pyarrow.concat_tables(tables), source, features or features_of(tables[0].schema.metadata))


def is_arrow(data: bytes, name: str) -> bool:
    """Whether a file is one of Arrow's (Feather among them), by its first bytes, else by its name."""
    return data.startswith(FILE_MAGIC) or _is_first_feather(data) or name.lower().endswith((".arrow", ".feather"))


def _is_first_feather(data: bytes) -> bool:
    """Whether a file begins and ends as Feather's first version does; a text may begin so, too."""
    return data.startswith(_FIRST_FEATHER) and data.endswith(_FIRST_FEATHER) and len(data) > len(_FIRST_FEATHER)


def read_arrow(data: bytes, source: str) -> Table:
    """Table of the bytes of an Arrow or Feather file, in the file or the stream format.

    Raises:
        MissingExtra: pyarrow is not installed.
        DataError: damaged, without rows, or the first version of Feather.
    """
    _require_pyarrow(source)
    if data.startswith(_FIRST_FEATHER):  # here also one that was cut short, by its name
        raise DataError(
            f"{source} is a Feather file of version 1.",
            allowed="version 2, which is Arrow",
            fix="write it again: pandas.read_feather(FILE).to_parquet('data.parquet')",
        )
    table = _arrow_table(data, source)
    return _plain(table, source, features_of(table.schema.metadata))


def _arrow_table(data: bytes, source: str) -> Any:
    import pyarrow

    held = pyarrow.BufferReader(data)
    try:
        opened = pyarrow.ipc.open_file(held) if data.startswith(FILE_MAGIC) else pyarrow.ipc.open_stream(held)
        return opened.read_all()
    except (pyarrow.ArrowException, OSError) as error:
        raise DataError(f"{source} is a damaged Arrow file ({error}).", fix="copy or save it again") from error


def features_of(metadata: Mapping[bytes, bytes] | None) -> Mapping[str, object]:
    """Hugging Face feature descriptions kept in a schema's metadata; empty when there are none."""
    kept = (metadata or {}).get(b"huggingface")
    if not kept:
        return {}
    info = json.loads(kept).get("info", {})
    features = info.get("features", {}) if isinstance(info, dict) else {}
    return features if isinstance(features, dict) else {}


def _plain(table: Any, source: str, features: Mapping[str, object]) -> Table:
    columns: dict[str, list[object]] = table.to_pydict()
    if not table.num_rows:
        raise DataError(f"{source} has no rows.", allowed="at least one row")
    columns = {name: _embedded(cells) for name, cells in columns.items()}
    notes = []
    for name, feature in features.items():
        if isinstance(feature, dict) and feature.get("_type") == "ClassLabel" and name in columns:
            words = feature.get("names")
            if isinstance(words, list) and words:
                columns[name] = [_class_name(v, words, name, source) for v in columns[name]]
                notes.append(f"Numbers of column {name!r} were replaced by the class names that {source} gives.")
    plain = table_of_columns(columns, source)
    return Table(plain.columns, source, (*plain.notes, *notes))


def _embedded(cells: list[object]) -> list[object]:
    """Cells of bytes that some reader knows, or that have a name beside them (``{bytes, path}``), as items."""
    first = next((cell for cell in cells if cell is not None), None)
    if isinstance(first, bytes) and is_known(first):
        return [Embedded("", cell) if isinstance(cell, bytes) else cell for cell in cells]
    if not isinstance(first, dict) or set(first) != {"bytes", "path"}:
        return cells
    found: list[object] = []
    for cell in cells:
        data, name = (cell["bytes"], cell["path"] or "") if isinstance(cell, dict) else (None, "")
        found.append(Embedded(str(name), data) if isinstance(data, bytes) else name or None)
    return found


def _class_name(value: object, words: Sequence[object], name: str, source: str) -> str | None:
    """Name of a class number; -1 and null are how Hugging Face writes "no label"."""
    if value is None or value == -1:
        return None
    if not isinstance(value, int) or not 0 <= value < len(words):
        raise DataError(f"Column {name!r} of {source} holds {value!r}, and its class names are {list(words)}.")
    return str(words[value])


def _require_pyarrow(source: str) -> None:
    try:
        import pyarrow  # noqa: F401
    except ImportError as error:
        raise MissingExtra(f"Reading {source}", "parquet", str(error)) from error
