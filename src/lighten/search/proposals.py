"""What to try next: cheap candidates first, then architectures by bisection on their cost, then what Optuna suggests.

An *architecture* is a shape that pruning gives the float network, with the weights that recovery trains for it; its
*share* is the estimated part of the original's arithmetic that is left. Quality falls with the share, so bisection
finds the cheapest architecture that still looks good in few trials: an architecture costs minutes, each of its
deployment variants seconds. What bisection leaves open goes to Optuna's constrained TPE sampler. Every choice is a
function of the study alone, so that a resumed run goes on as an uninterrupted one would.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from math import log
from typing import Any

from lighten.core import catalog
from lighten.core.engine import Engine
from lighten.core.recipe import record_of, step_from
from lighten.core.space import Space, Variant, combinations
from lighten.core.step import Step, settings_of

OFF, BACK = "off", "recovery"
VARIANT = "dressing"
"""Optuna's parameter for the deployment variant; the old word, so that runs begun with it go on."""
TAUGHT_COSTS = 1.5
"""Times that an epoch with a teacher beside it takes of one without: 2.85 s against 1.95 s for 512 tokens of Gemma 270M
with 38,000 of its tokens."""
LEAST_EPOCHS = 0.05
BOLDNESS = 0.7
"""Share of the cheapest success that is tried next while nothing has failed. Bolder steps fail: from 0.45 to 0.2 of the
arithmetic cost 1.9 points more."""
LEARNED = 0.05
"""Share of the time that learning the cheap baselines may take."""
ALIKE = 0.1
"""Architectures whose shares differ by less than this (in logarithm) count as equally large; fewer reshaping steps win:
all six layers at 0.44 changed 6.5 % of the answers, four of them at the same share 9.5 %."""


@dataclass(frozen=True)
class Architecture:
    """Which exact and reshaping steps make a float network; recovery follows the last one.

    Attributes:
        exact: steps that change no answer on covered text.
        reshaping: in catalog order.
        back: what trains it back, where that is another step than the space's own.
        epochs: of the training back; None for the step's own number, 0 for no training.
        facts: of the original, for the estimate of what is left.
    """

    exact: tuple[Step, ...] = ()
    reshaping: tuple[Step, ...] = ()
    back: Step | None = None
    epochs: float | None = None
    facts: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def share(self) -> float:
        """Estimated share of the original's arithmetic that is left."""
        share = 1.0
        for step in self.reshaping:
            share *= step.share(self.facts)
        return share

    def recipe(self, recovery: Sequence[type[Step]]) -> tuple[Step, ...]:
        """The steps in order, recovery at the end alone: each one costs minutes."""
        if not self.reshaping or self.epochs == 0:
            return (*self.exact, *self.reshaping)
        if self.back is not None:
            less = None if self.epochs is None else max(round(self.epochs / TAUGHT_COSTS, 2), LEAST_EPOCHS)
            return (*self.exact, *self.reshaping, _for(less, self.back))
        return (*self.exact, *self.reshaping, *(_for(self.epochs, cls()) for cls in recovery))

    @property
    def wants_recovery(self) -> bool:
        """Whether what is left answers badly without training."""
        return any(step.wants_recovery for step in self.reshaping)

    @property
    def name(self) -> str:
        """Key of this architecture in a study."""
        back = () if self.back is None else (self.back,)
        return " + ".join(describe(step) for step in (*self.exact, *self.reshaping, *back)) or "as it is"


def describe(step: Any) -> str:
    """``layers(keep=0.5)``: a step or engine with the settings that differ from the default."""
    record = record_of(step)
    defaults = {s.name: s.default for s in settings_of(type(step))}
    changed = [f"{k}={v}" for k, v in record.items() if k != "use" and v != defaults[k]]
    ranged = [f"{s.name}={record[s.name]}" for s in settings_of(type(step)) if s.search and s.name in record]
    shown = ", ".join(dict.fromkeys([*changed, *(ranged if isinstance(step, Step) else [])]))
    return f"{record['use'].rpartition('.')[2]}{f'({shown})' if shown else ''}"


def name_of(steps: Sequence[Step], engine: Any) -> str:
    """A short, readable name of a candidate. What trains it back is named where the search varies it."""
    trained = ("distill", "train")
    named = [
        s
        for s in steps
        if s.produces
        or catalog.name_of(s).partition(".")[0] not in trained
        or any(one.search for one in settings_of(type(s)))
    ]
    # How long a step trains follows from the time that was left: the same candidate, whenever it is tried.
    usual = [_for(next((x.default for x in settings_of(type(s)) if x.name == "epochs"), None), s) for s in named]
    shown = [describe(s) for s in usual]
    return f"{' + '.join(shown) or 'as it is'} @ {describe(engine)}"


def _for(epochs: float | None, step: Step) -> Step:
    if epochs is None or all(s.name != "epochs" for s in settings_of(type(step))):
        return step
    return step_from({**record_of(step), "epochs": epochs})


def architectures(space: Space, exact: tuple[Step, ...] = ()) -> list[Architecture]:
    """Every architecture with reshaping, the largest share first, each with the same exact steps."""
    choices: list[list[Step | None]] = [
        [None, *(step for step in possible(space, cls) if 0.0 < step.share(space.facts) < 1.0)]
        for cls in space.reshaping
    ]
    found = []
    for combination in product(*choices):
        steps = tuple(step for step in combination if step is not None)
        if steps:
            found.append(Architecture(exact, steps, facts=space.facts))
    return sorted(found, key=lambda b: (-b.share, len(b.reshaping), b.name))


def possible(space: Space, cls: type[Step]) -> list[Step]:
    """A step with every combination of settings that the original can be given; its family may refuse some."""
    every: list[Step] = combinations(cls)
    return [step for step in every if not step.check(space.facts)]


def exact_steps(space: Space) -> tuple[Step, ...]:
    """Exact steps at their defaults."""
    return tuple(cls() for cls in space.exact)


def next_architecture(
    tried: Mapping[str, bool], architectures: Sequence[Architecture], first: float
) -> Architecture | None:
    """The architecture to try next, by bisection on the logarithm of the share; None when none is left in between.

    Args:
        tried: name of each architecture tried so far, and whether its best candidate looks good enough.
        architectures: every architecture, tried or not, the largest share first.
        first: share of the arithmetic that the first one keeps.
    """
    by_name = {architecture.name: architecture for architecture in architectures}
    known = {name: ok for name, ok in tried.items() if name in by_name}
    good = [by_name[name].share for name, ok in known.items() if ok]
    bad = [by_name[name].share for name, ok in known.items() if not ok]
    top = min(good, default=1.0)
    bottom = max((s for s in bad if s < top), default=0.0)
    between = [b for b in architectures if b.name not in known and bottom < b.share < top]
    if not good:  # what answers badly without training loses far more for what it saves
        between = [b for b in between if not b.wants_recovery] or between
    if not between:
        return None
    if not bad:
        target = log(top * BOLDNESS if good else first)
    else:
        target = (log(top) + log(max(bottom, 1e-3))) / 2
    return min(
        between,
        key=lambda b: (
            round(abs(log(b.share) - target) / ALIKE),
            len(b.reshaping),
            -b.reshaping[0].share(b.facts),
            b.name,
        ),
    )


def parameters(space: Space, architecture: Architecture, variant: Variant) -> dict[str, str]:
    """The point of Optuna's space that a candidate is: a choice for each step class and for the variant."""
    point = {}
    for cls in (*space.exact, *space.reshaping):
        made = [step for step in (*architecture.exact, *architecture.reshaping) if type(step) is cls]
        point[catalog.name_of(cls)] = describe(made[0]) if made else OFF
    if space.alternatives:
        point[BACK] = describe(architecture.back) if architecture.back is not None else OFF
    return {**point, VARIANT: variant_name(variant)}


def affordable(variants: Sequence[Variant], characters: int, seconds: float | None) -> list[Variant]:
    """Variants that leave most of the time for the rest, those that are quick to train first.

    Of what is trained, as many as fit into ``LEARNED`` of the time together, the quickest first.

    Args:
        characters: of the text that they learn from. seconds: the search's time; None when it is not bounded.
    """
    costs = [sum(step.seconds(characters) for step in variant.steps) for variant in variants]
    room = float("inf") if seconds is None else LEARNED * seconds
    learned = []
    for number in sorted((n for n, cost in enumerate(costs) if cost > 0), key=costs.__getitem__):
        room -= costs[number]
        if room >= 0:
            learned.append(number)
    quick = [variant for variant, cost in zip(variants, costs, strict=True) if not cost]
    return [*quick, *(variants[number] for number in sorted(learned))]


def left_out(variants: Sequence[Variant], kept: Sequence[Variant]) -> list[str]:
    """Names of the steps that no affordable variant uses."""
    every, tried = ({catalog.name_of(step) for d in ds for step in d.steps} for ds in (variants, kept))
    return sorted(every - tried)


def one_at_a_time(engine: Engine) -> list[Engine]:
    """The engine with other settings, each differing from it in one."""
    base = record_of(engine)
    return [v for v in engine.ways() if sum(record_of(v)[name] != base[name] for name in base) == 1]


def variant_name(variant: Variant) -> str:
    """Name of a variant: its steps and its engine with all that differs from the defaults."""
    return name_of(variant.steps, variant.engine)


def choices(space: Space, variants: Sequence[Variant]) -> dict[str, list[str]]:
    """Optuna's space: names of the choices for each step class and for the variant."""
    found = {catalog.name_of(cls): [OFF, describe(cls())] for cls in space.exact}
    for cls in space.reshaping:
        found[catalog.name_of(cls)] = [OFF, *(describe(step) for step in possible(space, cls))]
    if space.alternatives:
        found[BACK] = [OFF, *(describe(step) for step in space.alternatives)]
    return {**found, VARIANT: [variant_name(d) for d in variants]}


def from_parameters(
    space: Space, variants: Sequence[Variant], point: Mapping[str, str]
) -> tuple[Architecture, Variant]:
    """The architecture and variant at a point of Optuna's space."""
    exact = tuple(cls() for cls in space.exact if point[catalog.name_of(cls)] != OFF)
    reshaping = []
    for cls in space.reshaping:
        for step in combinations(cls):
            if describe(step) == point[catalog.name_of(cls)]:
                reshaping.append(step_from(record_of(step)))
    by_name = {variant_name(d): d for d in variants}
    back = next((step for step in space.alternatives if describe(step) == point.get(BACK)), None)
    return Architecture(exact, tuple(reshaping), back, facts=space.facts), by_name[point[VARIANT]]
