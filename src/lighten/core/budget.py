"""Budget: floors to keep, ceilings to stay under, one quantity to minimize."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from lighten.core.errors import BudgetError, UnknownName
from lighten.core.result import HIGHER, Quantity

ALIASES = {
    "throughput": "rows_per_second",
    "worst_domain": "worst_group",
    "acc": "accuracy",
    "f1": "macro_f1",
    "bpb": "bits_per_byte",
    "em": "exact_match",
    "ece": "calibration_error",
    "nll": "log_loss",
    "brier_score": "brier",
}
"""Other words for the same quantity, in ``--keep``, ``--under`` and ``--minimize``."""

SCALES: Mapping[str, Mapping[str, float]] = {
    "ms": {"us": 1e-3, "ms": 1.0, "s": 1e3},
    "s": {"ms": 1e-3, "s": 1.0},
    "MB": {"kB": 1e-3, "KB": 1e-3, "MB": 1.0, "MiB": 1.048576, "GB": 1e3, "GiB": 1073.741824},
    "fraction": {"": 1.0, "%": 1e-2, "pt": 1e-2},
    "bits/byte": {"": 1.0, "bits/byte": 1.0, "bpb": 1.0},
    "tok/s": {"": 1.0, "tok/s": 1.0, "tokens/s": 1.0},
}
"""Units a user may write for a quantity with this unit, and what one of them is worth."""

_CONSTRAINT = re.compile(
    r"^\s*([A-Za-z][\w.]*)\s*(>=|<=|=>|=<|==|=|>|<)\s*([+-]?)\s*(\d+(?:\.\d*)?|\.\d+)\s*([A-Za-z%/]*)\s*$"
)


@dataclass(frozen=True, slots=True)
class Constraint:
    """One floor or ceiling.

    Attributes:
        metric: name of a quantity.
        bound: in the quantity's unit. Relative: the allowed loss; below 0 it asks for a gain (``size<=50%``: -0.5).
        relative: ``"points"`` (difference to the original), ``"ratio"`` (share of the original), or ``""`` (absolute).
        text: as the user wrote it.
    """

    metric: str
    bound: float
    relative: str
    text: str

    def margin(self, original: float, direction: str) -> float:
        """The loss against ``original`` that is allowed, in the quantity's unit; negative when a gain is asked."""
        if self.relative == "points":
            return self.bound
        if self.relative == "ratio":
            return self.bound * abs(original)
        return original - self.bound if direction == HIGHER else self.bound - original

    def limit(self, original: float, direction: str) -> float:
        """The value that a candidate must reach (floor) or stay under (ceiling), in the quantity's unit."""
        if not self.relative:
            return self.bound
        margin = self.margin(original, direction)
        return original - margin if direction == HIGHER else original + margin


@dataclass(frozen=True, slots=True)
class Budget:
    """What the user asked for.

    Attributes:
        keep: quality floors, each proved.
        under: ceilings on speed, memory and size, each measured.
        minimize: quantity to make as good as possible (for ``rows_per_second``: as high as possible).
    """

    keep: tuple[Constraint, ...]
    under: tuple[Constraint, ...] = ()
    minimize: str = "cpu"

    @classmethod
    def parse(
        cls,
        keep: Sequence[str],
        under: Sequence[str],
        minimize: str,
        *,
        quality: Iterable[Quantity],
        speed: Iterable[Quantity],
    ) -> Budget:
        """Read what the user wrote, such as ``accuracy>=-1pt``, ``p95<=5ms``, ``memory<=400MB``, ``size<=50%``.

        Args:
            quality, speed: the quantities that the catalog's meters measure.

        Raises:
            UnknownName: a quantity or unit that does not exist; the nearest one is offered.
            BudgetError: it cannot be read, or two constraints contradict each other.
        """
        by_quality = {q.name: q for q in quality}
        by_speed = {q.name: q for q in speed}
        floors = tuple(_parse(text, by_quality, by_speed, "--keep") for text in keep)
        ceilings = tuple(_parse(text, by_speed, by_quality, "--under") for text in under)
        minimize = ALIASES.get(minimize, minimize)
        if minimize not in by_speed:
            raise UnknownName("quantity to minimize", minimize, [*by_speed, "throughput"])
        for constraints, option in ((floors, "--keep"), (ceilings, "--under")):
            seen: dict[str, Constraint] = {}
            for c in constraints:
                if c.metric in seen:
                    raise BudgetError(
                        f"{option} names {c.metric} twice: {seen[c.metric].text!r} and {c.text!r}.",
                        allowed="one constraint per quantity",
                        fix="leave the stricter one",
                    )
                seen[c.metric] = c
        return cls(floors, ceilings, minimize)


def check_provable(quantity: Quantity, asked: str, known: Iterable[str]) -> None:
    """Refuse to prove what is only measured.

    Args:
        asked: what the user wrote, for the message. known: names of the quantities that can be asked.

    Raises:
        BudgetError: the quantity gets no verdict; says why, and what can be proved instead.
    """
    if not quantity.unproved:
        return
    instead = [name for name in quantity.instead if name in set(known)]
    raise BudgetError(
        f"{asked}: {quantity.name} is measured and reported, but never proved: {quantity.unproved}.",
        allowed=f"what can be proved instead: {', '.join(instead)}" if instead else "a quantity that can be proved",
        fix=f"keep {instead[0]} instead" if instead else "leave it out",
    )


def _parse(text: str, known: Mapping[str, Quantity], other: Mapping[str, Quantity], option: str) -> Constraint:
    example = "accuracy>=-1pt" if option == "--keep" else "p95<=5ms"
    match = _CONSTRAINT.match(text)
    if not match:
        raise BudgetError(
            f"{option} {text!r} cannot be read.",
            allowed="QUANTITY>=NUMBER[UNIT] or <=",
            fix=f'write, say, {option} "{example}"',
        )
    name, sign, minus, number, unit = match.groups()
    name = ALIASES.get(name, name)
    if name not in known:
        if name in other:
            right = "--under" if option == "--keep" else "--keep"
            raise BudgetError(f"{option} {text!r}: {name} does not belong there.", fix=f'write {right} "{text}"')
        raise UnknownName(f"quantity for {option}", name, [*known, *(a for a, n in ALIASES.items() if n in known)])
    quantity = known[name]
    if option == "--keep":
        check_provable(quantity, f"{option} {text!r}", known)
    better_up = quantity.direction == HIGHER
    if sign not in ((">=", "=>", ">") if better_up else ("<=", "=<", "<")):
        wanted = ">=" if better_up else "<="
        raise BudgetError(
            f"{option} {text!r}: for {name}, {quantity.direction} is better, so a bound is written {wanted}.",
            fix=f"write {name}{wanted}...",
        )
    return Constraint(name, *_bound(text, quantity, option, example, minus, number, unit), text)


def _bound(
    text: str, quantity: Quantity, option: str, example: str, minus: str, number: str, unit: str
) -> tuple[float, str]:
    """Bound and kind of a constraint (see :class:`Constraint`), from its sign, number and unit."""
    name, value, fraction = quantity.name, float(number), quantity.unit == "fraction"
    better_up = quantity.direction == HIGHER
    loses = minus == ("-" if better_up else "+")
    scales = SCALES.get(quantity.unit, {quantity.unit: 1.0, "": 1.0})
    share = unit == "%" and (option == "--under" or (minus and not fraction))
    if unit not in scales and not share:
        known = [u for u in (*scales, "%") if u and (u != "%" or fraction or option == "--under")]
        raise UnknownName(f"unit for {name}", unit, known, fix=f"write it after the number, as in {example}")
    if minus and not loses and option == "--keep":
        raise BudgetError(
            f"{option} {text!r} asks for a gain over the original.",
            allowed="a loss that is allowed, or an absolute bound",
            fix=f'write, say, {option} "{example}"',
        )
    if share:
        loss = value / 100
        if not minus:
            loss = 1 - loss if better_up else loss - 1
        elif not loses:
            loss = -loss
        if not better_up and loss <= -1:
            raise BudgetError(f"{option} {text!r} leaves nothing: no candidate can reach it.", fix=f"write {name}<=50%")
        return loss, "ratio"
    value *= scales[unit]
    if minus and not loses:
        raise BudgetError(
            f"{option} {text!r} asks for a gain over the original.",
            allowed="a gain in percent, or an absolute bound",
            fix=f'write, say, {option} "{name}{">=+" if better_up else "<=-"}20%"',
        )
    if fraction and unit == "pt" and not minus:
        way = ">=-" if better_up else "<=+"
        raise BudgetError(f"{option} {text!r}: points are a difference.", fix=f"write {name}{way}{number}pt")
    if fraction and minus and not value < 1:
        way = ">=-" if better_up else "<=+"
        raise BudgetError(f"{option} {text!r} allows the loss of everything.", fix=f"write {name}{way}1pt")
    if fraction and not 0 <= value <= 1:
        raise BudgetError(f"{option} {text!r}: {name} lies between 0 and 1.", fix="write 0.85 or 85%")
    if option == "--under" and not minus and not better_up and value <= 0:
        raise BudgetError(f"{option} {text!r}: no candidate can reach it.", fix=f"write {example}")
    return value, "points" if minus else ""
