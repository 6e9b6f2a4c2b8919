"""Task: what "good" means."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields, is_dataclass
from typing import TYPE_CHECKING, Any

from lighten.core.rows import Rows

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from lighten.core.session import Session


class Task(ABC):
    """One kind of job: its loss, its per-example score, and the quality meters that apply. Knows no model.

    A task is one file in ``tasks/``; its class's docstring says what it is for.
    """

    @property
    @abstractmethod
    def metrics(self) -> tuple[str, ...]:
        """Quantities of quality meters that make sense for this task; the first is the default floor."""

    @property
    def writes(self) -> bool:
        """Whether its models write texts: what changed is shown by samples of both, and a person can talk with one."""
        return False

    @property
    def speeds(self) -> tuple[str, ...]:
        """Speed meters, by catalog name, that make sense for this task."""
        return ("latency", "load", "memory", "size", "throughput")

    @property
    def language(self) -> bool:
        """Whether the model is a language model, so that engines are to open a ``LanguageSession``."""
        return False

    def asked(self, session: Session) -> Session:
        """A session whose ``run`` takes the rows' inputs and gives the answers that the quality meters judge."""
        return session

    def columns(self, labels: int) -> int:
        """Columns of the answers, for data with ``labels`` classes."""
        return labels

    @abstractmethod
    def loss(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Mean training loss. logits: [batch, classes] float; targets: [batch] int64. Returns a scalar."""

    @abstractmethod
    def distance(self, logits: Tensor, teacher: Tensor) -> Tensor:
        """Mean distillation loss. logits, teacher: [batch, classes] float. Returns a scalar."""

    def constant(self, learned: Rows, rows: Rows, labels: Sequence[str]) -> tuple[str, NDArray[Any]] | None:
        """The one answer that is right most often, which needs no model: what it is, and it for every row.

        Args:
            learned: rows that say what is frequent. rows: that are answered. labels: names of the classes.

        Returns:
            The answer as text, and outputs as a model's would be, [n, columns]; None where no answer is right or wrong.
        """
        return None

    @abstractmethod
    def right(self, outputs: NDArray[Any], rows: Rows) -> NDArray[Any]:
        """Per-example score. outputs: [n, columns] answers. Returns [n] bool: was the answer right?

        Raises:
            ValueError: an answer of this task is better or worse, not right or wrong.
        """


def task_record(task: Task) -> dict[str, Any]:
    """The settings of a task as plain JSON values; ``cls(**record)`` makes it again after :func:`task_settings`."""
    return asdict(task) if is_dataclass(task) else {}


def asked_facts(task: Task) -> dict[str, str]:
    """What steps must know of a task to say whether they can be applied, beside the facts of the model.

    Returns:
        ``evidence``: what a language model is asked (documents, answers, choices); nothing for other tasks.
    """
    evidence = getattr(task, "evidence", "")
    return {"evidence": str(evidence)} if evidence else {}


def task_settings(cls: type[Task], record: Mapping[str, Any]) -> dict[str, Any]:
    """A record's values as the constructor wants them: lists become tuples; what it does not know is refused.

    Raises:
        ValueError: a setting that the task does not have.
    """
    known: set[str] = {field.name for field in fields(cls)} if is_dataclass(cls) else set()
    strange = sorted(set(record) - known)
    if strange:
        raise ValueError(f"{cls.__name__} has no setting {strange[0]}; allowed: {', '.join(sorted(known)) or 'none'}")
    return {name: tuple(value) if isinstance(value, list) else value for name, value in record.items()}
