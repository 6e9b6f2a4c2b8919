"""Retrieval: pools that only contents decide, and whose document is the nearest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from lighten.core.errors import BuildFailed
from lighten.core.item import Item
from lighten.core.rows import Rows
from lighten.core.session import Session
from lighten.tasks._retrieval import NOBODY, OWN, POOL, PairedSession, documents_of, nearness, of_pairs, pools

PAIRS = tuple((f"query {n}", f"document {n}") for n in range(250))


class Lengths(Session):
    """Vectors of the length of a text, and 1."""

    def run(self, inputs: Sequence[Item]) -> Any:
        return np.array([[len(str(one)), 1.0] for one in inputs], np.float32)

    def sizes(self, inputs: Sequence[Item]) -> list[int]:
        return [len(str(one)) for one in inputs]

    def close(self) -> None: ...


def test_pools_are_alike_in_size_and_do_not_depend_on_the_order_of_rows() -> None:
    found = pools(PAIRS)
    assert sorted(row for rows in found for row in rows) == list(range(250))
    assert sorted(map(len, found)) == [83, 83, 84]
    turned = pools(PAIRS[::-1])
    named = [{PAIRS[row] for row in rows} for rows in found]
    assert [{PAIRS[::-1][row] for row in rows} for rows in turned] == named
    assert len(pools(PAIRS[:1])) == 1


def test_the_own_document_stands_last_and_those_of_the_pool_before_it() -> None:
    pairs = (("a", "x"), ("b", "y"), ("c", "z"))
    vectors = np.array([[1, 0, 2, 0], [0, 1, 3, 0], [1, 1, 1, 1]], np.float32)
    found = nearness(vectors, pairs)
    assert found.shape == (3, POOL)
    half = np.sqrt(0.5)
    assert found[0, [0, 1, OWN]] == pytest.approx([1, half, 1])  # as near as another one's: wrong
    assert found[1, [0, 1, OWN]] == pytest.approx([0, half, 0])
    assert found[2, [0, 1, OWN]] == pytest.approx([half, half, 1])
    assert (found[:, 2:OWN] == NOBODY).all()
    assert (found.argmax(1) == OWN).tolist() == [False, False, True]
    assert documents_of(pairs)[1][:2] == ["x", "z"] and documents_of(pairs)[1][OWN] == "y"


def test_a_model_that_says_the_same_of_everything_is_never_right() -> None:
    assert not (nearness(np.ones((250, 8), np.float32), PAIRS).argmax(1) == OWN).any()


def test_a_session_takes_texts_and_pairs() -> None:
    with PairedSession(Lengths()) as session:
        assert session.run(["a", "bb"]).tolist() == [[1, 1], [2, 1]]
        assert session.run([("a", "bb"), ("ccc", "d")]).tolist() == [[1, 1, 2, 1], [3, 1, 1, 1]]
        assert session.sizes(["a", "bb"]) == [1, 2]
        with pytest.raises(BuildFailed, match="hold 3 texts"):
            session.run([("a", "b"), "c"])


def test_singles_are_put_together_again() -> None:
    singles = Rows(("a", "x", "b", "y"), (0, 0, 1, 1))
    vectors, pairs = of_pairs(np.arange(8.0).reshape(4, 2), singles)
    assert pairs == (("a", "x"), ("b", "y")) and vectors.tolist() == [[0, 1, 2, 3], [4, 5, 6, 7]]
    with pytest.raises(ValueError, match="without the one that it belongs to"):
        of_pairs(np.zeros((2, 2)), Rows(("a", "b"), (0, 1)))
