"""Files in a folder for each class: ``pos/1.txt``, ``train/cats/1.jpg``, ``20news-train/sci.space/59848``."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from lighten.core.errors import DataError
from lighten.core.readers import kinds_of_files
from lighten.data.cells import Cell, Table, count_of
from lighten.data.decode import decoded
from lighten.data.fixed import split_word
from lighten.data.items import FileName, kind_of_file
from lighten.data.tree import listed

_TEXT_SUFFIXES = (".txt", ".md", ".text", "")
_UNLABELLED = frozenset({"unsup", "unsupervised", "unlabeled", "unlabelled"})
_FEWEST_FILES = 2


@dataclass(frozen=True, slots=True)
class Levels:
    """What the folders say that files lie in: classes, parts.

    Attributes:
        classes: folders that name a class, though what they are called is a usual name of a part.
    """

    classes: frozenset[Path]

    @classmethod
    def of(cls, files: Iterable[Path]) -> Levels:
        """By the folders of some files, relative to one folder.

        What is called ``train`` or ``test`` and has files right in it, as a folder beside it has that is called
        otherwise, names a class as that one does: parts hold folders of classes.
        """
        right_in = {file.parent for file in files}
        plain = {folder.parent for folder in right_in if folder.name and not split_word(folder.name)}
        return cls(frozenset(folder for folder in right_in if split_word(folder.name) and folder.parent in plain))

    def names(self, file: Path) -> list[str]:
        """Folders of a file that do not name a part."""
        return [folder.name for folder in _folders(file) if not self._part(folder)]

    def class_of(self, file: Path) -> str:
        """The class of a file; empty where no folder names one."""
        names = self.names(file)
        return names[-1] if names else ""

    def split_of(self, file: Path) -> str:
        """The part that a file is in; empty where none or several are named."""
        found = {part for folder in _folders(file) if (part := self._part(folder))}
        return next(iter(found)) if len(found) == 1 else ""

    def _part(self, folder: Path) -> str:
        return "" if folder in self.classes else split_word(folder.name)


def _folders(file: Path) -> list[Path]:
    """The folders that a file lies in, from the outermost on."""
    return [*reversed(file.parents)][1:]


def is_class_folder(files: Sequence[Path]) -> bool:
    """Whether the text files of a folder lie in folders that name classes.

    Args:
        files: every visible file below the folder, relative to it.
    """
    texts = [file for file in files if is_text(file)]
    levels = Levels.of(texts)
    classes = Counter(name for file in texts if (name := levels.class_of(file)))
    inside = sum(classes.values())
    return len(classes) >= 2 and inside >= 0.8 * len(texts) and inside >= _FEWEST_FILES * len(classes)


def read_class_folder(folder: Path, files: Sequence[Path], *, labelled: bool = True) -> Table:
    """One row a file: its text, the folder's name as label, the part that another folder names, and its own name.

    Args:
        labelled: without, every text file is a row, in whichever folder it lies, and none has a label.

    Raises:
        DataError: a file that cannot be read, or folders in which no level alone names the classes.
    """
    wanted = {file for file in files if is_text(file)}
    levels = Levels.of(wanted)
    if labelled:
        kept, notes = _in_classes(folder, files, wanted, "text file", levels)
    else:
        kept, notes = _all_of(folder, files, wanted, "text file")
    texts: list[Cell] = []
    encodings: dict[str, None] = {}
    for file in kept:
        text, about = _text(folder / file)
        texts.append(text)
        encodings |= dict.fromkeys(about)
    columns: dict[str, tuple[Cell, ...]] = {"text": tuple(texts), **(_labels(kept, levels) if labelled else {})}
    columns["file"] = tuple(file.as_posix() for file in kept)
    return Table(columns, str(folder), (*notes, *list(encodings)[:3]))


def items_in(files: Sequence[Path]) -> list[Path]:
    """The files of a folder that are items of the kind that most of them are; none where texts are more."""
    suffixes = kinds_of_files()
    kinds = Counter(suffixes[suffix] for file in files if (suffix := file.suffix.lower()) in suffixes)
    kind, count = kinds.most_common(1)[0] if kinds else ("", 0)
    texts = sum(is_text(file) for file in files)
    return [file for file in files if kind_of_file(file) == kind] if count > texts else []


def read_item_folder(folder: Path, files: Sequence[Path], items: Sequence[Path], *, labelled: bool = True) -> Table:
    """One row a file that is an item: its name, the folder's name as label where there is one, and its part.

    Args:
        files: every visible file below the folder, relative to it. items: those that are items.
        labelled: without, every item is a row, in whichever folder it lies, and none has a label.

    Raises:
        DataError: folders in which no level alone names the classes, or one file in each.
    """
    kind, levels = kind_of_file(items[0]), Levels.of(items)
    if not labelled:
        every, about = _all_of(folder, files, items, f"{kind} file")
        return Table({kind: tuple(FileName(file.as_posix(), folder) for file in every)}, str(folder), tuple(about))
    classes = Counter(name for file in items if (name := levels.class_of(file)))
    if not classes:
        names = tuple(FileName(file.as_posix(), folder) for file in items)
        note = f"{folder} holds {count_of(len(items), f'{kind} file')} and no folders that name classes."
        return Table({kind: names}, str(folder), (note,))
    kept, notes = _in_classes(folder, files, set(items), f"{kind} file", levels)
    if len(kept) == len({(levels.class_of(file), levels.split_of(file)) for file in kept}):
        raise DataError(
            f"{folder} holds one {kind} file in each of its {count_of(len(classes), 'folder')}.",
            allowed="a folder for each class, with several files in it",
            fix="put files of one class into one folder, or add more of each",
        )
    names = tuple(FileName(file.as_posix(), folder) for file in kept)
    return Table({kind: names, **_labels(kept, levels)}, str(folder), tuple(notes))


def _all_of(folder: Path, files: Sequence[Path], wanted: Collection[Path], what: str) -> tuple[list[Path], list[str]]:
    """The wanted files in the order of their paths, wherever they lie; and what was noticed."""
    kept = sorted(wanted)
    return kept, [f"{folder} holds {count_of(len(kept), what)}.", *_about_others(folder, set(files) - set(kept))]


def _about_others(folder: Path, left: Collection[Path]) -> list[str]:
    """The note on files that are not read, where there are any."""
    return [f"{count_of(len(left), 'other file')} of {folder} were not read ({listed(sorted(left))})."] if left else []


def _in_classes(
    folder: Path, files: Sequence[Path], wanted: Collection[Path], what: str, levels: Levels
) -> tuple[list[Path], list[str]]:
    """The wanted files that lie in a folder that names a class; and what was noticed."""
    kept = sorted(file for file in wanted if levels.class_of(file))
    left = set(files) - set(kept)
    unlabelled = {file for file in kept if levels.class_of(file).casefold() in _UNLABELLED}
    kept = [file for file in kept if file not in unlabelled]
    above: dict[str, set[tuple[str, ...]]] = defaultdict(set)
    for file in kept:
        above[levels.class_of(file)].add(tuple(levels.names(file)[:-1]))
    if len(set().union(*above.values())) > 1:
        raise DataError(
            f"{folder} holds {what}s in folders inside folders, such as {kept[0]}; which level names the class is "
            "open.",
            allowed="one level of folders that names the class, and train and test above or below it",
            fix="give the folder that holds the folders of the classes, or write a csv that names each file's label",
        )
    notes = [f"{folder} holds {count_of(len(kept), what)} in {len(above)} folders, whose names are the labels."]
    if levels.classes:
        named = ", ".join(repr(str(name)) for name in sorted(levels.classes))
        notes.append(f"{named} was taken for a class, not for a part: it holds files, as the classes beside it do.")
    if unlabelled:
        name = levels.class_of(min(unlabelled))
        notes.append(f"{count_of(len(unlabelled), 'file')} in {name!r} have no label; left out.")
    return kept, [*notes, *_about_others(folder, left)]


def _labels(kept: Sequence[Path], levels: Levels) -> dict[str, tuple[Cell, ...]]:
    """The column of labels, and that of parts where the folders name train and another one."""
    columns: dict[str, tuple[Cell, ...]] = {"label": tuple(levels.class_of(file) for file in kept)}
    splits = tuple(levels.split_of(file) for file in kept)
    if len(set(splits) - {""}) > 1 and "train" in splits:
        columns["split"] = splits
    return columns


def is_text(file: Path) -> bool:
    """Whether a file is a text by its name: one without an extension, or with a number as such, too."""
    return file.suffix.lower() in _TEXT_SUFFIXES or file.suffix[1:].isdigit()


def _text(path: Path) -> tuple[str, tuple[str, ...]]:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}.") from error
    if not data.strip():
        return "", ()
    text, notes = decoded(data, str(path))
    return text.replace("\r\n", "\n").strip(), notes
