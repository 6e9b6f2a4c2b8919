"""What the doctor says of the machine and its engines."""

import json
import re
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from lighten.measure import doctor
from lighten.measure.environment import MachineRecord
from lighten.measure.libraries import BrokenLibrary
from lighten.measure.probe import EngineHealth

BROKEN = BrokenLibrary("transformers", "5.0", "RuntimeError: no such operator", "pip uninstall x")


def test_the_doctor_lists_every_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    health = {
        "absent": EngineHealth("absent", False, reason="It lacks a library.", fix="pip install it"),
        "fake": EngineHealth("fake", True, "fake 1.0", ran=True),
    }
    monkeypatch.setattr(doctor.catalog, "names", lambda kind: tuple(health))
    monkeypatch.setattr(doctor, "probe_engine", lambda name, samples: health[name])
    monkeypatch.setattr(doctor, "broken_libraries", lambda groups: (BROKEN,))
    found = doctor.doctor(rates=False)
    assert [(e.name, e.works) for e in found.engines] == [("absent", False), ("fake", True)]
    assert "absent does not work here: It lacks a library. pip install it" in found.hints
    told = json.loads(json.dumps(found.to_json()))
    assert told["engines"][1]["version"] == "fake 1.0" and told["broken"][0]["name"] == "transformers"
    said = "transformers 5.0 is installed, but cannot be imported: RuntimeError: no such operator. pip uninstall x."
    assert said in found.hints


def test_hints_for_a_small_old_machine() -> None:
    here = MachineRecord("Old CPU", ("avx2",), 8, 2, 16 * 10**9, 2 * 10**9, "Linux 6 x86_64", "3.11", {})
    said = " ".join(doctor.hints(here, (), {"ov": ("openvino",)}))
    for part in ("2 of 8 cores", "2.0 of 16.0 GB", "VNNI", "No engine works here", "lighten[ov]"):
        assert part in said
    busy = replace(here, disturbed="other processes took up to 60% of the cores")
    (first, *_) = doctor.hints(busy, (), {})
    assert "took up to 60% of the cores" in first and "far too low" in first and "again" in first
    new = replace(here, flags=("avx2", "avx512_vnni"), cores=2, memory=2 * 10**9)
    assert doctor.hints(new, (EngineHealth("ort", True),), {}) == []


def test_extras_are_those_of_the_package() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    extras = {
        name: {re.split(r"[\[<>=~! ;]", requirement)[0] for requirement in requirements}
        for name, requirements in project["optional-dependencies"].items()
        if name not in ("all", "dev")
    }
    assert {name: set(names) for name, names in doctor.EXTRAS.items()} == extras
