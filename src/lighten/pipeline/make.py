"""Make what a recipe asks for: step by step, each result kept under the key of what made it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lighten.core.artifact import Artifact
from lighten.core.engine import Engine
from lighten.core.errors import BuildFailed, LightenError, StepFailed
from lighten.core.matching import unpacked_formats
from lighten.core.recipe import conversion, record_of
from lighten.core.rows import Parts, Rows
from lighten.core.step import Needs, Step, Watch, after
from lighten.core.task import Task
from lighten.data.learned import save_learned
from lighten.pipeline.formats import open_model, save_model
from lighten.store.artifacts import ArtifactStore, key_of
from lighten.store.durable import sync

if TYPE_CHECKING:
    from numpy import float32
    from numpy.typing import NDArray

_STATES: dict[tuple[str, str], Any] = {}
"""Hidden states of the teacher that was asked last."""

LIBRARIES = (
    "torch", "transformers", "onnx", "onnxruntime", "openvino", "nncf", "optimum-intel", "tokenizers", "xllamacpp",
    "llama-cpp-python", "gguf", "libgguf",
)  # fmt: skip


class Seen:
    """A watch that sees how much of its plan a step has done, and passes everything on."""

    def __init__(self, watch: Watch) -> None:
        self._watch, self.reached, self._planned = watch, 1.0, 0.0

    def progress(self, done: float, total: float, message: str = "") -> None:
        """See :meth:`Watch.progress`."""
        self._planned = max(self._planned, total)  # a plan may become shorter on the way
        self.reached = done / self._planned if self._planned else 1.0
        self._watch.progress(done, total, message)

    def score(self, fraction: float, value: float) -> None:
        """See :meth:`Watch.score`."""
        self._watch.score(fraction, value)

    def seconds_left(self) -> float:
        """See :meth:`Watch.seconds_left`."""
        return self._watch.seconds_left()


@dataclass
class Workbench:
    """What making needs to have at hand.

    Attributes:
        store: where artifacts are kept.
        task, parts: what "good" means, and the data.
        original: the teacher; None while the original itself is being made.
        seed, threads: for every step.
        work: every step that was carried out: its ``use``, ``seconds``, and how much of its plan it ``reached``.
    """

    store: ArtifactStore
    task: Task
    parts: Parts
    original: Artifact | None
    seed: int
    threads: int
    work: list[dict[str, Any]] = field(default_factory=list)

    def chain(self, base: Artifact, steps: Sequence[Step], watch: Watch) -> Artifact:
        """Apply ``steps`` to ``base``; what was made before is taken from the store.

        Raises:
            StepFailed: a step raised; the message names it.
            StoppedEarly: racing stopped it.
        """
        keys: list[str] = []
        key = base.id
        for step in steps:
            key = self.step_key(key, step)
            keys.append(key)
        done, artifact = 0, base
        for number in range(len(steps), 0, -1):
            found = self.store.get(keys[number - 1])
            if found is not None:
                done, artifact = number, found
                break
        model: Any = None
        for number in range(done, len(steps)):
            step = steps[number]
            if model is None:
                model = open_model(artifact, self.parts.labels)
            model, artifact = self._one(model, artifact, step, keys[number], watch)
        return artifact

    def step_key(self, before: str, step: Step) -> str:
        """Key of what ``step`` makes of what has the key ``before``, with the libraries that are installed here."""
        data = {name: self.parts[name].fingerprint() for name in ("train", "tune") if name in step.needs}
        teacher = self.original.id if self.original and "teacher" in step.needs else ""
        return key_of(
            before=before,
            step=record_of(step),
            data=data,
            teacher=teacher,
            seed=self.seed,
            versions=versions(),
        )

    def _one(self, model: Any, parent: Artifact, step: Step, key: str, watch: Watch) -> tuple[Any, Artifact]:
        record = record_of(step)
        needs = Needs(
            task=self.task,
            seed=self.seed,
            threads=self.threads,
            train=self.task.singles(self.parts.train) if "train" in step.needs else None,
            tune=self.task.singles(self.parts.tune) if "tune" in step.needs else None,
            teacher=self._teacher(watch) if "teacher" in step.needs else None,
            watch=(seen := Seen(watch)),
        )
        began = time.monotonic()
        try:
            made = step.run(model, needs)
        except (LightenError, MemoryError, KeyboardInterrupt):
            raise
        except Exception as error:
            raise StepFailed(f"{record['use']}: {type(error).__name__}: {error}") from error
        self.work.append({"use": record["use"], "seconds": time.monotonic() - began, "reached": seen.reached})
        format = after(step, parent.format)

        def write(folder: Path) -> Mapping[str, Any]:
            meta = {**save_model(made, format, folder), "seconds": round(time.monotonic() - began, 3)}
            self._save_learned(folder, parent, step)
            return {
                "format": format,
                "parent": parent.id,
                "step": record,
                "seed": self.seed,
                "versions": versions(),
                "meta": meta,
            }

        return made, self.store.put(key, write)

    def _save_learned(self, folder: Path, parent: Artifact, step: Step) -> None:
        """Keep in a model's folder which rows it learned from, itself or through its parent and its teacher."""
        teacher = [self.original.path] if self.original and "teacher" in step.needs else []
        own = [self.parts[name] for name in ("train", "tune") if name in step.needs]
        save_learned(folder, [parent.path, *teacher], (row for rows in own for row in rows.ids))

    def _teacher(self, watch: Watch) -> RememberingTeacher:
        original = self.original
        if original is None:
            raise StepFailed("This step learns from the original, and there is none yet.")

        def opened() -> Any:
            # The same steps, so the same key: where a student came by this way, the file lies in the store already.
            bridge = conversion(original.format, unpacked_formats()) or ()
            return open_model(self.chain(original, bridge, watch), self.parts.labels)

        folder = self.store.root.parent / "teacher"
        return RememberingTeacher(original, folder, self.parts.labels, self.threads, opened)


def build(store: ArtifactStore, artifact: Artifact, engine: Engine, seed: int) -> Artifact:
    """What ``engine`` opens, made from ``artifact``.

    Raises:
        BuildFailed: the engine refuses the model.
    """
    key = key_of(build=artifact.id, engine=record_of(engine), runtime=engine.version(), versions=versions())
    found = store.get(key)
    if found is not None:
        return found

    def write(folder: Path) -> Mapping[str, Any]:
        try:
            format = engine.build(artifact, folder)
            save_learned(folder, [artifact.path])
        except (LightenError, MemoryError, OSError, KeyboardInterrupt):
            raise
        except Exception as error:
            use = record_of(engine)["use"]
            raise BuildFailed(f"{use}: {type(error).__name__}: {error}") from error
        return {
            "format": format,
            "parent": artifact.id,
            "step": {"use": f"engine {record_of(engine)['use']}"},
            "seed": seed,
            "versions": versions(),
            "meta": artifact.meta,
        }

    return store.put(key, write)


class RememberingTeacher:
    """The original, opened when it is asked for rows that it has not answered before.

    Args:
        original: an artifact whose live model is a float network, or one that ``opened`` makes one of.
        folder: where answers are kept.
        opened: opens it as a float network; None when it is one as it lies there.
    """

    def __init__(
        self,
        original: Artifact,
        folder: Path,
        labels: tuple[str, ...],
        threads: int,
        opened: Callable[[], Any] | None = None,
    ) -> None:
        self.original, self.folder, self.labels, self.threads = original, folder, labels, threads
        self._opened = opened or (lambda: open_model(original, labels))

    def network(self) -> Any:
        """The original as a float network in memory, opened anew."""
        return self._opened()

    def logits(self, rows: Rows) -> NDArray[float32]:
        """Outputs of the original on ``rows``: float32 [n, classes]."""
        import numpy as np
        from safetensors.numpy import load_file, save_file

        path = self.folder / f"{self.original.id[:16]}-{rows.fingerprint()}.safetensors"
        if not _readable(path):
            from lighten.nets.forward import logits

            network = open_model(self.original, self.labels)
            values = np.ascontiguousarray(logits(network, rows.inputs, threads=self.threads), dtype=np.float32)
            self.folder.mkdir(parents=True, exist_ok=True)
            part = path.with_suffix(".part")
            save_file({"logits": values}, part)
            sync(part)
            part.replace(path)
            sync(self.folder)
        found: NDArray[float32] = load_file(path)["logits"]
        return found

    def states(self, rows: Rows) -> Any:
        """Hidden states of the original on ``rows``, a ``States``, kept in memory for the next architecture."""
        from lighten.nets.encoders.states import States

        key = (self.original.id, rows.fingerprint())
        if key not in _STATES:
            _STATES.clear()
            _STATES[key] = States(open_model(self.original, self.labels), rows.inputs)
        return _STATES[key]


@cache
def versions() -> dict[str, str]:
    """Versions of the libraries that make artifacts; nothing is imported."""
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _readable(path: Path) -> bool:
    """Whether a file of safetensors is there and whole: the loss of power leaves files of zeros, or short ones."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "np") as opened:
            return "logits" in opened.keys()  # noqa: SIM118 - it is no mapping
    except (OSError, SafetensorError):
        return False
