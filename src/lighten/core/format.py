"""Format: how a model lies on disk. It recognises its models, brings, opens and saves them, and says what they are."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from lighten.core.artifact import Artifact
from lighten.core.errors import ModelError
from lighten.core.rows import Parts
from lighten.core.step import Needs


@dataclass(frozen=True)
class Location:
    """Where a model may lie, as a format looks at it: a folder or a file here, or a repository of the hub.

    Attributes:
        where: what the user calls it, for messages.
        names: of files, and of folders with "/" behind them; of a file its own name alone.
        read: gives the object of one of its JSON files. Raises ModelError or UnsafeFile.
        path: the folder or the file; None on the hub, where nothing but ``read`` can be asked.
        headless: whether the model is looked at without the head that it may have, because an adapter brings one.
    """

    where: str
    names: tuple[str, ...]
    read: Callable[[str], Mapping[str, Any]]
    path: Path | None = None
    headless: bool = False

    @property
    def is_file(self) -> bool:
        """Whether it is one file here, not a folder."""
        return self.path is not None and self.path.is_file()

    @property
    def root(self) -> Path:
        """Path of what is recognised here: of a repository, its name."""
        return self.path if self.path is not None else Path(self.where)


@dataclass(frozen=True)
class Recognized:
    """A model that can be used.

    Attributes:
        path: its folder, or its file where the format's models lie in one; on the hub the repository's or file's name.
        format: catalogue name of its format; a format that recognises a model may leave it empty.
        name: of its architecture.
        noun: what it is, such as ``a text classifier``.
        tasks: catalogue names of the tasks that it is for, the likeliest first.
        kind: what its format must know to bring it, such as ``adapter``; empty where there is one way only.
        base: of an adapter: the model that it changes, as its config names it.
        sealed: whether it is an artifact of lighten.
        complete: whether it answers as it lies; an encoder of which nobody says what is made of its tokens does not.
    """

    path: Path
    format: str
    name: str
    noun: str
    tasks: tuple[str, ...]
    kind: str = ""
    base: str = ""
    sealed: bool = False
    complete: bool = True

    @property
    def task(self) -> str:
        """Catalogue name of the task that it is for unless another is asked for.

        Raises:
            ModelError: an artifact in a format that nothing describes, which does not say it itself.
        """
        if not self.tasks:
            raise ModelError(f"{self.path} does not say what it was made for, and nor does its format.")
        return self.tasks[0]

    @property
    def described(self) -> str:
        """Such as ``a text classifier (BertForSequenceClassification)``."""
        return f"{self.noun} ({self.name})"


@dataclass(frozen=True, slots=True)
class Traffic:
    """What a token costs a model at the least.

    Attributes:
        read: bytes of weights that writing one reads. multiplied: weights that one of a prompt meets.
    """

    read: float
    multiplied: float


class Format(ABC):
    """One format on disk. One file in ``formats/``, whose name with dashes is what artifacts are sealed with.

    What a user can bring overrides :meth:`recognize`, :meth:`bring` and :meth:`facts`; what a step can take,
    :meth:`open`. Models that only an engine opens (an exported file) need :meth:`save` alone.
    """

    tasks: ClassVar[tuple[str, ...]]
    """Catalogue names of the tasks that its models are for; the first is the default."""
    home: ClassVar[str]
    """Catalogue name of the engine that runs its models as they came."""
    noun: ClassVar[str]
    """What its models are, in a sentence: ``a text classifier``."""
    like: ClassVar[str] = ""
    """Another format as whose live models its own can be taken: steps and engines that take that one take it, too,
    unless their ``check`` refuses its facts."""
    original: ClassVar[bool] = False
    """Whether its models can be brought, to be made cheaper."""
    baseline: ClassVar[bool] = False
    """Whether its models are cheap baselines, learned from nothing on the user's rows, whatever they replace."""
    cuts: ClassVar[bool] = False
    """Whether its models cut inputs that are longer than they read, so that how much they read is worth telling."""
    packed: ClassVar[bool] = False
    """Whether its files hold numbers of few bits, to be run as they lie: unpacked for another engine, what rounding
    cost stays, and nothing is gained."""
    large: ClassVar[bool] = False
    """Whether its models may be too large for the memory, so that what they need is told before one is copied."""
    bytewise: ClassVar[bool] = False
    """Whether a token of its models is a byte, so that their speeds are told by bytes."""
    replaces_heads: ClassVar[bool] = False
    """Whether :meth:`suit` leaves heads out: networks that know a thousand things are brought to learn a few."""
    samples: ClassVar[bool] = True
    """Whether its models give answers that are worth a look beside those of the original."""
    instead: ClassVar[str] = "leave --task out"
    """What a user can do who asked for a task that its models are not for."""
    lessons: ClassVar[frozenset[str]] = frozenset()
    """What :meth:`trainable` can do beside learning from rows as they are, by option of ``lighten train``."""
    extra: ClassVar[str] = ""
    """Optional dependency group that brings its libraries."""

    def named(self, model: str) -> Recognized | None:
        """What a user calls a model that is no place: code that makes one. None for what is no such name.

        Raises:
            ModelError: it is one, and what it names is not here.
        """
        return None

    def refuse_unnamed(self, found: Recognized, place: str) -> None:
        """Refuse a model that a file names, where to bring it would run code that the user did not name.

        Args:
            place: the file, as errors call it.

        Raises:
            UnsafeFile: it would.
        """
        return

    def recognize(self, location: Location) -> Recognized | None:
        """What lies at ``location``, where that is of this format; None where it is not. No library is loaded.

        Raises:
            ModelError, UnsafeFile: it is, and cannot be used; says what it is, and what to do.
        """
        return None

    def check(self, found: Recognized, *, whole: bool = True) -> None:
        """Everything that can be checked of a model before it is copied or opened.

        Args:
            whole: its files are all here; else only what says what it is, as of a model that is still on the hub.

        Raises:
            ModelError, UnsafeFile: it cannot be used.
        """
        return

    def check_complete(self, found: Recognized) -> None:
        """Raises ModelError: a file that belongs to a model is missing, as after a download that was broken off."""
        return

    def wanted(self, found: Recognized, names: Sequence[str]) -> Sequence[str]:
        """Which files of a repository on the hub are fetched for a model. names: all that it has."""
        return names

    def files(self, found: Recognized) -> Sequence[Path]:
        """Files that :meth:`bring` copies of a model that lies here, or reads to make its own, for what they take."""
        if not found.path.is_dir():
            return [found.path]
        names = sorted(path.name for path in found.path.iterdir() if path.is_file())
        wanted = set(self.wanted(found, names))
        return [found.path / name for name in names if name in wanted]

    def tried(self, found: Recognized) -> None:
        """Open a model that is borrowed, as far as :meth:`bring` would, to see whether it can be.

        Raises:
            ModelError: it cannot.
        """
        return

    def bring(self, found: Recognized, folder: Path, model: str) -> Mapping[str, Any]:
        """Copy what belongs to a model into the empty ``folder``, after :meth:`check`.

        Args:
            model: what the user called it.

        Returns:
            What its record says beside ``model``: the labels, the family, ...

        Raises:
            ModelError, UnsafeFile: it cannot be used. MissingExtra: what it takes is not installed.
        """
        raise ModelError(
            f"{found.path} is {found.described}, and models of its format are made by lighten, not brought.",
            fix="give the model that it was made from",
        )

    def borrow(self, found: Recognized, folder: Path) -> bool:
        """Put links to a model's own files into the empty ``folder``, to be read and no more; False where it must be
        copied."""
        return False

    def shorten(self, artifact: Artifact, longest: int) -> Artifact:
        """An artifact in the caller's own folder, sealed again with a limit of ``longest`` tokens of a text; as it is
        where its models cut no input.

        Raises:
            InputError: it reads fewer.
        """
        return artifact

    def suit(self, artifact: Artifact, parts: Parts, seed: int = 0) -> Artifact:
        """An artifact in the caller's own folder, sealed again as the data want it; as it is in most cases.

        Without its head where no label of the data means one of its classes and a new head can be trained instead; made
        for the inputs where only the code that makes it was brought. Nothing but train and the labels is looked at.
        Its record may say in ``told``, in a sentence, what was done.

        Args:
            seed: of what is random at first.

        Raises:
            ModelError: it cannot be made for them.
        """
        return artifact

    def open(self, artifact: Artifact, labels: tuple[str, ...]) -> Any:
        """The live model that a step takes. labels: names of the classes, for a network that has no head yet.

        Raises:
            ModelError: no step can open a model of this format.
        """
        raise ModelError(f"No step can open a model of format {artifact.format}.")

    def random(self, found: Recognized, folder: Path, seed: int) -> Path:
        """Write the architecture of a model with random weights, to be brought; gives where it lies.

        Raises:
            ModelError: models of this format are no architecture apart from their weights.
        """
        raise ModelError(
            f"{found.path} is {found.described}, which cannot begin with random weights.",
            allowed="a config.json, or an HF folder",
            fix="leave --from-scratch out",
        )

    def trainable(self, model: Any, needs: Needs, asked: Any) -> Any:
        """A live model beside the rows of a task, as the training loop takes it (``nets.training.trainable``).

        Args:
            model: as :meth:`open` gave it. asked: what the user says of the training (``Hyperparameters``).

        Raises:
            ModelError: models of this format are not trained. StepFailed, DataError: nothing can be learned from the
                rows.
        """
        raise ModelError(
            f"{self.noun.capitalize()} of this format is not trained.", fix="give the float model that it was made from"
        )

    @abstractmethod
    def save(self, model: Any, folder: Path) -> Mapping[str, Any]:
        """Write a live model into an empty folder. Returns what its record says beside format and lineage."""

    def facts(self, path: Path) -> dict[str, Any]:
        """What is known of a model from its headers: no weights are read, no library is loaded.

        Args:
            path: its folder, or its file.

        Returns:
            At least ``format``, ``family``, ``parameters``, ``labels`` (names of its classes; empty without a head) and
            ``has_head``, for a model that can be brought; whatever the checks of steps and engines read, beside.

        Raises:
            ModelError: they cannot be read.
        """
        return {}

    def facts_of(self, found: Recognized) -> dict[str, Any]:
        """:meth:`facts` of a model that was not brought yet."""
        return self.facts(found.path)

    def batch_invariant(self, path: Path) -> bool:
        """Whether the model in the folder ``path`` answers an input alike, but for rounding, whatever is asked beside
        it. Where it does not, :meth:`Engine.apart` makes an engine under which it does.

        Raises:
            ModelError: it cannot be read.
        """
        return True

    def memory(self, facts: Mapping[str, Any], *, whole: bool = False) -> Mapping[str, int]:
        """Bytes that making a model with these facts cheaper takes, beside the sessions that it is measured in, by what
        they are for; empty where they are few.

        Args:
            whole: with every weight trained; else with as few as the search can make do with.
        """
        return {}

    def traffic(self, path: Path, settings: Mapping[str, Any]) -> Traffic | None:
        """What a token costs the model in the folder ``path``, by its headers; None where nobody knows.

        Args:
            settings: of the engine that runs it.

        Raises:
            ModelError: they cannot be read.
        """
        return None
