"""load: open a model and use it."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Protocol, cast

import numpy as np

from lighten.core.artifact import RECORD, Artifact
from lighten.core.coverage import Coverage
from lighten.core.engine import Engine
from lighten.core.errors import InputError, ModelError
from lighten.core.home import expanded
from lighten.core.item import Item
from lighten.core.language import BYTES, NATS
from lighten.core.matching import engine_for, facts_of, format_of
from lighten.core.recipe import engine_from
from lighten.core.session import Session
from lighten.data.language import ANSWERS, DOCUMENTS
from lighten.isolate.machine import allowed_cores
from lighten.sessions.language_process import open_session
from lighten.verbs.question import Question, Row, question_of

SMALLER = "close other programs, or take a smaller file of the model: fewer layers, or numbers of fewer bits"
"""What to do about a model that does not fit."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a model says of one text.

    Attributes:
        label: of the class or choice with the highest score; of a model that was made for answers, its answer; empty
            for a document.
        scores: probability of every class or choice by label, they sum to 1; empty where there is nothing to choose.
        bits_per_byte: that the model needs for a document; None for everything else.
    """

    label: str
    scores: Mapping[str, float] = field(default_factory=dict)
    bits_per_byte: float | None = None


class _Replying(Protocol):
    """What the task of language models makes of a session, beside ``run``."""

    def replies(self, prompts: Sequence[str]) -> list[str]: ...


class Model:
    """An open model. A context manager; not for several threads at once.

    Args:
        artifact: built for ``engine``. session: open, asked by the question's task.
        question: what it was made for; None for what the artifact says.
        scratch: closed with the model.

    Attributes:
        labels: name of each class or choice.
    """

    def __init__(
        self,
        artifact: Artifact,
        engine: Engine,
        session: Session,
        question: Question | None = None,
        scratch: ExitStack | None = None,
    ) -> None:
        self.artifact, self.engine, self._session, self._scratch = artifact, engine, session, scratch
        self.question = question or question_of(artifact)
        self.labels = self.question.labels

    def predict(self, texts: Sequence[Row]) -> list[Prediction]:
        """What the model says of each text, in order: its label and scores, its answer, or its bits per byte.

        Args:
            texts: each fills the one gap of the prompt that the model was made with; for a prompt of several columns,
                mappings from column to value. Where no prompt is known, texts are asked as they are.

        Raises:
            InputError: no sequence of texts; columns that the prompt does not show; a document without two tokens.
        """
        if isinstance(texts, str) or not all(isinstance(text, (str, Mapping)) for text in texts):
            raise InputError("predict takes a list of texts.", fix='model.predict(["one text"])')
        inputs = [self.question.shown(text) for text in texts]
        if not inputs:
            return []
        if self.question.evidence == ANSWERS:
            return [Prediction(answer) for answer in cast(_Replying, self._session).replies(inputs)]
        answers = self._session.run(inputs).astype(np.float64)
        if self.question.evidence == DOCUMENTS:
            bits = answers[:, NATS] / np.log(2.0) / answers[:, BYTES]
            return [Prediction("", bits_per_byte=value) for value in bits.tolist()]
        powers = np.exp(answers - answers.max(axis=1, keepdims=True))
        shares = powers / powers.sum(axis=1, keepdims=True)
        return [
            Prediction(self.labels[int(row.argmax())], dict(zip(self.labels, map(float, row), strict=True)))
            for row in shares
        ]

    def coverage(self, texts: Sequence[Row]) -> Coverage | None:
        """How much of ``texts`` a classifier reads: how many are cut, how many tokens are unknown; else None."""
        return coverage_of(self.artifact, [self.question.shown(text) for text in texts])

    def read(self, source: str | Path, text: str | None = None) -> list[Row]:
        """Rows of a file as :meth:`predict` takes them; nothing in it needs to be right.

        Args:
            text: column with the text; found by itself when it can be.

        Raises:
            DataError, UnknownName: the data cannot be used. InputError: nobody says which prompt to ask.
        """
        return self.question.read(source, text)

    def close(self) -> None:
        """Free the session."""
        self._session.close()
        if self._scratch is not None:
            self._scratch.close()

    def __enter__(self) -> Model:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def load(path: str | Path, *, threads: int = 0, prompt: str | None = None, longest: int | None = None) -> Model:
    """Open a winner, or any artifact that can be opened. Its files are verified first.

    It runs in this process, or in a child where its engine has an environment of its own.

    Args:
        threads: cores to use; 0 for all that this process may use.
        prompt: template for a language model that does not say the one it was made with.
        longest: most tokens of a text that a classifier is to read, where fewer are wanted than it can.

    Raises:
        ModelError: no artifact, or one that no engine opens. UnsafeFile: its files are not what was sealed.
        MissingExtra: its engine's library is not installed. MissingEnvironment: its environment was not made.
    """
    folder = Path(path)
    if (folder / "winner" / RECORD).is_file() and not (folder / RECORD).is_file():
        folder = folder / "winner"
    artifact = Artifact.open(folder)
    engine, question = engine_of(artifact), question_of(artifact).changed(prompt, None, ())
    check_rooms([str(folder)])
    with ExitStack() as stack:
        if longest is not None:
            from lighten.nets.bring import bring

            scratch = stack.enter_context(tempfile.TemporaryDirectory(prefix="lighten-"))
            artifact = bring(str(folder), Path(scratch) / "model", longest=longest)
        session = open_session(artifact, engine, threads=threads or allowed_cores())
        return Model(artifact, engine, question.task.asked(session), question, stack.pop_all())


def engine_of(artifact: Artifact) -> Engine:
    """The engine that an artifact was built for, or the one that runs its format as it came.

    Raises:
        ModelError: nothing that is installed brings its format.
    """
    record = artifact.meta.get("engine")
    return engine_from(record) if record is not None else engine_for(artifact.format)


def check_rooms(models: Sequence[str]) -> None:
    """Refuse models that do not fit into memory together, before one of them is copied or loaded.

    Raises:
        TooLarge: they need more than is left. ModelError: one of them is broken.
    """
    from lighten.measure.room import check_room, facts_of_large, to_run
    from lighten.nets.bring import find

    found = []
    for model in models:
        folder = expanded(model)
        places = [place for place in (folder, folder / "winner") if (place / RECORD).is_file()]
        known = facts_of_large(places[0] if places else find(model).path)
        if known is not None:
            record = Artifact.open(places[0], verify=False).meta.get("engine") if places else None
            found.append((known, engine_from(record) if record is not None else engine_for(known["format"])))
    doing = "To run" if len(models) == 1 else "To run side by side"
    check_room(" and ".join(models), doing, to_run(found), fix=SMALLER)


def coverage_of(artifact: Artifact, texts: Sequence[Item]) -> Coverage | None:
    """How much a classifier reads of ``texts``; None for a model that has no tokenizer of that kind."""
    from lighten.readers.text import TOKENIZER, Encoder

    if not format_of(artifact).cuts or not (artifact.path / TOKENIZER).is_file():
        return None
    return Encoder.open(artifact.path).coverage(texts)


def resolved(model: str, scratch: Path, longest: int | None = None) -> tuple[Artifact, Engine]:
    """What a user names as a model (artifact, run folder, HF folder, GGUF file, hub id, sample), with its engine.

    Args:
        scratch: a folder that does not exist yet, for a model that must be copied; it must outlive the use.
        longest: most tokens of a text that a classifier is to read; None for what it reads.

    Raises:
        ModelError: it cannot be used, or is an encoder without a classification head.
    """
    from lighten.nets.bring import bring

    folder = Path(model)
    for place in (folder, folder / "winner"):
        if (place / RECORD).is_file():
            artifact = Artifact.open(place) if longest is None else bring(str(place), scratch, longest=longest)
            return artifact, engine_of(artifact)
    artifact = bring(model, scratch, longest=longest)
    if not facts_of(artifact)["has_head"]:
        raise ModelError(f"{model} has no classification head.", fix="fine-tune it first: lighten optimize does")
    return artifact, engine_of(artifact)
