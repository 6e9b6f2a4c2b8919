"""What ``module.json`` says of a network of the user's own: which code makes it, with what, and what it is. No torch.

The file names Python code to run, as ``auto_map`` of the hub does. Opening one runs nothing: see
:mod:`lighten.nets.module.permits`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from lighten.core.errors import ModelError
from lighten.files.json_file import read_object

FILE, WEIGHTS = "module.json", "model.safetensors"
VERSION = 1
ARGUMENTS = ("classes", "labels", "channels", "size", "vocabulary", "length")
"""What a factory is told, where its signature has it."""
ALSO: Mapping[str, str] = {"num_classes": "classes", "vocab_size": "vocabulary"}
"""Other names of arguments that are understood, each with the one that it stands for."""
FACTORY = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")
"""How a factory is written: ``package.module:function``."""


@dataclass(frozen=True)
class Record:
    """Content of ``module.json``.

    Attributes:
        factory: ``package.module:function``.
        sources: SHA-256 of each file of the user's own code that was imported, by its path below the code's folder.
        arguments: that the factory was called with.
        name: class of the module that it returned; empty until it was called.
        labels: names of the classes, in the order of the outputs; empty until they are known.
        trained: whether its weights learned something; else they are as the factory gave them.
        reader: catalogue name of what reads its inputs.
        left: of lists of blocks that blocks were left out of, the numbers of those that stayed.
        facts: what steps ask of a model (see ``Format.facts``), beside what stands here.
        longest: most tokens of a text that were asked for; 0 where nobody asked.
    """

    factory: str
    sources: Mapping[str, str] = field(default_factory=dict)
    arguments: Mapping[str, Any] = field(default_factory=dict)
    name: str = ""
    labels: tuple[str, ...] = ()
    trained: bool = False
    reader: str = ""
    left: Mapping[str, list[int]] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    longest: int = 0

    @property
    def is_made(self) -> bool:
        """Whether the network was made, with its reader; else only the code is named, and data say the rest."""
        return bool(self.name)

    def save(self, folder: Path) -> None:
        """Write the file into a folder."""
        text = json.dumps({"version": VERSION, **asdict(self)}, ensure_ascii=False, indent=1, sort_keys=True)
        (folder / FILE).write_text(text + "\n", encoding="utf-8")


def read_record(folder: Path) -> Record:
    """The record in a folder.

    Raises:
        ModelError: there is none, or it says what no record says.
    """
    return record_of(read_object(folder / FILE), str(folder / FILE))


def record_of(found: Mapping[str, Any], place: str) -> Record:
    """The record that a JSON object is. place: what errors call it.

    Raises:
        ModelError: it says what no record says.
    """
    said = {name: value for name, value in found.items() if name != "version"}
    known = {one.name: one for one in fields(Record)}
    plain = Record("a:b")
    wrong = sorted(set(said) - set(known)) + sorted(
        name for name, value in said.items() if name in known and not _alike(value, getattr(plain, name))
    )
    texts = (*said.get("sources", {}).items(), *((one,) for one in said.get("labels", ())))
    if wrong or found.get("version") != VERSION or not all(isinstance(part, str) for one in texts for part in one):
        what = f"says {wrong[0]} = {said[wrong[0]]!r:.60}" if wrong else f"has version {found.get('version')!r}"
        raise ModelError(f"{place} {what}.", allowed=f"what lighten wrote there, version {VERSION}")
    strange = sorted(set(said.get("arguments", {})) - {*ARGUMENTS, *ALSO})
    if strange:
        raise ModelError(
            f"{place} calls {said.get('factory')} with {', '.join(strange)}.", allowed=", ".join((*ARGUMENTS, *ALSO))
        )
    if not FACTORY.fullmatch(said.get("factory", "")):
        raise ModelError(f"{place} names no factory: {said.get('factory')!r}.", allowed="package.module:function")
    return replace(Record(**said), labels=tuple(said.get("labels", ())))


def _alike(value: Any, plain: Any) -> bool:
    return isinstance(value, list if isinstance(plain, tuple) else type(plain))
