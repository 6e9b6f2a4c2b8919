"""One file, or what came on standard input, to a table: the format is told by extension and content."""

from __future__ import annotations

from pathlib import Path, PurePath

from lighten.core.errors import DataError
from lighten.data.arrow import read_parquet
from lighten.data.cells import Table
from lighten.data.decode import decoded, gunzipped, refuse_pickled
from lighten.data.delimited import parse_delimited
from lighten.data.jsonrows import parse_json, parse_jsonl

DATA_SUFFIXES = (".csv", ".tsv", ".tab", ".jsonl", ".ndjson", ".json", ".parquet", ".txt")


def read_file(path: Path) -> Table:
    """Table of one file.

    Raises:
        UnsafeFile: a format that can hold pickled objects.
        DataError: missing, unreadable, empty, binary, not UTF-8, or malformed.
    """
    refuse_pickled(str(path))
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}.") from error
    return read_data(data, str(path))


def read_data(data: bytes, name: str) -> Table:
    """Table of a file's bytes; ``name`` gives the extension and stands in messages.

    Without an extension that says more: ``{`` starts JSON lines, ``[`` a JSON list, anything else is csv.
    """
    if data.startswith(b"PAR1"):
        return read_parquet(data, name)
    path = PurePath(name)
    suffix = path.suffix.lower() if path.suffix.lower() != ".gz" else PurePath(path.stem).suffix.lower()
    if suffix == ".parquet":
        raise DataError(f"{name} is not parquet: it does not start with PAR1.", fix="copy or write it again")
    text = decoded(gunzipped(data, name), name)
    match suffix:
        case ".csv":
            return parse_delimited(text, name)
        case ".tsv" | ".tab":
            return parse_delimited(text, name, "\t")
        case ".jsonl" | ".ndjson":
            return parse_jsonl(text, name)
        case ".json":
            return parse_json(text, name)
        case ".txt":
            return parse_lines(text, name)
    if text.lstrip().startswith(("{", "[")):
        return parse_json(text, name)
    return parse_delimited(text, name)


def parse_lines(text: str, source: str) -> Table:
    """One row a line, in the column ``text``; the line's own spaces are kept."""
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    while lines and not lines[-1].strip():
        lines.pop()
    if not lines:
        raise DataError(f"{source} holds no text, only characters that are not seen.", allowed="one text a line")
    return Table({"text": tuple(lines)}, source, (f"{source} holds texts only, one a line.",))
