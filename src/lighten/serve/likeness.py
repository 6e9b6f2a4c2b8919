"""Likeness: versions of one name that answer for each other take the same requests."""

from __future__ import annotations

from collections.abc import Sequence

from lighten.core.errors import InputError
from lighten.serve.model import ServedModel

APART = "give one of them another name"


def unlike(first: ServedModel, other: ServedModel) -> bool:
    """Whether two models do not take the same requests."""
    asked, too = ((one.writes, one.talks, one.source.task.kind) for one in (first, other))
    return asked != too


def odd_one(made: ServedModel, others: Sequence[ServedModel]) -> InputError | None:
    """Why a model cannot answer for others of its name, or instead of what it was before; None where it can.

    Args:
        others: that answer now, in which what it was before has its version.
    """
    odd = [other for other in others if unlike(other, made)]
    if not odd:
        return None
    if made.version not in [other.version for other in odd]:
        return odd_pair(odd[0], made)
    seen = f"Version {made.version} of {made.name!r} does not take the requests any more that it takes as it is open."
    return InputError(seen, fix=f"have another version take its part first, or {APART}")


def odd_pair(first: ServedModel, other: ServedModel) -> InputError:
    """Two versions of a name that are unlike."""
    both = f"{first.version} and {other.version}"
    return InputError(f"Versions {both} of {first.name!r} do not take the same requests.", fix=APART)
