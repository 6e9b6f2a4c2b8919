"""What a model is, told by the formats of the catalogue: the one place that every verb asks. No torch.

Whatever can be told here is told before anything is copied, loaded or written. What no format can use is refused by
its right name, with what to do instead.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from lighten.core import catalog
from lighten.core.artifact import RECORD, Artifact
from lighten.core.errors import ModelError, UnsafeFile
from lighten.core.format import Format, Location, Recognized
from lighten.core.matching import format_named, format_of, known_format, tasks_of
from lighten.files.json_file import read_object
from lighten.files.links import check_link
from lighten.models.refusals import holds_files_of_model, refusal_of_file, refusal_of_folder


def recognize(path: Path, *, headless: bool = False, task: str = "", format: str = "") -> Recognized:
    """What lies at ``path``.

    Args:
        headless: see :class:`Location`. task: catalogue name of what it is wanted for; formats that have models for it
            are asked first. format: the one that knew it before; empty to ask all.

    Raises:
        ModelError: nothing that lighten can use: says what it is, and what to do. UnsafeFile: pickled weights only.
    """
    if (path / RECORD).is_file():
        artifact = Artifact.open(path, verify=False)
        noun = format_of(artifact).noun
        return Recognized(path, artifact.format, artifact.format, noun, tasks_of(artifact), sealed=True)
    found = None if path.exists() else named(str(path))
    if found is not None:
        return found
    location = replace(location_at(path), headless=headless)
    found = ask_formats(location, task, format)
    if found is not None:
        return found
    raise refusal_of_file(path) if path.is_file() else refusal_of_folder(location, _is_model)


def recognize_listing(
    where: str,
    names: Sequence[str],
    read: Callable[[str], Mapping[str, Any]],
    *,
    headless: bool = False,
    task: str = "",
) -> Recognized:
    """What a repository of the hub holds, told by the names of its files.

    Args:
        where: what the user calls it, for the messages. names: of files, and of folders with "/" behind them.
        read: gives the object of one of its JSON files. headless, task: see :func:`recognize`.

    Returns:
        Its path is ``where``, or a file's name, whose header is still to be read.

    Raises:
        ModelError, UnsafeFile: see :func:`recognize`.
    """
    location = Location(where, tuple(names), cache(read), headless=headless)
    found = ask_formats(location, task)
    if found is None:
        raise refusal_of_folder(location, _is_model)
    return found


def ask_formats(location: Location, task: str = "", format: str = "") -> Recognized | None:
    """What the first format that can use it says of a location; None where it is nothing to any of them.

    Args:
        task, format: see :func:`recognize`.

    Raises:
        ModelError, UnsafeFile: what the first format said to which it is something, where none can use it.
    """
    errors: list[ModelError | UnsafeFile] = []
    names = [format] if format else catalog.names("formats")
    for name in sorted(names, key=lambda name: bool(task) and task not in format_named(name).tasks):
        try:
            found = format_named(name).recognize(location)
        except (ModelError, UnsafeFile) as error:
            errors.append(error)
            continue
        if found is not None:
            return replace(found, format=name)
    if errors:
        raise errors[0]
    return None


def answering(found: Recognized) -> Recognized:
    """The same model as it answers without having learned anything, where another format says so of it; else as it
    was found.

    A model that waits for a head may be one that makes vectors.
    """
    if found.sealed or not found.path.is_dir():
        return found
    location = location_at(found.path)
    for name in catalog.names("formats"):
        with contextlib.suppress(ModelError, UnsafeFile):
            other = format_named(name).recognize(location) if name != found.format else None
            if other is not None and other.complete:
                return replace(other, format=name)
    return found


def named(model: str) -> Recognized | None:
    """What a model is that is called by a name, not by a place; None for what no format calls so.

    Raises:
        ModelError: it is such a name, and nothing here is called so.
    """
    for name in catalog.names("formats"):
        found = format_named(name).named(model)
        if found is not None:
            return replace(found, format=name)
    return None


def location_at(path: Path) -> Location:
    """A file or a folder here.

    Raises:
        ModelError: there is neither.
    """
    if path.is_file():
        return Location(str(path), (path.name,), lambda name: _no_object(path), path)
    if not path.is_dir():
        raise ModelError(f"There is no file or folder {path}.", allowed="an HF folder, a GGUF file, or sample:NAME")
    names = sorted(one.name + ("/" if one.is_dir() else "") for one in path.iterdir())

    @cache
    def read(name: str) -> dict[str, Any]:
        check_link(path / name, path)
        return read_object(path / name)

    return Location(str(path), tuple(names), read, path)


def check_task(model: str, found: Recognized, task: str, *, fix: str = "") -> None:
    """Refuse a model that is not for a task.

    Args:
        model: what the user called it. task: catalogue name. fix: what to do; by default what a user of the command
            line can do.

    Raises:
        ModelError: says what it is, and what to give instead.
    """
    if task in found.tasks:
        return
    every = [format_named(name) for name in catalog.names("formats")]
    able = dict.fromkeys(format.noun for format in every if format.original and task in format.tasks)
    raise ModelError(
        f"{model} is {found.described}, and the task is {task.replace('_', '-')}.",
        allowed=" or ".join(able),
        fix=fix or (known_format(found.format) or Format).instead,
    )


def _no_object(path: Path) -> dict[str, Any]:
    raise ModelError(f"{path} is a file, and no folder with files.")


def _is_model(folder: Path) -> bool:
    """Whether a folder is that of a model, or looks like one that cannot be used."""
    try:
        return holds_files_of_model(folder) or ask_formats(location_at(folder)) is not None
    except (ModelError, UnsafeFile):
        return True
