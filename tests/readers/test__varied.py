"""Pictures are moved and mirrored by the numbers that are given, and by nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from lighten.core.errors import InputError
from lighten.readers._varied import varied
from lighten.readers.image import ImageReader

PICTURE = np.arange(16 * 24 * 3, dtype=np.uint16).reshape(16, 24, 3).astype(np.uint8)
STILL = [0.5, 0.5, 0.9, 0.0]


def made(how: tuple[str, ...], *chance: list[float]) -> list[np.ndarray]:  # type: ignore[type-arg]
    before = PICTURE.copy()
    found = varied([PICTURE] * len(chance), how, np.array(chance))
    np.testing.assert_array_equal(PICTURE, before)
    return found


def test_the_middle_of_the_range_moves_nothing() -> None:
    still, also = made(("shift", "flip"), STILL, STILL)
    np.testing.assert_array_equal(still, PICTURE)
    np.testing.assert_array_equal(also, PICTURE)


def test_a_picture_moves_by_up_to_an_eighth_and_its_edge_goes_on() -> None:
    low, high = made(("shift",), [0.0, 0.0, 0.0, 0.0], [0.999, 0.999, 0.0, 0.0])
    np.testing.assert_array_equal(low[2:, 3:], PICTURE[:-2, :-3])
    np.testing.assert_array_equal(low[0, 3:], PICTURE[0, :-3])
    np.testing.assert_array_equal(high[:-2, :-3], PICTURE[2:, 3:])


def test_mirrored_is_left_for_right() -> None:
    mirrored, still = made(("flip",), [0.0, 0.0, 0.4, 0.0], [0.0, 0.0, 0.6, 0.0])
    np.testing.assert_array_equal(mirrored, PICTURE[:, ::-1])
    np.testing.assert_array_equal(still, PICTURE)


def test_what_is_asked_is_read() -> None:
    reader = ImageReader({"image_processor_type": "ViTImageProcessor", "size": 8}, 3)
    assert reader.augmented("auto") == ImageReader.usual and reader.augmented("off") == ()
    assert reader.augmented("flip, shift") == ("flip", "shift")
    with pytest.raises(InputError, match=r"--augment is 'turn'(.|\n)*auto, off, shift, flip"):
        reader.augmented("turn")
