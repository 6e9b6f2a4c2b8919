"""compare: prove again, on other data, that one model still does what another does."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lighten.core.artifact import Artifact
from lighten.core.budget import ALIASES, Constraint, check_provable
from lighten.core.data_options import DataOptions
from lighten.core.engine import Engine
from lighten.core.errors import BudgetError, DataError, UnknownName
from lighten.core.lists import read_list
from lighten.core.meter import QualityMeter
from lighten.core.outcome import Constant
from lighten.core.progress import Progress, remarks_to, reported_to
from lighten.core.result import Result
from lighten.core.summary import Flip, Group
from lighten.core.task import Task
from lighten.measure.constant import weigh_against_constant
from lighten.measure.interleave import results
from lighten.measure.quality import flips_of, groups_of, judge_all, verdict
from lighten.proof.verdict import Verdict
from lighten.search.options import margin_of
from lighten.search.start import meters
from lighten.verbs.answering import Heard, Pairing
from lighten.verbs.load import check_models_fit, resolved
from lighten.verbs.question import question_for

if TYPE_CHECKING:
    pass


@dataclass(frozen=True)
class Comparison:
    """What :func:`compare` found.

    Attributes:
        original, candidate: as named by the user.
        verdict: on the metric. n: rows compared.
        before, after: quality of the original and of the candidate, by quantity name.
        flips: every row with another class or choice, with its text. groups: accuracy of both by group.
        notes: what was noticed in the data.
        constant: an answer without a model that the original is not shown to be better than; None where it is.
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
    constant: Constant | None = None

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
            "constant": asdict(self.constant) if self.constant is not None else None,
        }


def compare(
    original: str | Path,
    candidate: str | Path,
    data: str | Path,
    *,
    margin: str | None = None,
    metric: str | None = None,
    prompt: str | None = None,
    answer: str | None = None,
    choices: Sequence[str] | str = (),
    text: str | None = None,
    label: str | None = None,
    labels: Sequence[str] | str = (),
    group: str | None = None,
    unit: str | None = None,
    split_column: str | None = None,
    drop_empty: bool = False,
    leave_out_learned: bool = False,
    longest: int | None = None,
    threads: int = 0,
    seed: int = 0,
    progress: Progress | None = None,
) -> Comparison:
    """Prove on other data that ``candidate`` is worse than ``original`` by less than ``margin``.

    ``data`` must be rows that neither model was made with. Rows that a model of lighten's is known to have learned from
    are left out; of data with a split of its own, only the test rows are used. Language models are asked what
    the winner among them was made for, with the same prompt and the same examples before it; else documents.

    Args:
        margin: such as ``"1pt"`` of a share of rows; ``"1%"`` of what the original needs of bits per byte. By default
            that, whichever fits the metric.
        metric: by default the first of the task: accuracy, bits per byte, exact match.
        split_column: column with train, validation, test; found by itself; ``"none"`` takes every row.
        leave_out_learned: go on with the other rows even when most are rows that a model learned from.
        labels: which class of the original a label of the data is, as in ``optimize``; by default by name, or as the
            run found that made one of the models.
        prompt, answer, choices: for language models, as in ``optimize``; only what the winner does not say itself.
        longest: most tokens of a text that both classifiers read; None for what each can.
        progress: told how far the work is: done, total, message.

    Raises:
        InputError: models of two kinds or with different labels; data that cannot be used; an unknown metric.
    """
    with tempfile.TemporaryDirectory() as keep, reported_to(progress):
        for model in (original, candidate):
            check_models_fit([str(model)])
        sides = [resolved(str(model), Path(keep) / str(n), longest) for n, model in enumerate((original, candidate))]
        named = {str(original): sides[0][0], str(candidate): sides[1][0]}
        noticed: list[str] = []
        with remarks_to(noticed.append):
            question = question_for(named, prompt, answer, read_list(choices))
        quality, _ = meters(question.task)
        floor = floor_of(quality, ALIASES.get(metric or "", metric) or question.task.metrics[0], margin)
        columns = DataOptions(
            text=text, label=label, group=group, unit=unit, split_column=split_column, drop_empty=drop_empty
        )
        pairing = Pairing(str(data), sides, named, question, read_list(labels), leave_out_learned, threads, progress)
        heard = pairing.heard(columns)
        heard = replace(heard, notes=(*noticed, *heard.notes))
    return concluded(str(original), str(candidate), sides, heard, question.task, quality, floor, str(data), seed)


def concluded(
    original: str,
    candidate: str,
    sides: Sequence[tuple[Artifact, Engine]],
    heard: Heard,
    task: Task,
    quality: Mapping[str, QualityMeter],
    floor: Constraint,
    data: str,
    seed: int,
) -> Comparison:
    """The comparison of what both models answered.

    Raises:
        DataError: the rows do not allow the metric.
    """
    rows, before, after, names = heard.rows, heard.before, heard.after, task.named(heard.labels, heard.rows)
    measured = [
        {r.meter: r for r in results(judge_all(quality, side, rows, before), artifact=a.id, engine="", part="data")}
        for side, (a, _) in zip((before, after), sides, strict=True)
    ]
    try:
        judged = verdict(quality, floor, before, after, rows, seed)
    except ValueError as error:
        raise DataError(f"{data} does not allow to compare by {floor.metric}: {error}.") from error
    return Comparison(
        original,
        candidate,
        judged,
        len(rows),
        measured[0],
        measured[1],
        flips_of(before, after, rows, names) if names is not None else (),
        groups_of(before, after, rows) if names is not None else (),
        heard.notes,
        weigh_against_constant(task, quality, before, rows, heard.labels, learned=rows, part="data", seed=seed),
    )


def floor_of(quality: Mapping[str, QualityMeter], metric: str, margin: str | None) -> Constraint:
    """The floor that a margin on a metric is: a per cent of rows is a point, a per cent of all else the original's.

    Raises:
        UnknownName: no such metric. BudgetError: a margin that cannot be read, points of what is no share, or a metric
            that is never proved.
    """
    known = {quantity.name: quantity for meter in quality.values() for quantity in meter.quantities}
    if metric not in known:
        raise UnknownName("metric", metric, known)
    check_provable(known[metric], f"--metric {metric}", known)
    share = known[metric].unit == "fraction"
    written = (margin or ("1pt" if share else "1%")).strip()
    if written.endswith("pt") and not share:
        raise BudgetError(
            f"--margin {written}: {metric} is measured in {known[metric].unit}, which has no points.",
            allowed="a per cent of the original's, or a number in that unit",
            fix="--margin 1%",
        )
    relative = "ratio" if written.endswith("%") and not share else "points"
    return Constraint(metric, margin_of(written), relative, f"{metric} within {written}")
