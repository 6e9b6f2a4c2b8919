"""Parts from a column that the user's data already has, such as train / validation / test."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from lighten.core.errors import DataError
from lighten.core.task import PART_NAMES
from lighten.data.cells import Cell, some_numbers
from lighten.data.folders import SPLITS


def fixed_parts(
    values: Sequence[Cell], positions: Sequence[float], shares: Mapping[str, float], column: str
) -> tuple[list[str], tuple[str, ...]]:
    """Part of each row by the value of its split column.

    tune, select and proof mean themselves, and test means proof. validation rows are divided among those of tune and
    select (and of proof, when there is no test) that no value names; what is still missing of tune and select is taken
    out of train. Divisions follow ``positions`` in the proportions of ``shares``.

    Args:
        positions: a number in [0, 1) per row, decided by its content.

    Raises:
        DataError: another value (its rows are listed), no train rows, or nothing to prove on.
    """
    meanings = {**SPLITS, **{name: name for name in PART_NAMES}}
    names = [str(value).strip().casefold() if value is not None else "" for value in values]
    strange = [at + 1 for at, name in enumerate(names) if name not in meanings]
    if strange:
        raise DataError(
            f"The split column {column!r} holds {values[strange[0] - 1]!r} (usable row {some_numbers(strange)}).",
            allowed="train, validation, test, or tune, select, proof",
            fix="correct these values, or leave --split-column out",
        )
    meant = ["proof" if meanings[name] == "test" else meanings[name] for name in names]
    present = set(meant)
    free = [name for name in ("tune", "select", "proof") if name not in present and shares[name] > 0]
    serves: dict[str, tuple[str, ...]] = {name: (name,) for name in ("tune", "select", "proof")}
    if "validation" in present:
        serves["validation"] = tuple(free) or ("select",)
        serves["train"] = ("train",)
    else:
        serves["train"] = ("train", *(name for name in free if name != "proof"))
        if "proof" in free:
            raise DataError(
                f"The split column {column!r} names no rows for the proof: it holds {', '.join(sorted(present))}.",
                allowed="some rows named test, proof or validation",
                fix="leave --split-column out, and rows are divided by content",
            )
    if "train" not in present and shares["train"] > 0:
        raise DataError(f"The split column {column!r} names no train rows.", allowed="some rows named train")
    homes = [_by_share(serves[name], shares, position) for name, position in zip(meant, positions, strict=True)]
    held = Counter(zip(names, homes, strict=True))
    parts = "; ".join(f"{name} -> {part} ({count:,})" for (name, part), count in sorted(held.items()))
    return homes, (f"Parts follow the column {column!r}: {parts}.",)


def _by_share(parts: Sequence[str], shares: Mapping[str, float], position: float) -> str:
    total = sum(shares[name] for name in parts)
    upper = 0.0
    for name in parts:
        upper += shares[name] / total if total else 1 / len(parts)
        if position < upper:
            return name
    return parts[-1]
