"""Space: which recipes can be composed from the catalog, by what formats allow.

No step names another, but those that it ``supersedes``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any

from lighten.core import catalog
from lighten.core.engine import Engine
from lighten.core.matching import fits
from lighten.core.recipe import conversion
from lighten.core.step import Step, after, settings_of


@dataclass(frozen=True)
class Variant:
    """A deployment variant, the cheap end of a recipe: what is done to a float network without training, and for which
    engine."""

    steps: tuple[Step, ...]
    engine: Engine


@dataclass(frozen=True)
class Space:
    """Everything that can be tried.

    Attributes:
        reshaping: step classes that change the float network and want recovery (layers, width, ...).
        exact: step classes that change the float network and no answer on covered text (vocabulary).
        recovery: step classes that train the network back.
        alternatives: steps that could take the place of ``recovery``, each alone; sampled when bisection is done.
        variants: every combination of quantization and engine that formats allow; models that are trained from
            nothing and take nothing of the original (counts of words) are variants too.
        facts: what is known of the original.
        refused: conversions that this original does not allow, by name, with the reason: what needs them is left out.
    """

    reshaping: tuple[type[Step], ...]
    exact: tuple[type[Step], ...]
    recovery: tuple[type[Step], ...]
    variants: tuple[Variant, ...]
    facts: Mapping[str, Any] = field(default_factory=dict)
    alternatives: tuple[Step, ...] = ()
    refused: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def compose(cls, format: str, engines: Sequence[Engine], facts: Mapping[str, Any]) -> Space:
        """All recipes for a float network of ``format``; steps that refuse these facts are left out."""
        known = {entry.name: catalog.load_step(entry.name) for entry in catalog.steps()}
        refused = {entry.name: why for entry in catalog.entries("export") if (why := known[entry.name]().check(facts))}
        fitting = [step for step in known.values() if _bridge(format, step.consumes, facts) is not None]
        superseded = {name for step in fitting if not step().check(facts) for name in step.supersedes}
        reshaping: list[type[Step]] = []
        exact: list[type[Step]] = []
        recovery: list[type[Step]] = []
        taught: list[type[Step]] = []
        last: list[type[Step]] = []
        for entry in catalog.steps():
            step = known[entry.name]
            tried = combinations(step) if entry.kind == "quantize" else [step()]
            if entry.kind == "export" or entry.name in superseded or all(one.check(facts) for one in tried):
                continue
            bridge = _bridge(format, step.consumes, facts)
            if bridge is None:
                if entry.kind == "quantize":
                    last.append(step)
                continue
            trainable = bridge[-1].produces if bridge else format
            if fits(trainable, step.recovers):
                recovery.append(step)
            elif entry.kind == "distill" and fits(trainable, step.consumes):
                taught.append(step)
            elif entry.kind == "prune" and step().reshapes(facts):
                reshaping.append(step)
            elif entry.kind == "prune":
                exact.append(step)
            elif entry.kind == "quantize" or (entry.kind == "train" and step.produces):
                last.append(step)
        variants = tuple(_variants(format, last, engines, facts))
        # Where a training step says that it recovers this format, learning from the original is another way.
        others = [step for one in taught for step in combinations(one)] if recovery else []
        back = tuple(recovery or taught)
        return cls(tuple(reshaping), tuple(exact), back, variants, dict(facts), tuple(others), refused)


def _bridge(format: str, wanted: Sequence[str], facts: Mapping[str, Any]) -> tuple[Step, ...] | None:
    """As :func:`conversion`; None also where a conversion refuses these facts."""
    found = conversion(format, wanted, facts)
    return None if found is None or any(link.check(facts) for link in found) else found


def _variants(
    format: str, last: Sequence[type[Step]], engines: Sequence[Engine], facts: Mapping[str, Any]
) -> Iterator[Variant]:
    for engine in engines:
        if _bridge(format, engine.consumes, facts) is not None:
            yield Variant((), engine)
        for step in last:
            bridge = _bridge(format, step.consumes, facts)
            if bridge is None:
                continue
            made = format
            for link in (*bridge, step()):
                made = after(link, made)
            if _bridge(made, engine.consumes, facts) is not None:
                for one in combinations(step):
                    if not one.check(facts):
                        yield Variant((one,), engine)


def combinations(cls: type[Any]) -> list[Any]:
    """Every combination of the search ranges of a step or engine, the most promising first."""
    ranged = [s for s in settings_of(cls) if s.search]
    return [
        replace(cls(), **dict(zip([s.name for s in ranged], values, strict=True)))
        for values in product(*(s.search for s in ranged))
    ]
