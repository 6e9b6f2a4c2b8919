"""Rows of several texts are refused, since one of them would be dropped; columns beside a text are no pair."""

from __future__ import annotations

import pytest

from lighten.core.errors import DataError
from lighten.data.cells import Cell, Table
from lighten.data.columns import find_columns

TEXTS = tuple(f"{word} film about number {i} that goes on" for i, word in enumerate(["a", "this", "that"] * 30))
OTHERS = tuple(f"somebody says {i} other words of it here" for i in range(90))
SHORT = tuple(f"Headline number {i}" for i in range(90))
LABELS = ("yes", "no", "maybe") * 30


def table(**columns: tuple[Cell, ...]) -> Table:
    return Table({**columns, "label": LABELS}, "data.csv")


@pytest.mark.parametrize(
    "names",
    [("premise", "hypothesis"), ("sentence1", "sentence2"), ("question", "passage"), ("Question1", "Question2"),
     ("title", "body"), ("Title", "Description"), ("text_a", "text_b"), ("query", "document"), ("claim", "evidence"),
     ("Summary", "Text"), ("subject", "message"), ("data.premise", "data.hypothesis"), ("text", "reply_from_us"),
     ("Title", "Review Text")],
)  # fmt: skip
def test_pairs_are_refused_with_what_to_do(names: tuple[str, str]) -> None:
    first = SHORT if names[0].casefold() in ("title", "summary", "subject") else TEXTS
    data = table(**dict(zip(names, (first, OTHERS), strict=True)))
    with pytest.raises(DataError, match=rf"hold 2 texts(.|\n)*--text {names[0]}"):
        find_columns(data)
    assert find_columns(data, text=names[1]).text == names[1], "one of them on purpose"


def test_premises_that_repeat_and_hypotheses_that_repeat_their_words_are_a_pair() -> None:
    premises = tuple(TEXTS[i // 3] for i in range(90))
    hypotheses = tuple(f"a film about number {i // 3}" for i in range(90))
    with pytest.raises(DataError, match="premise, hypothesis"):
        find_columns(table(premise=premises, hypothesis=hypotheses))


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("id", tuple(f"review number {i} of all" for i in range(90))),
        ("url", tuple(f"https://example.org/{i}/some-page" for i in range(90))),
        ("where", tuple(f"https://example.org/{i}/some-page" for i in range(90))),
        ("reviewer_name", tuple(f"Anna Maria van der {i}" for i in range(90))),
        ("when", tuple(f"Mon Apr {i % 28} 22:19:{i % 60} PDT 2009" for i in range(90))),
        ("text_clean", tuple(text.upper().replace("THIS ", "") for text in TEXTS)),
        ("selected_text", tuple(text[:18] for text in TEXTS)),
        ("content", TEXTS),
        ("publisher", tuple(f"the big house of {'abc'[i % 3]}" for i in range(90))),
        ("stars", tuple(range(90))),
    ],
)
def test_columns_beside_a_text_are_no_pair(name: str, cells: tuple[Cell, ...]) -> None:
    assert find_columns(table(**{"text": TEXTS, name: cells})).text == "text"
