"""A request is cut into pieces, and is over when all of them have come back."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from lighten.core.prediction import Prediction
from lighten.serve.refusals import ClientGone
from lighten.serve.tickets import Ticket


def within_loop(test: Callable[[], Any]) -> Any:
    async def body() -> Any:
        return test()

    return asyncio.run(body())


def test_answers_stand_in_order_however_the_pieces_come_back() -> None:
    def body() -> list[str]:
        freed: list[int] = []
        ticket = Ticket(["a", "b", "c"], 2, 1e9, freed=lambda: freed.append(1))
        first, second = ticket.pieces
        assert (first.begin, second.begin, ticket.inputs) == (0, 2, 3) and ticket.work == first.work + second.work
        ticket.answered(second, [Prediction("c")])
        assert not ticket.over and not freed
        ticket.answered(first, [Prediction("a"), Prediction("b")])
        assert ticket.over and freed == [1]
        return [one.label for one in ticket.answer.result()]

    assert within_loop(body) == ["a", "b", "c"]


def test_it_is_done_with_only_when_no_piece_is_held_any_more() -> None:
    def body() -> None:
        freed: list[int] = []
        ticket = Ticket(["a", "b"], 1, 1e9, freed=lambda: freed.append(1))
        ticket.dropped(ticket.pieces[0], ClientGone())
        assert ticket.over and not freed
        ticket.answered(ticket.pieces[1], [Prediction("b")])
        assert freed == [1]
        with pytest.raises(ClientGone):
            ticket.answer.result()

    within_loop(body)


def test_the_first_error_counts() -> None:
    def body() -> None:
        ticket = Ticket(["a"], 1, 1e9)
        ticket.fail(ValueError("first"))
        ticket.fail(ValueError("second"))
        with pytest.raises(ValueError, match="first"):
            ticket.answer.result()

    within_loop(body)


def test_a_large_input_is_a_piece_of_its_own() -> None:
    def body() -> list[int]:
        return [len(piece.items) for piece in Ticket(["x" * 50, "y", "z", "x" * 500], 8, 60).pieces]

    assert within_loop(body) == [1, 2, 1]
