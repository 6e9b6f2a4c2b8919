"""load: open a model and use it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import numpy as np

from lighten.core import catalog
from lighten.core.artifact import HF, RECORD, Artifact
from lighten.core.engine import Engine, Session
from lighten.core.errors import InputError, ModelError
from lighten.core.recipe import engine_from
from lighten.isolate.machine import allowed_cores


@dataclass(frozen=True, slots=True)
class Prediction:
    """The answer for one text.

    Attributes:
        label: of the class with the highest score.
        scores: probability of every class by label; they sum to 1.
    """

    label: str
    scores: Mapping[str, float]


class Model:
    """An open model. A context manager; not for several threads at once.

    Args:
        artifact: built for ``engine``. session: open. labels: name of each class.
    """

    def __init__(self, artifact: Artifact, engine: Engine, session: Session) -> None:
        self.artifact, self.engine, self._session = artifact, engine, session
        self.labels: tuple[str, ...] = tuple(artifact.meta.get("labels", ()))

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        """For each text its label and scores, in order.

        Raises:
            InputError: not a sequence of texts.
        """
        if isinstance(texts, str) or not all(isinstance(text, str) for text in texts):
            raise InputError("predict takes a list of texts.", fix='model.predict(["one text"])')
        if not texts:
            return []
        logits = self._session.run(list(texts)).astype(np.float64)
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        shares = powers / powers.sum(axis=1, keepdims=True)
        return [
            Prediction(self.labels[int(row.argmax())], dict(zip(self.labels, map(float, row), strict=True)))
            for row in shares
        ]

    def close(self) -> None:
        """Free the session."""
        self._session.close()

    def __enter__(self) -> Model:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def load(path: str | Path, *, threads: int = 0) -> Model:
    """Open a winner, or any artifact that can be opened, in this process. Its files are verified first.

    Args:
        threads: cores to use; 0 for all that this process may use.

    Raises:
        ModelError: no artifact, or one that no engine opens. UnsafeFile: its files are not what was sealed.
        MissingExtra: its engine's library is not installed.
    """
    folder = Path(path)
    if (folder / "winner" / RECORD).is_file() and not (folder / RECORD).is_file():
        folder = folder / "winner"
    artifact = Artifact.open(folder)
    engine = engine_of(artifact)
    return Model(artifact, engine, engine.open(artifact, threads=threads or allowed_cores()))


def engine_of(artifact: Artifact) -> Engine:
    """The engine that an artifact was built for, or one that opens its format.

    Raises:
        ModelError: there is none.
    """
    record = artifact.meta.get("engine")
    if record is not None:
        return engine_from(record)
    for name in catalog.names("engines"):
        cls = catalog.load("engines", name)
        if artifact.format in cls.stores:
            made: Engine = cls()
            return made
    raise ModelError(f"No engine opens a model of format {artifact.format}.")


def resolved(model: str, scratch: Path) -> tuple[Artifact, Engine]:
    """What a user names as a model (artifact, run folder, HF folder, hub id, sample), with the engine that opens it.

    Args:
        scratch: a folder that does not exist yet, for a model that must be copied; it must outlive the use.

    Raises:
        ModelError: it cannot be used, or has no classification head.
    """
    from lighten.nets.bring import bring
    from lighten.nets.facts import facts

    folder = Path(model)
    for place in (folder, folder / "winner"):
        if (place / RECORD).is_file():
            artifact = Artifact.open(place)
            return artifact, engine_of(artifact)
    artifact = bring(model, scratch)
    known = facts(artifact.path)
    if artifact.format != HF or not known["has_head"]:
        raise ModelError(f"{model} has no classification head.", fix="fine-tune it first: lighten optimize does")
    return artifact, catalog.load("engines", "eager")()
