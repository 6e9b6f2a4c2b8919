"""Whether an exported folder answers as the model does: both are asked the same rows, one without lighten."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from pathlib import Path
from typing import Any

from lighten.core.artifact import RECORD, Artifact, sha256
from lighten.core.engine import Engine
from lighten.core.errors import BuildFailed, RunFolderError
from lighten.core.item import Item, Reference, file_of, references_in
from lighten.core.readers import reader_in
from lighten.core.target import Source, Target
from lighten.core.task import Task
from lighten.files.stored_zip import read_bytes
from lighten.isolate.plain import plain_answers
from lighten.sessions.language_process import open_session
from lighten.sessions.process import SessionProcess
from lighten.store.folder import load_parts
from lighten.verbs.load import Model
from lighten.verbs.question import Question

ALIKE = 0.999
"""Least cosine of two vectors of one text."""
CLOSE = 0.02
"""Probability by which answers may be apart: a runtime's own rewrites round otherwise, and int8 makes steps of that."""
MOST = 24
"""Tokens that a text is gone on for."""
PATIENCE = 600.0
PARTS = "parts.json"
PROMPTS = (
    "Once upon a time",
    "The weather in the north was",
    "To open the door, first",
    "1, 2, 3,",
)
"""What models that write are asked where there is no run."""
SHOWN = 80
"""Characters of an input that errors show."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """What asking both found.

    Attributes:
        rows: that were asked; 0 where nothing was, because the files are the model's own. apart: largest difference of
            a probability, of vectors 1 - cosine; None where answers are texts. asked: where the rows are from:
            ``select``, ``examples``.
        changed: how many have another label that is as likely.
    """

    rows: int = 0
    apart: float | None = None
    asked: str = ""
    changed: int = 0


@dataclass(frozen=True)
class Witness:
    """One who asks both.

    Attributes:
        artifact, engine, question: what is exported. target: what was written. source: what it was written from.
        run: folder of the run that made the model; None where there is none. scratch: for files that are asked.
        rows: at most so many.
    """

    artifact: Artifact
    engine: Engine
    question: Question
    target: Target
    source: Source
    run: Path | None
    scratch: Path
    rows: int

    def agreement(self, folder: Path) -> Agreement:
        """Ask the written folder and the model.

        Raises:
            BuildFailed: they answer differently, or the folder's program fails.
        """
        code = self.target.asking(self.source)
        if not code:
            check_copied(self.artifact, folder)
            return Agreement()
        items, asked = self._rows()
        values = [self._value(number, item) for number, item in enumerate(items)]
        found = plain_answers(folder, code, values, threads=1, deadline=PATIENCE)
        wanted = self._wanted(items)
        apart = [difference(*three) for three in zip(values, wanted, found, strict=True)]
        known = [one for one in apart if one is not None]
        changed = sum(one.get("label") != other.get("label") for one, other in zip(wanted, found, strict=True))
        return Agreement(len(items), max(known) if known else None, asked, changed)

    def _wanted(self, items: Sequence[Item]) -> list[Mapping[str, Any]]:
        """What the model says: one row at a time, as the program is asked, because int8 may depend on the batch."""
        task = self.question.task
        if self.target.writes(self.source):
            with SessionProcess(self.artifact, self.engine, threads=1, task=task) as writer:
                return [{"answer": text} for text in writer.replies([str(item) for item in items], MOST)]
        session = task.wrap(open_session(self.artifact, self.engine, threads=1))
        with Model(self.artifact, self.engine, session, self.question) as model:
            return [model.predict([item])[0].to_json() for item in items]

    def _rows(self) -> tuple[list[Item], str]:
        """Rows of the run's ``select`` part, evenly spaced, or examples where there are none, or their files have gone.

        Raises:
            RunFolderError: the run's rows cannot be read.
        """
        if self.run is not None and (self.run / PARTS).exists():
            found = spread(self._of_run(self.run / PARTS, self.question.task), self.rows)
            if found and all(Path(one.path).is_file() for item in found for one in references_in(item)):
                return found, "select"
        if self.target.writes(self.source):
            return list(PROMPTS[: self.rows]), "examples"
        return reader_in(self.artifact.path).samples(self.scratch)[: self.rows], "examples"

    def _of_run(self, path: Path, task: Task) -> Sequence[Item]:
        try:
            parts = load_parts(path)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise damaged(path, f"{type(error).__name__}: {error}") from error
        if not self.target.writes(self.source):
            return task.singles(parts.select).inputs
        samples = task.samples(parts.select, parts.labels)
        return samples.prompts if samples is not None else ()

    def _value(self, number: int, item: Item) -> str:
        """What a program is given: a text, or the path of a file."""
        if not isinstance(item, Reference):
            return str(item)
        if path := file_of(item):
            return path
        inner = self.scratch / f"item{number}"
        inner.write_bytes(read_bytes(item))
        return str(inner)


def damaged(path: Path, why: str) -> RunFolderError:
    """The error of a run's file that cannot be read."""
    return RunFolderError(
        f"{path} cannot be read ({why}).",
        fix=f"restore it, or export a copy of the winner alone, without its run: cp -r {path.parent / 'winner'} COPY",
    )


def spread(items: Sequence[Item], most: int) -> list[Item]:
    """Evenly spaced items, at most ``most``."""
    count = min(len(items), most)
    return [items[i * len(items) // count] for i in range(count)]


def difference(value: str, wanted: Mapping[str, Any], found: Mapping[str, Any]) -> float | None:
    """Largest difference of a probability; of vectors 1 - cosine; None where the answers are texts.

    Raises:
        BuildFailed: another text, other classes, or a probability that is further apart than ``CLOSE``.
    """
    shown = value[:SHOWN]
    if "embedding" in wanted:
        return _apart(shown, wanted["embedding"], found.get("embedding") or ())
    if "scores" not in found:
        if readable(wanted.get("answer")) != readable(found.get("answer")):
            raise _differs(shown, repr(wanted.get("answer")), repr(found.get("answer")))
        return None
    scores, others = wanted.get("scores", {}), found["scores"]
    if list(scores) != list(others):
        raise _differs(shown, f"scores of {', '.join(scores)}", f"scores of {', '.join(others)}")
    apart = max((abs(scores[label] - others[label]) for label in scores), default=0.0)
    # Two classes that are as likely as one another may change places where nothing else does.
    other = wanted["label"] != found["label"]
    if not apart <= CLOSE or (other and scores[wanted["label"]] - scores.get(found["label"], 0.0) > CLOSE):
        raise _differs(
            shown,
            f"{wanted['label']} ({scores[wanted['label']]:.4f})",
            f"{found['label']} ({others.get(found['label'], float('nan')):.4f})",
        )
    return float(apart)


def _apart(shown: str, wanted: Sequence[float], found: Sequence[float]) -> float:
    if len(wanted) != len(found):
        raise _differs(shown, f"a vector of {len(wanted):,} numbers", f"one of {len(found):,}")
    lengths = [sqrt(sum(one * one for one in vector)) for vector in (wanted, found)]
    cosine = sum(one * other for one, other in zip(wanted, found, strict=True)) / max(lengths[0] * lengths[1], 1e-12)
    if not cosine >= ALIKE:
        raise _differs(shown, "a vector", f"one whose cosine with it is {cosine:.4f}")
    return 1.0 - cosine


def readable(text: Any) -> str:
    """A text without what stands for bytes that are no character: runtimes show these each in their own way."""
    return str(text).replace("\N{REPLACEMENT CHARACTER}", "")


def _differs(shown: str, wanted: str, found: str) -> BuildFailed:
    return BuildFailed(
        f"The exported folder answers differently. To {shown!r} the model says {wanted}, it says {found}.",
        allowed="the same answers",
        fix="nothing was left behind; export to another target (lighten catalog targets)",
    )


def check_copied(artifact: Artifact, folder: Path) -> None:
    """Every file of the model lies in a folder beside its record.

    Raises:
        BuildFailed: one does not, or is another.
    """
    for record in folder.rglob(RECORD):
        if all((record.parent / n).is_file() and sha256(record.parent / n) == h for n, h in artifact.files.items()):
            return
    raise BuildFailed(f"The exported folder does not hold the files of {artifact.path}.")
