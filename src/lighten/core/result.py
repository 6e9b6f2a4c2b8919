"""Result: one measured number with everything that is needed to read it. The currency of search, report and serve."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

LOWER, HIGHER = "lower", "higher"


@dataclass(frozen=True, slots=True)
class Quantity:
    """Something a meter measures.

    Attributes:
        name: such as ``"p50"``.
        unit: such as ``"ms"``.
        direction: which way is better, ``"lower"`` or ``"higher"``.
        doc: one sentence.
        unproved: why no interval of it can be trusted, so that it is measured but never proved; empty when it can be.
        instead: quantities that say much the same and can be proved.
    """

    name: str
    unit: str
    direction: str
    doc: str
    unproved: str = ""
    instead: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Measured:
    """A value with its spread.

    Attributes:
        value: the median, or the statistic itself; None when it is unknown on this machine.
        n: how many observations it rests on.
        spread: half the interquartile range of the repetitions, in the unit; None when there was one repetition.
        note: why the value is unknown, or what else a reader must know.
    """

    value: float | None
    n: int
    spread: float | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """Plain immutable data: what was measured, on what, with which spread.

    Attributes:
        artifact: id of the artifact that ran.
        engine: catalog name of the engine.
        device: such as ``"cpu"``.
        meter: name of the quantity.
        value: None when unknown.
        part: which part of the data it was measured on (``select`` or ``proof``).
        ratio: original / candidate for lower-is-better, candidate / original for higher-is-better, measured pairwise
            in one interleaved run: the median over its undisturbed rounds; above 1 is better. None for quality, and
            for the original itself 1.
        environment: hash of the environment record of the run.
        ratio_spread: half the interquartile range of the rounds' ratios; None when one round counted.
        rounds: how many rounds the ratio rests on; 0 where there is none.
        ratio_unit: unit in which the two were compared, where that is not ``unit`` (tokens of two vocabularies are
            compared by the bytes they stand for).
        reference: what the original read in the same rounds, in ``unit``.
        unsure: the machine was disturbed, or the rounds differ too much, so that the ratio may be wrong; ``note`` says
            which. Nothing should be decided by it before it is measured again.
    """

    artifact: str
    engine: str
    device: str
    meter: str
    value: float | None
    unit: str
    direction: str
    n: int
    spread: float | None = None
    part: str = "select"
    ratio: float | None = None
    note: str = ""
    environment: str = ""
    ratio_spread: float | None = None
    rounds: int = 0
    ratio_unit: str = ""
    reference: float | None = None
    unsure: bool = False

    def to_json(self) -> dict[str, Any]:
        """As a plain dictionary."""
        return asdict(self)


@dataclass(frozen=True)
class Candidate:
    """What a recipe makes of the original, built for one engine, and what became of it.

    Attributes:
        key: number of the candidate in its run; 0 is the original.
        name: short and readable, such as ``"3 layers + int8_dynamic @ ort"``.
        recipe: the steps, each ``{"use": catalog name, settings...}``.
        engine: catalog name; engine_settings: its settings.
        state: ``"ok"``, ``"failed"``, ``"stopped"`` (racing) or ``"running"``.
        reason: why it failed or was stopped: ``"SessionCrashed: ..."``; empty when ok.
        artifact: id of the built artifact; empty when it was never built.
        results: by quantity name.
        role: ``"original"``, ``"stock"`` (what a user could pick without lighten) or ``"search"``.
        seconds: wall-clock seconds that making and measuring it took.
    """

    key: int
    name: str
    recipe: tuple[Mapping[str, Any], ...]
    engine: str
    engine_settings: Mapping[str, Any] = field(default_factory=dict)
    state: str = "running"
    reason: str = ""
    artifact: str = ""
    results: Mapping[str, Result] = field(default_factory=dict)
    role: str = "search"
    seconds: float = 0.0

    def value(self, meter: str) -> float | None:
        """Value of a quantity; None when it was not measured or is unknown."""
        found = self.results.get(meter)
        return found.value if found else None

    def value_beside(self, meter: str, original: Candidate) -> float | None:
        """Value of a quantity as a bound that is relative to the original's has to see it.

        That is the original's value by the ratio of the two, where one was measured: of the same minute, and by text
        where a token of the one is not a token of the other.
        """
        found, before = self.results.get(meter), original.value(meter)
        if found is None or found.value is None or before is None or not found.ratio:
            return self.value(meter)
        return before * found.ratio if found.direction == HIGHER else before / found.ratio

    def to_json(self) -> dict[str, Any]:
        """As a plain dictionary."""
        return asdict(self)
