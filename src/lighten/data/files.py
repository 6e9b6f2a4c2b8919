"""One file, or what came on standard input, to a table: the format is told by extension and content."""

from __future__ import annotations

from pathlib import Path, PurePath

from lighten.core.errors import DataError
from lighten.data.arrow import is_arrow, read_arrow, read_parquet
from lighten.data.cells import Table
from lighten.data.decode import decoded, refuse_pickled, refuse_tar, unpacked
from lighten.data.delimited import parse_delimited
from lighten.data.idx import is_idx, read_idx
from lighten.data.items import with_file_names
from lighten.data.jsonrows import parse_json, parse_jsonl
from lighten.data.lines import is_fasttext, parse_fasttext, parse_lines, separator_of

DATA_SUFFIXES = (".csv", ".tsv", ".tab", ".jsonl", ".ndjson", ".json", ".parquet", ".arrow", ".feather", ".txt")


def read_file(path: Path, *, labelled: bool = True) -> Table:
    """Table of one file.

    Args:
        labelled: whether files of labels that belong to it are wanted, too.

    Raises:
        UnsafeFile: a format that can hold pickled objects.
        DataError: missing, unreadable, empty, binary, in an unknown encoding, or malformed.
    """
    refuse_pickled(str(path))
    refuse_tar(str(path))
    if is_idx(path):
        return read_idx([path], str(path), labelled=labelled)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}.") from error
    return with_file_names(read_data(data, str(path)), path.parent)


def read_data(data: bytes, name: str) -> Table:
    """Table of a file's bytes; ``name`` gives the extension and stands in messages.

    Without an extension that says more: ``{`` or ``[`` starts JSON, anything else is csv. Lines of fastText
    (``__label__good a fine film``) are known by their look.
    """
    data, inner = unpacked(data, name)
    suffix = PurePath(inner).suffix.lower()
    if data.startswith(b"PAR1"):
        return read_parquet(data, name)
    if is_arrow(data, inner):
        return read_arrow(data, name)
    if suffix == ".parquet":
        raise DataError(f"{name} is not parquet: it does not start with PAR1.", fix="copy or write it again")
    refuse_pickled(inner)
    text, notes = decoded(data, name)
    table = _parsed(text, name, suffix)
    return Table(table.columns, table.source, (*notes, *table.notes))


def _parsed(text: str, name: str, suffix: str) -> Table:
    if suffix not in (".json", ".jsonl", ".ndjson") and is_fasttext(text):
        return parse_fasttext(text, name)
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
            separator = separator_of(text)
            return parse_delimited(text, name, separator) if separator else parse_lines(text, name)
    if text.lstrip().startswith(("{", "[")):
        return parse_json(text, name)
    return parse_delimited(text, name)
