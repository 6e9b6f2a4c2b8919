"""The verdict: did quality hold, within a margin, on the items of the proof part?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from lighten.proof.paired import check_counts, mcnemar_exact, paired_interval
from lighten.proof.power import items_to_settle

State = Literal["holds", "worse", "not_enough_data"]
Direction = Literal["higher", "lower"]
Kind = Literal["difference", "share", "absolute"]
"""What was asked: a loss against the original, such a loss as a share of the original's value, or a value by itself."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the proof part says about one metric of one candidate.

    Attributes:
        metric: such as ``"accuracy"``.
        state: ``"holds"``, ``"worse"`` or ``"not_enough_data"``.
        original: value of the metric for the original.
        candidate: value of the metric for the candidate.
        direction: which way the metric is better, ``"higher"`` or ``"lower"``.
        difference: change for the better, in the metric's unit: candidate - original when higher is better, else
            original - candidate. Negative is a loss. Of an absolute floor it is the distance to the floor instead:
            candidate - floor, or floor - candidate.
        lower: one-sided lower bound of the difference.
        upper: one-sided upper bound of the difference.
        margin: largest loss accepted, in the metric's unit, not negative; 0 for an absolute floor.
        confidence: of each bound on its own.
        n: rows judged.
        units: independent units that the rows belong to; equals ``n`` when every row is its own unit.
        b: rows that only the original had right; None when rows are not right or wrong.
        c: rows that only the candidate had right; None when rows are not right or wrong.
        needed: units that would settle it, about, if the rates stayed as observed; None when the verdict is settled
            or when no number would settle it.
        method: how the bounds were found, such as ``"tango"``.
        kind: ``"difference"``, ``"share"`` (the margin is a share of the original's true value, not of the one
            observed) or ``"absolute"`` (a bound on the candidate alone; what the original reached is no part of it).
        floor: the value asked by an absolute floor, in the metric's unit; else None.
        group: the group that decides, where every group was judged; ``n``, ``units``, ``original``, ``candidate`` and
            all the rest are that group's. Else empty.
    """

    metric: str
    state: State
    original: float
    candidate: float
    direction: Direction
    difference: float
    lower: float
    upper: float
    margin: float
    confidence: float
    n: int
    units: int
    b: int | None
    c: int | None
    needed: int | None
    method: str
    kind: Kind = "difference"
    floor: float | None = None
    group: str = ""

    @property
    def holds(self) -> bool:
        """Whether quality is proven to have held."""
        return self.state == "holds"

    @property
    def reached(self) -> float:
        """The value that is proved, in the metric's unit: at least that, or at most that when lower is better."""
        reference = self.original if self.floor is None else self.floor
        return reference + self.lower if self.direction == "higher" else reference - self.lower

    def to_json(self) -> dict[str, Any]:
        """As a plain dictionary."""
        return asdict(self)

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Verdict:
        """From a plain dictionary.

        Raises:
            ValueError: the state, the direction or the kind is none that exists.
        """
        for name, known in (("state", State), ("direction", Direction), ("kind", Kind)):
            if record.get(name, "difference" if name == "kind" else None) not in get_args(known):
                raise ValueError(f"no such verdict: {name}={record.get(name)!r}")
        return cls(**record)


def judge_counts(
    both: int, b: int, c: int, n: int, margin: float, metric: str = "accuracy", confidence: float = 0.95
) -> Verdict:
    """Judge paired right/wrong outcomes from their counts.

    *holds* when the lower bound (Tango's, exact where items only broke) is above ``-margin``; else *worse* when the
    exact McNemar test rejects at ``1 - confidence`` or the upper bound is below ``-margin``; else *not enough data*.

    Args:
        both: items that both had right.
        b: items that only the original had right.
        c: items that only the candidate had right.
        n: items.
        margin: largest loss accepted, a proportion in [0, 1).
        metric: name for the verdict.
        confidence: one-sided.

    Raises:
        ValueError: counts that cannot be, or a margin or confidence out of range.
    """
    check_counts(b, c, n)
    both, b, c, n = int(both), int(b), int(c), int(n)  # numpy's integers do not go into JSON
    if not 0 <= both <= n - b - c:
        raise ValueError(f"both right = {both} does not fit n = {n}, b = {b}, c = {c}")
    check_margin(margin, below=1.0)
    lower, upper = paired_interval(b, c, n, confidence)
    state: State = "not_enough_data"
    if lower > -margin:
        state = "holds"
    elif upper < -margin or mcnemar_exact(b, c) <= 1.0 - confidence:
        state = "worse"
    return Verdict(
        metric=metric,
        state=state,
        original=(both + b) / n,
        candidate=(both + c) / n,
        direction="higher",
        difference=(c - b) / n,
        lower=lower,
        upper=upper,
        margin=margin,
        confidence=confidence,
        n=n,
        units=n,
        b=b,
        c=c,
        needed=items_to_settle(b, c, n, margin, confidence) if state == "not_enough_data" else None,
        method="tango" if b and c else "tango and exact",
    )


def judge_paired(
    original_right: npt.ArrayLike,
    candidate_right: npt.ArrayLike,
    margin: float,
    metric: str = "accuracy",
    confidence: float = 0.95,
) -> Verdict:
    """Judge whether a candidate gets as many independent items right as the original, within a margin.

    Rows that belong together (sentences of one document) are not independent: see ``bootstrap.judge_clustered``.

    Args:
        original_right: [n] booleans, or the numbers 0 and 1.
        candidate_right: [n] likewise, the same items in the same order.
        margin: largest loss accepted, a proportion in [0, 1) (0.01 is one point).
        metric: name for the verdict.
        confidence: one-sided.

    Raises:
        ValueError: no items, shapes that differ, values other than right and wrong, an argument out of range.
    """
    original, candidate = right_or_wrong(original_right), right_or_wrong(candidate_right)
    if original.shape != candidate.shape:
        raise ValueError(f"not the same items: {original.shape[0]} outcomes against {candidate.shape[0]}")
    both, b, c = paired_counts(original, candidate)
    return judge_counts(both, b, c, original.shape[0], margin, metric, confidence)


def paired_counts(original: npt.NDArray[np.bool_], candidate: npt.NDArray[np.bool_]) -> tuple[int, int, int]:
    """Items that both, only the original, and only the candidate had right; from two [n] boolean arrays."""
    return (
        int(np.count_nonzero(original & candidate)),
        int(np.count_nonzero(original & ~candidate)),
        int(np.count_nonzero(~original & candidate)),
    )


def right_or_wrong(outcomes: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """[n] outcomes as booleans; ValueError when there are none or when one is neither 0 nor 1 (NaN included)."""
    array = np.asarray(outcomes)
    if array.ndim != 1 or array.shape[0] == 0:
        raise ValueError(f"outcomes must be a non-empty list, one per item; got shape {array.shape}")
    if array.dtype.kind not in "biuf" or not np.isin(array, (0, 1)).all():
        raise ValueError("outcomes must be right or wrong (True/False or 1/0)")
    return array.astype(np.bool_)


def check_margin(margin: float, below: float = float("inf")) -> None:
    """Raise ValueError unless ``0 <= margin < below``."""
    if not 0.0 <= margin < below:
        raise ValueError(f"margin must be at least 0 and below {below:g}: {margin}")
