"""Texts in a folder for each class: ``pos/1.txt``, ``train/pos/1.txt``, ``20news-train/sci.space/59848``."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

from lighten.core.errors import DataError
from lighten.data.cells import Cell, Table, count_of
from lighten.data.decode import decoded
from lighten.data.fixed import split_word

_TEXT_SUFFIXES = (".txt", ".md", ".text", "")
_UNLABELLED = frozenset({"unsup", "unsupervised", "unlabeled", "unlabelled"})
_FEWEST_FILES = 2


def is_class_folder(folder: Path, files: Sequence[Path]) -> bool:
    """Whether the text files of a folder lie in folders that name classes.

    Args:
        files: every visible file below the folder, relative to it.
    """
    texts = [file for file in files if _is_text(file)]
    classes = Counter(name for file in texts if (name := _class_of(file)))
    inside = sum(classes.values())
    return len(classes) >= 2 and inside >= 0.8 * len(texts) and inside >= _FEWEST_FILES * len(classes)


def read_class_folder(folder: Path, files: Sequence[Path]) -> Table:
    """One row a file: its text, the folder's name as label, the part that another folder names, and its own name.

    Raises:
        DataError: a file that cannot be read, or folders in which no level alone names the classes.
    """
    kept = sorted(file for file in files if _is_text(file) and _class_of(file))
    left = [file for file in files if file not in set(kept)]
    unlabelled = [file for file in kept if _class_of(file).casefold() in _UNLABELLED]
    kept = [file for file in kept if file not in set(unlabelled)]
    above: dict[str, set[tuple[str, ...]]] = defaultdict(set)
    for file in kept:
        above[_class_of(file)].add(tuple(_names(file)[:-1]))
    if len(set().union(*above.values())) > 1:
        raise DataError(
            f"{folder} holds texts in folders inside folders, such as {kept[0]}; which level names the class is open.",
            allowed="one level of folders that names the class, and train and test above or below it",
            fix="give the folder that holds the folders of the classes, or write a csv with a text and a label column",
        )
    notes = [f"{folder} holds {count_of(len(kept), 'text file')} in {len(above)} folders, whose names are the labels."]
    if unlabelled:
        notes.append(f"{count_of(len(unlabelled), 'file')} in {_class_of(unlabelled[0])!r} have no label; left out.")
    if left:
        listed = ", ".join(str(file) for file in left[:3]) + (", ..." if len(left) > 3 else "")
        notes.append(f"{count_of(len(left), 'other file')} of {folder} were not read ({listed}).")
    texts: list[Cell] = []
    encodings: dict[str, None] = {}
    for file in kept:
        text, about = _text(folder / file)
        texts.append(text)
        encodings |= dict.fromkeys(about)
    columns: dict[str, tuple[Cell, ...]] = {"text": tuple(texts), "label": tuple(_class_of(file) for file in kept)}
    splits = tuple(_split_of(file) for file in kept)
    if len(set(splits) - {""}) > 1 and "train" in splits:
        columns["split"] = splits
    columns["file"] = tuple(file.as_posix() for file in kept)
    return Table(columns, str(folder), (*notes, *list(encodings)[:3]))


def _is_text(file: Path) -> bool:
    return file.suffix.lower() in _TEXT_SUFFIXES or file.suffix[1:].isdigit()


def _names(file: Path) -> list[str]:
    """Folders of a file that do not name a part."""
    return [name for name in file.parts[:-1] if not split_word(name)]


def _class_of(file: Path) -> str:
    names = _names(file)
    return names[-1] if names else ""


def _split_of(file: Path) -> str:
    found = {split_word(name) for name in file.parts[:-1]} - {""}
    return next(iter(found)) if len(found) == 1 else ""


def _text(path: Path) -> tuple[str, tuple[str, ...]]:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}.") from error
    if not data.strip():
        return "", ()
    text, notes = decoded(data, str(path))
    return text.replace("\r\n", "\n").strip(), notes
