"""Trainings without processes of their own: what these do is tested in tests/verbs and tests/sessions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any

import numpy as np
import pytest

from lighten.core.artifact import Artifact
from lighten.core.item import Item
from lighten.fitting import attacking, child, process, reading, score
from lighten.measure.probe import EngineHealth
from lighten.measure.rates import Rate
from lighten.nets.forward import logits
from lighten.pipeline.formats import open_model
from lighten.search import optimize
from lighten.sessions import process as sessions


class Worker:
    """Trains here."""

    def __init__(self, *_: object) -> None:
        pass

    def fit(self, arguments: Mapping[str, Any], on_event: Callable[[Mapping[str, Any]], object]) -> Mapping[str, Any]:
        return child.fit(**arguments)

    def close(self) -> None:
        pass


class Here:
    """A session here."""

    def __init__(self, artifact: Artifact, *_: object, **__: object) -> None:
        self.network = open_model(artifact, tuple(artifact.meta["labels"]) or ("bad", "good"))

    def __enter__(self) -> Here:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def answers(self, inputs: Sequence[Item], heard: object = None) -> np.ndarray[Any, Any]:
        return logits(self.network, inputs, 1)


def called(function: str, *, deadline: float = 0.0, **arguments: object) -> Any:
    """What ``isolate.process.call`` does, here."""
    module, _, name = function.partition(":")
    return getattr(import_module(module), name)(**arguments)


@pytest.fixture
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIGHTEN_PRECISION", "fp32")
    monkeypatch.setattr(child, "emit", lambda *_: None)
    monkeypatch.setattr(child, "matmul_rate", lambda: Rate(100.0))
    monkeypatch.setattr(process, "Workers", Worker)
    monkeypatch.setattr(reading, "probe_engine", lambda name: EngineHealth(name, works=True))
    for module in (score, sessions):
        monkeypatch.setattr(module, "SessionProcess", Here)
    for module in (optimize, attacking):
        monkeypatch.setattr(module, "call", called)
