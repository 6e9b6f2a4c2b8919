"""load: open a model and use it."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from types import TracebackType

from lighten.core.artifact import RECORD, Artifact
from lighten.core.coverage import Coverage, sentences
from lighten.core.engine import Engine
from lighten.core.errors import InputError, MissingEnvironment, MissingExtra, ModelError, UnsafeFile
from lighten.core.home import expanded
from lighten.core.item import Item, Reference, file_of, parted
from lighten.core.matching import engine_for, facts_of, format_of
from lighten.core.prediction import Prediction
from lighten.core.readers import reader_in
from lighten.core.recipe import engine_from
from lighten.core.session import Session
from lighten.core.training import model_of_run
from lighten.isolate.machine import allowed_cores
from lighten.sessions.language_process import open_session
from lighten.verbs.question import Question, Row, question_of

_ASKED = (str, PurePath, Reference, tuple, Mapping)
SMALLER = "close other programs, or take a smaller file of the model: fewer layers, or numbers of fewer bits"
"""What to do about a model that does not fit."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What a model says of rows.

    Attributes:
        answers: in the rows' order; of a row that cannot be answered, why.
        coverage: how much of the others it reads, where it does not read every one whole; else None.
    """

    answers: tuple[Prediction | InputError, ...]
    coverage: Coverage | None


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
        """What the model says of each input, in order: its label and scores, its answer, or what is measured of it.

        Args:
            texts: inputs; a text fills the one gap of the prompt that the model was made with, for a prompt of several
                columns they are mappings from column to value. Where no prompt is known, texts are asked as they are.
                Where inputs are files, such as pictures, these are their paths.

        Raises:
            InputError: no sequence of inputs; columns that the prompt does not show; a document without two tokens.
            DataError: a file that cannot be opened.
        """
        if isinstance(texts, (str, PurePath)) or not all(isinstance(text, _ASKED) for text in texts):
            raise InputError("predict takes a list of inputs.", fix=f"model.predict([{str(texts)[:40]!r}])")
        return self._asked([self.question.item_of(text) for text in texts])

    def answered(self, rows: Sequence[Row]) -> Answered:
        """Like :meth:`predict`, but where a row cannot be answered the reason stands in its place.

        Raises:
            MissingExtra: a library is missing, so that none can be.
        """
        items = [self._item(row) for row in rows]
        able = [item for item in items if not isinstance(item, InputError)]
        found = self._each(able)
        answers = iter(found)
        every = tuple(item if isinstance(item, InputError) else next(answers) for item in items)
        read = [item for item, answer in zip(able, found, strict=True) if not isinstance(answer, InputError)]
        return Answered(every, coverage_of(self.artifact, read) if read else None)

    def _item(self, row: Row) -> Item | InputError:
        try:
            return self.question.item_of(row)
        except MissingExtra:
            raise
        except InputError as error:
            return error

    def _asked(self, items: Sequence[Item]) -> list[Prediction]:
        answers = self.question.task.predict(self._session, items, self.labels) if items else []
        return [replace(one, file=file_of(item)) for one, item in zip(answers, items, strict=True)]

    def _each(self, items: Sequence[Item]) -> list[Prediction | InputError]:
        """The answers, or why there is none: what fails together is asked by halves. A model's faults are no row's."""
        try:
            return [*self._asked(items)]
        except (MissingExtra, MissingEnvironment, ModelError, UnsafeFile):
            raise
        except InputError as error:
            if len(items) == 1:
                return [error]
        half = len(items) // 2
        return [*self._each(items[:half]), *self._each(items[half:])]

    def read(self, source: str | Path | Sequence[str], text: str | None = None) -> list[Row]:
        """Rows of a file as :meth:`predict` takes them; nothing in it needs to be right.

        Args:
            text: column with the text; by default the one that the model was made with, else found by itself. What was
                noticed is heard inside ``core.progress.remarks_to``.

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
    """Open a winner, a trained model, or any artifact that can be opened. Its files are verified first.

    It runs in this process, or in a child where its engine has an environment of its own.

    Args:
        threads: cores to use; 0 for all that this process may use.
        prompt: template for a language model that does not say the one it was made with.
        longest: most tokens of a text that a classifier is to read, where fewer are wanted than it can.

    Raises:
        ModelError: no artifact, or one that no engine opens. UnsafeFile: its files are not what was sealed.
        MissingExtra: its engine's library is not installed. MissingEnvironment: its environment was not made.
    """
    folder = model_of_run(Path(path))
    if (folder / "winner" / RECORD).is_file() and not (folder / RECORD).is_file():
        folder = folder / "winner"
    artifact = Artifact.open(folder)
    engine, question = engine_of(artifact), question_of(artifact).changed(prompt, None, ())
    check_models_fit([str(folder)])
    with ExitStack() as stack:
        if longest is not None:
            from lighten.models.bring import bring

            scratch = stack.enter_context(tempfile.TemporaryDirectory(prefix="lighten-"))
            artifact = bring(str(folder), Path(scratch) / "model", longest=longest)
        session = open_session(artifact, engine, threads=threads or allowed_cores())
        return Model(artifact, engine, question.task.wrap(session), question, stack.pop_all())


def engine_of(artifact: Artifact) -> Engine:
    """The engine that an artifact was built for, or the one that runs its format as it came.

    Raises:
        ModelError: nothing that is installed brings its format.
    """
    record = artifact.meta.get("engine")
    return engine_from(record) if record is not None else engine_for(artifact.format)


def check_models_fit(models: Sequence[str]) -> None:
    """Refuse models that do not fit into memory together, before one of them is copied or loaded.

    Raises:
        TooLarge: they need more than is left. ModelError: one of them is broken.
    """
    from lighten.measure.memory_estimate import check_fits, facts_of_large, to_run
    from lighten.models.bring import find

    found = []
    for model in models:
        folder = expanded(model)
        places = [place for place in (folder, folder / "winner") if (place / RECORD).is_file()]
        known = facts_of_large(places[0] if places else find(model).path)
        if known is not None:
            record = Artifact.open(places[0], verify=False).meta.get("engine") if places else None
            found.append((known, engine_from(record) if record is not None else engine_for(known["format"])))
    doing = "To run" if len(models) == 1 else "To run side by side"
    check_fits(" and ".join(models), doing, to_run(found), fix=SMALLER)


def coverage_of(artifact: Artifact, items: Sequence[Item]) -> Coverage | None:
    """How much of ``items`` a model reads; None where it reads every one whole, or does not say how."""
    if not format_of(artifact).cuts:
        return None
    try:
        return reader_in(artifact.path).coverage(parted(items))
    except ModelError:
        return None


def unread(models: Mapping[str, Artifact], items: Sequence[Item]) -> list[str]:
    """What models do not read of the items, and what they do not know, one sentence each."""
    found = []
    for name, artifact in models.items():
        coverage = coverage_of(artifact, items)
        found += sentences({"your data": coverage}, name) if coverage is not None else []
    return found


def resolved(model: str, scratch: Path, longest: int | None = None) -> tuple[Artifact, Engine]:
    """What a user names as a model (artifact, run folder, HF folder, GGUF file, hub id, sample), with its engine.

    Args:
        scratch: a folder that does not exist yet, for a model that must be copied; it must outlive the use.
        longest: most tokens of a text that a classifier is to read; None for what it reads.

    Raises:
        ModelError: it cannot be used, or is an encoder without a classification head.
    """
    from lighten.models.bring import bring

    folder = Path(model)
    for place in (folder, folder / "winner"):
        if (place / RECORD).is_file():
            artifact = Artifact.open(place) if longest is None else bring(str(place), scratch, longest=longest)
            return artifact, engine_of(artifact)
    artifact = bring(model, scratch, longest=longest, asks=True)
    if not facts_of(artifact)["has_head"]:
        raise ModelError(f"{model} has no classification head.", fix="fine-tune it first: lighten optimize does")
    return artifact, engine_of(artifact)
