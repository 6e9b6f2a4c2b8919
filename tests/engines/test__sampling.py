"""From logits to tokens: the most likely ones with their probabilities."""

from __future__ import annotations

import numpy as np

from lighten.engines._sampling import log_softmax_at, most_likely


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
