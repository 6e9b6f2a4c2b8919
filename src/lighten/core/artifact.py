"""Artifact: a model on disk with the record of where it came from. Opening one verifies every byte."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lighten.core.errors import ModelError, UnsafeFile

RECORD = "lighten.json"
LEARNED = "learned.rows"
"""File with the hashes of the rows that a model learned from (see ``data.learned``); sealed like every other file."""
VERSION = 1
STORE = "store"
"""Name of the folder of a run's artifacts."""

FIELDS: Mapping[str, type] = {
    **dict.fromkeys(("id", "format", "parent"), str),
    **dict.fromkeys(("files", "step", "versions", "meta"), dict),
    "seed": int,
}
"""Keys of a record beside its version, and their JSON types."""

PICKLED = frozenset({".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".npy", ".npz", ".joblib", ".h5", ".msgpack"})
"""Suffixes of files that can hold pickled objects or are not plain weights; refused in an artifact."""


@dataclass(frozen=True)
class Artifact:
    """A folder in its ecosystem's own layout plus ``lighten.json``. Immutable; never holds a live model.

    Attributes:
        path: the folder.
        id: content hash: SHA-256 over the sorted (file, hash) pairs and the format, 64 hex digits.
        format: what the folder holds: the catalogue name of its format.
        files: SHA-256 of every file, by path relative to the folder.
        parent: id of the artifact it was made from; empty for an original.
        step: catalog name and settings of the step that made it; empty for an original.
        seed: the seed the step ran with.
        versions: library versions that made it.
        meta: what a reader needs beside the files: labels, task, maximal length in tokens.
    """

    path: Path
    id: str
    format: str
    files: Mapping[str, str]
    parent: str = ""
    step: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0
    versions: Mapping[str, str] = field(default_factory=dict)
    meta: Mapping[str, Any] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Bytes of all its files but the hashes of learned rows, which no engine reads."""
        return sum((self.path / name).stat().st_size for name in self.files if name != LEARNED)

    @classmethod
    def seal(
        cls,
        folder: Path,
        *,
        format: str,
        parent: str = "",
        step: Mapping[str, Any] | None = None,
        seed: int = 0,
        versions: Mapping[str, str] | None = None,
        meta: Mapping[str, Any] | None = None,
    ) -> Artifact:
        """Hash every file of ``folder`` and write ``lighten.json``. The id depends on content only, not on lineage.

        Raises:
            UnsafeFile: the folder holds a pickled file or a link.
        """
        files = {str(p.relative_to(folder).as_posix()): sha256(p) for p in walk_files(folder)}
        artifact = cls(
            folder, content_id(files, format), format, files, parent, step or {}, seed, versions or {}, meta or {}
        )
        record = {
            "version": VERSION,
            **{
                name: getattr(artifact, name)
                for name in ("id", "format", "parent", "step", "seed", "versions", "meta", "files")
            },
        }
        text = json.dumps(record, indent=1, ensure_ascii=False, sort_keys=True)
        (folder / RECORD).write_text(text + "\n", encoding="utf-8")
        return artifact

    @classmethod
    def open(cls, folder: Path | str, *, verify: bool = True) -> Artifact:
        """Read ``lighten.json`` and check every file against it.

        Raises:
            ModelError: there is no readable ``lighten.json``.
            UnsafeFile: a file is missing, extra, changed, pickled or a link.
        """
        folder = Path(folder)
        record = cls._read(folder)
        artifact = cls(
            folder,
            record["id"],
            record["format"],
            record["files"],
            record.get("parent", ""),
            record.get("step", {}),
            record.get("seed", 0),
            record.get("versions", {}),
            record.get("meta", {}),
        )
        if verify:
            artifact.verify()
        return artifact

    @staticmethod
    def _read(folder: Path) -> dict[str, Any]:
        path = folder / RECORD
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
            if not isinstance(record, dict):
                raise ModelError(f"{path} is not the record of an artifact.")
            if record["version"] != VERSION:
                raise ModelError(f"{path} has version {record['version']!r}.", allowed=f"version {VERSION}")
            for name, kind in FIELDS.items():
                if not isinstance(record.get(name, kind()), kind) or (name in ("id", "format") and not record[name]):
                    raise ModelError(f"{path}: {name} is missing or not what it should be.")
        except FileNotFoundError:
            raise ModelError(
                f"{folder} is not an artifact of lighten: it has no {RECORD}.",
                fix="give the folder that a run left (such as runs/x/winner)",
            ) from None
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            raise ModelError(f"{path} cannot be read as the record of an artifact ({error}).") from error
        return record

    def verify(self) -> None:
        """Check every file against the record.

        Raises:
            UnsafeFile: a file is missing, extra, changed, pickled or a link.
        """
        found = {str(p.relative_to(self.path).as_posix()): p for p in walk_files(self.path)}
        fix = "get the artifact again from where it was made; do not run this copy"
        for name in sorted(set(self.files) - set(found)):
            raise UnsafeFile(f"{self.path} lacks the file {name} that its record lists.", fix=fix)
        for name in sorted(set(found) - set(self.files)):
            raise UnsafeFile(f"{self.path} holds the file {name} that its record does not list.", fix=fix)
        for name, path in found.items():
            if sha256(path) != self.files[name]:
                raise UnsafeFile(f"{path} is not the file that was sealed: its SHA-256 differs.", fix=fix)
        if content_id(self.files, self.format) != self.id:
            raise UnsafeFile(f"The id in {self.path / RECORD} does not follow from its files.", fix=fix)


def is_whole(folder: Path) -> bool:
    """Whether an artifact lies in a folder as it was sealed."""
    try:
        Artifact.open(folder)
    except (ModelError, UnsafeFile):
        return False
    return True


def walk_files(folder: Path) -> Iterator[Path]:
    """Every file below ``folder`` except ``lighten.json`` and the model card, sorted.

    A file may have several names when all of them lie in the run's store that the folder is in: nobody else can change
    it there by another name.

    Raises:
        UnsafeFile: a link, something that is not a plain file, or a suffix that can hold a pickle.
    """
    inside: Counter[tuple[int, int]] | None = None
    for path in sorted(folder.rglob("*")):
        if path.is_symlink():
            raise UnsafeFile(f"{path} is a symbolic link.", allowed="plain files inside the folder")
        if path.is_dir() or (path.parent == folder and path.name in (RECORD, "README.md")):
            continue
        found = path.stat()
        if found.st_nlink > 1 and folder.parent.name == STORE:
            inside = inside if inside is not None else Counter(_files_below(folder.parent))
            shared = inside[found.st_dev, found.st_ino] == found.st_nlink
        else:
            shared = found.st_nlink == 1
        if not path.is_file() or not shared:
            raise UnsafeFile(f"{path} is a hard link or not a plain file.", allowed="plain files inside the folder")
        if path.suffix.lower() in PICKLED and not _weights_of_ir(path):
            raise UnsafeFile(
                f"{path} can hold pickled objects, which run code when opened.",
                allowed="safetensors, ONNX, OpenVINO IR, GGUF",
            )
        yield path


def _files_below(folder: Path) -> Iterator[tuple[int, int]]:
    """Device and number of every file below a folder, once for each of its names."""
    for parent, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(FileNotFoundError):  # it may be removed meanwhile
                found = os.lstat(Path(parent) / name)
                yield found.st_dev, found.st_ino


def _weights_of_ir(path: Path) -> bool:
    """Whether a ``.bin`` stands beside the graph that makes it the weights of OpenVINO IR."""
    graph = path.with_suffix(".xml")
    if path.suffix != ".bin" or graph.is_symlink() or not graph.is_file():
        return False
    with graph.open("rb") as stream:
        return b"<net" in stream.read(4096)


def content_id(files: Mapping[str, str], format: str) -> str:
    """SHA-256 over the format and the sorted (name, hash) pairs, 64 hex digits."""
    return hashlib.sha256(json.dumps([format, sorted(files.items())]).encode()).hexdigest()


def sha256(path: Path) -> str:
    """SHA-256 of a file, 64 hex digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
