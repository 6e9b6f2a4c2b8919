"""Settings of an engine: what runs one file best by what the budget asks, and nothing that is only noise."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from lighten.core import catalog
from lighten.core.budget import Budget
from lighten.core.errors import SessionCrashed
from lighten.core.meter import SpeedMeter
from lighten.core.result import Candidate, Measured
from lighten.core.space import Variant
from lighten.engines import llama
from lighten.engines.llama import Llama
from lighten.measure.interleave import Reading
from lighten.search import serving
from lighten.search.leaderboard import Leaderboard
from lighten.testing.stage_engine import StageEngine

METERS = {name: catalog.load("meters", name)() for name in ("decode", "memory")}
QUANTITIES = {q.name: q for meter in METERS.values() for q in meter.quantities}
BEST = Candidate(3, "cut @ llama", (), "llama", {"library": "xllamacpp"}, state="ok")


def settings(engine: Llama) -> tuple[str, int]:
    return engine.cache, engine.ahead


def served(
    monkeypatch: pytest.MonkeyPatch,
    timed: Mapping[tuple[str, int], tuple[float, float]],
    *under: str,
    room: int = 1 << 30,
) -> tuple[Any, Any]:
    """What is chosen when each (cache, ahead) takes that many (ms per token, MB), and the run."""
    opened: list[Llama] = []

    class Opened:
        def __init__(self, built: Any, engine: Llama, **_: Any) -> None:
            self.engine = engine

        def __enter__(self) -> Any:
            if self.engine.flash == "off" and self.engine.cache == "q8_0":
                raise SessionCrashed("a quantized cache needs flash attention")
            opened.append(self.engine)
            return self

        def __exit__(self, *_: object) -> None: ...

    def measured(sessions: Mapping[int, Opened], work: Any, *, meters: Any, seconds: float) -> dict[int, Any]:
        asked = {"decode", "memory"} if under else {"decode"}
        assert set(meters) == asked
        found = {}
        first = timed["f16", 0][0]
        for number, session in sessions.items():
            tpot, memory = timed.get(settings(session.engine), (99.0, 999.0))
            if session.engine.flash == "off":
                tpot, memory = 99.0, 999.0
            readings = {"tpot": Reading(QUANTITIES["tpot"], Measured(tpot, 9), first / tpot)}
            if under:
                readings["memory"] = Reading(QUANTITIES["memory"], Measured(memory, 1), None)
            found[number] = readings
        return found

    speed: dict[str, SpeedMeter] = dict(METERS)
    said: list[str] = []
    original = Candidate(0, "as it is @ llama", (), "llama", state="ok")
    run: Any = SimpleNamespace(
        budget=Budget.parse((), under, "tpot", quality=(), speed=list(QUANTITIES.values())),
        speed=speed,
        quality={},
        threads=1,
        task=None,
        work=None,
        environment={},
        facts={},
        notes=[],
        folder=SimpleNamespace(study=SimpleNamespace(candidates=lambda: [original])),
        listener=SimpleNamespace(progress=lambda done, total, message: said.append(message)),
    )
    monkeypatch.setattr(llama, "installed", lambda: ("xllamacpp",))
    monkeypatch.setattr(Llama, "memory", lambda engine, facts: {"weights": 1_000})
    monkeypatch.setattr(serving, "available_memory", lambda: room)
    monkeypatch.setattr(serving, "SessionProcess", Opened)
    monkeypatch.setattr(serving, "measure", measured)
    monkeypatch.setattr(serving, "built_of", lambda run, steps, engine: SimpleNamespace(id="f00", format="gguf"))
    best = serving.served_best(run, BEST, 60.0)
    assert said == [] or said[0].startswith("opening cut @ llama with")  # seconds go by: what is done is said
    assert len(said) in (0, 2)
    return best, run


def test_ways_are_the_engine_first_and_then_every_combination(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(llama, "installed", lambda: ("xllamacpp",))
    engine = Llama(library="xllamacpp", cells=512)
    found: list[Any] = engine.ways()
    assert found[0] == engine
    assert len({(w.flash, *settings(w)) for w in found}) == len(found) == 8
    assert {(w.library, w.cells) for w in found} == {("xllamacpp", 512)}


def test_every_build_that_is_installed_is_a_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(llama, "installed", lambda: ("xllamacpp", "llama-cpp-python"))
    found: list[Any] = Llama(library="xllamacpp").ways()
    assert found[0] == Llama(library="xllamacpp")
    assert len(found) == len(set(found)) == 16
    assert {way.library for way in found} == {"xllamacpp", "llama-cpp-python"}


def test_the_fastest_way_is_taken_and_one_that_does_not_open_is_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen, run = served(monkeypatch, {("f16", 0): (10.0, 200), ("f16", 3): (7.0, 200), ("q8_0", 0): (11.0, 150)})
    assert settings(chosen) == ("f16", 3)
    assert chosen.library == "xllamacpp"
    assert len(run.notes) == 2
    assert "does not run with llama(" in run.notes[0]
    assert "needs flash attention" in run.notes[0]


def test_what_is_faster_by_noise_alone_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen, _ = served(monkeypatch, {("f16", 0): (10.0, 200), ("q8_0", 0): (9.8, 150)})
    assert settings(chosen) == ("f16", 0)


def test_a_ceiling_comes_before_the_cost(monkeypatch: pytest.MonkeyPatch) -> None:
    times = {("f16", 0): (10.0, 200), ("f16", 3): (7.0, 200), ("q8_0", 0): (11.0, 150), ("q8_0", 3): (12.0, 150)}
    chosen, _ = served(monkeypatch, times, "memory<=180MB")
    assert settings(chosen) == ("q8_0", 0)


def test_no_more_is_open_at_once_than_memory_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    faster_last = {("f16", 0): (10.0, 200), ("q8_0", 3): (2.0, 100)}
    assert settings(served(monkeypatch, faster_last)[0]) == ("q8_0", 3)
    assert settings(served(monkeypatch, faster_last, room=4_000)[0]) == ("f16", 0)


def test_the_best_file_is_served_otherwise_once(measured: Any, plugins: None, monkeypatch: pytest.MonkeyPatch) -> None:
    run = measured({0: (100.0, 0), 1: (70.0, 2), 2: (52.0, 4), 3: (20.0, 200)})
    asked: list[int] = []
    tried: list[Any] = []

    def best(run: Any, candidate: Candidate, seconds: float) -> StageEngine:
        asked.append(candidate.key)
        return StageEngine(act=candidate.key, thrift=3)

    monkeypatch.setattr(serving, "served_best", best)
    attempts: Any = SimpleNamespace(
        run=run, board=Leaderboard(run), reserve=0.0,
        planning=SimpleNamespace(settling=lambda: 1.0, settings=lambda count: 1.0),
        made_from=lambda key: (None, Variant((), StageEngine(act=key))),
        attempt=lambda _, variant: tried.append((variant.engine.act, variant.engine.thrift)),
    )  # fmt: skip
    serving.serve_the_best(attempts)
    serving.serve_the_best(attempts)  # as after a kill: what was found is known
    assert asked == [2] and tried == [(2, 3), (2, 3)]
    run.clock.left = 0.5
    serving.serve_the_best(attempts)
    assert len(tried) == 2
