"""Probabilities of several models are averaged, not their logits."""

from __future__ import annotations

import numpy as np

from lighten.nets.training.ensemble import averaged


def shares(logits: np.ndarray) -> np.ndarray:  # type: ignore[type-arg]
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def test_the_mean_is_that_of_the_probabilities() -> None:
    rng = np.random.default_rng(0)
    some = [rng.normal(0, 3, (5, 4)) for _ in range(3)]
    found = averaged(some)
    np.testing.assert_allclose(shares(found), np.mean([shares(one) for one in some], axis=0), rtol=1e-5)
    np.testing.assert_allclose(found.sum(axis=1), 0.0, atol=1e-5)


def test_one_model_keeps_its_logits_up_to_their_mean_however_sure_it_is() -> None:
    logits = np.array([[900.0, -900.0], [1.0, 3.0]])
    np.testing.assert_allclose(averaged([logits]), [[900.0, -900.0], [-1.0, 1.0]], rtol=1e-6)
