"""Formats of tensors, and whole files: what is written is what is read."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from lighten.core.errors import ModelError
from lighten.nets.gguf.file import read_gguf
from lighten.nets.gguf.weights import BLOCKS, QuantizedTensor, floats, pack, raw, weights_of, write_gguf
from lighten.quantize.gguf import LADDER
from lighten.testing.require import require


@pytest.fixture(scope="module", autouse=True)
def libraries() -> None:
    require(find_spec("gguf") and find_spec("libgguf"), "the libraries of GGUF (pip install 'lighten[llama]')")


def matrix(rows: int = 3, columns: int = 512) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(rows, columns)).astype(np.float32)


def test_a_block_of_q8_0_by_hand() -> None:
    """The largest of 32 numbers becomes 127: scale 2 as half precision, then one signed byte each."""
    value = np.zeros((1, 32), np.float32)
    value[0, :3] = 254.0, -3.0, 100.0
    packed = pack(value, "Q8_0")
    assert packed.data.shape == (1, 34)
    assert packed.data[0, :2].view(np.float16)[0] == 2.0
    assert packed.data[0, 2:5].view(np.int8).tolist() == [127, -2, 50]
    assert floats(packed)[0, :3].tolist() == [254.0, -4.0, 100.0]


def test_a_block_of_q4_0_by_hand() -> None:
    """The number of largest size, -8, gives the scale 1; two numbers a byte, each plus 8."""
    value = np.zeros((1, 32), np.float32)
    value[0, 0], value[0, 1], value[0, 16] = -8.0, 3.0, 7.0
    packed = pack(value, "Q4_0")
    assert packed.data[0, :2].view(np.float16)[0] == 1.0
    assert packed.data[0, 2:4].tolist() == [0 | (15 << 4), 11 | (8 << 4)]
    assert np.array_equal(floats(packed), value)


@pytest.mark.parametrize("format", ["F32", "F16", *LADDER])
def test_what_is_on_the_grid_of_a_format_stays(format: str) -> None:
    value = matrix()
    packed = pack(value, format)
    block, size = BLOCKS[format]
    assert packed.data.shape == (3, 512 // block * size)
    grid = floats(packed)
    assert grid.dtype == np.float32 and grid.shape == value.shape
    error = np.square(grid - value).mean() / np.square(value).mean()
    assert error < {"F32": 1e-30, "F16": 1e-6, "Q8_0": 1e-4}.get(format, 0.02)
    if format in ("F32", "F16", "Q8_0"):
        assert np.array_equal(pack(grid, format).data, packed.data)


def test_larger_formats_round_better() -> None:
    value = matrix()
    errors = [np.square(floats(pack(value, format)) - value).mean() for format in ("Q4_0", "Q5_0", "Q6_K", "Q8_0")]
    assert errors == sorted(errors, reverse=True)


@pytest.mark.parametrize("format", ["Q4_0", "IQ4_NL", "Q4_K", "Q5_0", "Q6_K"])
def test_columns_that_matter_are_rounded_better(format: str) -> None:
    value, importance = matrix(16), np.ones(512, np.float32)
    importance[::4] = 100.0
    plain, heeded = (np.square(floats(pack(value, format, weight)) - value) for weight in (None, importance))
    assert heeded[:, ::4].mean() < 0.97 * plain[:, ::4].mean()


def test_bfloat16_is_read() -> None:
    value = np.array([[1.5, -2.0, 0.0078125, 3.0e20]], np.float32)
    packed = QuantizedTensor("BF16", (1, 4), (value.view(np.uint32) >> 16).astype(np.uint16).view(np.uint8))
    assert np.array_equal(floats(packed), (value.view(np.uint32) & 0xFFFF0000).view(np.float32))


def test_columns_that_fill_no_block_are_refused() -> None:
    with pytest.raises(ModelError, match=r"33 columns cannot be Q8_0, which has blocks of 32"):
        pack(matrix(2, 33), "Q8_0")
    with pytest.raises(ModelError, match="blocks of 256"):
        pack(matrix(2, 64), "Q4_K")


def test_a_file_gives_back_what_was_written(tmp_path: Path) -> None:
    values = {
        "general.architecture": "toy", "a.count": 7, "a.below": -3, "a.large": 1 << 40, "a.part": 0.5, "a.yes": True,
        "a.text": "ß\n", "a.texts": ("a", "é"), "a.numbers": (1, 2), "a.signed": (1, -2), "a.parts": (0.5, 2.0),
        "a.flags": (True, False), "tokenizer.ggml.token_type": (1, 3), "general.alignment": 64,
    }  # fmt: skip
    tensors = {
        "vector": pack(np.arange(5, dtype=np.float32), "F32"),
        "half": pack(matrix(), "F16"),
        **{format: pack(matrix(), format) for format in LADDER},
    }
    write_gguf(tmp_path / "a.gguf", values, tensors.items())
    header = read_gguf(tmp_path / "a.gguf")
    assert {key: header.values[key] for key in values if key != "general.alignment"} == {
        key: value for key, value in values.items() if key != "general.alignment"
    }
    assert list(header.tensors) == list(tensors)
    for name, packed in weights_of(tmp_path / "a.gguf", header):
        assert (packed.format, packed.shape) == (tensors[name].format, tensors[name].shape)
        assert np.array_equal(packed.data, tensors[name].data)
    write_gguf(tmp_path / "b.gguf", header.values, weights_of(tmp_path / "a.gguf", header))
    again = read_gguf(tmp_path / "b.gguf")
    assert dict(again.values) == dict(header.values)
    one, two = (
        raw(path, read.tensors["Q6_K"]) for path, read in ((tmp_path / "a.gguf", header), (tmp_path / "b.gguf", again))
    )
    assert np.array_equal(one.data, two.data)
