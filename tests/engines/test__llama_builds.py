"""Of several ways to run one file the fastest is taken; one that does not open it is left out."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

from lighten.core.artifact import Artifact
from lighten.core.errors import CandidateFailed
from lighten.engines import _llama_builds, llama
from lighten.engines._llama_builds import fastest
from lighten.engines.llama import Llama
from lighten.nets.gguf.file import FILE
from lighten.testing.require import require
from lighten.testing.tiny_language import tiny_gguf

REFUSED = Llama(cells=128, flash="off", cache="q8_0")
"""llama.cpp takes a quantized cache with flash attention only."""


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    require(find_spec("xllamacpp") and find_spec("gguf"), "llama.cpp (pip install 'lighten[llama]')")
    return tiny_gguf("llama", tmp_path_factory.mktemp("builds"))


def test_one_that_does_not_open_the_file_is_left_out(model: Artifact, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_llama_builds, "ROUNDS", 1)
    works = Llama(cells=128)
    assert fastest(model.path / FILE, [REFUSED, works], threads=1) == works
    with pytest.raises(CandidateFailed, match="no context"):
        fastest(model.path / FILE, [REFUSED], threads=1)


def test_the_one_that_takes_the_least_time_for_a_token_is_taken(
    model: Artifact, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = {"on": 0.3, "auto": 0.1, "off": 0.2}

    class Child:
        def __init__(self, **_: object) -> None: ...

        def start(self) -> None: ...

        def close(self) -> None: ...

        def ask(self, op: str, deadline: float, *, function: str, arguments: dict[str, dict[str, str]]) -> object:
            assert function == "lighten.engines._llama_builds:seconds_per_token"
            return {"value": seconds[arguments["engine"].get("flash", "auto")]}

    monkeypatch.setattr(_llama_builds, "ChildProcess", Child)
    engines = [Llama(flash=flash) for flash in seconds]
    assert fastest(Path("model.gguf"), engines, threads=1) == Llama(flash="auto")


def test_nothing_is_measured_where_there_is_nothing_to_choose(model: Artifact, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(llama, "installed", lambda: ("xllamacpp",))
    assert Llama().settle(model, threads=1) == Llama()
    monkeypatch.setattr(llama, "installed", lambda: ("xllamacpp", "llama-cpp-python"))
    chosen = Llama(library="xllamacpp")
    assert chosen.settle(model, threads=1) is chosen
