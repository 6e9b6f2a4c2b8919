"""Energy counters of Intel and AMD processors, as Linux shows them in ``/sys/class/powercap``.

Source:
    Linux kernel documentation, "Power Capping Framework": ``energy_uj`` counts microjoules and wraps around at
    ``max_energy_range_uj``. Top-level zones ``intel-rapl:N`` are whole packages; their children are parts of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

POWERCAP = Path("/sys/class/powercap")


def counters(root: Path = POWERCAP) -> dict[str, int]:
    """Microjoules that each processor package has counted so far; empty when none can be read (see :func:`why_not`)."""
    found = {}
    for zone in _packages(root):
        try:
            found[zone.name] = int((zone / "energy_uj").read_text())
        except (OSError, ValueError):
            return {}
    return found


def joules_between(before: Mapping[str, int], after: Mapping[str, int], root: Path = POWERCAP) -> float | None:
    """Joules of all packages between two readings, one wrap-around allowed; None when there are no counters."""
    if not before or before.keys() != after.keys():
        return None
    total = 0
    for name, start in before.items():
        spent = after[name] - start
        if spent < 0:
            spent += int((root / name / "max_energy_range_uj").read_text())
        total += spent
    return total / 1e6


def why_not(root: Path = POWERCAP) -> str:
    """Why energy is unknown on this machine, in one sentence."""
    packages = _packages(root)
    if not packages:
        return f"unknown: this machine shows no energy counter in {root}"
    return f"unknown: {packages[0] / 'energy_uj'} cannot be read by this user (it belongs to root)"


def _packages(root: Path) -> list[Path]:
    """Whole-package zones, such as ``intel-rapl:0`` (``psys`` and ``dram`` would count twice)."""
    zones = sorted(p for p in root.glob("intel-rapl:*") if p.name.count(":") == 1) if root.is_dir() else []
    return [zone for zone in zones if _name(zone).startswith("package")]


def _name(zone: Path) -> str:
    try:
        return (zone / "name").read_text().strip()
    except OSError:
        return ""
