"""Bring: whatever the user calls a model, checked before anything is opened, copied and sealed as an artifact."""

from __future__ import annotations

import shutil
from pathlib import Path

from lighten.core.artifact import Artifact
from lighten.core.errors import ModelError, RunFolderError
from lighten.core.format import Recognized
from lighten.core.home import expanded
from lighten.core.matching import format_named, format_of
from lighten.core.training import model_of_run
from lighten.isolate.hub import nearest_names
from lighten.models.hub import HUB_FILE, HUB_ID, fetch, look, snapshot_of
from lighten.models.recognize import answering, named, recognize
from lighten.models.room import check_room, size_of_model


def bring(model: str, folder: Path, *, longest: int | None = None, task: str = "", asks: bool = False) -> Artifact:
    """Copy a model into the empty ``folder`` and seal it.

    Args:
        model: an HF folder, a GGUF file or a folder with one, an adapter whose base is at hand, a hub id,
            ``sample:NAME``, a factory (``package.module:function``), the folder of a training, or an artifact of
            lighten (copied as it is).
        folder: made when it does not exist.
        longest: most tokens of a text that a classifier is to read; None for what it reads.
        task: catalogue name of what it is wanted for, where that is known.
        asks: it is to answer as it lies: see ``recognize.answering``.

    Raises:
        ModelError: there is no such model, a file is missing or broken, or config and weights disagree.
        InputError: a classifier does not read ``longest`` tokens.
        UnsafeFile: weights that are pickled only, code of its own, or links that leave the folder.
        MissingExtra: the hub's library, or torch, is not installed.
        RunFolderError: ``folder`` holds something already, or its disk has no room.
    """
    found = find(model, task=task)
    if asks and not found.sealed and not format_named(found.format).facts_of(found).get("has_head", True):
        found = answering(found)
    return _limited(_bring(found, folder, model), longest)


def bring_resolved(source: str, folder: str, model: str = "", longest: int = 0, format: str = "") -> dict[str, str]:
    """As :func:`bring`, for a source that is found already; for a child process, which takes and gives plain values.

    Args:
        model: what the user called it. longest: 0 for what the model reads. format: that it was found to have.

    Returns:
        ``path`` of the artifact.
    """
    found = recognize(Path(source), format=format)
    return {"path": str(_limited(_bring(found, Path(folder), model or source), longest or None).path)}


def _limited(artifact: Artifact, longest: int | None) -> Artifact:
    return artifact if longest is None else format_of(artifact).shorten(artifact, longest)


def _bring(found: Recognized, folder: Path, model: str) -> Artifact:
    if folder.exists() and any(folder.iterdir()):
        raise RunFolderError(f"{folder} is not empty.", allowed="an empty or a new folder")
    check_room(folder, size_of_model(found), model)
    if found.sealed:
        folder.mkdir(parents=True, exist_ok=True)
        return _copy_artifact(Artifact.open(found.path), folder)
    format = format_named(found.format)
    format.check(found)
    folder.mkdir(parents=True, exist_ok=True)
    meta = format.bring(found, folder, model)
    return Artifact.seal(folder, format=found.format, meta={"model": model, **meta})


def find(model: str, *, whole: bool = True, task: str = "") -> Recognized:
    """What a user calls a model, found, fetched when it must be, and told by its files alone.

    Args:
        whole: fetch and check all of it; else only as much as says what it is.
        task: catalogue name of what it is wanted for, where that is known.

    Raises:
        ModelError: there is none, or none that lighten can use; says what it is. UnsafeFile: pickled weights or code.
        MissingExtra: the hub's library is not installed.
    """
    kind, _, name = model.partition(":")
    if kind == "sample" and name:
        from lighten.data.sample_list import SAMPLES
        from lighten.data.samples import fetch_sample

        if not whole and name in SAMPLES:
            known = format_named(SAMPLES[name].format)
            if task in ("", *known.tasks):
                return Recognized(Path(model), SAMPLES[name].format, name, known.noun, known.tasks)
        return recognize(Path(fetch_sample(name)), task=task)
    path = model_of_run(expanded(model))
    if path.exists():
        found = recognize(snapshot_of(path), task=task)
    elif HUB_ID.fullmatch(model) or HUB_FILE.fullmatch(model):
        found = recognize(fetch(model, task), task=task) if whole else look(model, task)
    elif (called := named(model)) is not None:
        found = called
    else:
        raise ModelError(
            f"There is no folder {model}.",
            allowed="an HF folder, a GGUF file, a hub id, sample:NAME, or package.module:function",
            fix=nearest_names(model),
        )
    if not found.sealed:
        format_named(found.format).check(found, whole=whole)
    return found


def _copy_artifact(found: Artifact, folder: Path) -> Artifact:
    for name in found.files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(found.path / name, folder / name)
    return Artifact.seal(
        folder,
        format=found.format,
        parent=found.parent,
        step=found.step,
        seed=found.seed,
        versions=found.versions,
        meta=found.meta,
    )
