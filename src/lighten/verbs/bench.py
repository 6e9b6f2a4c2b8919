"""bench: measure models side by side on the user's own requests."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lighten.core.artifact import Artifact
from lighten.core.engine import Engine
from lighten.core.errors import CandidateFailed, DataError, InputError, MissingExtra, ModelError
from lighten.core.item import Item
from lighten.core.matching import format_of
from lighten.core.progress import Progress, remarks_to, reported_to
from lighten.core.recipe import record_of
from lighten.core.result import Result
from lighten.core.rows import Rows
from lighten.core.task import Task
from lighten.isolate.machine import allowed_cores
from lighten.measure.environment import MachineRecord
from lighten.measure.interleave import measure, results
from lighten.measure.quality import judge_all
from lighten.measure.workload import draw, fit
from lighten.search.start import meters
from lighten.sessions.process import SessionProcess, telling
from lighten.verbs.load import check_models_fit, resolved, unread
from lighten.verbs.question import Question, question_for

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Bench:
    """What :func:`bench` found.

    Attributes:
        results: by model, as named by the user; empty for one that failed. Ratios are against the first model.
        failed: reason by model. environment: the machine's record. notes: what was noticed of the data, and of how much
            of them the models read.
    """

    results: dict[str, list[Result]]
    failed: dict[str, str]
    environment: dict[str, Any]
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As a plain dictionary."""
        return {
            "results": {model: [r.to_json() for r in found] for model, found in self.results.items()},
            "failed": self.failed,
            "environment": self.environment,
            "notes": list(self.notes),
        }


def bench(
    models: Sequence[str | Path],
    data: str | Path,
    *,
    text: str | None = None,
    prompt: str | None = None,
    documents: int = 24,
    seconds: float = 10.0,
    longest: int | None = None,
    threads: int = 0,
    seed: int = 0,
    progress: Progress | None = None,
) -> Bench:
    """Measure models in turns, in one run: speed, memory, size, load, CPU-seconds, energy; and what it is worth.

    Language models are measured as such: time per token, tokens per second at 1, 4 and 16 streams, time to the first
    token, prefill. Beside it stands what needs no right answers: bits per byte of documents, or how many answers differ
    from the first model's.

    Args:
        models: artifacts, run folders, HF folders, GGUF files, hub ids or samples, of one kind; the first is what the
            others are compared with.
        data: inputs to ask, such as texts or pictures; labels are not needed. text: column with them; by default the
            one that the last model that says it was made with, else found by itself.
        prompt: template, for language models that were made for choices or answers and do not say with which one.
        documents: how many rows are judged where that needs no right answers, the first ones; 0 for none.
        seconds: of measuring, for each model.
        longest: most tokens of a text that classifiers read; None for what each can.
        progress: told how far the work is: done, total, message.

    Raises:
        InputError: a model or the data cannot be used. CandidateFailed: the first model does not run.
    """
    named = [str(model) for model in models]
    if not named or len(set(named)) < len(named):
        raise InputError(f"bench was given {len(named)} models, some of them twice.", allowed="one or more, each once")
    if documents < 0:
        raise InputError(f"--documents is {documents}.", allowed="0 or more")
    machine = MachineRecord.here()
    with tempfile.TemporaryDirectory() as scratch, ExitStack() as stack, reported_to(progress):
        check_models_fit(named)
        cores = threads or allowed_cores()
        sides = {name: settle(resolved(name, Path(scratch) / str(n), longest), cores) for n, name in enumerate(named)}
        named_models = {name: artifact for name, (artifact, _) in sides.items()}
        notes: list[str] = []
        with remarks_to(notes.append):
            question = question_for(named_models, prompt)
            task, texts = question.task, texts_of(question, data, text)
        notes += unread(named_models, texts)
        judged = rows_of(texts[:documents] if task.unlabelled else ())
        work = draw(task.singles(rows_of(texts)), task.requests, seed=seed)
        told = progress or (lambda done, total, message: None)
        field = open_sessions(stack, sides, task, judged, cores, told)
        if task.requests.fitted:
            work = fit(work, field.sessions[named[0]], seconds)
        told(1.0, 1.0, "answered; measuring in turns")
        timed = measure(field.sessions, work, meters=task.speeds, seconds=seconds * len(field.sessions))
    found: dict[str, list[Result]] = {}
    quality = {name: meter for name, meter in meters(task)[0].items() if name in task.unlabelled and judged.inputs}
    for name, readings in timed.items():
        artifact, engine = sides[name]
        if isinstance(readings, CandidateFailed):
            field.failed[name] = f"{readings.kind}: {readings}"
            continue
        use = record_of(engine)["use"]
        worth = judge_all(quality, field.answers[name], judged, field.answers[named[0]])
        every = {**worth, **readings}
        found[name] = results(
            every, artifact=artifact.id, engine=use, device=engine.device, environment=machine.id,
            bytewise=format_of(artifact).bytewise,
        )  # fmt: skip
    return Bench(found, field.failed, {**machine.to_json(), "id": machine.id}, tuple(notes))


@dataclass(frozen=True)
class Field:
    """The models that run.

    Attributes:
        sessions: open, by name. answers: to the rows that are judged, [n, columns]. failed: reason by name.
    """

    sessions: dict[str, SessionProcess]
    answers: dict[str, NDArray[Any]]
    failed: dict[str, str]


def settle(side: tuple[Artifact, Engine], threads: int) -> tuple[Artifact, Engine]:
    """A model with its engine settled on this machine; what cannot be opened is left as it is, and said when it is."""
    artifact, engine = side
    with suppress(CandidateFailed, ModelError, MissingExtra):
        engine = engine.settle(artifact, threads=threads)
    return artifact, engine


def open_sessions(
    stack: ExitStack,
    sides: Mapping[str, tuple[Artifact, Engine]],
    task: Task,
    judged: Rows,
    threads: int,
    progress: Progress,
) -> Field:
    """A session of each model, which ``stack`` closes, and its answers.

    Raises:
        CandidateFailed: the first model does not run.
    """
    found = Field({}, {}, {})
    for name, (artifact, engine) in sides.items():
        session = SessionProcess(artifact, engine, threads=threads, task=task)
        try:
            stack.enter_context(session)
            found.answers[name] = session.answers(judged.inputs, telling(progress, len(judged), name))
            found.sessions[name] = session
        except CandidateFailed as error:
            if not found.sessions:
                raise
            found.failed[name] = f"{error.kind}: {error}"
    return found


def rows_of(items: Sequence[Item]) -> Rows:
    """Rows in which nothing is right or wrong."""
    return Rows(tuple(items), (0,) * len(items))


def texts_of(question: Question, data: str | Path, text: str | None) -> tuple[Item, ...]:
    """What the models are asked: every row of the data that holds something.

    Raises:
        DataError: there is none, or the data cannot be used.
    """
    texts = tuple(question.item_of(row) for row in question.read(data, text))
    kept = tuple(one for one in texts if not isinstance(one, str) or one.strip())
    if not kept:
        raise DataError(f"{data} has no inputs.", fix="name the column with --text")
    return kept
