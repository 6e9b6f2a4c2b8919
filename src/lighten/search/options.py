"""What a run is asked: every option of ``lighten optimize``, read and checked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from lighten.core.data_options import DataOptions
from lighten.core.errors import BudgetError, InputError
from lighten.core.lists import read_list, write_list
from lighten.core.recipe import Data
from lighten.data.columns import NONE

_TIME = re.compile(r"^\s*(\d+(?:\.\d*)?)\s*(s|sec|m|min|h)?\s*$")

SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0}
A_YEAR = 366 * 86_400.0


@dataclass(frozen=True, slots=True)
class Options:
    """Every option of the main job.

    Attributes:
        model, data: as the user gave them.
        keep, under, minimize: the budget as written; an empty ``keep`` means the default floor of the task.
        task: catalog name.
        seconds: the search's time; None when only ``candidates`` bounds it.
        candidates: the most candidates to try; None when only the time bounds it.
        engines: catalog names; empty for every engine that works here.
        threads: cores to use; 0 for all that are allowed.
        others: what is said of the data, see ``core.data_options``.
    """

    model: str
    data: str
    out: Path
    keep: tuple[str, ...] = ()
    under: tuple[str, ...] = ()
    minimize: str = "cpu"
    task: str = field(kw_only=True)
    text: str | None = None
    label: str | None = None
    group: str | None = None
    unit: str | None = None
    drop_empty: bool = False
    seconds: float | None = 900.0
    candidates: int | None = None
    engines: tuple[str, ...] = ()
    threads: int = 0
    seed: int = 0
    resume: bool = False
    prompt: str | None = None
    answer: str | None = None
    choices: tuple[str, ...] = ()
    shots: int = 0
    split_column: str | None = None
    labels: tuple[str, ...] = ()
    longest: int | None = None
    merge_labels: bool | None = None
    drop_rare: int = 0

    @property
    def of_data(self) -> DataOptions:
        """What is said of the data."""
        return DataOptions(**{one.name: getattr(self, one.name) for one in fields(DataOptions)})

    def command(self) -> str:
        """The command line that asks the same."""
        import shlex

        words = ["lighten", "optimize", self.model, "--data", self.data]
        for text in self.keep:
            words += ["--keep", text]
        for text in self.under:
            words += ["--under", text]
        words += ["--minimize", self.minimize]
        words += ["--task", self.task.replace("_", "-")]
        for name in ("choices", "labels"):
            if getattr(self, name):
                words += [f"--{name}", write_list(getattr(self, name))]
        if self.shots:
            words += ["--shots", str(self.shots)]
        for name in ROLES:
            if getattr(self, name) is not None:
                words += [f"--{name.replace('_', '-')}", getattr(self, name)]
        if self.longest is not None:
            words += ["--longest", str(self.longest)]
        if self.drop_empty:
            words.append("--drop-empty")
        if self.merge_labels is not None:
            words.append("--merge-labels" if self.merge_labels else "--no-merge-labels")
        if self.drop_rare:
            words += ["--drop-rare", str(self.drop_rare)]
        if self.seconds is not None:
            words += ["--time", f"{self.seconds:.3f}".rstrip("0").rstrip(".") + "s"]
        if self.candidates is not None:
            words += ["--candidates", str(self.candidates)]
        for name in self.engines:
            words += ["--engines", name]
        if self.threads:
            words += ["--threads", str(self.threads)]
        words += ["--seed", str(self.seed), "--out", str(self.out)]
        return shlex.join(words)


ROLES = ("prompt", "answer", "text", "label", "group", "unit", "split_column")
"""Options that name a column or a template, as a recipe keeps them."""
NUMBERS = ("shots", "longest", "drop_rare")
"""Options that are whole numbers, as a recipe keeps them."""


LISTS = ("choices", "labels")
"""Options that are lists of texts."""


def asked_of(data: Data) -> dict[str, Any]:
    """What the ``[data]`` table of a recipe says about columns and prompts, as options.

    Lists are arrays; in recipes of older versions they are texts with commas.
    """
    found: dict[str, Any] = {name: data[name] for name in ROLES if data.get(name)}
    found |= {name: read_list(data[name]) for name in LISTS if data.get(name)}
    for name in NUMBERS:
        if data.get(name):
            try:
                found[name] = int(str(data[name]))
            except ValueError as error:
                raise InputError(
                    f"{name} = {data[name]!r} in [data] is no number.", allowed="a whole number"
                ) from error
    if data.get("drop_empty"):
        found["drop_empty"] = str(data["drop_empty"]).lower() == "true"
    if data.get("merge_labels"):
        found["merge_labels"] = str(data["merge_labels"]).lower() == "true"
    return found


def recorded(options: Options, columns: Mapping[str, str]) -> dict[str, str | tuple[str, ...]]:
    """The ``[data]`` table of a recipe: the inverse of :func:`asked_of`, with the columns that were found."""
    unwanted = {name: NONE for name in ("group", "unit") if getattr(options, name) == NONE}
    found: dict[str, str | tuple[str, ...]] = {"source": options.data, **unwanted, **columns}
    for name in ("prompt", "answer", "split_column"):
        if getattr(options, name) is not None:
            found[name] = getattr(options, name)
    if options.prompt is not None:
        found.pop("text", None)
    found |= {name: getattr(options, name) for name in LISTS if getattr(options, name)}
    for name in NUMBERS:
        if getattr(options, name):
            found[name] = str(getattr(options, name))
    if options.drop_empty:
        found["drop_empty"] = "true"
    if options.merge_labels is not None:
        found["merge_labels"] = str(options.merge_labels).lower()
    return found


def seconds_of(text: str) -> float:
    """Seconds of ``15m``, ``90s``, ``1.5h``; a bare number is minutes.

    Raises:
        InputError: it cannot be read, is not positive, or is longer than a year.
    """
    match = _TIME.match(text)
    if not match or not 0 < float(match[1]) * SECONDS[(match[2] or "m")[0]] <= A_YEAR:
        raise InputError(
            f"--time {text!r} cannot be read.", allowed="a positive number with s, m or h", fix="--time 15m"
        )
    return float(match[1]) * SECONDS[(match[2] or "m")[0]]


def margin_of(text: str) -> float:
    """A margin such as ``1pt``, ``1%`` or ``0.01`` as a fraction.

    Raises:
        BudgetError: it cannot be read or is not between 0 and 1.
    """
    match = re.match(r"^\s*(\d+(?:\.\d*)?|\.\d+)\s*(pt|%)?\s*$", text)
    value = float(match[1]) * (0.01 if match[2] else 1.0) if match else 0.0
    if not 0 < value < 1:
        raise BudgetError(f"--margin {text!r} cannot be read.", allowed="between 0pt and 100pt", fix="--margin 1pt")
    return value
