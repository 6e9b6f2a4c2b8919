"""Items cross the wire as plain JSON, and are named and measured by what they are."""

from __future__ import annotations

import json

import pytest

from lighten.core.errors import DataError
from lighten.core.item import (
    Item,
    Reference,
    brief,
    content_hash,
    content_of,
    file_of,
    from_plain,
    held,
    held_content,
    is_held,
    references_in,
    shown,
    size_of,
    texts,
    to_plain,
)

PICTURE = Reference("/data/cat.png", "ab" * 16, "image", 784)
INSIDE = Reference("/cache/x.zip", "cd" * 16, "image", 10, "cd.pgm")


@pytest.mark.parametrize("item", ["a text", "", PICTURE, INSIDE, ("a", ("b", PICTURE)), ()])
def test_an_item_comes_back_from_json(item: Item) -> None:
    assert from_plain(json.loads(json.dumps(to_plain(item)))) == item


def test_a_text_is_written_as_it_is_and_a_member_only_where_there_is_one() -> None:
    assert to_plain("good") == "good"
    assert to_plain(PICTURE) == {"path": "/data/cat.png", "hash": "ab" * 16, "kind": "image", "size": 784}
    assert to_plain(INSIDE)["member"] == "cd.pgm"


@pytest.mark.parametrize("value", [3, None, {"path": "x"}, {"path": "x", "hash": "", "kind": "", "size": 1, "b": 2}])
def test_what_is_no_item_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="is no item"):
        from_plain(value)


def test_size_grows_with_all_that_belongs_to_an_item() -> None:
    assert (size_of("four"), size_of(PICTURE), size_of(("four", PICTURE, INSIDE))) == (4, 784, 798)


def test_names_are_what_a_reader_of_a_table_can_find() -> None:
    assert shown(("which?", PICTURE)) == "which? | /data/cat.png"
    assert shown(INSIDE) == "/cache/x.zip:cd.pgm"


def test_a_brief_name_says_nothing_of_the_machine() -> None:
    deep = Reference("/home/anna/secret/cats/1.jpg", "ab" * 16, "image", 9)
    assert [brief(item) for item in ("a text", deep, INSIDE, ("which?", deep))] == [
        "a text",
        "cats/1.jpg",
        "cd.pgm",
        "which? | cats/1.jpg",
    ]


def test_what_is_no_text_is_named() -> None:
    assert texts(["a", "b"]) == ("a", "b")
    with pytest.raises(DataError, match=r"An input is no text: /data/cat\.png"):
        texts(["a", PICTURE])


def test_content_says_the_same_wherever_a_file_lies() -> None:
    moved = Reference("/elsewhere/dog.png", PICTURE.hash, "image", 784)
    assert content_of(moved) == content_of(PICTURE) != content_of(INSIDE)
    assert content_of("a text") == "a text"
    assert list(references_in(("a", (PICTURE, "b"), INSIDE))) == [PICTURE, INSIDE]


def test_a_small_file_that_lies_nowhere_goes_along_and_has_no_name() -> None:
    item = held(b"\x89PNG", "image", 3)
    assert is_held(item) and not is_held(PICTURE) and held_content(item) == b"\x89PNG"
    again = from_plain(to_plain(item))
    assert again == item and content_of(again) == "image:" + content_hash(b"\x89PNG")
    assert (shown(item), brief(item), file_of(item)) == ("the file", "the file", "")
