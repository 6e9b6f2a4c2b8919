"""The roofline: shares of what the machine allows, for candidates whose weights are known."""

from __future__ import annotations

from pathlib import Path

import pytest

from lighten.core.artifact import Artifact
from lighten.core.format import Traffic
from lighten.core.result import HIGHER, Candidate, Result
from lighten.formats.gguf import Gguf
from lighten.search.roofline import Rates, roofline_shares, traffic_of


def test_shares_are_measured_over_what_the_machine_allows(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    artifact = Artifact(tmp_path, "a", "gguf", {})
    monkeypatch.setattr(Gguf, "traffic", lambda *_: Traffic(read=100e6, multiplied=1e8))

    def of(key: int, **values: float | None) -> Candidate:
        results = {n: Result("a", "llama", "cpu", n, v, "tok/s", HIGHER, 5) for n, v in values.items()}
        return Candidate(key, "c", (), "llama", state="ok", artifact="a", results=results)

    every = [of(0, decode=80.0, prefill=500.0), of(1, decode=None, prefill=1200.0), of(2)]
    found = roofline_shares(every, traffic_of(every, {"a": artifact}), Rates(20, 200))
    assert found == {"0": {"decode": pytest.approx(0.4), "prefill": pytest.approx(0.5)}, "1": {"prefill": 1.2}}


def test_what_is_not_in_the_store_or_has_no_weights_is_left_out(tmp_path: Path) -> None:
    counted = Artifact(tmp_path, "a", "byte-lm", {})
    candidates = [Candidate(i, "c", (), "numpy", state="ok", artifact=name) for i, name in enumerate(("a", "gone"))]
    assert traffic_of(candidates, {"a": counted}) == {} == roofline_shares(candidates, {}, Rates(20, 200))
