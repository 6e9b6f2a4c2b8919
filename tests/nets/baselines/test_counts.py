"""The n-gram model is modified Kneser-Ney as written down by hand, sums to one anywhere, and survives its file."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from lighten.core.errors import DataError, ModelError
from lighten.core.language import Scores, Span
from lighten.nets.baselines import counts as module
from lighten.nets.baselines.byte_model import BOUNDARY, NEVER, RECORD, SYMBOLS, TENSORS, symbols_of
from lighten.nets.baselines.counts import KneserNey, fit_ngram
from lighten.nets.baselines.kneser_ney import ESCAPE, USUAL, discounts, distinct
from lighten.nets.baselines.opening import open_byte_lm

WORDS = ["the", "film", "is", "a", "long", "film", "of", "the", "night", "and", "day", "—", "naïve,", "電影", ""]


def sentences(count: int, seed: int = 0) -> list[str]:
    """Sentences of known words in any order, some of them empty."""
    rng = np.random.default_rng(seed)
    return [" ".join(rng.choice(WORDS, rng.integers(0, 12))) for _ in range(count)]


def of_text(text: str) -> Span:
    return Span((BOUNDARY,), (*symbols_of(text), BOUNDARY))


def equal(one: Sequence[Scores], two: Sequence[Scores], tolerance: float = 1e-12) -> bool:
    return len(one) == len(two) and all(
        np.allclose(a.logprobs, b.logprobs, rtol=0, atol=tolerance) and (a.greedy == b.greedy).all()
        for a, b in zip(one, two, strict=True)
    )


class Reference:
    """Modified Kneser-Ney with dictionaries, straight from the paper."""

    def __init__(self, texts: Sequence[str], order: int) -> None:
        rows = [(BOUNDARY, *symbols_of(text), BOUNDARY) for text in texts]
        grams = [
            Counter(
                row[end - length : end] for row in rows for end in range(max(length, 2), len(row) + 1) if end >= length
            )
            for length in range(1, order + 1)
        ]
        self.counts = []
        for length, raw in enumerate(grams, 1):
            if length < order:
                before = Counter(gram[1:] for gram in grams[length])
                raw = Counter({gram: before[gram] or n for gram, n in raw.items()})
            self.counts.append(raw)
        self.taken = [(0.0, *discounts(np.array(list(raw.values())))) for raw in self.counts]
        self.children: list[dict[tuple[int, ...], dict[int, int]]] = []
        for raw in self.counts:
            found: dict[tuple[int, ...], dict[int, int]] = defaultdict(dict)
            for gram, n in raw.items():
                found[gram[:-1]][gram[-1]] = n
            self.children.append(found)

    def after(self, context: tuple[int, ...]) -> np.ndarray:
        """Probability of each symbol: [SYMBOLS]."""
        lower = np.full(SYMBOLS, 1 / SYMBOLS) if not context else self.after(context[1:])
        if len(context) >= len(self.counts) or context not in self.children[len(context)]:
            return lower
        taken, children = self.taken[len(context)], self.children[len(context)][context]
        total = sum(children.values())
        left = sum(taken[min(n, 3)] for n in children.values())
        found = left / total * lower
        for symbol, n in children.items():
            found[symbol] += (n - taken[min(n, 3)]) / total
        return found


def test_one_text_by_hand() -> None:
    """Symbols of "aa" after the first boundary: a, a, boundary. No counts of counts: the usual discounts."""
    model = fit_ngram(["aa"], 1)
    left = (1.0 + 0.5) / 3
    wanted = [(2 - 1.0) / 3 + left / 257, (2 - 1.0) / 3 + left / 257, (1 - 0.5) / 3 + left / 257]
    found = model.score([of_text("aa"), Span((BOUNDARY,), (ord("b"),))])
    assert np.allclose(np.exp(found[0].logprobs), wanted, rtol=1e-12)
    assert np.allclose(np.exp(found[1].logprobs), left / 257, rtol=1e-12)
    assert found[0].greedy.tolist() == [ord("a")] * 3


def test_discounts_follow_the_counts_of_counts_where_there_are_any() -> None:
    counts = np.repeat([1, 2, 3, 4, 9], [40, 16, 8, 5, 100])
    share = 40 / (40 + 2 * 16)
    wanted = (1 - 2 * share * 16 / 40, 2 - 3 * share * 8 / 16, 3 - 4 * share * 5 / 8)
    assert discounts(counts) == pytest.approx(wanted)
    for degenerate in ([1, 2, 3], [7], [], np.repeat([1, 2, 3, 4], [1, 50, 1, 900])):
        assert discounts(np.array(degenerate, np.int64)) == USUAL


@pytest.mark.parametrize("most", [900, 10**12])
def test_distinct_keys_are_numbered_in_order(most: int) -> None:
    keys = np.array([899, 5, 5, 17, 899, 5])
    found = distinct(keys, most)
    assert [part.tolist() for part in found] == [[5, 17, 899], [2, 0, 0, 1, 2, 0], [3, 1, 2]]


@pytest.mark.parametrize("order", [1, 2, 3, 5, 8])
def test_it_is_the_paper_s_model(order: int) -> None:
    texts = sentences(60)
    model, reference = fit_ngram(texts, order), Reference(texts, order)
    for text in [*sentences(6, seed=1), "unknown ☃ words", ""]:
        symbols = [BOUNDARY, *symbols_of(text), BOUNDARY]
        wanted = [reference.after(tuple(symbols[max(i - order + 1, 0) : i])) for i in range(1, len(symbols))]
        found = model.score([of_text(text)])[0]
        assert np.allclose(found.logprobs, np.log([row[s] for row, s in zip(wanted, symbols[1:], strict=True)]))
        place = model.cursor([BOUNDARY])
        for row, symbol, greedy in zip(wanted, symbols[1:], found.greedy, strict=True):
            assert np.allclose(place.probabilities(), row, rtol=1e-10, atol=0)
            assert greedy == place.likeliest() == int(place.probabilities().argmax())
            place.feed(symbol)


def test_probabilities_sum_to_one_after_any_context() -> None:
    model, rng = fit_ngram(sentences(80), 6), np.random.default_rng(0)
    contexts = [rng.integers(0, SYMBOLS, length).tolist() for length in range(1, 12)]
    contexts += [[BOUNDARY, *symbols_of("the fil")], symbols_of("the")[:2], [BOUNDARY] * 9, [NEVER, 116], [116, NEVER]]
    for context in contexts:
        every = model.score([Span(tuple(context), (symbol,)) for symbol in range(SYMBOLS)])
        found = np.exp([score.logprobs[0] for score in every])
        assert found.sum() == pytest.approx(1, abs=1e-12)
        assert found.min() > 0
        assert np.allclose(model.cursor(context).probabilities(), found, rtol=1e-12)
        assert {int(score.greedy[0]) for score in every} == {int(found.argmax())}


def test_only_the_last_bytes_of_a_context_count_and_spans_may_be_cut_anywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    model = fit_ngram(sentences(80), 4)
    symbols = symbols_of(" ".join(sentences(20, seed=3)))
    whole = model.score([Span((BOUNDARY,), tuple(symbols))])[0]
    spans = [Span((BOUNDARY,), tuple(symbols[:7]))]
    spans += [Span(tuple(symbols[:i]), tuple(symbols[i : i + 7])) for i in range(7, len(symbols), 7)]
    pieces = model.score(spans)
    assert np.array_equal(np.concatenate([piece.logprobs for piece in pieces]), whole.logprobs)
    assert np.array_equal(np.concatenate([piece.greedy for piece in pieces]), whole.greedy)
    monkeypatch.setattr(module, "TOGETHER", 40)
    assert equal(model.score(spans), pieces, 0)
    assert model.score([]) == []


def test_more_context_helps_on_text_of_the_same_kind() -> None:
    train, unseen = sentences(400), sentences(50, seed=5)
    nats = [-sum(s.logprobs.sum() for s in fit_ngram(train, n).score(list(map(of_text, unseen)))) for n in (1, 2, 4)]
    assert nats[0] > 1.3 * nats[1] > 1.3 * 1.3 * nats[2]


@pytest.mark.parametrize("order", [1, 3, 8])
def test_its_file_gives_the_same_model_and_the_same_bytes(tmp_path: Path, order: int) -> None:
    texts = sentences(300)
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        fit_ngram(texts, order).save(tmp_path / name)
    assert all((tmp_path / "a" / f).read_bytes() == (tmp_path / "b" / f).read_bytes() for f in (RECORD, TENSORS))
    opened, spans = open_byte_lm(tmp_path / "a"), list(map(of_text, texts[:20]))
    assert isinstance(opened, KneserNey)
    assert opened.order == order
    assert equal(opened.score(spans), fit_ngram(texts, order).score(spans), 0)


def test_texts_shorter_than_the_order_give_a_lower_one(tmp_path: Path) -> None:
    model = fit_ngram(["ab", "b"], 8)
    assert model.order == 4
    model.save(tmp_path)
    assert equal(open_byte_lm(tmp_path).score([of_text("ab")]), model.score([of_text("ab")]), 0)


def test_nothing_to_count_is_refused() -> None:
    for texts in ([], ["", ""]):
        with pytest.raises(DataError, match="no text"):
            fit_ngram(texts, 3)
    for order in (0, 9):
        with pytest.raises(DataError, match=f"{order} symbols"):
            fit_ngram(["text"], order)


def test_files_that_are_not_whole_are_refused(tmp_path: Path) -> None:
    fit_ngram([*sentences(30), "a" * 800], 3).save(tmp_path)
    record, raw = (tmp_path / RECORD).read_text(), (tmp_path / TENSORS).read_bytes()
    tensors = load_file(str(tmp_path / TENSORS))

    def refused(match: str) -> None:
        with pytest.raises(ModelError, match=match):
            open_byte_lm(tmp_path)

    for change in ({"version": 2}, {"kind": "lstm"}, {"order": 4}, {"order": "3"}, {"order": 0}, {"order": 10**9}):
        (tmp_path / RECORD).write_text(json.dumps(json.loads(record) | change))
        refused("known here|not whole")
    for text in ("[]", "{", ""):
        (tmp_path / RECORD).write_text(text)
        refused("known here|not whole")
    (tmp_path / RECORD).write_text(record)
    (tmp_path / TENSORS).write_bytes(raw[:-3])
    refused("cut off")
    for name, tensor in tensors.items():
        shorter = {**tensors, name: tensor[:-1]}
        swapped = {**tensors, name: tensor[::-1].copy()}
        longer = {**tensors, name: np.append(tensor, tensor[:1])}
        other = {**tensors, name: tensor.astype(np.float32)}
        absent = {kept: value for kept, value in tensors.items() if kept != name}
        for broken in (shorter, longer, other, absent, *([swapped] if name in ("symbols", "children") else [])):
            save_file(broken, str(tmp_path / TENSORS))
            refused("not whole")
    counts = np.where(tensors["counts"] == ESCAPE, ESCAPE, 0).astype(np.uint8)
    save_file({**tensors, "counts": counts}, str(tmp_path / TENSORS))
    refused("less than once")
    (tmp_path / TENSORS).unlink()
    refused(f"lacks the file {TENSORS}")
    (tmp_path / RECORD).unlink()
    refused(f"lacks the file {RECORD}")
