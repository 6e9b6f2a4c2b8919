"""What a run is asked: every option of ``lighten optimize``, read and checked."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from lighten.core.errors import BudgetError, InputError

_TIME = re.compile(r"^\s*(\d+(?:\.\d*)?)\s*(s|sec|m|min|h)?\s*$")

SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0}
A_YEAR = 366 * 86_400.0


@dataclass(frozen=True, slots=True)
class Options:
    """Every option of the main job.

    Attributes:
        model, data: as the user gave them.
        keep, under, minimize: the budget as written; an empty ``keep`` means the default floor of the task.
        text, label, group, unit: column names; None where they are to be found.
        drop_empty: leave rows with an empty text or label out instead of refusing the file.
        seconds: the search's time; None when only ``candidates`` bounds it.
        candidates: the most candidates to try; None when only the time bounds it.
        engines: catalog names; empty for every engine that works here.
        threads: cores to use; 0 for all that are allowed.
    """

    model: str
    data: str
    out: Path
    keep: tuple[str, ...] = ()
    under: tuple[str, ...] = ()
    minimize: str = "cpu"
    task: str = "text_classification"
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

    def command(self) -> str:
        """The command line that asks the same."""
        import shlex

        words = ["lighten", "optimize", self.model, "--data", self.data]
        for text in self.keep:
            words += ["--keep", text]
        for text in self.under:
            words += ["--under", text]
        words += ["--minimize", self.minimize]
        for name in ("text", "label", "group", "unit"):
            if getattr(self, name) is not None:
                words += [f"--{name}", getattr(self, name)]
        if self.drop_empty:
            words.append("--drop-empty")
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
