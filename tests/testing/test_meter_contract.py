"""Every meter of the catalog keeps the contract, and the contract finds those that do not."""

from pathlib import Path

import pytest

from lighten.core import catalog
from lighten.testing.meter_contract import check_meter
from lighten.testing.plugin import installed, plugin_package

GOOD = '''"""Emissions: a made-up quantity that grows with the texts' length."""
from lighten.core.meter import SpeedMeter
from lighten.core.result import LOWER, Measured, Quantity

class Emissions(SpeedMeter):
    quantities = (Quantity("emissions", "g", LOWER, "Grams."),)

    def turn(self, session, work, number):
        return {"grams": sum(map(len, work.batch))}

    def reduce(self, turns):
        return {"emissions": Measured(turns[0]["grams"], 1)}
'''


@pytest.mark.parametrize("name", catalog.names("meters"))
def test_contract(name: str) -> None:
    check_meter(name)


def test_a_meter_from_outside_joins_by_one_file_and_one_entry_point(tmp_path: Path) -> None:
    plugin_package(tmp_path, "meters", "emissions", GOOD)
    with installed(tmp_path):
        check_meter("emissions")
    assert "emissions" not in catalog.names("meters")


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (('"g", LOWER', '"", LOWER'), "needs a unit"),
        (('"g", LOWER', '"g", "down"'), "direction is 'down'"),
        (('Quantity("emissions"', 'Quantity("p50"'), "two meters measure p50"),
        (('{"grams": sum(map(len, work.batch))}', '{"grams": {1, 2}}'), "not JSON serializable"),
        (('{"emissions": Measured', '{"other": Measured'), "exactly its quantities"),
        (('Measured(turns[0]["grams"], 1)', "Measured(None, 0)"), "the note must say why"),
        (('Measured(turns[0]["grams"], 1)', 'Measured(float("nan"), 1)'), "finite value"),
        (("a made-up quantity that grows with the texts' length.", "mine"), "must be one sentence"),
    ],
)
def test_the_contract_finds_what_is_wrong(tmp_path: Path, change: tuple[str, str], complaint: str) -> None:
    assert change[0] in GOOD
    plugin_package(tmp_path, "meters", "emissions", GOOD.replace(*change))
    with installed(tmp_path), pytest.raises((AssertionError, TypeError), match=complaint):
        check_meter("emissions")
