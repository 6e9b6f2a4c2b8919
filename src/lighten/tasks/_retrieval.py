"""Retrieval: whether the vector of a query is nearest to that of its own document, among those of its pool."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from lighten.core.errors import BuildFailed
from lighten.core.item import Item, brief, content_of, parted
from lighten.core.rows import Rows
from lighten.core.session import Session

if TYPE_CHECKING:
    from numpy.typing import NDArray

POOL = 100
"""Most documents among which a query looks for its own."""
OWN = POOL - 1
"""Column of a query's own document. It is the last one, so that whoever is as near as it comes before it."""
NOBODY = -2.0
"""Nearness of a document that is not there: less than any cosine."""


class PairedSession(Session):
    """Answers single texts as the session does, and pairs with both vectors side by side.

    Args:
        session: open; closed with this one.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    def run(self, inputs: Sequence[Item]) -> NDArray[Any]:
        """See :meth:`Session.run`: [n, size] for texts, [n, 2 size] for pairs, float32.

        Raises:
            BuildFailed: some are pairs and some are not.
        """
        alone = parted(inputs)
        found = self._session.run(alone)
        if len(alone) == len(inputs):
            return found
        if len(alone) != 2 * len(inputs):
            raise BuildFailed(f"{len(inputs)} inputs hold {len(alone)} texts.", allowed="texts, or pairs of them")
        return found.reshape(len(inputs), -1)

    def sizes(self, inputs: Sequence[Item]) -> list[int]:
        """See :meth:`Session.sizes`."""
        return self._session.sizes(inputs)

    def close(self) -> None:
        """See :meth:`Session.close`."""
        self._session.close()


def pools(items: Sequence[Item]) -> list[NDArray[np.int64]]:
    """Positions of the rows of each pool. Which rows share one is drawn by their contents alone: neither the order of
    the rows nor a model has a part in it, and pools of one division differ by one row at most.

    Args:
        items: of all rows that are judged together.
    """
    marks = [hashlib.sha256(content_of(item).encode("utf-8", "surrogatepass")).digest()[:8] for item in items]
    order = np.array(sorted(range(len(items)), key=lambda at: (marks[at], at)), dtype=np.int64)
    return [np.sort(part) for part in np.array_split(order, max(1, -(-len(items) // POOL)))]


def nearness(vectors: NDArray[Any], items: Sequence[Item]) -> NDArray[np.float32]:
    """Cosines of each row's query with the documents of its pool, the row's own in the last column: [n, ``POOL``].

    Args:
        vectors: [n, 2 size], of query and document side by side. items: the rows, which decide the pools.
    """
    size = vectors.shape[1] // 2
    queries, documents = (_long_one(vectors[:, part]) for part in (slice(size), slice(size, None)))
    found = np.full((len(vectors), POOL), NOBODY, np.float32)
    for rows in pools(items):
        cosines = queries[rows] @ documents[rows].T
        others = cosines[~np.eye(len(rows), dtype=bool)].reshape(len(rows), -1)
        found[rows, : len(rows) - 1], found[rows, OWN] = others, cosines.diagonal()
    return found


def documents_of(items: Sequence[Item]) -> list[list[str]]:
    """Documents of each row's pool, in the order of :func:`nearness`: by row and column, empty where there is none."""
    found: list[list[str]] = [[""] * POOL for _ in items]
    for rows in pools(items):
        texts = [brief(items[row][-1]) for row in rows]
        for place, row in enumerate(rows):
            others = texts[:place] + texts[place + 1 :]
            found[row][: len(others)], found[row][OWN] = others, texts[place]
    return found


def of_pairs(outputs: NDArray[Any], rows: Rows) -> tuple[NDArray[Any], tuple[Item, ...]]:
    """Vectors [n, 2 size] and items of pairs, of rows that are pairs, or of singles that stand one after another.

    Raises:
        ValueError: a row is without its partner.
    """
    if all(isinstance(item, tuple) for item in rows.inputs):
        return outputs, rows.inputs
    if len(rows) % 2 or rows.targets[::2] != rows.targets[1::2]:
        raise ValueError("a text is without the one that it belongs to")
    pairs = tuple(zip(rows.inputs[::2], rows.inputs[1::2], strict=True))
    return outputs.reshape(len(pairs), -1), pairs


def _long_one(vectors: NDArray[Any]) -> NDArray[np.float32]:
    values = vectors.astype(np.float32)
    lengths = np.linalg.norm(values, axis=1, keepdims=True)
    found: NDArray[np.float32] = values / np.maximum(lengths, np.finfo(np.float32).tiny)
    return found
