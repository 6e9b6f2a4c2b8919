"""What a language model learns from: documents, and prompts with what should follow them, behind one another."""

from __future__ import annotations

from lighten.core.rows import Rows
from lighten.nets.language.texts import texts_of
from lighten.tasks.text_generation import ANSWERS, CHOICES, TextGeneration
from lighten.testing.tiny_language import tiny_documents


def test_what_is_learnt_from() -> None:
    rows = Rows(("a:", "b: "), (1, 0), references=("x", "y"))
    assert texts_of(rows, TextGeneration(ANSWERS)) == ["a: x\n", "b: y\n"]
    assert texts_of(rows, TextGeneration(CHOICES, choices=(" no", " yes"))) == ["a: yes", "b:  no"]
    three = Rows(("a:", "b: ", "c:"), (1, 0, 1), references=("x", "y", "z"))
    asked = TextGeneration(CHOICES, choices=(" no", " yes"), prefix="d: no\n\n")
    assert texts_of(three, asked) == ["a: yes\n\nb:  no", "c: yes"]
    assert texts_of(three, TextGeneration(ANSWERS, prefix="d: w\n\n")) == ["a: x\n\nb: y\n", "c: z\n"]
    assert texts_of(tiny_documents(2), TextGeneration()) == list(tiny_documents(2).inputs)
