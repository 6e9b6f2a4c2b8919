"""compare: prove again, on other data, that one model still does what another does."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lighten.core.budget import Constraint
from lighten.core.errors import InputError, UnknownName
from lighten.core.result import Result
from lighten.core.summary import Flip, Group
from lighten.data.columns import find_columns
from lighten.data.parts import encode
from lighten.data.table import read_table
from lighten.isolate.machine import allowed_cores
from lighten.measure.interleave import results
from lighten.measure.process import SessionProcess
from lighten.measure.quality import flips_of, groups_of, judge_all, verdict
from lighten.proof.verdict import Verdict
from lighten.search.options import margin_of
from lighten.search.start import meters
from lighten.verbs.load import resolved


@dataclass(frozen=True)
class Comparison:
    """What :func:`compare` found.

    Attributes:
        original, candidate: as named by the user.
        verdict: on the metric. n: rows compared.
        before, after: quality of the original and of the candidate, by quantity name.
        flips: every row with another answer, with its text. groups: accuracy of both by group.
        notes: what was noticed in the data.
    """

    original: str
    candidate: str
    verdict: Verdict
    n: int
    before: dict[str, Result]
    after: dict[str, Result]
    flips: tuple[Flip, ...]
    groups: tuple[Group, ...]
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """As a plain dictionary."""
        from dataclasses import asdict

        return {
            "original": self.original,
            "candidate": self.candidate,
            "n": self.n,
            "verdicts": [self.verdict.to_json()],
            "quality": {
                name: {
                    "unit": r.unit,
                    "direction": r.direction,
                    "original": self.before[name].value,
                    "candidate": r.value,
                }
                for name, r in self.after.items()
            },
            "flips": [asdict(flip) for flip in self.flips],
            "groups": [asdict(group) for group in self.groups],
            "notes": list(self.notes),
        }


def compare(
    original: str | Path,
    candidate: str | Path,
    data: str | Path,
    *,
    margin: str = "1pt",
    metric: str = "accuracy",
    text: str | None = None,
    label: str | None = None,
    group: str | None = None,
    unit: str | None = None,
    drop_empty: bool = False,
    threads: int = 0,
    seed: int = 0,
) -> Comparison:
    """Prove on labelled rows that ``candidate`` is worse than ``original`` by less than ``margin``.

    Every row of ``data`` is used, so it must be data that neither model was made with.

    Raises:
        InputError: models with different labels; data that cannot be used; an unknown metric.
    """
    quality, _ = meters()
    known = [q.name for meter in quality.values() for q in meter.quantities]
    if metric not in known:
        raise UnknownName("metric", metric, known)
    floor = Constraint(metric, margin_of(margin), "points", f"{metric} within {margin}")
    with tempfile.TemporaryDirectory() as keep:
        sides = [resolved(str(model), Path(keep) / str(n)) for n, model in enumerate((original, candidate))]
        labels = [tuple(artifact.meta.get("labels", ())) for artifact, _ in sides]
        if sorted(labels[0]) != sorted(labels[1]):
            raise InputError(f"The models do not have the same labels: {labels[0]} and {labels[1]}.")
        table = read_table(data)
        columns = find_columns(table, text, label, group, unit)
        rows = encode(table, columns, labels[0], drop_empty=drop_empty)
        answers = []
        for (artifact, engine), own in zip(sides, labels, strict=True):
            with SessionProcess(artifact, engine, threads=threads or allowed_cores(), deadline=3600.0) as session:
                answers.append(session.run(rows.inputs)[:, [own.index(name) for name in labels[0]]])
    before, after = answers
    measured = [
        {r.meter: r for r in results(judge_all(quality, side, rows, before), artifact=a.id, engine="", part="data")}
        for side, (a, _) in zip(answers, sides, strict=True)
    ]
    return Comparison(
        str(original),
        str(candidate),
        verdict(quality, floor, before, after, rows, seed),
        len(rows),
        measured[0],
        measured[1],
        flips_of(before, after, rows, labels[0]),
        groups_of(before, after, rows),
        (*table.notes, *columns.notes),
    )
