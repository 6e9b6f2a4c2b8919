"""Small byte models, which need no library and open in a moment, and the fake engine."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lighten.core.artifact import Artifact
from lighten.nets.baselines.counts import fit_ngram
from lighten.testing.plugin import installed, plugin_package

PLACES = ("the old mill", "a quiet harbour", "the long road", "our first garden", "that small house")
DEEDS = ("was sold in spring", "burned down twice", "is still there", "belongs to nobody", "will be painted")
Counted = Callable[..., Path]

PROMPT = "{place}:"
MOODS = ("good", "bad")
CHOSEN = {"use": "text_generation", "evidence": "choices", "choices": [" good", " bad"], "prefix": "Say good or bad.\n"}
ANSWERED = {"use": "text_generation", "evidence": "answers"}


def document(number: int) -> str:
    """A text of three sentences; the same numbers give the same text."""
    parts = (f"{PLACES[(number // 5**i) % 5]} {DEEDS[(number * 7 // 3**i) % 5]}." for i in range(3))
    return f"{' '.join(parts)} {number} years ago."


@pytest.fixture
def counted(tmp_path: Path) -> Counted:
    """``counted("name", texts, order=4, **meta)``: the folder of an n-gram model of ``texts``."""

    def make(name: str, texts: list[str] | None = None, order: int = 4, **meta: Any) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        fit_ngram(texts or [document(i) for i in range(200)], order).save(folder)
        return Artifact.seal(folder, format="byte-lm", meta=meta).path

    return make


@pytest.fixture
def documents(tmp_path: Path) -> Path:
    """New documents, in jsonl."""
    path = tmp_path / "new.jsonl"
    path.write_text("".join(json.dumps({"text": document(i)}) + "\n" for i in range(300, 360)), encoding="utf-8")
    return path


@pytest.fixture
def moods() -> list[str]:
    """What a model of counts learns the choices from: a place is good when it ends in ``y``."""
    return [f"place {i}y: good" for i in range(60)] + [f"place {i}n: bad" for i in range(60)]


@pytest.fixture(scope="module")
def fake_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The engine ``fake`` and its format are installed."""
    folder = tmp_path_factory.mktemp("plugins")
    plugin_package(folder, "engines", "fake", module="lighten.testing.fake")
    plugin_package(folder, "formats", "fake", module="lighten.testing.fake_format")
    with installed(folder):
        yield
