"""A bell wakes who waits for it, once for however often it was rung."""

from __future__ import annotations

import select
import threading

from lighten.serve.bell import Bell


def rings(bell: Bell, seconds: float = 0.0) -> bool:
    waiting = select.poll()
    waiting.register(bell.fileno(), select.POLLIN)
    return bool(waiting.poll(seconds * 1e3))


def test_it_is_heard_until_it_is_hushed() -> None:
    bell = Bell()
    assert not rings(bell)
    for _ in range(100_000):  # more than a pipe holds
        bell.ring()
    assert rings(bell) and rings(bell)
    bell.hush()
    assert not rings(bell)
    bell.ring()
    assert rings(bell)
    bell.close()
    bell.close()
    bell.ring()  # nobody hears it, and nothing happens


def test_it_wakes_another_thread() -> None:
    bell, woken = Bell(), threading.Event()
    thread = threading.Thread(target=lambda: rings(bell, 30.0) and woken.set())
    thread.start()
    bell.ring()
    assert woken.wait(30.0)
    thread.join()
    bell.close()
