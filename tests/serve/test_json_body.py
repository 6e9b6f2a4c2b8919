"""JSON that could do harm is refused before anything is made of it, and long texts are read as short ones are."""

import asyncio
import json
import resource
from threading import Event
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lighten.serve.aside import aside
from lighten.serve.http import write_json
from lighten.serve.json_body import SHORT, deeper, parse, parse_by_values, read_json
from lighten.serve.limits import Limits
from lighten.serve.refusals import Refusal


def both(body: bytes, limits: Limits = Limits()) -> Any:  # noqa: B008 - it is frozen
    """What both ways of reading say, which has to be the same."""
    found = list[Any]()
    for read in (lambda: parse(body, limits.depth), lambda: parse_by_values(body, limits)):
        try:
            found.append(read())
        except Refusal as refusal:
            found.append((refusal.status, refusal.code, refusal.seen, refusal.allowed))
            error = refusal
    assert found[0] == found[1]
    if isinstance(found[0], tuple):
        raise error
    return found[0]


def test_a_number_of_too_many_digits_is_refused_in_words() -> None:
    with pytest.raises(Refusal) as refusal:
        both(b"[" + b"9" * 10_000 + b"]")
    assert refusal.value.status == 400 and "too many digits" in refusal.value.seen and "sys." not in refusal.value.seen


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(JSON)
def test_json_comes_back_as_it_was(value: Any) -> None:
    body = write_json(value)
    assert both(body, Limits(depth=64)) == value == json.loads(body)


def depth_of(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(map(depth_of, inner), default=0)


@given(JSON, st.integers(0, 4))
def test_depth_is_that_of_brackets_outside_of_texts(value: Any, most: int) -> None:
    assert deeper(write_json(value), most) == (depth_of(value) > most)


@pytest.mark.parametrize(
    ("body", "most", "deep"),
    [(rb'["\"[[", "\\", []]', 1, True), (rb'["\"[[", "\\", []]', 2, False), (rb'["\\[[[', 1, False),
     (b'["[[[', 1, False), (b'["[[[\\', 1, False), (b'[["', 1, True)],
)  # fmt: skip
def test_escapes_and_open_texts_hide_brackets(body: bytes, most: int, deep: bool) -> None:
    assert deeper(body, most) == deep


def test_a_long_text_takes_no_memory_to_be_looked_through() -> None:
    body = b'["' + b"\\n" * (1 << 20) + b"x" * (1 << 20) + b'"]'
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert not deeper(body, 1)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 16 << 10  # KiB


@pytest.mark.parametrize(
    "body",
    [b"", b"  ", b"{", b"\xff", b"[NaN]", b"[Infinity]", b"[-Infinity]", b"[1,]", b'{"a":1', b"[" * 100_000, b"'a'",
     b'["' + b"[" * 50, b"1" * 5000],
)  # fmt: skip
def test_what_is_no_json_is_refused_with_a_reason(body: bytes) -> None:
    with pytest.raises(Refusal) as refusal:
        both(body)
    assert refusal.value.status == 400 and refusal.value.seen


def test_values_are_counted() -> None:
    limits = Limits(values=64)
    assert parse_by_values(b"[%s]" % b",".join([b'{"a":0}'] * 32), limits) == [{"a": 0}] * 32
    for body in (b"[%s]" % b",".join([b"0"] * 65), b"[%s]" % b",".join([b"[[]]"] * 33)):
        with pytest.raises(Refusal) as refusal:
            parse_by_values(body, limits)
        assert refusal.value.status == 413


def test_long_bodies_are_read_beside_the_event_loop_and_in_time() -> None:
    async def body() -> None:
        text, limits = write_json(["x" * SHORT]), Limits(deadline=0.05)
        assert await read_json(text, Limits()) == ["x" * SHORT]
        blocked = Event()
        other = asyncio.ensure_future(aside(blocked.wait))
        await asyncio.sleep(0)
        assert await read_json(b"[1]", limits) == [1]
        with pytest.raises(Refusal) as refusal:
            await read_json(text, limits)
        assert refusal.value.status == 504
        blocked.set()
        assert await other

    asyncio.run(body())
