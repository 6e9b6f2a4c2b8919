"""Room: how much memory a language model needs, told from its headers before anything is loaded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from lighten.core.artifact import GGUF, HF_CAUSAL
from lighten.core.engine import Engine
from lighten.core.errors import TooLarge
from lighten.files.json_file import read_object
from lighten.isolate.machine import available_memory
from lighten.nets.architectures import CAUSAL, TEXT_PART
from lighten.nets.bring import base_of
from lighten.nets.facts import facts, gguf_facts, language_facts
from lighten.nets.language.text_part import text_config, text_tensors
from lighten.nets.recognize import ADAPTER, ARTIFACT, GGUF_FILE, recognize

CUT = 0.9
"""Share of a vocabulary that a text of one kind does without, about."""
MOMENTS = 12
"""Bytes per number that is trained, beside the number itself: its gradient and the two moments of AdamW."""
BESIDE = 1_000_000_000
"""Bytes of torch and of what is computed with while a model is trained."""


def language_facts_of(source: Path) -> dict[str, Any] | None:
    """Facts of the language model in a GGUF file, an artifact or an HF folder; None where there is none, and where it
    is in a format whose need nobody estimates.

    Raises:
        ModelError: its headers cannot be read, or it is nothing that lighten can use.
    """
    found = recognize(source)
    if found.kind == ADAPTER and found.language:
        return facts(base_of(found).path)
    if found.kind == TEXT_PART:
        return language_facts(
            found.path, text_config(read_object(found.path / "config.json")), text_tensors(found.path)
        )
    if found.kind == GGUF_FILE:
        return gguf_facts(found.path)
    told = found.kind == CAUSAL or (found.kind == ARTIFACT and found.name in (HF_CAUSAL, GGUF))
    return facts(found.path) if told else None


def to_optimize(known: Mapping[str, Any], engine: Engine, *, whole: bool = False) -> dict[str, int]:
    """Bytes that optimizing a language model takes, by what they are for.

    The original stays open in the engine that ran it, so that candidates can be measured beside it.

    Args:
        known: the model's facts. whole: with every weight trained; else with as few as the search can make do with,
            those that are left when the vocabulary is cut.
    """
    parameters = int(known["parameters"])
    if known.get("no_network"):  # tensors are quantized one by one, and nothing is trained
        return {
            "the original while it is measured": sum(engine.memory(known).values()),
            "a candidate while it is written": int(known["bytes"]),
            "libraries and buffers": BESIDE,
        }
    trained = parameters if whole else parameters - round(CUT * known["vocabulary"] * known["hidden"])
    opening = 4 * parameters if known["format"] == GGUF else 0
    return {
        "the original while it is measured": sum(engine.memory(known).values()),
        "its weights as float32": 4 * (parameters if opening >= MOMENTS * trained else trained),
        "gradients and moments of training, or a second copy while it is opened": max(opening, MOMENTS * trained),
        "libraries and buffers": BESIDE,
    }


def to_run(models: Iterable[tuple[Mapping[str, Any], Engine]]) -> dict[str, int]:
    """Bytes that sessions of these models take together, by what they are for."""
    found: dict[str, int] = {}
    for known, engine in models:
        for what, size in engine.memory(known).items():
            found[what] = found.get(what, 0) + size
    return found


def check_room(model: str, doing: str, needed: Mapping[str, int], *, fix: str, available: int | None = None) -> None:
    """Refuse what does not fit.

    Args:
        doing: such as ``"To optimize"``. needed: bytes by what they are for. available: bytes; None for what is left.

    Raises:
        TooLarge: more is needed than available.
    """
    total, left = sum(needed.values()), available_memory() if available is None else available
    if total <= left:
        return
    listed = ", ".join(f"{gigabytes(size)} for {what}" for what, size in needed.items() if size)
    raise TooLarge(
        f"{doing} {model} takes about {gigabytes(total)} of memory ({listed}); "
        f"this machine has {gigabytes(left)} left.",
        allowed=f"models that need at most {gigabytes(left)}",
        fix=fix,
    )


def gigabytes(size: int) -> str:
    """As people read it.

    >>> gigabytes(1_234_567_890), gigabytes(280_000_000_000), gigabytes(3_000_000)
    ('1.23 GB', '280 GB', '0.003 GB')
    """
    return f"{size / 1e9:,.0f} GB" if size >= 1e11 else f"{size / 1e9:.3g} GB"
