"""Reader: what one answers that reads no files."""

from __future__ import annotations

from pathlib import Path

import pytest

from lighten.core.errors import DataError
from lighten.core.reader import Reader


def test_a_reader_of_no_files_refuses_one() -> None:
    with pytest.raises(DataError, match="reads none"):
        Reader.describe(Path("photo.jpg"))
