"""From options to a run that is ready to search: everything is checked before anything is written."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from lighten.core import catalog
from lighten.core.budget import Budget, Constraint
from lighten.core.engine import Engine
from lighten.core.errors import DataError, InputError, UnknownName
from lighten.core.meter import QualityMeter, SpeedMeter
from lighten.core.recipe import Recipe
from lighten.core.summary import Power
from lighten.core.task import PART_NAMES, Parts, Rows, Task
from lighten.data.columns import find_columns
from lighten.data.parts import split
from lighten.data.table import read_table
from lighten.measure.probe import probe_engine
from lighten.proof.power import needed_items, provable_margin
from lighten.search.listener import Listener
from lighten.search.options import Options

EXPECTED_DISAGREEMENT = 0.05
"""Share of rows on which original and candidate are expected to disagree, for the power computed beforehand."""
DEFAULT_MARGIN = 0.01


@dataclass(frozen=True)
class Asked:
    """What the user asked, read and checked; nothing has been written yet.

    Attributes:
        columns: the data's columns by role, for the record.
    """

    options: Options
    task: Task
    parts: Parts
    budget: Budget
    power: tuple[Power, ...]
    quality: Mapping[str, QualityMeter]
    speed: Mapping[str, SpeedMeter]
    columns: Mapping[str, str]


def meters() -> tuple[dict[str, QualityMeter], dict[str, SpeedMeter]]:
    """All meters of the catalog by catalog name: of quality, of speed."""
    made = {name: catalog.load("meters", name)() for name in catalog.names("meters")}
    quality = {name: meter for name, meter in made.items() if isinstance(meter, QualityMeter)}
    return quality, {name: meter for name, meter in made.items() if isinstance(meter, SpeedMeter)}


def ask(options: Options, listener: Listener) -> Asked:
    """Read and check everything the user gave except the model.

    Raises:
        InputError: anything that cannot be used, with what was seen, what is allowed and what to do.
    """
    quality, speed = meters()
    task: Task = catalog.load("tasks", options.task)()
    for name in options.engines:
        if name not in catalog.names("engines"):
            raise UnknownName("engine", name, catalog.names("engines"))
    budget = Budget.parse(
        options.keep,
        options.under,
        options.minimize,
        quality=[q for meter in quality.values() for q in meter.quantities],
        speed=[q for meter in speed.values() for q in meter.quantities],
    )
    table = read_table(options.data)
    columns = find_columns(table, options.text, options.label, options.group, options.unit)
    parts = split(table, columns, seed=options.seed, drop_empty=options.drop_empty)
    for note in parts.notes:
        listener.note(note)
    if not budget.keep:
        budget = Budget((default_floor(task, parts),), budget.under, budget.minimize)
        listener.note(f"No --keep was given: {budget.keep[0].text}.")
    power = tuple(power_of(constraint, parts) for constraint in budget.keep)
    check_power(budget, power, parts)
    for one in power:
        listener.note(
            f"Your {one.n:,} proof rows can prove a loss of at most {one.provable * 100:.1f} points "
            f"at {EXPECTED_DISAGREEMENT:.0%} disagreement; you allow {one.margin * 100:.1f}."
        )
    if any(c.metric == "worst_group" for c in budget.keep) and not parts.proof.groups:
        raise DataError(
            "--keep worst_group needs groups, and the data has no group column.", fix="name one with --group COLUMN"
        )
    named = {name: getattr(columns, name) for name in ("text", "label", "group", "unit")}
    return Asked(options, task, parts, budget, power, quality, speed, {k: v for k, v in named.items() if v is not None})


def default_floor(task: Task, parts: Parts) -> Constraint:
    """The task's first metric, at 1 point or at the smallest margin that the proof part can prove."""
    provable = provable_margin(len(parts.proof), disagreement=EXPECTED_DISAGREEMENT)
    points = max(DEFAULT_MARGIN * 100, round(provable * 100 + 0.05, 1))
    metric = task.metrics[0]
    return Constraint(metric, points / 100, "points", f"{metric}>=-{points:g}pt")


def power_of(constraint: Constraint, parts: Parts) -> Power:
    """What the proof part can prove about one floor. An absolute floor's margin is not known yet: 0."""
    n = len(parts.proof)
    margin = constraint.bound if constraint.relative == "points" else 0.0
    return Power(constraint.metric, n, margin, provable_margin(n, disagreement=EXPECTED_DISAGREEMENT))


def check_power(budget: Budget, power: tuple[Power, ...], parts: Parts) -> None:
    """Refuse a margin that the proof part could not prove even if nothing ever flipped.

    Raises:
        DataError: fewer rows than the margin can ever prove.
    """
    from lighten.proof.paired import tango_interval

    for constraint, one in zip(budget.keep, power, strict=True):
        if constraint.metric != "accuracy" or not one.margin:
            continue
        lower, _ = tango_interval(0, 0, one.n)
        if lower <= -one.margin:
            least = needed_items(one.margin, disagreement=EXPECTED_DISAGREEMENT)
            raise DataError(
                f"{one.n} proof rows can never prove {constraint.text}: even without one changed answer "
                f"the bound would be {-lower * 100:.1f} points.",
                allowed=f"about {least:,} proof rows ({4 * least:,} in all) for this margin",
                fix=f'give more rows, or --keep "{constraint.metric}>=-{one.provable * 100:.1f}pt"',
            )


def working_engines(asked: Asked, listener: Listener) -> tuple[tuple[Engine, ...], dict[str, str]]:
    """Engines that work on this machine at their default settings, and the reason for each other one.

    Raises:
        InputError: an engine that was asked for does not work here, or none does.
    """
    wanted = asked.options.engines or catalog.names("engines")
    found: list[Engine] = []
    refused: dict[str, str] = {}
    for name in dict.fromkeys(("eager", *wanted)):
        listener.progress(len(found) + len(refused), len(wanted), f"trying engine {name}")
        health = probe_engine(name)
        if health.works:
            found.append(catalog.load("engines", name)())
        elif name in asked.options.engines or name == "eager":
            raise InputError(f"The engine {name} does not work here: {health.reason}", fix=health.fix)
        else:
            refused[name] = health.reason
            listener.note(f"Left out: engine {name} ({health.reason})")
    return tuple(found), refused


def load_recipe_defaults(model: str, seed: int) -> Recipe:
    """The recipe that fine-tunes a model without a head."""
    return Recipe(model, (catalog.load_step("train.full")(),), seed=seed)


def aligned(parts: Parts, labels: Sequence[str], model: str) -> Parts:
    """The parts with targets that index into the labels of a model that has a head already.

    Names are matched whatever their case. A model whose labels are only numbered (``LABEL_0``, ...) takes the data's
    labels in their order, and a note says so.

    Raises:
        DataError: the data has a label that the model never saw in training.
    """
    known = {name.casefold(): index for index, name in enumerate(labels)}
    unnamed = all(re.fullmatch(r"label_\d+", name) for name in known)
    strange = [name for name in parts.labels if name.casefold() not in known]
    if strange and unnamed and len(labels) == len(parts.labels):
        pairs = ", ".join(f"{a} is {b!r}" for a, b in zip(labels, parts.labels, strict=True))
        note = f"The labels of {model} have no names; they were taken in order: {pairs}."
        return replace(parts, notes=(*parts.notes, note))
    if strange:
        raise DataError(
            f"{model} was never trained on the label{'s' if len(strange) > 1 else ''} "
            f"{', '.join(map(repr, strange))} of the data.",
            allowed=", ".join(labels),
            fix="rename the labels in the data, or bring a model without a head, which is fine-tuned first",
        )
    place = [known[name.casefold()] for name in parts.labels]

    def moved(rows: Rows) -> Rows:
        return replace(rows, targets=tuple(place[target] for target in rows.targets))

    train, tune, select, proof = (moved(parts[name]) for name in PART_NAMES)
    return Parts(train, tune, select, proof, tuple(labels), parts.notes)
