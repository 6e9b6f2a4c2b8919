"""Documents: plain text files, folders of them, and tables with a column of texts."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path, PurePath

from lighten.core.errors import DataError
from lighten.core.home import expanded
from lighten.data.cells import Cell, Table, count_of, some_numbers
from lighten.data.decode import decoded, unpacked
from lighten.data.files import DATA_SUFFIXES
from lighten.data.folders import split_of
from lighten.data.prompts import cell_text
from lighten.data.table import read_table
from lighten.data.tree import tree_of

TEXT_SUFFIXES = (".txt", ".md")
DOCUMENT_CHARACTERS = 1000
"""Paragraphs of a text file are joined until a document has this many characters."""

FEWEST_WORDS = 2
_TABLES = tuple(suffix for suffix in DATA_SUFFIXES if suffix not in (".txt", ".json"))
_SAVED = ("dataset_dict.json", "state.json")


def read_documents(source: str | Path) -> Table:
    """Documents, one a row, in the column ``text`` (plain text) or in a column of the user's table.

    A folder of ``.txt`` and ``.md`` files gives one document a file, whose name is in the column ``file``. One such
    file gives its paragraphs, neighbours joined to about 1,000 characters; of a file without blank lines, its lines.
    So does each file of a folder that holds nothing but one file for each part (``train.txt``, ``test.txt``). Where the
    paths say train and another part, the column ``split`` keeps it.
    Line ends become ``\\n``. Everything else is read by :func:`read_table`.

    Raises:
        DataError: missing, empty, binary or not UTF-8; says where and what to do.
        UnsafeFile: a format that can hold pickled objects.
    """
    path = expanded(source)
    if str(source) != "-" and path.is_file() and _suffix(path) in TEXT_SUFFIXES:
        return _file(path)
    texts = _text_files(path) if str(source) != "-" and path.is_dir() else []
    return _folder(path, texts) if texts else read_table(source)


def long_enough(table: Table, column: str, *, drop: bool = False) -> Table:
    """The table without documents that are too short to be scored: fewer than two words.

    Letters of scripts that are written without spaces count as words.

    Args:
        drop: leave them out and count them in the notes, instead of refusing.

    Raises:
        DataError: there are such documents (their rows or files are listed), or no others.
    """
    lengths = [_words(cell_text(cell)) for cell in table.column(column)]
    kept = [at for at, length in enumerate(lengths) if length >= FEWEST_WORDS]
    short = [at for at, length in enumerate(lengths) if length < FEWEST_WORDS]
    if not short:
        return table
    found = f"{count_of(len(short), 'document')} of fewer than {FEWEST_WORDS} words ({_listed(table, short)})"
    if not drop or not kept:
        raise DataError(
            f"{table.source} has {found}.",
            allowed=f"documents of at least {FEWEST_WORDS} words",
            fix="join them with others, or leave them out with --drop-empty",
        )
    columns = {name: tuple(values[at] for at in kept) for name, values in table.columns.items()}
    return Table(columns, table.source, (*table.notes, f"Left out: {found}."))


def joined_paragraphs(text: str, characters: int = DOCUMENT_CHARACTERS) -> list[str]:
    """Documents of neighbouring paragraphs: each is closed when it has that many characters.

    What is left at the end joins the last document when it is less than half of that. A text without blank lines is
    taken line by line.
    """
    blank = re.compile(r"\n\s*\n")
    parts, between = (blank.split(text), "\n\n") if blank.search(text.strip()) else (text.split("\n"), "\n")
    documents: list[str] = []
    gathered: list[str] = []
    length = 0
    for part in (part.rstrip() for part in parts if part.strip()):
        length += len(part) + (len(between) if gathered else 0)
        gathered.append(part)
        if length >= characters:
            documents.append(between.join(gathered))
            gathered, length = [], 0
    rest = between.join(gathered)
    if documents and rest and len(rest) < characters / 2:
        documents[-1] += between + rest
    elif rest:
        documents.append(rest)
    return documents


def _file(path: Path) -> Table:
    text, notes = _text(path)
    documents = joined_paragraphs(text)
    note = (
        f"{path} became {count_of(len(documents), 'document')}: neighbouring paragraphs joined until about "
        f"{DOCUMENT_CHARACTERS:,} characters."
    )
    return Table({"text": tuple(documents)}, str(path), (*notes, note))


def _folder(folder: Path, files: list[Path]) -> Table:
    tree = tree_of(folder)
    left = tree.notes(folder, lambda path: _suffix(path) in TEXT_SUFFIXES)
    splits = [split_of(file.relative_to(folder)) for file in files]
    divided = "train" in splits and len(set(splits) - {""}) > 1
    if divided and len(set(splits)) == len(files) and "" not in splits:
        parts = [_file(file) for file in files]
        columns: dict[str, tuple[Cell, ...]] = {"text": tuple(text for part in parts for text in part.column("text"))}
        columns["split"] = tuple(split for part, split in zip(parts, splits, strict=True) for _ in range(len(part)))
        return Table(columns, str(folder), (*(note for part in parts for note in part.notes), *left))
    read = [_text(file, may_be_empty=True) for file in files]
    texts = tuple(text.strip() for text, _ in read)
    notes = [f"{folder} holds {count_of(len(files), 'text file')}; each is one document."]
    notes += [note for _, about in read for note in about][:5]
    others = {folder / path for path in tree.files} - set(files)
    if others:
        kinds = ", ".join(sorted({_suffix(file) or file.name for file in others})[:5])
        notes.append(f"{count_of(len(others), 'other file')} of {folder} were not read ({kinds}).")
    names: tuple[Cell, ...] = tuple(file.relative_to(folder).as_posix() for file in files)
    own: dict[str, tuple[Cell, ...]] = {"split": tuple(splits)} if divided else {}
    return Table({"text": texts, "file": names, **own}, str(folder), (*notes, *left))


def _text_files(folder: Path) -> list[Path]:
    """The text files of a folder that holds no tables; else none."""
    files = [folder / path for path in tree_of(folder).files]
    if any(_suffix(file) in _TABLES or file.name in _SAVED for file in files):
        return []
    return [file for file in files if _suffix(file) in TEXT_SUFFIXES]


def _suffix(path: PurePath) -> str:
    """The extension, also of a gzipped file: ``.txt`` of ``a.txt.gz``."""
    name = path.name.lower()
    return PurePath(name.removesuffix(".gz")).suffix


def _text(path: Path, *, may_be_empty: bool = False) -> tuple[str, tuple[str, ...]]:
    """Text of a file, and notes on its encoding.

    An empty one of a folder is a document too short, which ``long_enough`` names with the others.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}.") from error
    data, _ = unpacked(data, str(path))
    if may_be_empty and not data.strip():
        return "", ()
    text, notes = decoded(data, str(path))
    return text.replace("\r\n", "\n").replace("\r", "\n"), notes


def _words(text: str) -> int:
    """Words by their spaces, or letters of scripts without case, which may be written without spaces."""
    caseless = sum(unicodedata.category(letter) == "Lo" for letter in text)
    return max(len(text.split()), caseless)


def _listed(table: Table, rows: list[int]) -> str:
    if {"text", "file"} <= set(table.columns) <= {"text", "file", "split"}:
        names = [str(table.column("file")[at]) for at in rows]
        return ", ".join(names[:10]) + (f" and {len(names) - 10:,} more" if len(names) > 10 else "")
    return f"row {some_numbers(at + 1 for at in rows)}"
