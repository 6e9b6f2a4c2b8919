"""Channels: lines come whole however they were sent, nobody waits for ever, and the other side is looked after."""

import socket
import threading
from collections.abc import Iterator
from time import monotonic

import pytest

from lighten.isolate.channel import Channel

SOON, LONG = 0.01, 20.0
"""Seconds; the second ones only a test that fails takes."""


class Ends:
    """Both ends: a channel, and the socket of the other process."""

    def __init__(self) -> None:
        ours, self.theirs = socket.socketpair()
        self.looks = 0
        self.channel = Channel(ours, self._look)

    def _look(self) -> None:
        self.looks += 1


@pytest.fixture
def ends() -> Iterator[Ends]:
    made = Ends()
    yield made
    made.channel.close()
    made.theirs.close()


def until(seconds: float = LONG) -> float:
    return monotonic() + seconds


def test_lines_come_whole_and_what_is_behind_them_is_kept(ends: Ends) -> None:
    ends.theirs.sendall(b"one\ntw")
    assert ends.channel.line(until()) == b"one"
    ends.theirs.sendall(b"o\n12345678\nthree\n")
    assert ends.channel.line(until()) == b"two"
    assert bytes(ends.channel.read(9, until())) == b"12345678\n"
    assert ends.channel.line(until()) == b"three"


def test_bytes_that_were_not_received_yet_are_waited_for(ends: Ends) -> None:
    ends.theirs.sendall(b"a\nbc")
    assert ends.channel.line(until()) == b"a"
    threading.Timer(SOON, ends.theirs.sendall, (b"def",)).start()
    assert bytes(ends.channel.read(5, until())) == b"bcdef"


def test_time_that_is_up_ends_the_waiting_and_the_other_side_is_looked_after(
    ends: Ends, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lighten.isolate.channel.POLL_SECONDS", SOON)
    with pytest.raises(TimeoutError):
        ends.channel.line(until(50 * SOON))
    assert ends.looks
    ends.looks = 0
    assert not ends.channel.wait(4 * SOON) and ends.looks


def test_who_has_gone_sends_an_empty_line_and_no_bytes(ends: Ends) -> None:
    ends.theirs.close()
    assert ends.channel.line(until()) == b""
    with pytest.raises(ConnectionResetError):
        ends.channel.read(1, until())
    with pytest.raises(ConnectionResetError):
        ends.channel.receive()


def test_what_looks_after_it_may_end_the_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    def complain() -> None:
        raise MemoryError

    monkeypatch.setattr("lighten.isolate.channel.POLL_SECONDS", SOON)
    ours, theirs = socket.socketpair()
    with ours, theirs, pytest.raises(MemoryError):
        Channel(ours, complain).line(until())


def test_lines_are_taken_without_waiting(ends: Ends) -> None:
    assert not ends.channel.wait(0.0) and ends.channel.next_line() == b""
    ends.channel.receive()  # there is nothing, which is no fault
    ends.theirs.sendall(b"one\ntwo\nth")
    assert ends.channel.wait(LONG)
    ends.channel.receive()
    assert [ends.channel.next_line() for _ in range(3)] == [b"one", b"two", b""]


def test_a_bell_ends_the_waiting_and_is_nothing_that_was_sent(ends: Ends) -> None:
    ours, bell = socket.socketpair()
    with ours, bell:
        bell.send(b"!")
        assert not ends.channel.wait(LONG, ours.fileno())


def test_neither_waits_for_the_other_while_both_send_much(ends: Ends) -> None:
    many = b"x" * 4_000_000 + b"\n"

    def say_first_and_read_then() -> None:
        ends.theirs.sendall(many)
        left = len(many)
        while left:
            left -= len(ends.theirs.recv(1 << 20))

    other = threading.Thread(target=say_first_and_read_then)
    other.start()
    ends.channel.push(many, LONG)
    other.join(LONG)
    assert not other.is_alive() and ends.channel.line(until()) == many[:-1]


def test_who_neither_takes_nor_tells_anything_is_given_up(ends: Ends, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lighten.isolate.channel.POLL_SECONDS", SOON)
    with pytest.raises(TimeoutError):
        ends.channel.push(b"x" * 4_000_000, 2 * SOON)
    with pytest.raises(TimeoutError):
        ends.channel.send(b"x" * 4_000_000, 2 * SOON)
    assert ends.looks


def test_a_message_to_who_has_gone_is_an_error(ends: Ends) -> None:
    ends.theirs.close()
    with pytest.raises((BrokenPipeError, ConnectionResetError)):
        ends.channel.send(b"x", LONG)
    with pytest.raises((BrokenPipeError, ConnectionResetError)):
        ends.channel.push(b"x" * 4_000_000, LONG)
