"""Half the interquartile range."""

from lighten.core.spread import half_iqr


def test_by_hand() -> None:
    assert half_iqr([1.0, 2.0, 3.0, 4.0, 100.0]) == 1.0
    assert half_iqr([5.0, 5.0]) == 0.0
    assert half_iqr([5.0]) is None and half_iqr([]) is None
