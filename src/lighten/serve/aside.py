"""Aside: one thread for what takes long in Python, so that the event loop goes on with others meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


async def aside(function: Callable[P, T], *given: P.args, **named: P.kwargs) -> T:
    """Have the thread call a function, after those that were asked for before. Returns or raises what it does.

    The event loop goes on only as often as Python's interpreter can change threads in there: not within one call of a
    function that is written in C.
    """
    return await asyncio.get_running_loop().run_in_executor(_thread(), partial(function, *given, **named))


@cache
def _thread() -> ThreadPoolExecutor:
    """One for all: several that compute would leave less to the event loop."""
    return ThreadPoolExecutor(1, thread_name_prefix="aside")
