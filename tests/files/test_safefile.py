"""Headers of safetensors files: what the format's own library writes is read; what it would not write is refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save_file

from lighten.core.errors import ModelError
from lighten.files.safefile import read_header


def write(path: Path, header: object, data: bytes = b"") -> Path:
    raw = json.dumps(header).encode()
    path.write_bytes(len(raw).to_bytes(8, "little") + raw + data)
    return path


def entry(begin: int, end: int, shape: list[int], dtype: str = "F32") -> dict[str, object]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


def test_reads_what_the_library_writes(tmp_path: Path) -> None:
    arrays = {"a": np.ones((2, 3), np.float32), "b": np.zeros(4, np.float16), "empty": np.zeros((0, 5), np.int64)}
    save_file(arrays, tmp_path / "x.safetensors", metadata={"format": "pt"})
    found = read_header(tmp_path / "x.safetensors")
    assert {name: (t.dtype, t.shape, t.elements, t.bytes) for name, t in found.items()} == {
        "a": ("F32", (2, 3), 6, 24),
        "b": ("F16", (4,), 4, 8),
        "empty": ("I64", (0, 5), 0, 0),
    }


@pytest.mark.parametrize(
    ("header", "data", "why"),
    [
        ({"a": entry(0, 8, [2])}, b"1234567", "cut off"),
        ({"a": entry(0, 8, [2])}, b"123456789", "belong to no tensor"),
        ({"a": entry(0, 8, [2]), "b": entry(4, 12, [2])}, b"0" * 12, "overlap"),
        ({"a": entry(0, 8, [2]), "b": entry(12, 20, [2])}, b"0" * 20, "gap"),
        ({"a": entry(0, 8, [3])}, b"0" * 8, "does not take"),
        ({"a": entry(0, 8, [-2])}, b"0" * 8, "integer `-2`"),
        ({"a": entry(0, 8, [True, 2])}, b"0" * 8, "boolean `true`"),
        ({"a": entry(0, 8, [2], "F31")}, b"0" * 8, "`F31`"),
        ({"a": entry(0, 1, [2], "F4")}, b"0", "a has the unknown number format 'F4'"),
        ({"a": {"dtype": "F32"}}, b"", "missing field"),
        ({"a": 3}, b"", "integer `3`"),
        ([1], b"", "sequence"),
    ],
)
def test_refuses(tmp_path: Path, header: object, data: bytes, why: str) -> None:
    with pytest.raises(ModelError, match=why):
        read_header(write(tmp_path / "x.safetensors", header, data))


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"", "empty"),
        (b"1234567", "too short"),
        ((100_000_001).to_bytes(8, "little") + b"{}", "longer than the format allows"),
        ((3).to_bytes(8, "little") + b"{}", "longer than the file"),
        ((2).to_bytes(8, "little") + b"{]", "JSON"),
    ],
)
def test_refuses_a_header_that_is_none(tmp_path: Path, raw: bytes, why: str) -> None:
    path = tmp_path / "x.safetensors"
    path.write_bytes(raw)
    with pytest.raises(ModelError, match=rf"(?s)x\.safetensors is not a whole safetensors file.*{why}"):
        read_header(path)


def test_refuses_a_git_lfs_pointer(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:abc\nsize 90868376\n")
    with pytest.raises(ModelError, match="Git LFS"):
        read_header(path)


@given(st.binary(max_size=200))
def test_garbage_is_refused_and_never_crashes(tmp_path_factory: pytest.TempPathFactory, raw: bytes) -> None:
    path = tmp_path_factory.mktemp("raw") / "x.safetensors"
    path.write_bytes(raw)
    try:
        read_header(path)
    except ModelError:
        return
    assert raw[8:].startswith(b"{")
