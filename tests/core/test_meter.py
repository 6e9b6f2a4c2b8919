"""What a quality meter need not say."""

from lighten.core.rows import Rows
from lighten.meters.macro_f1 import MacroF1
from lighten.testing.answers import sure

ROWS = Rows(("a", "b", "c"), (0, 1, 2))


def test_a_row_has_no_share_of_a_quantity_unless_its_meter_says_so() -> None:
    assert MacroF1().effects(sure([0, 1, 1]), sure([0, 2, 2]), ROWS) is None
