"""The hidden Markov model counts paths as brute force does, learning never makes it worse, and its file is checked."""

from __future__ import annotations

import json
from itertools import pairwise, product
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from lighten.core.errors import DataError, ModelError
from lighten.core.language import Span
from lighten.nets.baselines import baum_welch
from lighten.nets.baselines.baum_welch import Chain, Packed, expected, maximized, packed_pieces, shares
from lighten.nets.baselines.byte_model import BOUNDARY, RECORD, SYMBOLS, TENSORS, stream, symbols_of
from lighten.nets.baselines.hmm import MOST_STATES, HiddenMarkov, fit_hmm
from lighten.nets.baselines.opening import open_byte_lm

TEXTS = ["a good film", "a bad film", "", "the day is long", "the night is long and the film is good"] * 6


def any_chain(states: int, seed: int = 0) -> Chain:
    rng = np.random.default_rng(seed)
    return Chain(*(shares(rng.gamma(1.0, size=s)) for s in ((states,), (states, states), (states, SYMBOLS))))


def paths(chain: Chain, symbols: list[int]) -> list[tuple[tuple[int, ...], float]]:
    """Every path of hidden states with its probability together with the symbols."""
    found = []
    for path in product(range(len(chain.initial)), repeat=len(symbols)):
        p = chain.initial[path[0]] * chain.emission[path[0], symbols[0]]
        for last, now, symbol in zip(path, path[1:], symbols[1:], strict=False):
            p *= chain.transition[last, now] * chain.emission[now, symbol]
        found.append((path, float(p)))
    return found


def test_probabilities_are_those_of_all_paths_together() -> None:
    chain, symbols = any_chain(3), [BOUNDARY, 97, 98, 97, BOUNDARY]
    total = [sum(p for _, p in paths(chain, symbols[: n + 1])) for n in range(len(symbols))]
    model = HiddenMarkov(chain)
    found = model.score([Span((BOUNDARY,), tuple(symbols[1:])), Span(tuple(symbols[:3]), tuple(symbols[3:]))])
    assert np.allclose(found[0].logprobs, np.log(np.array(total[1:]) / total[:-1]))
    assert np.allclose(found[1].logprobs, found[0].logprobs[2:])
    place = model.cursor(symbols[:1])
    for logprob, greedy, symbol in zip(found[0].logprobs, found[0].greedy, symbols[1:], strict=True):
        after = place.probabilities()
        assert after.sum() == pytest.approx(1, abs=1e-12)
        assert np.log(after[symbol]) == pytest.approx(logprob)
        assert greedy == place.likeliest() == after.argmax()
        place.feed(symbol)


def test_expected_counts_are_those_of_all_paths_together() -> None:
    chain, rows = any_chain(2), [[BOUNDARY, 97, 98, 98, BOUNDARY], [BOUNDARY, 98, BOUNDARY], [BOUNDARY, BOUNDARY]]
    initial, moves, emits, likelihood = np.zeros(2), np.zeros((2, 2)), np.zeros((2, SYMBOLS)), 0.0
    for row in rows:
        every = paths(chain, row)
        total = sum(p for _, p in every)
        likelihood += np.log(total)
        for path, p in every:
            initial[path[0]] += p / total
            np.add.at(moves, (path[:-1], path[1:]), p / total)
            np.add.at(emits, (path, row), p / total)
    found = expected(chain, [Packed.of(rows[1:]), Packed.of(rows[:1])])
    assert found.likelihood == pytest.approx(likelihood)
    assert np.allclose(found.initial, initial)
    assert np.allclose(found.transition, moves)
    assert np.allclose(found.emission, emits)


@pytest.mark.parametrize("states", [1, 2, 7, 40])
def test_likelihood_never_falls(states: int) -> None:
    heard: list[float] = []
    fit_hmm(TEXTS, states, iterations=25, heard=lambda done, likelihood: bool(heard.append(likelihood)))
    assert len(heard) >= 2
    assert all(later >= before - 1e-9 * abs(before) for before, later in pairwise(heard))
    if states > 2:
        assert heard[-1] > heard[0] + 10


def test_likelihood_never_falls_from_any_beginning() -> None:
    chain, packs, last = any_chain(5, seed=3), packed_pieces(*stream(TEXTS), 5), -np.inf
    for _ in range(30):
        counts = expected(chain, packs)
        assert counts.likelihood >= last - 1e-9 * abs(counts.likelihood)
        last, chain = counts.likelihood, maximized(counts, chain)
        for rows in (chain.initial, chain.transition, chain.emission):
            assert np.allclose(rows.sum(axis=-1), 1)


def test_long_texts_are_learned_in_pieces_and_nothing_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(baum_welch, "LONGEST", 10)
    monkeypatch.setattr(baum_welch, "TOGETHER", 400)
    symbols, begins = stream(TEXTS)
    packs = packed_pieces(symbols, begins, 8)
    assert len(packs) > 10
    together = np.concatenate([pack.symbols for pack in packs])
    assert np.array_equal(np.bincount(together), np.bincount(symbols))
    assert max(len(pack.offsets) for pack in packs) == 11
    model = fit_hmm(TEXTS, 8, iterations=5)
    assert np.isfinite(model.score([Span((BOUNDARY,), tuple(symbols_of("a long film")))])[0].logprobs).all()


def test_spans_of_any_length_in_any_order_with_shared_contexts() -> None:
    model = fit_hmm(TEXTS, 12, iterations=5)
    contexts = [(BOUNDARY, *symbols_of(text)) for text in ("a ", "the night ", "")]
    targets = [tuple(symbols_of(text)) for text in ("film", "good film, unknown ☃", "x")]
    spans = [Span(context, target) for target in targets for context in contexts]
    for span, found in zip(spans, model.score(spans), strict=True):
        alone = model.score([span])[0]
        assert np.allclose(found.logprobs, alone.logprobs, rtol=0, atol=1e-10)
        assert np.array_equal(found.greedy, alone.greedy)
    assert model.score([]) == []


def test_it_learns_more_than_how_often_a_byte_occurs() -> None:
    spans = [Span((BOUNDARY,), tuple(symbols_of(text))) for text in ("a good day", "the film is long")]
    nats = [-sum(s.logprobs.sum() for s in fit_hmm(TEXTS, n, iterations=20).score(spans)) for n in (1, 24)]
    assert nats[1] < 0.6 * nats[0]


def test_it_ends_when_told_and_is_the_same_every_time() -> None:
    heard: list[int] = []

    def three(done: int, likelihood: float) -> bool:
        heard.append(done)
        return done == 3

    one, two = (fit_hmm(TEXTS, 6, iterations=9, heard=three) for _ in range(2))
    assert heard == [0, 1, 2, 3] * 2
    assert all(np.array_equal(one.tensors()[name], tensor) for name, tensor in two.tensors().items())


def test_its_file_gives_the_same_model_and_is_checked(tmp_path: Path) -> None:
    model = fit_hmm(TEXTS, 5, iterations=3)
    model.save(tmp_path)
    span = Span((BOUNDARY,), tuple(symbols_of("the film")))
    opened = open_byte_lm(tmp_path)
    assert isinstance(opened, HiddenMarkov)
    assert np.array_equal(opened.score([span])[0].logprobs, model.score([span])[0].logprobs)
    tensors = load_file(str(tmp_path / TENSORS))
    bad_emission = tensors["emission"].copy()
    bad_emission[:, 7] = 0
    for broken in (
        {**tensors, "initial": tensors["initial"] * 2},
        {**tensors, "transition": -tensors["transition"]},
        {**tensors, "transition": tensors["transition"] * np.nan},
        {**tensors, "transition": tensors["transition"][:4]},
        {**tensors, "emission": tensors["emission"].astype(np.float32)},
        {**tensors, "emission": shares(bad_emission)},
        {name: tensor for name, tensor in tensors.items() if name != "initial"},
    ):
        save_file(broken, str(tmp_path / TENSORS))
        with pytest.raises(ModelError, match="not whole"):
            open_byte_lm(tmp_path)
    save_file(tensors, str(tmp_path / TENSORS))
    (tmp_path / RECORD).write_text(json.dumps({"version": 1, "kind": "hmm", "states": 10**9}))
    with pytest.raises(ModelError, match="not whole"):
        open_byte_lm(tmp_path)


def test_nothing_to_learn_from_is_refused() -> None:
    with pytest.raises(DataError, match="no text"):
        fit_hmm(["", ""], 4, iterations=2)
    for states in (0, MOST_STATES + 1):
        with pytest.raises(DataError, match="states"):
            fit_hmm(["text"], states, iterations=2)
