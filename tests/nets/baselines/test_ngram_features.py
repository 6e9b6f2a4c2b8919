"""What is hashed are words, pairs and n-grams within words, as plain Python finds them; batches change nothing."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest

from lighten.nets.baselines import ngram_features
from lighten.nets.baselines.ngram_features import counted, ngrams

TEXTS = ["Not good, NOT  bad!", "", "  ", "不错的電影 🎬", "x", "naïve\tfilm_2 ok\ud83c", "a a a"]


def plain(text: str, characters: int) -> Counter[tuple[str, str]]:
    """The n-grams of a text, with their kind, by loops over strings."""
    folded = f" {' '.join(text.casefold().split())} "
    words = "".join(c if c.isalnum() else " " for c in folded).split()
    found = Counter(("word", word) for word in words)
    found.update(("pair", " ".join(pair)) for pair in pairwise(words))
    for length in range(1, characters + 1):
        pieces = [folded[i : i + length] for i in range(len(folded) - length + 1)]
        found.update(("part", one) for one in pieces if one.strip() and " " not in one[1:-1] and not one.isspace())
    return Counter({key: n for key, n in found.items() if not (key[1][0] == key[1][-1] == " ")})


@pytest.mark.parametrize("characters", [0, 1, 2, 5])
def test_every_ngram_of_a_text_is_counted_as_often_as_it_is_there(characters: int) -> None:
    ((rows, keys, counts),) = counted(TEXTS, characters)
    assert (np.diff(rows) >= 0).all()
    names: dict[int, tuple[str, str]] = {}
    for number, text in enumerate(TEXTS):
        wanted = plain(text, characters)
        mine = Counter(dict(zip(keys[rows == number].tolist(), counts[rows == number].tolist(), strict=True)))
        assert sorted(mine.values()) == sorted(wanted.values())
        for other, again in enumerate(TEXTS):
            shared = set(mine) & set(keys[rows == other].tolist())
            assert len(shared) == len(set(wanted) & set(plain(again, characters)))
        names.update((key, ("", "")) for key in mine)
    assert len(names) == len({name for text in TEXTS for name in plain(text, characters)}), "no two share a hash"


def test_case_and_space_make_no_difference_and_order_and_marks_do() -> None:
    def keys(text: str) -> list[int]:
        return sorted(ngrams([text], 5)[1].tolist())

    assert keys("Not\n Good") == keys("  not good ")
    assert keys("not good") != keys("good not")
    assert keys("good") != keys("good!")


def test_portions_give_what_all_at_once_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    (whole,) = counted(TEXTS, 4)
    monkeypatch.setattr(ngram_features, "TOGETHER", 12)
    parts = list(counted(TEXTS, 4))
    assert len(parts) > 2
    for column, wanted in zip(zip(*parts, strict=True), whole, strict=True):
        assert np.array_equal(np.concatenate(column), wanted)
    assert list(counted([], 4)) == []
