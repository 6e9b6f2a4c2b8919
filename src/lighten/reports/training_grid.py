"""The grid of a training: what models that were trained on one group alone are worth on each group, the worst first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lighten.core.result import LOWER
from lighten.core.training import ProofScore, TrainingResult
from lighten.reports.words import say


@dataclass(frozen=True)
class Grid:
    """A table of scores.

    Attributes:
        columns: groups that were tested on, the worst off the diagonal first.
        rows: score by the group that was tested on, by the group that was trained on; the last one, whose name is
            empty, is the model that was trained on all of them.
    """

    columns: tuple[str, ...]
    rows: Mapping[str, Mapping[str, ProofScore]]


def grid_of(result: TrainingResult) -> Grid | None:
    """The grid of a result; None where nobody asked for one."""
    if not result.grid:
        return None
    rows: dict[str, dict[str, ProofScore]] = {}
    for cell in result.grid:
        rows.setdefault(cell.trained_on, {})[cell.score.group] = cell.score
    rows[""] = {one.group: one for one in result.proof if one.group}
    others: dict[str, list[float]] = {name: [] for name in rows[""]}
    for cell in result.grid:
        if cell.trained_on != cell.score.group:
            others[cell.score.group].append(-cell.score.value if _falls(cell.score) else cell.score.value)
    return Grid(tuple(sorted(others, key=lambda name: min(others[name], default=0.0))), rows)


def trained_on(name: str, lang: str) -> str:
    """What a row of the grid is called."""
    return name or say(lang, "grid.all")


def worst_group(result: TrainingResult) -> ProofScore | None:
    """The group with the worst score of the trained model; None without groups."""
    return next((one for one in result.proof if one.group), None)


def _falls(score: ProofScore) -> bool:
    return score.direction == LOWER
