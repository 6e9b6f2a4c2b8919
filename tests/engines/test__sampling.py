"""From logits to tokens: the most likely ones with their probabilities."""

from __future__ import annotations

import numpy as np
import pytest

from lighten.core.errors import BuildFailed
from lighten.core.language import Sampling
from lighten.engines._sampling import chosen, log_softmax_at, most_likely


def test_the_most_likely_tokens_come_in_order_with_their_probabilities() -> None:
    logits = np.log(np.array([0.1, 0.4, 0.2, 0.3], np.float32))
    logprob, top = most_likely(logits, 0, 3)
    assert abs(np.exp(logprob) - 0.1) < 1e-6
    assert [token for token, _ in top] == [1, 3, 2]
    assert np.allclose(np.exp([value for _, value in top]), [0.4, 0.3, 0.2])
    assert most_likely(logits, 2, 0)[1] == [] and len(most_likely(logits, 2, 99)[1]) == 4


def test_they_are_those_of_a_score() -> None:
    logits = np.random.default_rng(0).normal(scale=5, size=(3, 50)).astype(np.float32)
    logprobs, best = log_softmax_at(logits, np.arange(3), np.array([4, 5, 6]))
    for row, token in enumerate((4, 5, 6)):
        logprob, ((first, _),) = most_likely(logits[row], token, 1)
        assert abs(logprob - logprobs[row]) < 1e-5 and first == best[row]


def by_definition(logits: np.ndarray, sampling: Sampling, random: np.random.Generator) -> int:
    """Everything sorted, the likeliest that hold ``top_p`` together kept, and one of them drawn."""
    scaled = logits.astype(np.float64) / sampling.temperature
    order = np.argsort(-scaled)
    shares = np.exp(scaled[order] - scaled[order[0]])
    shares /= shares.sum()
    kept = int(np.searchsorted(np.cumsum(shares), sampling.top_p)) + 1
    return int(random.choice(order[:kept], p=shares[:kept] / shares[:kept].sum()))


@pytest.mark.parametrize("temperature", [0.1, 0.7, 2.0])
@pytest.mark.parametrize("top_p", [1e-9, 0.5, 0.9, 0.999, 1.0])
def test_a_draw_is_that_of_the_whole_distribution_however_little_is_sorted(temperature: float, top_p: float) -> None:
    rng = np.random.default_rng(1)
    for scale in (0.1, 1.0, 5.0, 40.0):
        logits = rng.normal(scale=scale, size=997).astype(np.float32)
        logits[rng.random(997) < 0.3] = -np.inf  # what a schema does not allow
        sampling = Sampling(temperature, top_p)
        ours, theirs = np.random.default_rng(2), np.random.default_rng(2)
        for _ in range(30):
            assert chosen(logits, sampling, ours) == by_definition(logits, sampling, theirs)


def test_without_a_temperature_the_most_likely_token_is_taken() -> None:
    random = np.random.default_rng(0)
    assert chosen(np.array([0.0, 3.0, 1.0], np.float32), Sampling(), random) == 1
    assert random.random() == np.random.default_rng(0).random()  # nothing was drawn


@pytest.mark.parametrize("temperature", [1e-308, 5e-324, 1e308])
def test_a_draw_survives_every_temperature(temperature: float) -> None:
    logits = np.array([0.0, -3e38, 3e38, -np.inf, 1.0], np.float32)
    token = chosen(logits, Sampling(temperature, 0.9), np.random.default_rng(0))
    assert token == 2 if temperature < 1 else token != 3


@pytest.mark.parametrize("sampling", [Sampling(), Sampling(1.0), Sampling(1e-308, 0.5)])
def test_logits_that_are_no_numbers_are_refused(sampling: Sampling) -> None:
    for logits in ([0.0, np.nan, 1.0], [np.nan] * 3):
        with pytest.raises(BuildFailed, match="no numbers"):
            chosen(np.array(logits, np.float32), sampling, np.random.default_rng(0))
