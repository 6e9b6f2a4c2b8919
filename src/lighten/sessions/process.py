"""A process of its own for each session, so that a crash, a hang or a leak costs one candidate and never the run."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from math import isfinite
from time import monotonic
from typing import TYPE_CHECKING, Any

from lighten.core.artifact import Artifact
from lighten.core.engine import Engine
from lighten.core.errors import BuildFailed, SessionCrashed
from lighten.core.item import Item, size_of, to_plain
from lighten.core.meter import Workload
from lighten.core.prediction import Prediction
from lighten.core.recipe import record_of, task_record_of
from lighten.core.session import Session
from lighten.core.task import Task
from lighten.isolate.environments import spec_of
from lighten.isolate.process import ChildProcess
from lighten.isolate.wire import ARRAYS
from lighten.sessions.pace import Pace

if TYPE_CHECKING:
    from numpy.typing import NDArray


DEADLINE = 120.0
"""Seconds that one request of a session without a task may take, however little it asks."""


class SessionProcess(Session):
    """A session in a child process: what :class:`lighten.core.session.Session` promises, and turns of meters.

    Args:
        artifact: built for ``engine``.
        engine: what opens it.
        threads: cores it may use.
        task: what asks it; None for a session that takes the inputs as they are.
        deadline: seconds that any one request may take, however little it asks; None for what the task says, and two
            minutes without a task. One that asks much has more (see ``Pace``).
        memory: bytes of resident memory at which it is ended; None for 90 % of what this machine allows.

    Attributes:
        load_seconds, version: known once it is open.
        writing: ``context`` and ``streams`` of a session that goes on with texts, once it is open; empty for others.
        others: share of the cores that other processes took during the last turn; None when it is unknown.
    """

    def __init__(
        self,
        artifact: Artifact,
        engine: Engine,
        *,
        threads: int,
        task: Task | None = None,
        deadline: float | None = None,
        memory: int | None = None,
    ) -> None:
        self.task = task
        self.artifact, self.engine, self.threads = artifact, engine, threads
        self.deadline = deadline or (task.deadline if task is not None else DEADLINE)
        self.load_seconds, self.version = 0.0, ""
        self.writing: Mapping[str, int] = {}
        self.others: float | None = None
        patient = task is not None and task.patient
        self._made = partial(ChildProcess, threads=threads, memory=memory, patient=patient, venv=spec_of(engine))
        self.child = self._made()
        self._pace = Pace(self.deadline)
        self._work: Workload | None = None
        self._warm: set[str] = set()
        self._alone: dict[str, Mapping[str, Any]] = {}
        self._new, self._begun = True, False

    def begin(self, child: ChildProcess) -> None:
        """Have a process open the artifact while others go on; entering the session waits for that.

        Args:
            child: that was started, of the kind that the session would have made itself; it is the session's now.

        Raises:
            SessionCrashed, SessionTimeout: see ``ChildProcess``.
        """
        self.child, self._begun = child, True
        child.begin("open", self.deadline, **self._opening())

    def __enter__(self) -> SessionProcess:
        """Start the process, unless it has begun, and open the artifact.

        Raises:
            BuildFailed: the engine cannot open it. MissingEnvironment: its environment was not made.
            SessionCrashed, SessionTimeout, OutOfMemory: see ``ChildProcess.ask``.
        """
        begun, self._begun = self._begun, False
        if not begun:
            self.child.start()
        try:
            if begun:
                reply = self.child.finish("open", self.deadline)
            else:
                reply = self.child.ask("open", self.deadline, **self._opening())
        except BaseException:
            self.child.close()
            raise
        self.load_seconds, self.version = reply["seconds"], reply["version"]
        self.writing = reply.get("writing", {})
        return self

    def _opening(self) -> dict[str, Any]:
        """What a process is told that opens the artifact."""
        task = task_record_of(self.task) if self.task is not None else None
        path, engine = str(self.artifact.path.resolve()), record_of(self.engine)
        return {"artifact": path, "engine": engine, "threads": self.threads, "task": task}

    def run(self, inputs: Sequence[Item]) -> NDArray[Any]:
        """Answer ``inputs``: [n, columns], finite.

        Raises:
            BuildFailed: the answer has another shape, or holds NaN or infinity.
        """
        import numpy as np

        asked = sum(map(size_of, inputs)), len(inputs)
        self._new, began = False, monotonic()
        found: NDArray[Any]
        (found,) = self.child.ask("run", self._pace.patience(*asked), inputs=list(map(to_plain, inputs)))[ARRAYS]
        self._pace.learn(*asked, monotonic() - began)
        if found.ndim != 2 or found.shape[0] != len(inputs):
            raise BuildFailed(f"It answered {len(inputs)} inputs with an array of shape {found.shape}.")
        if not np.isfinite(found).all():
            bad = int((~np.isfinite(found).all(axis=1)).sum())
            raise BuildFailed(f"Its answers to {bad} of {len(inputs)} inputs hold NaN or infinity.")
        return found

    def predict(self, inputs: Sequence[Item], labels: Sequence[str]) -> list[Prediction]:
        """What the task's model says of ``inputs``, as a user reads it; worked out in the child.

        Raises:
            BuildFailed: another number of answers, or such as hold NaN or infinity.
            InputError: an input that cannot be read. SessionCrashed: a session without a task, or see :meth:`run`.
        """
        asked = sum(map(size_of, inputs)), len(inputs)
        self._new, began = False, monotonic()
        plain, patience = list(map(to_plain, inputs)), self._pace.patience(*asked)
        told = self.child.ask("predict", patience, inputs=plain, labels=list(labels))
        self._pace.learn(*asked, monotonic() - began)
        return predictions_in(told, len(inputs))

    def answers(self, inputs: Sequence[Item], heard: Callable[[int], None] | None = None) -> NDArray[Any]:
        """Answer many inputs: as :meth:`run`, but in pieces, so that no request takes long.

        The longest come first: what does not fit into memory shows at once, and a piece has inputs of like length.

        Args:
            heard: told after each piece how many were answered.

        Raises:
            BuildFailed, SessionCrashed, SessionTimeout, OutOfMemory: see :meth:`run`.
        """
        import numpy as np

        if not inputs:
            return np.empty((0, 0))
        every = list(map(size_of, inputs))
        order = sorted(range(len(inputs)), key=lambda i: -every[i])
        sizes = [every[i] for i in order]
        found, begin = [], 0
        while begin < len(order):
            end = self._pace.end(sizes, begin)
            found.append(self.run([inputs[i] for i in order[begin:end]]))
            begin = end
            if heard is not None:
                heard(end)
        answers = np.concatenate(found)
        answers[order] = answers.copy()
        return answers

    def replies(self, prompts: Sequence[str], most: int = 48) -> list[str]:
        """What it writes after each of ``prompts``: the most likely tokens, at most ``most`` of them.

        Raises:
            InputError: it goes on with no text.
        """
        self._new = False
        texts: list[str] = self.child.ask("replies", self.deadline, prompts=list(prompts), most=most)["texts"]
        return texts

    def load(self, work: Workload) -> None:
        """Hand over what the meters ask; nothing happens when it has this workload already."""
        if work == self._work:
            return
        files = work.files or self.artifact.size
        singles, batch = (list(map(to_plain, inputs)) for inputs in (work.singles, work.batch))
        self.child.ask("load", self.deadline, singles=singles, batch=batch, files=files)
        self._work, self._warm, self._alone = work, set(), {}

    def turn(self, meter: str, number: int) -> Mapping[str, Any]:
        """One turn of a meter, by catalog name, on the workload; see :class:`lighten.core.meter.SpeedMeter`."""
        asked = [*self._work.singles, *self._work.batch] if self._work is not None else []
        patience = self._pace.patience(sum(map(size_of, asked)), len(asked))
        self._new = False
        reply = self.child.ask("turn", patience, meter=meter, number=number)
        self.others = reply["others"]
        turn: dict[str, Any] = reply["turn"]
        return turn

    def turn_alone(self, meter: str) -> Mapping[str, Any]:
        """The one turn of a meter that needs a process which has done nothing before: asked once for a workload.

        Where this process was asked something already, it ends and a new one takes its place.
        """
        if meter not in self._alone:
            work, known = self._work, self._alone
            if not self._new and work is not None:
                self.close()
                self.child, self._work, self._new = self._made(), None, True
                self.__enter__()
                self.load(work)
            self._alone = {**known, meter: self.turn(meter, 0)}
        return self._alone[meter]

    def warm_up(self, meter: str) -> None:
        """The meter's warm-up turn, unless this session had it on this workload."""
        if meter not in self._warm:
            self.turn(meter, -1)
            self._warm.add(meter)

    def close(self) -> None:
        """End the process; closing twice is allowed."""
        self.child.close()


def predictions_in(reply: Mapping[str, Any], count: int) -> list[Prediction]:
    """What a process says of ``count`` inputs; see :meth:`SessionProcess.predict`.

    Raises:
        BuildFailed: another number of answers, or such as hold NaN or infinity. SessionCrashed: no answers.
    """
    try:
        if "vectors" in reply:
            found, bad = _vectors(reply["vectors"], reply["sizes"])
        else:
            found = [Prediction(label, scores, measures) for label, scores, measures in reply["predictions"]]
            bad = sum(not all(map(isfinite, (*one.scores.values(), *one.measures.values()))) for one in found)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise SessionCrashed(f"It answered what are no predictions: {type(error).__name__}: {error}.") from error
    if len(found) != count:
        raise BuildFailed(f"It answered {count} inputs with {len(found)} predictions.")
    if bad:
        raise BuildFailed(f"Its answers to {bad} of {count} inputs hold NaN or infinity.")
    return found


def _vectors(packed: str, sizes: Sequence[int]) -> tuple[list[Prediction], int]:
    """Vectors as predictions, and how many hold NaN or infinity.

    Args:
        packed: little-endian float32 in base64, one vector after another. sizes: tokens that each was made of.
    """
    import numpy as np

    vectors = np.frombuffer(b64decode(packed), "<f4").reshape(len(sizes), -1)
    bad = int((~np.isfinite(vectors).all(axis=1)).sum())
    return [Prediction(vector=vector, size=int(size)) for vector, size in zip(vectors, sizes, strict=True)], bad


def telling(progress: Callable[[float, float, str], None], total: int, message: str) -> Callable[[int], None]:
    """What :meth:`SessionProcess.answers` tells, for one who wants to know how many of ``total`` are done."""
    return lambda done: progress(done, total, message)
