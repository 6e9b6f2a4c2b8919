"""Forms: files come out as they went in, and whatever is no form of inputs is refused in words."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import Any

import pytest

from lighten.serve.form import LONGEST_HEAD, fields_in
from lighten.serve.refusals import Refusal
from lighten.testing.asgi import ask

KIND = b'Multipart/form-data; charset=utf-8; boundary="--a b"'
MARK = b"----a b"


def field(content: bytes, name: bytes = b"inputs", more: bytes = b"") -> bytes:
    return b'Content-Disposition: form-data; name="' + name + b'"; filename="x.png"\r\n' + more + b"\r\n" + content


def form(*fields: bytes, before: bytes = b"", end: bytes = b"--\r\n") -> bytes:
    return before + b"".join(MARK + b"\r\n" + one + b"\r\n" for one in fields) + MARK + end


def test_contents_come_out_as_they_went_in() -> None:
    noise = random.Random(0).randbytes(50_000)
    whole = [noise, b"", b"\r\n", b"\r\n--other\r\n", b"--", "größe".encode(), b"a\rb\nc\x85"]
    assert fields_in(form(*map(field, whole)), KIND, 10) == whole
    assert fields_in(form(field(b"a"), before=b"for people\r\n", end=b"--  \r\nbehind"), KIND, 1) == [b"a"]
    assert fields_in(form(field(b"a", more=b"content-transfer-encoding: Binary\r\n")), KIND, 1) == [b"a"]


@pytest.mark.parametrize(
    ("body", "kind", "seen"),
    [
        (form(field(b"a")), b"multipart/form-data", "cut short"),
        (form(field(b"a")), b"multipart/form-data; boundary=other", "cut short"),
        (form(field(b"a"))[:-5], KIND, "cut short"),
        (form(field(b"a")), b"multipart/form-data; boundary*=utf-8''%E2%82%AC", "cut short"),
        (b"", KIND, "cut short"),
        (form(b"no headers"), KIND, "Field 0 has no headers"),
        (
            form(field(b"a"), field(b"b", more=b"x: " + b"y" * LONGEST_HEAD + b"\r\n")),
            KIND,
            "Field 1 has no headers, or",
        ),
        (form(field(b"a", name=b"image")), KIND, "Field 0 is called 'image'"),
        (form(b"\r\n\r\nx"), KIND, "Field 0 is called ''"),
        (form(field(b"YQ==", more=b"content-transfer-encoding: base64\r\n")), KIND, "in the coding 'base64'"),
    ],
)
def test_what_is_no_form_of_inputs_is_refused(body: bytes, kind: bytes, seen: str) -> None:
    with pytest.raises(Refusal) as refusal:
        fields_in(body, kind, 3)
    assert refusal.value.status == 422 and seen in refusal.value.seen and "curl -F" in refusal.value.fix


def test_too_many_fields_are_refused() -> None:
    with pytest.raises(Refusal) as refusal:
        fields_in(form(*[field(b"a")] * 4), KIND, 3)
    assert refusal.value.status == 413


def test_a_form_is_answered_field_by_field(opened: Callable[..., Any]) -> None:
    async def body() -> None:
        async with opened() as stage:
            kind = {"Content-Type": KIND.decode()}
            found = await ask(stage.app, "/predict/m", form(field(b"a"), field(b"bb")), headers=kind)
            assert [one["label"] for one in found.json["predictions"]] == ["odd", "even"]
            assert (await ask(stage.app, "/predict/m", form(), headers=kind)).status == 422

    asyncio.run(body())
