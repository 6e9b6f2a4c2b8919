"""Setup: the folder of a run, with all that its training takes. What cannot be done is refused before it is made."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

from lighten.core.artifact import Artifact, is_whole
from lighten.core.matching import facts_of, unpacked_formats
from lighten.core.recipe import conversion
from lighten.core.task import Data
from lighten.fitting import reading
from lighten.fitting.lessons import has_lesson
from lighten.fitting.options import FitOptions
from lighten.fitting.teachers import Teacher, adopt, bring_teachers, teachers_of
from lighten.fitting.unlabelled import Unlabelled, unlabelled_rows
from lighten.models.bring import find
from lighten.pipeline.workshop import Workshop
from lighten.search.listener import Listener
from lighten.search.reading import coverage_of
from lighten.store.folder import RunFolder, save_parts


def without_labels(options: FitOptions, data: Data) -> Unlabelled | None:
    """The rows of ``--unlabelled``; None where none were given, or a resumed run has read them before.

    Raises:
        InputError: the model does not learn from such rows, or they cannot be used.
    """
    if not options.unlabelled or (options.resume and has_lesson(options.out)):
        return None
    if not options.from_scratch and not is_whole(options.out / "store" / reading.KEPT):
        reading.check_asked(options, find(options.model, whole=False).format)
    return unlabelled_rows(options, data.task, data.parts)


def opened(
    options: FitOptions, whole: Data, data: Data, threads: int, listener: Listener
) -> tuple[RunFolder, Artifact, Data, list[Teacher]]:
    """The run folder, which the caller closes, with the model, the data and the teachers in it, as they are trained.

    Args:
        whole: the data as they were read. data: without rows that a model, as far as it is here, learned from.

    Raises:
        InputError: a model cannot be used, or does not fit the data.
    """
    listener.phase("original", None)
    kept = options.out / "store" / reading.KEPT
    with tempfile.TemporaryDirectory(prefix="lighten-") as scratch:
        fresh = None if is_whole(kept) else reading.bring(options, data, Path(scratch), listener)
        base = fresh or Artifact.open(kept)
        masters = bring_teachers(options, data, Path(scratch))
        learned = reading.learned_of(options, [base.path, *(one.path for one in masters)])
        if not options.resume and any(map(len, learned.values())):
            # Of a hub or a sample: nobody could see its folder before.
            data = reading.apart(options, whole, learned)
        manifest = options.manifest(data.parts.fingerprint, threads)
        data = told_unread(options, reading.settle(options, data, base, threads, listener), base, listener)
        teachers_of(options, masters, data.parts.labels)
        floats = None
        if fresh is not None and reading.asks_model(options):
            save_parts(data.parts, parts := Path(scratch) / reading.PARTS)
            floats = as_floats(options, Path(scratch) / "store", parts, base, data, threads, listener)
            reading.check_part(options, floats, data, Path(scratch))
        folder = RunFolder.open(options.out, manifest, resume=options.resume)
        try:
            if fresh is not None:
                base = folder.store.adopt(reading.KEPT, fresh)
            if not (options.out / reading.PARTS).is_file():
                save_parts(data.parts, options.out / reading.PARTS)
            teachers = teachers_of(options, adopt(folder, masters), data.parts.labels)
            if floats is None or floats is fresh:
                parts = options.out / reading.PARTS
                floats = as_floats(options, folder.store.root, parts, base, data, threads, listener)
            else:  # under the key by which a resumed run finds it
                floats = folder.store.adopt(floats.path.name, floats)
            return folder, floats, data, teachers
        except BaseException:
            folder.close()
            raise


def told_unread(options: FitOptions, data: Data, base: Artifact, listener: Listener) -> Data:
    """The data, with what the model does not read of its inputs, or does not know, among its notes: said before any
    time is spent."""
    found: list[str] = []
    coverage_of(options.model, base, data.parts, found.append)
    for text in found:
        listener.note(text)
    return replace(data, parts=replace(data.parts, notes=(*data.parts.notes, *found))) if found else data


def as_floats(
    options: FitOptions, store: Path, parts: Path, base: Artifact, data: Data, threads: int, listener: Listener
) -> Artifact:
    """The model in a format that is trained: unpacked, where it came as a file of few bits.

    Args:
        store: folder of the artifact store that has it, or gets it. parts: file of the rows.
    """
    steps = conversion(base.format, unpacked_formats(), facts_of(base))
    if not steps:
        return base
    listener.note(f"{options.model} is unpacked to floats, which are trained.")
    shop = Workshop(
        store, parts, data.task, seed=options.seed, threads=threads, progress=listener.progress, note=listener.note
    )
    try:
        return shop.make(base, steps)
    finally:
        shop.close()
