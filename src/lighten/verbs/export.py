"""export: hand a model over to other people's loaders and servers, with the same answers."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from lighten.core import catalog
from lighten.core.artifact import STORE, Artifact
from lighten.core.errors import DataError, InputError, ModelError, RunFolderError
from lighten.core.matching import fits, format_named
from lighten.core.progress import Progress, reported_to
from lighten.core.recipe import record_of
from lighten.core.summary import Summary
from lighten.core.target import Source, Target
from lighten.core.training import model_of_run
from lighten.files.json_file import read_object
from lighten.isolate.machine import allowed_cores
from lighten.pipeline.convert import convert, way_to
from lighten.reports.describe import headline
from lighten.reports.exported import ExportFacts, exported_page
from lighten.reports.words import LANGS
from lighten.store.artifacts import disk_error
from lighten.store.durable import sync, sync_tree
from lighten.store.summaries import load_summary
from lighten.verbs.agreement import Agreement, Witness, damaged
from lighten.verbs.load import check_models_fit, engine_of, resolved
from lighten.verbs.question import question_of

ROWS = 16
"""Rows that are asked after an export, unless the user says otherwise."""
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")
"""What servers take as the name of a model."""
WINNER = "winner"
SUMMARY = "summary.json"


@dataclass(frozen=True)
class Exported:
    """What :func:`export` wrote.

    Attributes:
        model: as the user named it. target: catalogue name. path: the folder. name: what servers call it.
        format: of the model. way: conversions on the way, by catalogue name; none where it was taken as it lies.
        files: bytes of each, by its path in the folder.
        rows: asked of the folder, by a program without lighten, and of the model; 0 where only lighten opens it and its
            files are the model's own. apart: largest difference of a probability; None where answers are texts.
        asked: where these rows are from: ``select`` of the run, or ``examples``; empty for none.
        changed: how many have another label that is as likely.
    """

    model: str
    target: str
    path: str
    name: str
    format: str
    way: tuple[str, ...]
    files: Mapping[str, int]
    rows: int
    apart: float | None
    asked: str
    changed: int

    def to_json(self) -> dict[str, Any]:
        """As a plain dictionary."""
        return asdict(self)


def export(
    model: str | Path,
    to: str,
    out: str | Path,
    *,
    name: str = "",
    rows: int = ROWS,
    threads: int = 0,
    progress: Progress | None = None,
) -> Exported:
    """Write a folder that others open without lighten, ask it, and compare its answers with the model's.

    Args:
        model: folder of a run, a winner, a trained model, or anything that can be opened.
        to: catalogue name of a target. out: a folder that is empty or does not exist yet.
        name: what servers call the model; by default after the folder that it lies in.
        rows: of the run (or built-in examples) that both are asked.
        threads: cores to use; 0 for all that this process may use.

    Raises:
        UnknownName: there is no such target. ModelError: it cannot be made of this model without changing its numbers;
            says which can. RunFolderError: the folder is not empty, or cannot be written.
        CandidateFailed: what was written answers differently; nothing is left of it.
    """
    if rows < 1:
        raise InputError(f"{rows} rows were asked for.", allowed="at least 1")
    if name and not NAME.fullmatch(name):
        raise InputError(f"The name {name!r} was given.", allowed="letters, digits and underscores, a letter first")
    target: Target = catalog.load("targets", to)()
    place = Path(out)
    check_empty(place)
    with reported_to(progress), tempfile.TemporaryDirectory(prefix="lighten-export-") as folder:
        scratch = Path(folder)
        check_models_fit([str(model_of_run(Path(model)))])
        artifact, _ = resolved(str(model_of_run(Path(model))), scratch / "model")
        handover = Handover(str(model), target, artifact, name or name_for(artifact.path, str(model)), threads, scratch)
        source, way = handover.source()
        return handover.written(source, way, place, rows)


def check_empty(place: Path) -> None:
    """Refuse a place where something is.

    Raises:
        RunFolderError: it is a file, or a folder that is not empty, or lies below a file, or cannot be looked at.
    """
    try:
        above = next(one for one in place.absolute().parents if one.exists())
        if not above.is_dir():
            raise RunFolderError(
                f"{place} lies below {above}, which is a file.", fix="give a folder below an existing one"
            )
        taken = place.is_symlink() or place.is_file() or (place.is_dir() and any(place.iterdir()))
    except OSError as error:
        raise disk_error(error, place) from error
    if taken:
        raise RunFolderError(f"{place} exists and is not empty.", fix="give a new folder")


def name_for(path: Path, model: str) -> str:
    """What servers call a model: after its run, or its own folder."""
    own = path if path.name not in (WINNER, "model") else path.parent
    for text in (own.absolute().name, Path(model).name):
        found = re.sub(r"[^A-Za-z0-9_]+", "_", text).strip("_")
        if NAME.fullmatch(found):
            return found
    return "model"


@dataclass(frozen=True)
class Handover:
    """One model on its way to one target.

    Attributes:
        model: as the user named it. name: what servers call it. scratch: a folder for what is made on the way.
    """

    model: str
    target: Target
    artifact: Artifact
    name: str
    threads: int
    scratch: Path

    @property
    def cores(self) -> int:
        """Cores that may be used."""
        return self.threads or allowed_cores()

    @property
    def run(self) -> Path | None:
        """The folder of the run whose winner it is; None where it is none."""
        above = self.artifact.path.absolute().parent
        return above if self.artifact.path.name == WINNER and (above / SUMMARY).is_file() else None

    def source(self) -> tuple[Source, tuple[str, ...]]:
        """The model in a format that the target takes, and the conversions that made it so.

        Raises:
            ModelError: nothing makes it so without changing its numbers, or the target cannot hold it.
        """
        source = self.plain_source()
        way = way_to(self.artifact, self.target.consumes) if self.target.consumes else ()
        if way is None:
            raise self._refused(f"it is of format {self.artifact.format}, and that takes {self._taken()}", other=True)
        if not way:
            if why := self.target.check(source):
                raise self._refused(why)
            return source, ()
        made = convert(self.artifact, way, source.task, source.labels, self.scratch / "converted", threads=self.cores)
        source = replace(source, artifact=made, engine=made.meta.get("engine", source.engine))
        if why := self.target.check(source):
            raise self._refused(why)
        return source, tuple(catalog.name_of(one) for one in way)

    def plain_source(self) -> Source:
        """The model as it lies."""
        question = question_of(self.artifact)
        engine = record_of(engine_of(self.artifact))
        return Source(self.artifact, engine, question.task, question.labels, self.name, self._config())

    def written(self, source: Source, way: tuple[str, ...], place: Path, rows: int) -> Exported:
        """Write, ask, describe; then, and only then, put it where the user wants it.

        Raises:
            CandidateFailed: it answers differently. RunFolderError: it cannot be written.
        """
        final = place.resolve()
        part = final.with_name(f".{final.name}.part")
        made = [one for one in final.parents if not one.exists()]
        try:
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir(parents=True)
            self.target.write(source, part)
            agreed = self._agreement(source, part, rows)
            (part / "README.md").write_text(self._page(source, way, agreed), encoding="utf-8")
            files = {p.relative_to(part).as_posix(): p.stat().st_size for p in sorted(part.rglob("*")) if p.is_file()}
            sync_tree(part)
            check_empty(place)
            if final.is_dir():
                final.rmdir()
            part.rename(final)
            sync(final.parent)
        except OSError as error:
            raise disk_error(error, place) from error
        finally:
            shutil.rmtree(part, ignore_errors=True)
            for one in made:
                with suppress(OSError):  # something is in it: what was written, or what others put there
                    one.rmdir()
        target = catalog.name_of(self.target)
        return Exported(
            self.model, target, str(place), self.name, self.artifact.format, way, files, agreed.rows, agreed.apart,
            agreed.asked, agreed.changed,
        )  # fmt: skip

    def _agreement(self, source: Source, part: Path, rows: int) -> Agreement:
        engine, question, asked = engine_of(self.artifact), question_of(self.artifact), self.scratch / "asked"
        asked.mkdir()
        witness = Witness(self.artifact, engine, question, self.target, source, self.run, asked, rows)
        return witness.agreement(part)

    def _page(self, source: Source, way: tuple[str, ...], agreed: Agreement) -> str:
        verdict = {}
        if (summary := self._summary()) is not None:
            verdict = {lang: headline(summary, lang) for lang in LANGS}
        target = self.target
        return exported_page(
            ExportFacts(
                source.name, target.title, target.about(source), target.ways(source), verdict, source.labels,
                agreed.rows, agreed.apart, agreed.asked, agreed.changed, self.artifact.format, way, version("lighten"),
            )
        )  # fmt: skip

    def _summary(self) -> Summary | None:
        """What the run found; None where there is none.

        Raises:
            RunFolderError: it cannot be read.
        """
        if self.run is None:
            return None
        try:
            return load_summary(self.run / SUMMARY)
        except DataError as error:
            raise damaged(self.run / SUMMARY, error.seen) from error

    def _config(self) -> dict[str, Any]:
        """``config.json`` of the network that the model was made from: its own, or that of the run's original."""
        summary = self._summary()
        told = summary.paths.get("original", "") if summary is not None else ""
        places = [self.artifact.path, *([Path(told)] if told else [])]
        places += [self.run / STORE / "model"] if self.run is not None else []
        for place in places:
            with suppress(ModelError):
                if found := read_object(place / "config.json", missing={}):
                    return found
        return {}

    def _taken(self) -> str:
        return " or ".join(self.target.consumes)

    def _refused(self, why: str, *, other: bool = False) -> ModelError:
        """The refusal, with the targets that this model can be exported to."""
        to, source = catalog.name_of(self.target), self.plain_source()
        open_to = self._possible(source)
        fix = f"lighten export {self.model} --to {open_to[0]} OUT" if open_to else ""
        if other:
            engines = [name for name in catalog.names("engines") if self._runs(name, catalog.name_of(source.task))]
            look = (
                f"look for a winner of that kind: lighten optimize ORIGINAL --data DATA --engines {','.join(engines)}"
            )
            fix = "; or ".join([*filter(None, [fix]), *([look] if engines else [])])
        return ModelError(
            f"{self.model} cannot be exported to {to}: {why}, and nothing turns one into the other without changing "
            "its numbers, which would be another model."
            if other
            else f"{self.model} cannot be exported to {to}: {why}.",
            allowed=f"for this model: {', '.join(open_to) or 'none'}",
            fix=fix,
        )

    def _runs(self, engine: str, task: str) -> bool:
        """Whether an engine's winners for a task are what the target takes."""
        with suppress(InputError):
            stores = [one for one in catalog.load("engines", engine).stores if fits(one, self.target.consumes)]
            return any(task in format_named(one).tasks for one in stores)
        return False

    def _possible(self, source: Source) -> list[str]:
        """Targets that the model can be exported to, those that take every model last."""
        found = []
        for name in catalog.names("targets"):
            with suppress(InputError):
                target: Target = catalog.load("targets", name)()
                way = way_to(self.artifact, target.consumes) if target.consumes else ()
                if way is not None and not (target.check_answers(source) if way else target.check(source)):
                    found.append((not target.consumes, name))
        return [name for _, name in sorted(found)]
