"""The disk that a run needs is told from its model; one that is too full is refused before anything is written."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from lighten.core.errors import RunFolderError
from lighten.search.disk import DiskSpace, amount, check_disk, size_of, space_for


def test_a_quantized_language_model_is_counted_as_the_floats_that_it_becomes(tmp_path: Path) -> None:
    space = space_for(tmp_path / "not" / "yet", {"parameters": 268_000_000}, 242_000_000)
    assert space.least == 2 * 242_000_000 + 4 * 268_000_000
    assert 5.0e9 < space.usual < 7.0e9
    assert space.free == pytest.approx(shutil.disk_usage(tmp_path).free, rel=0.2)
    assert space_for(tmp_path, {}, 1_000).least == 3_000


def test_a_disk_that_is_too_full_is_refused_with_what_to_do(tmp_path: Path) -> None:
    check_disk(tmp_path, DiskSpace(least=10, usual=100, free=10))
    with pytest.raises(RunFolderError, match=r"has 1.0 GB left; .* take 2.0 GB, a whole search about 9.0 GB") as caught:
        check_disk(tmp_path, DiskSpace(least=2 * 10**9, usual=9 * 10**9, free=10**9))
    assert "lighten clean RUN" in caught.value.fix
    assert (
        DiskSpace(1, 9 * 10**9, 12 * 10**6).sentence()
        == "The run's files take about 9.0 GB; 12 MB of its disk are free."
    )


def test_sizes_of_files_and_folders(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "a").write_bytes(b"x" * 10)
    (tmp_path / "deep" / "b").write_bytes(b"x" * 5)
    assert size_of(tmp_path) == 15 and size_of(tmp_path / "a") == 10
    assert amount(87e6) == "87 MB"
