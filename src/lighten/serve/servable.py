"""Servable: a model as a server knows it: a name, a version, what is opened, and what is asked of it."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lighten.core.artifact import Artifact
from lighten.core.data_options import DataOptions
from lighten.core.engine import Engine
from lighten.core.task import Task


@dataclass(frozen=True)
class Servable:
    """A built artifact that is to be served.

    Attributes:
        name, version: by which it is asked. artifact: built for ``engine``.
        task: what asks it. labels: names of what it chooses from; empty where it chooses nothing.
        options: what is known of the prompt and of the columns that it was made with.
        batch_invariant: whether an input is answered alike, but for rounding, whatever is asked beside it.
        copy: folder of a copy that was made for it alone and goes with it; None where it lies at its user's.
    """

    name: str
    version: str
    artifact: Artifact
    engine: Engine
    task: Task
    labels: tuple[str, ...] = ()
    options: DataOptions = field(default_factory=DataOptions)
    batch_invariant: bool = True
    copy: Path | None = None

    def discard(self) -> None:
        """It is needed no more: what was copied for it is thrown away. Discarding twice is allowed."""
        if self.copy is not None:
            shutil.rmtree(self.copy, ignore_errors=True)

    def item_of(self, row: Any) -> Any:
        """What the model is asked of one row.

        Raises:
            InputError: it cannot be asked.
        """
        return self.task.item_of(row, self.options)
