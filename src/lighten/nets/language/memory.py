"""How much memory making a language model cheaper takes, from its facts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

CUT = 0.9
"""Share of a vocabulary that a text of one kind does without, about."""
MOMENTS = 12
"""Bytes per number that is trained, beside the number itself: its gradient and the two moments of AdamW."""
BESIDE = 1_000_000_000
"""Bytes of torch and of what is computed with while a model is trained."""


def memory_to_train(facts: Mapping[str, Any], *, whole: bool, opening: int = 0) -> dict[str, int]:
    """Bytes that training takes, by what they are for.

    Args:
        whole: with every weight trained; else with as few as the search can make do with, those that are left when the
            vocabulary is cut. opening: bytes of the floats that stand beside what lies in a file while it is unpacked.
    """
    parameters = int(facts["parameters"])
    trained = parameters if whole else parameters - round(CUT * facts["vocabulary"] * facts["hidden"])
    return {
        "its weights as float32": 4 * (parameters if opening >= MOMENTS * trained else trained),
        "gradients and moments of training, or a second copy while it is opened": max(opening, MOMENTS * trained),
        "libraries and buffers": BESIDE,
    }


def memory_to_open(facts: Mapping[str, Any], *, whole: bool) -> dict[str, int]:
    """As :func:`memory_to_train`, for a file whose numbers are unpacked first."""
    return memory_to_train(facts, whole=whole, opening=4 * int(facts["parameters"]))


def memory_to_quantize(facts: Mapping[str, Any]) -> dict[str, int]:
    """Bytes that quantizing tensors one by one takes, where nothing is trained."""
    return {"a candidate while it is written": int(facts["bytes"]), "libraries and buffers": BESIDE}
