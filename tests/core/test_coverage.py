"""What a model does not read is said in one sentence each, and nothing where there is nothing to say."""

from __future__ import annotations

from lighten.core.coverage import Coverage, sentences, total, unknown_share

WHOLE = Coverage(texts=100, cut=0, limit=512, tokens=2000, unknown=10)


def test_texts_that_are_read_and_known_are_not_mentioned() -> None:
    assert sentences({"train": WHOLE, "proof": WHOLE}, "m") == []
    assert sentences({}, "m") == []


def test_cut_texts_are_counted_by_part() -> None:
    cut = Coverage(1200, 36, 512, 600_000, 0)
    (text,) = sentences({"train": cut, "tune": WHOLE, "proof": Coverage(10, 5, 512, 100, 0)}, "sample:minilm")
    assert "36 of 1,200 texts in train (3.0%), 5 of 10 texts in proof (50%)" in text
    assert "sample:minilm reads at most 512 tokens" in text
    assert "tune" not in text


def test_unknown_tokens_are_counted_over_all_parts_and_come_first() -> None:
    parts = {"train": Coverage(10, 0, 512, 100, 67), "proof": Coverage(10, 1, 512, 50, 33)}
    assert unknown_share(parts) == 100 / 150
    first, second = sentences(parts, "m")
    assert first.startswith("67% of the tokens of your texts are unknown to m")
    assert "multilingual-e5-small" in first
    assert "1 of 10 texts in proof" in second
    assert total(parts.values()) == Coverage(20, 1, 512, 150, 100)


def test_an_empty_part_has_no_shares() -> None:
    none = Coverage(0, 0, 512, 0, 0)
    assert (none.share_cut, none.share_unknown) == (0.0, 0.0)
