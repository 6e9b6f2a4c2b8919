"""What making a language model cheaper takes, by hand-computed cases."""

from __future__ import annotations

from lighten.nets.language.memory import BESIDE, memory_to_open, memory_to_quantize, memory_to_train

FACTS = {"parameters": 1000, "vocabulary": 50, "hidden": 10, "bytes": 700}


def test_training_takes_four_numbers_for_each_that_is_trained() -> None:
    cut = 1000 - 450  # nine tenths of the vocabulary go
    assert list(memory_to_train(FACTS, whole=False).values()) == [4 * cut, 12 * cut, BESIDE]
    assert list(memory_to_train(FACTS, whole=True).values()) == [4000, 12000, BESIDE]


def test_a_file_that_is_unpacked_stands_beside_what_it_becomes() -> None:
    small = {**FACTS, "vocabulary": 95}
    assert list(memory_to_open(small, whole=False).values()) == [4000, 4000, BESIDE]
    assert memory_to_open(FACTS, whole=True) == memory_to_train(FACTS, whole=True)


def test_what_is_quantized_tensor_by_tensor_takes_a_copy() -> None:
    assert sum(memory_to_quantize(FACTS).values()) == 700 + BESIDE
