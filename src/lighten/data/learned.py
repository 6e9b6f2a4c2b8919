"""Rows that a model learned from: their hashes travel in its artifact, so that no later proof calls them unseen.

A hash knows a row again, not what was made of it: a picture that was stored anew counts as learned where the row that
it is a near-copy of is in the same data and was learned, and as unseen where it comes alone.

Writing them needs the standard library alone, because it is done wherever a model is made, in environments that have
nothing else too; numpy comes with comparing them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from lighten.core.artifact import LEARNED
from lighten.core.errors import DataError, ModelError
from lighten.core.rows import Parts, Rows
from lighten.data.cells import count_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Hashes: TypeAlias = "NDArray[np.uint64]"
"""Hashes of rows, sorted, each once: the first 8 bytes of SHA-256 of a text up to case and spacing (``Rows.ids``)."""

_BYTES = 8
_FEWEST_ROWS = 2


def hashes_of(ids: Iterable[str]) -> Hashes:
    """Hashes from ids of 16 hex digits."""
    import numpy as np

    return np.unique(np.fromiter((int(one, 16) for one in ids), dtype=np.uint64))


def learned_in(folder: Path) -> Hashes:
    """Hashes of the rows that the model in a folder learned from; empty when its folder does not say.

    Raises:
        ModelError: the file is damaged.
    """
    import numpy as np

    return np.unique(np.frombuffer(_read(folder), dtype=">u8").astype(np.uint64))


def save_learned(folder: Path, sources: Sequence[Path], ids: Iterable[str] = ()) -> None:
    """Write what a model learned from into its folder: what the models in ``sources`` did, and the rows ``ids``.

    Nothing is written where that is nothing.
    """
    before = [_read(source) for source in sources]
    known = {data[at : at + _BYTES] for data in before for at in range(0, len(data), _BYTES)}
    known |= {bytes.fromhex(one) for one in ids}
    if known:
        (folder / LEARNED).write_bytes(b"".join(sorted(known)))


def _read(folder: Path) -> bytes:
    path = folder / LEARNED
    data = path.read_bytes() if path.is_file() else b""
    if len(data) % _BYTES:
        raise ModelError(f"{path} is damaged: it holds {len(data):,} bytes.", fix="copy the model's folder again")
    return data


def seen_before(rows: Rows, learned: Hashes) -> NDArray[np.bool_]:
    """Which rows are among the learned ones, or near-copies of one of ``rows`` that is: bool [n]."""
    import numpy as np

    own = np.fromiter((int(one, 16) for one in rows.ids), dtype=np.uint64, count=len(rows.ids))
    seen = np.isin(own, learned)
    if seen.any() and not seen.all():
        from lighten.data.alike import copies_of
        from lighten.data.examples import Example

        for group in copies_of([Example(item, "", number) for number, item in enumerate(rows.inputs)]):
            seen[group] = seen[group].any()
    return seen


def keep_apart(parts: Parts, learned: Hashes, model: str) -> Parts:
    """The parts with no row that the model learned from in select or proof: such rows, with their units, go to train.

    Raises:
        DataError: too few rows are left to judge on.
    """
    import numpy as np

    if not len(learned):
        return parts
    moved: dict[str, Rows] = {}
    train: list[Rows] = []
    for name in ("select", "proof"):
        rows = parts[name]
        seen = seen_before(rows, learned)
        if rows.units:
            known = {unit for unit, one in zip(rows.units, seen, strict=True) if one}
            seen = np.fromiter((unit in known for unit in rows.units), dtype=np.bool_, count=len(rows))
        if seen.any():
            train.append(rows.take(np.flatnonzero(seen).tolist()))
            moved[name] = rows.take(np.flatnonzero(~seen).tolist())
    if not moved:
        return parts
    counts = ", ".join(
        f"{len(parts[name]) - len(rows):,} of {len(parts[name]):,} in {name}" for name, rows in moved.items()
    )
    if any(len(rows) < _FEWEST_ROWS for rows in moved.values()):
        raise DataError(
            f"{model} learned from rows of this data ({counts}), so too few are left to judge it by.",
            allowed="data with rows that the model has not learned from",
            fix="add new rows, or give the model that it was made from",
        )
    note = f"{model} learned from rows of this data: {counts}. They went to train, so nothing is proved on them."
    select, proof = moved.get("select", parts.select), moved.get("proof", parts.proof)
    return replace(parts, train=sum(train, parts.train), select=select, proof=proof, notes=(*parts.notes, note))


def unseen(
    rows: Rows, learned: dict[str, Hashes], source: str, *, leave_out: bool = False
) -> tuple[Rows, tuple[str, ...]]:
    """The rows that no model learned from, and a note on the others.

    Args:
        learned: by what the user calls a model.
        leave_out: go on even when most rows are learned ones.

    Raises:
        DataError: most rows are learned ones and ``leave_out`` is not given, or too few others are left.
    """
    import numpy as np

    each = {name: seen_before(rows, hashes) for name, hashes in learned.items()}
    of = [name for name, seen in each.items() if seen.any()]
    if not of:
        return rows, ()
    seen = np.logical_or.reduce(list(each.values()))
    many, left = int(seen.sum()), int((~seen).sum())
    found = f"{many:,} of {count_of(len(rows), 'row')} of {source} are rows that {' and '.join(of)} learned from"
    if left < _FEWEST_ROWS or (many > left and not leave_out):
        go_on = f"--leave-out-learned compares on the other {left:,}, or " if left >= _FEWEST_ROWS else ""
        raise DataError(
            f"{found}.",
            allowed="rows that neither model was made with",
            fix=f"{go_on}give data that they have not seen",
        )
    return rows.take(np.flatnonzero(~seen).tolist()), (f"{found}; they were left out.",)
