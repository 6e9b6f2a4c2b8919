"""Task: what "good" means."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, is_dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, ClassVar

from lighten.core.data_options import COMMON, DataOptions, NewRows, Samples
from lighten.core.errors import InputError
from lighten.core.prediction import Prediction
from lighten.core.priors import USUAL, Priors, Requests
from lighten.core.rows import Parts, Rows

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from lighten.core.session import Session


@dataclass(frozen=True, slots=True)
class Data:
    """A user's data as a task read them.

    Attributes:
        task: with the settings that the data decide.
        columns: the column in each role that is in use, for the record.
    """

    task: Task
    parts: Parts
    columns: Mapping[str, str]


class Task(ABC):
    """One kind of job: its data, its loss, its per-example score, the meters that apply, what its answers are worth.

    Whatever differs between two kinds of jobs is asked here; nobody above asks which task it is. Knows no model. A task
    is one file in ``tasks/``; its class's docstring says what it is for. Only what is abstract must be given.
    """

    options: ClassVar[tuple[str, ...]] = ()
    """Options of the data that it takes beside ``COMMON``; others are refused."""
    kind: ClassVar[str] = ""
    """Name of the reader of inputs that are files; empty for inputs that stand as they are, such as texts."""
    models: ClassVar[str] = "a model"
    """What a model for it is called in a sentence."""
    settles_classes: ClassVar[bool] = False
    """Whether its answers are classes of a head: a model without one is trained first, and labelled rows settle which
    class of a model each label is."""
    deadline: ClassVar[float] = 120.0
    """Seconds that one request may take, however little it asks."""
    embeds: ClassVar[bool] = False
    """Whether it answers an input with a vector, which is right beside others only."""
    together: ClassVar[int] = 1
    """Rows of :meth:`singles` that belong together, one after another: they are learned in one batch."""
    patient: ClassVar[bool] = False
    """Whether threads of a session wait for each other without spinning: where they meet hundreds of times for one
    answer, spinning for one that another process displaced costs a busy machine a factor of fifty."""

    @property
    @abstractmethod
    def metrics(self) -> tuple[str, ...]:
        """Quantities of quality meters that make sense for this task; the first is the default floor."""

    @property
    def writes(self) -> bool:
        """Whether its models write texts: what changed is shown by samples of both, and a person can talk with one."""
        return False

    @property
    def problem_type(self) -> str:
        """What loaders of the Hugging Face ecosystem call its answers, so that they compute the same from a network's
        outputs: ``single_label_classification`` where the largest logit is the answer. Empty where no such word fits.
        """
        return ""

    @property
    def speeds(self) -> tuple[str, ...]:
        """Speed meters, by catalog name, that make sense for this task."""
        return ("latency", "load", "memory", "size", "throughput")

    @property
    def unlabelled(self) -> tuple[str, ...]:
        """Quality meters, by catalog name, that need no right answers, for data in which nothing is right or wrong."""
        return ()

    @property
    def requests(self) -> Requests:
        """What sessions are timed with."""
        return USUAL

    @property
    def priors(self) -> Priors:
        """What planning believes before it has measured."""
        return Priors()

    @property
    def needs_prompt(self) -> bool:
        """Whether only a model that says which prompt it was made for can be asked."""
        return False

    @property
    def facts(self) -> Mapping[str, str]:
        """What steps must know of the task to say whether they can be applied, beside the facts of the model."""
        return {}

    def cost(self, options: DataOptions) -> str:
        """The quantity that is minimized where the user names none. options: what the user says of the data."""
        return "cpu"

    @abstractmethod
    def read(self, source: str | Path, options: DataOptions, *, seed: int) -> Data:
        """A user's data in four parts, and this task with the settings that they decide.

        Raises:
            DataError, UnknownName: the data or the columns cannot be used; nothing is half-read.
        """

    def takes(self, source: str | Path) -> bool:
        """Whether data hold inputs of the kind that it is for: asked where a model is for several tasks.

        Raises:
            DataError: see :meth:`read`.
        """
        return True

    @abstractmethod
    def read_new(self, source: str | Path, options: DataOptions, labels: Sequence[str]) -> NewRows:
        """Every row of other data with what is right; of data with a split of its own, the test rows.

        Args:
            labels: that the models were made with.

        Raises:
            DataError, UnknownName: see :meth:`read`.
        """

    @abstractmethod
    def read_inputs(self, source: str | Path | Sequence[str], options: DataOptions) -> Sequence[Any]:
        """Rows of data in which nothing needs to be right, each as :meth:`item_of` takes it.

        Args:
            source: data, or paths of files that are inputs themselves.

        Raises:
            DataError, UnknownName: see :meth:`read`.
        """

    def unopened(self, source: str | Path | Sequence[str], options: DataOptions) -> Sequence[Any]:
        """The same rows, without any file that is an input being opened: that is done by :meth:`item_of`, one by one.

        Raises:
            DataError, UnknownName: see :meth:`read`.
        """
        return self.read_inputs(source, options)

    def item_of(self, row: Any, options: DataOptions) -> Any:
        """The item that a model is asked of one row: a row of :meth:`read_inputs`, or what a user gives for one.

        Raises:
            InputError: it cannot be asked.
        """
        if isinstance(row, Mapping):
            raise InputError(f"There is no prompt for columns, and {', '.join(row) or 'nothing'} was given.")
        if isinstance(row, PurePath):
            raise InputError(f"The path {row} was given, and inputs of {self.models} are no files.", fix="give a text")
        return row

    def adapt(self, options: DataOptions, labels: Sequence[str]) -> tuple[Task, tuple[str, ...]]:
        """This task with what a user asks instead of what a model was made for, and its labels then.

        Args:
            options: those that were given. labels: that the model was made with.

        Raises:
            InputError: the task does not take them. DataError: they cannot be used.
        """
        check_options(self, options, self.models)
        return self, tuple(labels)

    def labels_of(self, known: Sequence[str]) -> tuple[str, ...]:
        """Names of what a model chooses from; empty where it chooses nothing. known: labels that its record has."""
        return tuple(known)

    def wrap(self, session: Session) -> Session:
        """A session whose ``run`` takes the rows' inputs and gives the answers that the quality meters judge."""
        return session

    def judged(self, outputs: NDArray[Any], rows: Rows) -> NDArray[Any]:
        """Answers as the quality meters judge them: of what a model says, what each row asks for. [n, columns] both."""
        return outputs

    def named(self, labels: Sequence[str], rows: Rows) -> Sequence[Sequence[str]] | None:
        """What each judged answer is called, by row and column; None where nothing is chosen.

        Args:
            labels: of the data.
        """
        return [labels] * len(rows) if labels else None

    @property
    def ordered(self) -> bool:
        """Whether a model's outputs must stand in the order of the data's classes."""
        return False

    def columns(self, labels: int) -> int | None:
        """Columns of the answers, for data with ``labels`` classes; None where the model decides."""
        return labels

    def singles(self, rows: Rows) -> Rows:
        """The rows as a network learns from them, and as a user asks: of pairs that are compared, each by itself.

        Returns:
            ``together`` rows for each, one after another; targets say which belong to one row.
        """
        return rows

    @abstractmethod
    def predict(self, session: Session, inputs: Sequence[Any], labels: Sequence[str]) -> list[Prediction]:
        """What a session says of inputs, as a user reads it. session: as :meth:`wrap` gives it."""

    def samples(self, rows: Rows, labels: Sequence[str]) -> Samples | None:
        """What is shown of a winner beside its changed answers; None where these say enough."""
        return None

    @abstractmethod
    def loss(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Mean training loss. logits: [batch, classes] float; targets: [batch] int64. Returns a scalar."""

    def evenly(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Mean loss against every answer alike, of which label smoothing adds a part. As :meth:`loss`."""
        return -logits.float().log_softmax(-1).mean()

    @abstractmethod
    def distance(self, logits: Tensor, teacher: Tensor) -> Tensor:
        """Mean distillation loss. logits, teacher: [batch, classes] float. Returns a scalar."""

    def divergence(self, logits: Tensor, teacher: Tensor, temperature: float = 1.0) -> Tensor:
        """Mean KL divergence of the answers from the teacher's in nats, both softened by ``temperature``, times its
        square, so that gradients keep their size (Hinton, Vinyals and Dean 2015). As :meth:`distance`."""
        own, other = ((one.float() / temperature).log_softmax(-1) for one in (logits, teacher))
        return temperature**2 * (other.exp() * (other - own)).sum(-1).mean()

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


def check_options(task: Task, options: DataOptions, whose: str) -> None:
    """Refuse options of the data that a task does not take.

    Args:
        whose: does not take them, such as ``the task text-classification``.

    Raises:
        InputError: names the option.
    """
    taken = (*COMMON, *task.options)
    for field in fields(DataOptions):
        if getattr(options, field.name) != field.default and field.name not in taken:
            raise InputError(
                f"--{_written(field.name)} was given, which {whose} does not take.",
                allowed=", ".join(f"--{_written(name)}" for name in taken),
                fix="leave it out",
            )


def _written(name: str) -> str:
    """An option as the command line has it."""
    return name.replace("_", "-")


def task_record(task: Task) -> dict[str, Any]:
    """The settings of a task as plain JSON values; ``cls(**record)`` makes it again after :func:`task_settings`."""
    return asdict(task) if is_dataclass(task) else {}


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
