"""Token flips by hand: only places that both models know are compared."""

import numpy as np
import pytest

from lighten.core.language_codes import BYTES, NATS, PROBED, PROBES, UNKNOWN, code_of
from lighten.core.result import Measured
from lighten.core.rows import Rows
from lighten.meters.token_flips import TokenFlips
from lighten.testing.answers import sure, within

METER = TokenFlips()


def documents(*words: list[str]) -> np.ndarray:
    """Answers with these most likely tokens at the first places of each document; an empty one is unknown."""
    found = np.full((len(words), PROBED + PROBES), UNKNOWN)
    found[:, NATS], found[:, BYTES] = 50.0, 100.0
    for row, tokens in zip(found, words, strict=True):
        row[PROBED : PROBED + len(tokens)] = [code_of(token.encode()) if token else UNKNOWN for token in tokens]
    return found


def rows(n: int, units: tuple[str, ...] = ()) -> Rows:
    return Rows(tuple(map(str, range(n))), (0,) * n, units=units)


BEFORE = documents([" a", " film", " the", ""], [" good"], [])
AFTER = documents([" a", " movie", "", " x"], [" bad"], [" never", " compared"])


def test_places_that_both_know_are_compared_by_text() -> None:
    assert METER.measure(AFTER, rows(3), BEFORE)["token_flips"] == Measured(2 / 3, 3)
    assert METER.measure(BEFORE, rows(3), BEFORE)["token_flips"] == Measured(0.0, 4)


@pytest.mark.parametrize(
    ("outputs", "original", "why"),
    [
        (AFTER, None, "original"),
        (sure([0, 1, 2]), sure([0, 1, 2]), "no answers to documents"),
        (documents([" a"], [""], []), documents([""], [" b"], []), "no place"),
    ],
)
def test_what_cannot_be_compared_is_unknown(outputs: np.ndarray, original: np.ndarray | None, why: str) -> None:
    found = METER.measure(outputs, rows(3), original)["token_flips"]
    assert found.value is None and why in found.note


def test_what_each_document_adds() -> None:
    assert METER.effects(BEFORE, AFTER, rows(3)) == pytest.approx([1.0, 1.0, 0.0])  # 2 changes, 3 places in 3 documents
    assert METER.effects(documents([]), documents([]), rows(1)) is None


def case(n: int, flips: int) -> tuple[np.ndarray, np.ndarray]:
    """n documents with eight places each, of which ``flips`` changed one; and one document without any."""
    before = documents(*[[f" w{i}" for i in range(8)]] * n, [])
    after = before.copy()
    after[:flips, PROBED] = code_of(b" other")
    return before, after


def test_the_verdict_is_about_the_share_of_places() -> None:
    before, after = case(200, 40)
    judged = METER.judge(before, after, rows(201), within("token_flips", 0.05), 0)
    assert judged.holds and judged.candidate == pytest.approx(40 / 1600) and judged.original == 0.0
    assert judged.units == 200  # the document without a place says nothing
    assert METER.judge(before, after, rows(201), within("token_flips", 0.01), 0).state == "worse"
    assert METER.judge(before, before, rows(201), within("token_flips", 0.05), 0).holds


def test_documents_of_one_author_prove_less() -> None:
    before, after = case(200, 40)
    together = tuple(f"author {i // 5}" for i in range(201))
    alone, authors = (
        METER.judge(before, after, rows(201, units), within("token_flips", 0.05), 0) for units in ((), together)
    )
    assert authors.units == 40 and authors.lower < alone.lower


def test_without_places_in_two_documents_there_is_no_verdict() -> None:
    with pytest.raises(ValueError, match="no places to compare in two documents"):
        METER.judge(documents([" a"], []), documents([" a"], []), rows(2), within("token_flips", 0.05), 0)
