"""Energy counters, read from files as Linux writes them."""

from pathlib import Path

import pytest

from lighten.isolate import rapl


def zone(root: Path, name: str, kind: str, microjoules: int) -> Path:
    folder = root / name
    folder.mkdir(parents=True)
    (folder / "name").write_text(f"{kind}\n")
    (folder / "energy_uj").write_text(f"{microjoules}\n")
    (folder / "max_energy_range_uj").write_text("1000000\n")
    return folder


def test_energy_is_that_of_whole_packages_and_survives_a_wrap(tmp_path: Path) -> None:
    first = zone(tmp_path, "intel-rapl:0", "package-0", 999_000)
    zone(tmp_path, "intel-rapl:0:0", "core", 5)
    zone(tmp_path, "intel-rapl:1", "psys", 5)
    second = zone(tmp_path, "intel-rapl:2", "package-1", 100)
    before = rapl.counters(tmp_path)
    assert before == {"intel-rapl:0": 999_000, "intel-rapl:2": 100}
    (first / "energy_uj").write_text("1000")
    (second / "energy_uj").write_text("500100")
    assert rapl.joules_between(before, rapl.counters(tmp_path), tmp_path) == pytest.approx(0.502)


def test_why_there_is_no_energy(tmp_path: Path) -> None:
    assert rapl.counters(tmp_path / "none") == {} and "no energy counter" in rapl.why_not(tmp_path / "none")
    (zone(tmp_path, "intel-rapl:0", "package-0", 1) / "energy_uj").unlink()
    assert rapl.counters(tmp_path) == {} and "cannot be read" in rapl.why_not(tmp_path)
    assert rapl.joules_between({}, {}) is None
