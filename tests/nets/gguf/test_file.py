"""GGUF headers: read what the specification says, refuse everything that does not add up, survive any mutation."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from lighten.core.errors import ModelError
from lighten.models.bring import find
from lighten.nets.gguf.file import FORMATS, GgufTensor, read_gguf

NUMBERS = {name: number for number, (name, _, _) in FORMATS.items()}


def text(value: str | bytes) -> bytes:
    raw = value.encode() if isinstance(value, str) else value
    return struct.pack("<Q", len(raw)) + raw


def value(found: Any) -> bytes:
    """A value with its type in front."""
    if isinstance(found, bool):
        return struct.pack("<IB", 7, found)
    if isinstance(found, int):
        return struct.pack("<II", 4, found)
    if isinstance(found, float):
        return struct.pack("<If", 6, found)
    if isinstance(found, str):
        return struct.pack("<I", 8) + text(found)
    inner = [value(one) for one in found]
    return struct.pack("<I", 9) + inner[0][:4] + struct.pack("<Q", len(inner)) + b"".join(one[4:] for one in inner)


VALUES: Mapping[str, Any] = {
    "general.architecture": "toy",
    "toy.block_count": 2,
    "toy.eps": 0.5,
    "toy.tied": True,
    "tokenizer.ggml.tokens": ["<s>", "a", "béta"],
    "tokenizer.ggml.scores": [0.0, -1.5, 2.0],
    "toy.nested": [[1, 2], [3, 4]],
}
TENSORS: Sequence[tuple[str, str, tuple[int, ...], int]] = (
    ("embedding", "Q8_0", (32, 3), 0),
    ("norm", "F32", (5,), 128),
)


def file(
    values: Mapping[str, Any] = VALUES,
    tensors: Sequence[tuple[str, str | int, tuple[int, ...], int]] = TENSORS,
    version: int = 3,
    counts: tuple[int, int] | None = None,
    data: int = 148,
) -> bytes:
    pairs, entries = counts or (len(values), len(tensors))
    made = b"GGUF" + struct.pack("<IQQ", version, entries, pairs)
    made += b"".join(text(key) + value(found) for key, found in values.items())
    for name, format, shape, offset in tensors:
        kind = NUMBERS[format] if isinstance(format, str) else format
        made += text(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, kind, offset)
    return made + bytes(-len(made) % 32) + bytes(data)


@pytest.fixture
def written(tmp_path: Path) -> Callable[[bytes], Path]:
    def write(content: bytes) -> Path:
        (tmp_path / "model.gguf").write_bytes(content)
        return tmp_path / "model.gguf"

    return write


@pytest.mark.parametrize("version", [2, 3])
def test_reads_what_was_written(written: Callable[[bytes], Path], version: int) -> None:
    content = file(version=version)
    header = read_gguf(written(content))
    assert (header.version, header.architecture) == (version, "toy")
    as_tuples = {"tokenizer.ggml.tokens": ("<s>", "a", "béta"), "tokenizer.ggml.scores": (0.0, -1.5, 2.0)}
    assert dict(header.values) == {**VALUES, **as_tuples, "toy.nested": ((1, 2), (3, 4))}
    data = len(content) - 148
    assert header.tensors == {
        "embedding": GgufTensor("Q8_0", (3, 32), data, data + 102),
        "norm": GgufTensor("F32", (5,), data + 128, data + 148),
    }


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "ends within the magic"),
        (b"PK\x03\x04" + bytes(100), "not a GGUF file"),
        (file(version=1), "version 1"),
        (file(version=3 << 24), "big-endian"),
        (file(counts=(1 << 60, 2)), "1,152,921,504,606,846,976 metadata"),
        (file(counts=(7, 1 << 40)), "tensors and 7 metadata"),
        (file()[:-1], "cut off"),
        (file()[:160], "ends within"),
        (file({"a": 1}), "general.architecture"),
        (file({**VALUES, "general.alignment": 12}), "alignment"),
        (file({**VALUES, "x": [[[[1]]]]}), "unknown type 9"),
        (file(tensors=[("t", "F32", (), 0)]), "0 dimensions"),
        (file(tensors=[("t", "F32", (1,) * 5, 0)]), "5 dimensions"),
        (file(tensors=[("t", "Q8_0", (33,), 0)]), "cannot be Q8_0"),
        (file(tensors=[("t", "F32", (0,), 0)]), "cannot be F32"),
        (file(tensors=[("t", "F32", (1 << 62, 4), 0)]), "cannot be F32"),
        (file(tensors=[("t", 777, (4,), 0)]), "unknown format 777"),
        (file(tensors=[("t", "F32", (4,), 3)]), "multiple of 32"),
        (file(tensors=[("t", "F32", (4,), 1 << 40)]), "cut off"),
        (file(tensors=[("t", "F32", (30,), 0), ("u", "F32", (4,), 32)]), "overlaps"),
        (file(tensors=[("t", "F32", (4,), 0), ("t", "F32", (4,), 32)]), "twice"),
        (file().replace(text("béta"), text(b"b\xff\xfeta")), "not UTF-8"),
        (file().replace(struct.pack("<IB", 7, 1), struct.pack("<IB", 7, 2)), "neither true nor false"),
    ],
    ids=lambda found: found if isinstance(found, str) else "",
)
def test_refuses_what_does_not_add_up(written: Callable[[bytes], Path], content: bytes, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        read_gguf(written(content))


def test_a_gguf_file_is_a_model_when_its_header_is_whole(written: Callable[[bytes], Path]) -> None:
    assert find(str(path := written(file()))).path == path
    with pytest.raises(ModelError, match="it starts with"):
        find(str(written(b"nonsense")))


def test_any_mutation_is_read_or_refused(written: Callable[[bytes], Path]) -> None:
    """10,000 headers with bytes changed, taken out or put in: a refusal or a header that fits, nothing else."""
    rng, whole, refused = random.Random(0), file(), 0
    header = len(whole) - 148
    for _ in range(10_000):
        content = bytearray(whole)
        for _ in range(rng.randint(1, 4)):
            at = rng.randrange(header)
            match rng.randrange(4):
                case 0:
                    content[at] = rng.randrange(256)
                case 1:
                    content[at : at + 8] = rng.choice((b"\xff" * 8, bytes(8), struct.pack("<Q", rng.getrandbits(34))))
                case 2:
                    del content[at : at + rng.randint(1, 9)]
                case 3:
                    content[at:at] = rng.randbytes(rng.randint(1, 9))
        path = written(bytes(content))
        try:
            found = read_gguf(path)
        except ModelError:
            refused += 1
        else:
            assert all(0 < t.begin < t.end <= len(content) for t in found.tensors.values())
    assert 5_000 < refused < 10_000


@pytest.mark.parametrize(
    ("kind", "message"),
    [(31, "Q4_0_4_4 (type 31), which llama.cpp has removed"), (38, "IQ4_NL_8_8 (type 38), which llama.cpp has removed"),
     (40, "NVFP4 (type 40), which is not read here"), (137, "type 137, which another program")],
)  # fmt: skip
def test_formats_that_are_not_read_are_named_with_what_to_do(
    written: Callable[[bytes], Path], kind: int, message: str
) -> None:
    with pytest.raises(ModelError) as caught:
        read_gguf(written(file(tensors=[("t", kind, (4,), 0)])))
    assert message in caught.value.seen and "the tensor t" in caught.value.seen
    assert "another quantization of the same model" in caught.value.fix and "Q4_K" in caught.value.allowed
