"""What waits is taken oldest first, with its like, and given back at once."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from lighten.serve.queue import WorkQueue, joined
from lighten.serve.tickets import Piece, Ticket


def pieces(*sizes: int) -> list[Piece]:
    """A request with one text for each size."""

    async def made() -> list[Piece]:
        return [Ticket(["x" * size], 64, 1e9).pieces[0] for size in sizes]

    return asyncio.run(made())


def test_all_that_waits_is_taken_where_it_fits() -> None:
    queue, waiting = WorkQueue(), pieces(5, 500, 7)
    queue.put(waiting)
    assert (queue.inputs, queue.work, len(queue)) == (3, sum(one.work for one in waiting), 3)
    assert set(queue.take(8, 1e9)) == set(waiting) and (queue.inputs, queue.work) == (0, 0)


def test_the_oldest_is_taken_with_those_of_its_size() -> None:
    waiting = pieces(100, 5000, 90, 4000, 110)
    assert joined(waiting, 3, 1e9) == [waiting[0], waiting[4], waiting[2]]
    assert joined(waiting[1:], 2, 1e9) == [waiting[1], waiting[3]]
    assert joined(waiting, 8, 1) == [waiting[0]]  # too large for a batch, and yet its turn
    assert joined(waiting, 8, 1e9, 1.5) == [waiting[0], waiting[4], waiting[2]]
    assert joined(waiting[1:], 8, 1e9, 1.1) == [waiting[1]]


def test_who_came_much_later_does_not_pass_by() -> None:
    waiting = pieces(100, *(5000 for _ in range(15)), 100)
    assert joined(waiting, 8, 1e9, 1.1) == [waiting[0]]  # its like is not among the older ones
    assert joined(waiting[1:], 64, 1e9, 1.1) == waiting[1:11]
    few = pieces(*(50 for _ in range(6)))
    assert joined(few, 64, 1e9, 1.1) == few


@given(st.lists(st.integers(0, 3000), min_size=1, max_size=40), st.integers(1, 8), st.integers(1, 5000))
def test_everything_is_taken_once_and_the_oldest_never_waits_twice(sizes: list[int], rows: int, work: int) -> None:
    queue, waiting = WorkQueue(), pieces(*sizes)
    queue.put(waiting)
    taken: list[Piece] = []
    while len(queue):
        oldest = next(one for one in waiting if one not in taken)
        batch = queue.take(rows, work)
        assert batch[0] is oldest and len(batch) <= rows
        assert len(batch) == 1 or sum(one.work for one in batch) <= work
        taken += batch
    assert sorted(map(id, taken)) == sorted(map(id, waiting)) and queue.work == 0


def test_a_place_is_given_back_at_once() -> None:
    queue, (first, second) = WorkQueue(), pieces(1, 2)
    queue.put([first, second])
    assert queue.drop(first) and not queue.drop(first)
    assert queue.work == second.work and queue.take(8, 1e9) == [second]
    assert not queue.drop(second)


def test_what_nobody_began_with_comes_before_all_others() -> None:
    queue, (first, second, third) = WorkQueue(), pieces(1, 2, 3)
    queue.put([third])
    queue.put_back([first, second])
    assert queue.take(2, 1e9)[0] is first and len(queue) == 1


def test_nothing_is_taken_from_what_is_closed_or_empty() -> None:
    queue, (only,) = WorkQueue(), pieces(1)
    assert queue.take(8, 1e9) == []
    queue.put([only])
    queue.close()
    assert queue.take(8, 1e9) == [] and queue.clear() == [only]


def test_clearing_leaves_nothing() -> None:
    queue, waiting = WorkQueue(), pieces(1, 2)
    queue.put(waiting)
    assert queue.clear() == waiting and len(queue) == queue.work == queue.inputs == 0
