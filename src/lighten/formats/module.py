"""Network that a user's own code makes: a factory by its import path, weights beside what names it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from lighten.core import catalog
from lighten.core.artifact import LEARNED, Artifact
from lighten.core.errors import InputError, ModelError
from lighten.core.format import Format, Location, Recognized
from lighten.core.home import expanded
from lighten.core.item import to_plain
from lighten.core.readers import reader_in, reader_of
from lighten.core.rows import Parts
from lighten.core.step import Needs
from lighten.files.safefile import read_header
from lighten.isolate.process import call
from lighten.models.hf_folder import copy_files, needing_torch
from lighten.nets.encoders.longest import limited
from lighten.nets.module.permits import locate, permitted, refuse_unnamed
from lighten.nets.module.record import FACTORY, FILE, WEIGHTS, Record, read_record, record_of

if TYPE_CHECKING:
    from lighten.nets.network import Network
    from lighten.nets.training.schedule import Hyperparameters
    from lighten.nets.training.trainable import Trainable

SAMPLE = 20_000
"""Rows of train that a reader is made of, evenly spaced ones where there are more."""
FACTORIES = "factory"
"""Kind of a model that is code, not yet a folder."""
PATIENCE = 600.0
"""Seconds that a factory, and making a reader, may take."""


class Module(Format):
    """``module.json``, safetensors and a reader's files; the live model is a ``Network`` whose code is the user's."""

    tasks: ClassVar[tuple[str, ...]] = ("image_classification", "text_classification")
    home: ClassVar[str] = "eager"
    noun: ClassVar[str] = "a network of your own"
    like: ClassVar[str] = "hf"
    original: ClassVar[bool] = True
    lessons: ClassVar[frozenset[str]] = frozenset({"augment", "harden", "teacher", "unlabelled"})
    cuts: ClassVar[bool] = True
    extra: ClassVar[str] = "train"

    def named(self, model: str) -> Recognized | None:
        """See :meth:`Format.named`: a factory."""
        folder, _, name = model.rpartition("/")
        if not FACTORY.fullmatch(name):
            return None
        source = locate(name, expanded(folder).resolve() if folder else None)
        return Recognized(source.root / name, "", name, self.noun, self.tasks, FACTORIES)

    def refuse_unnamed(self, found: Recognized, place: str) -> None:
        """See :meth:`Format.refuse_unnamed`."""
        if found.kind == FACTORIES:
            refuse_unnamed(found.name, place, found.path.parent)

    def recognize(self, location: Location) -> Recognized | None:
        """See :meth:`Format.recognize`."""
        if location.is_file or FILE not in location.names:
            return None
        record = record_of(location.read(FILE), f"{location.where}/{FILE}")
        tasks = self._tasks(record) if record.is_made else self.tasks
        if record.is_made and WEIGHTS not in location.names:
            raise ModelError(f"{location.where} has no {WEIGHTS}.", fix="get the folder again")
        return Recognized(location.root, "", record.name or record.factory, self.noun, tasks)

    def check(self, found: Recognized, *, whole: bool = True) -> None:
        """See :meth:`Format.check`: its code may be run."""
        if found.kind != FACTORIES and whole:
            permitted(read_record(found.path), str(found.path / FILE))

    def files(self, found: Recognized) -> Sequence[Path]:
        """See :meth:`Format.files`: nothing is known of what a factory makes before it is called."""
        if found.kind == FACTORIES:
            return []
        return sorted(path for path in found.path.iterdir() if self._is_wanted(path.name))

    def bring(self, found: Recognized, folder: Path, model: str) -> Mapping[str, Any]:
        """See :meth:`Format.bring`; of a factory, what it makes waits for data unless it says all of it itself."""
        if found.kind == FACTORIES:
            with needing_torch():
                from lighten.nets.module.network import begin
            return self._meta(begin(found.name, found.path.parent, folder))
        copy_files(found.path, folder, sorted(path.name for path in found.path.iterdir() if self._is_wanted(path.name)))
        record = read_record(folder)
        if record.is_made:
            read_header(folder / WEIGHTS)
            reader_in(folder)
        return self._meta(record)

    def shorten(self, artifact: Artifact, longest: int) -> Artifact:
        """See :meth:`Format.shorten`; a network that takes one length only is asked for it when it is made."""
        record = read_record(artifact.path)
        if record.is_made:
            if not record.facts.get("filled"):
                return limited(artifact, longest)
            length = reader_in(artifact.path).sizes()["length"]
            if length != longest:
                raise InputError(
                    f"--longest is {longest:,}, and {record.factory} was made for texts of {length:,} tokens.",
                    fix=f"give {record.factory} itself as the model, or let its forward take a mask",
                )
            return artifact
        Record(record.factory, record.sources, longest=longest).save(artifact.path)
        return self._sealed(artifact, artifact.meta)

    def suit(self, artifact: Artifact, parts: Parts, seed: int = 0) -> Artifact:
        """See :meth:`Format.suit`: a network that waits for data is made for these."""
        if read_record(artifact.path).is_made or not len(parts.train):
            return artifact
        count = min(len(parts.train), SAMPLE)
        sample = [parts.train.inputs[i * len(parts.train) // count] for i in range(count)]
        made = call(
            "lighten.nets.module.network:make_for",
            deadline=PATIENCE,
            folder=str(artifact.path.resolve()),
            items=[to_plain(item) for item in sample],
            labels=list(parts.labels),
            seed=seed,
        )
        return self._sealed(artifact, {**artifact.meta, **self._meta(read_record(artifact.path)), "told": made["told"]})

    def open(self, artifact: Artifact, labels: tuple[str, ...]) -> Network:
        """See :meth:`Format.open`. This runs the code of the user's module, where that is allowed."""
        from lighten.nets.module.network import open_module

        return open_module(artifact, labels=labels)

    def random(self, found: Recognized, folder: Path, seed: int) -> Path:
        """See :meth:`Format.random`: what a factory makes has random weights already."""
        return found.path if found.kind == FACTORIES else super().random(found, folder, seed)

    def trainable(self, model: Network, needs: Needs, asked: Hyperparameters) -> Trainable:
        """See :meth:`Format.trainable`: what never learned begins as random weights do."""
        from lighten.nets.training.rows import of_needs

        return of_needs(model, needs, replace(asked, from_scratch=asked.from_scratch or not model.has_head))

    def save(self, model: Network, folder: Path) -> Mapping[str, Any]:
        """See :meth:`Format.save`."""
        from lighten.nets.module.network import save_module

        save_module(model, folder)
        return {"labels": list(model.labels), "family": read_record(folder).name}

    def facts(self, path: Path) -> dict[str, Any]:
        """See :meth:`Format.facts`; also ``blocks``, ``convolutions``, ``attention``, ``recurrent``, ``reader``."""
        record = read_record(path)
        shapes = [tensor.shape for tensor in read_header(path / WEIGHTS).values()] if record.is_made else []
        return {
            "family": record.name or record.factory,
            "parameters": sum(map(prod, shapes)),
            "labels": record.labels if record.trained else (),
            "has_head": record.trained,
            "format": "module",
            "reader": record.reader,
            **record.facts,
        }

    def facts_of(self, found: Recognized) -> dict[str, Any]:
        """See :meth:`Format.facts_of`: nothing is known of what a factory makes before it is called."""
        if found.kind != FACTORIES:
            return self.facts(found.path)
        return {"family": found.name, "parameters": 0, "labels": (), "has_head": False, "format": "module"}

    def _meta(self, record: Record) -> dict[str, Any]:
        made = {"task": self._tasks(record)[0]} if record.is_made else {}
        labels = list(record.labels) if record.trained else []
        return {"factory": record.factory, "family": record.name or record.factory, "labels": labels, **made}

    def _tasks(self, record: Record) -> tuple[str, ...]:
        """Tasks whose inputs its reader reads."""
        files = bool(reader_of(record.reader).suffixes)
        asked = {name: catalog.load("tasks", name).kind for name in self.tasks}
        return tuple(name for name, kind in asked.items() if kind == (record.reader if files else ""))

    def _is_wanted(self, name: str) -> bool:
        return name in (FILE, WEIGHTS, LEARNED) or name.endswith((".json", ".txt", ".model"))

    def _sealed(self, artifact: Artifact, meta: Mapping[str, Any]) -> Artifact:
        return Artifact.seal(
            artifact.path,
            format=artifact.format,
            parent=artifact.parent,
            step=artifact.step,
            seed=artifact.seed,
            versions=artifact.versions,
            meta=meta,
        )
