"""Text that comes in pieces: whole characters only, nothing of what ends it, and nothing lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lighten.core.streamed_text import StreamedText


def test_a_character_is_held_back_until_it_is_whole() -> None:
    text = StreamedText()
    assert [text.push(bytes([byte])) for byte in "aé🎬".encode()] == ["a", "", "é", "", "", "", "🎬"]
    assert text.finish() == "" and not text.ended


def test_what_never_became_whole_is_said_so() -> None:
    text = StreamedText()
    assert text.push(b"a\xf0\x9f") == "a" and text.finish() == "\ufffd"


@pytest.mark.parametrize(
    ("pieces", "until", "said"),
    [
        (["a", "b", "\n", "c"], ("\n",), ["a", "b", "", ""]),
        (["ab", "c\n\nd"], ("\n\n",), ["ab", "c"]),
        (["a\n", "\nb"], ("\n\n",), ["a", ""]),
        (["a\n", "b"], ("\n\n",), ["a", "\nb"]),
        (["xx", "y"], ("xxy", "xy"), ["", ""]),
        (["one two"], ("two", "one"), [""]),
        (["STO", "ST", "OP!"], ("STOP",), ["", "STO", ""]),
    ],
)
def test_a_text_ends_before_what_ends_it(pieces: list[str], until: tuple[str, ...], said: list[str]) -> None:
    text = StreamedText(until)
    assert [text.push(piece.encode()) for piece in pieces] == said


def test_what_could_have_ended_it_is_said_in_the_end() -> None:
    text = StreamedText(["STOP"])
    assert text.push(b"go STO") == "go " and text.finish() == "STO" and not text.ended
    text = StreamedText(["STOP"])
    assert text.push(b"STOP and on") == "" and text.ended and text.push(b"more") == text.finish() == ""


@given(st.text(alphabet="abé🎬\n", max_size=24), st.lists(st.text(alphabet="ab\n", min_size=1, max_size=3), max_size=3))
def test_however_it_comes_the_text_is_what_stands_before_the_first_end(whole: str, until: list[str]) -> None:
    text = StreamedText(until)
    found = "".join(text.push(bytes([byte])) for byte in whole.encode())
    found += text.finish()
    # Byte by byte, the one that is complete first ends it; of those, the one that begins first.
    ends = [(whole.find(one) + len(one), whole.find(one)) for one in until if one in whole]
    assert found == (whole[: min(ends)[1]] if ends else whole)
    assert text.ended == bool(ends)
