"""What is called aside comes back, or raises, where it was asked for."""

import asyncio
import threading

import pytest

from lighten.serve.aside import aside


def test_one_thread_calls_it() -> None:
    async def body() -> None:
        places = await asyncio.gather(*(aside(threading.get_ident) for _ in range(8)))
        assert len(set(places)) == 1 and places[0] != threading.get_ident()
        assert await aside(sorted, [1, 2], reverse=True) == [2, 1]
        with pytest.raises(ValueError, match="invalid literal"):
            await aside(int, "x")

    asyncio.run(body())
