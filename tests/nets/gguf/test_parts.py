"""GGUF files in parts, and those of models that write no text."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lighten.core.errors import ModelError
from lighten.models.bring import bring, find
from lighten.nets.facts import gguf_facts
from lighten.nets.gguf.file import FILE, read_gguf
from lighten.nets.gguf.parts import split_groups
from lighten.nets.gguf.weights import pack, raw, write_gguf
from lighten.testing.require import require
from lighten.testing.tiny_language import tiny_gguf


@pytest.fixture(scope="module", autouse=True)
def libraries() -> None:
    require(find_spec("gguf") and find_spec("xllamacpp"), "llama.cpp (pip install 'lighten[llama]')")


def in_parts(source: Path, folder: Path, count: int) -> list[Path]:
    """The model in ``count`` files, as llama-gguf-split writes them: the first one has the metadata."""
    folder.mkdir()
    header = read_gguf(source)
    tensors = list(header.tensors.items())
    paths = []
    for number in range(count):
        path = folder / f"tiny-{number + 1:05}-of-{count:05}.gguf"
        own = {"general.architecture": header.architecture} if number else dict(header.values)
        values = {**own, "split.no": number, "split.count": count, "split.tensors.count": len(tensors)}
        write_gguf(path, values, [(name, raw(source, tensor)) for name, tensor in tensors[number::count]])
        paths.append(path)
    return paths


def test_parts_are_joined_when_they_are_all_there(tmp_path: Path) -> None:
    whole = tiny_gguf("llama", tmp_path / "whole", format="F16")
    paths = in_parts(whole.path / FILE, tmp_path / "parts", 3)
    assert find(str(tmp_path / "parts")).path == paths[0]
    assert {name: value for name, value in gguf_facts(paths[0]).items() if name != "formats"} == {
        name: value for name, value in gguf_facts(whole.path / FILE).items() if name != "formats"
    }
    joined = bring(str(paths[1]), tmp_path / "out")  # whichever part is named
    before, after = read_gguf(whole.path / FILE), read_gguf(joined.path / FILE)
    assert after.values == before.values and set(after.tensors) == set(before.tensors)
    for name, tensor in before.tensors.items():
        ours = raw(joined.path / FILE, after.tensors[name])
        assert np.array_equal(ours.data, raw(whole.path / FILE, tensor).data)


def test_a_part_that_is_missing_is_named(tmp_path: Path) -> None:
    whole = tiny_gguf("llama", tmp_path / "whole")
    first, second = in_parts(whole.path / FILE, tmp_path / "parts", 2)
    second.unlink()
    with pytest.raises(ModelError, match=r"is part 1 of 2 of a model, and tiny-00002-of-00002\.gguf is not beside it"):
        find(str(first))
    first.rename(tmp_path / "parts" / "renamed.gguf")
    with pytest.raises(ModelError, match="one of 2 parts of a model, and its name does not say which"):
        find(str(tmp_path / "parts" / "renamed.gguf"))


def test_parts_of_one_model_are_one(tmp_path: Path) -> None:
    names = ["b-00002-of-00002.gguf", "a.gguf", "b-00001-of-00002.gguf", "b.txt"]
    assert split_groups(names) == {
        "a.gguf": ["a.gguf"],
        "b-00001-of-00002.gguf": ["b-00001-of-00002.gguf", "b-00002-of-00002.gguf"],
    }


@pytest.mark.parametrize(
    ("values", "seen"),
    [
        ({"general.architecture": "clip"}, "part of a model that sees"),
        ({"general.architecture": "llama", "general.type": "mmproj"}, "part of a model that sees"),
        ({"general.architecture": "llama", "general.type": "adapter"}, "LoRA adapter in GGUF"),
        ({"general.architecture": "llama", "general.type": "imatrix"}, "importance matrix"),
        ({"general.architecture": "bert"}, "model of embeddings"),
        ({"general.architecture": "qwen3", "qwen3.pooling_type": 3}, "model of embeddings"),
        ({"general.architecture": "t5"}, "sequence-to-sequence"),
        ({"general.architecture": "flux"}, "model of images"),
        ({"general.architecture": "llama"}, "no vocabulary"),
    ],
)
def test_what_writes_no_text_is_called_by_its_name(tmp_path: Path, values: dict[str, Any], seen: str) -> None:
    write_gguf(tmp_path / "some.gguf", values, [("v.weight", pack(np.ones((2, 32), np.float32), "F16"))])
    with pytest.raises(ModelError, match=seen) as caught:
        find(str(tmp_path / "some.gguf"))
    assert caught.value.fix


def test_what_llama_cpp_refuses_is_refused_with_its_words_before_anything_is_copied(tmp_path: Path) -> None:
    artifact = tiny_gguf("llama", tmp_path / "made")
    header = read_gguf(artifact.path / FILE)
    values = {key.replace("llama.", "phi3.", 1): value for key, value in header.values.items()}
    tensors = [(name, raw(artifact.path / FILE, tensor)) for name, tensor in header.tensors.items()]
    write_gguf(tmp_path / "odd.gguf", {**values, "general.architecture": "phi3"}, tensors)
    with pytest.raises(ModelError, match=r"llama\.cpp refuses .*odd\.gguf: .*blk\.0\.\w+"):
        bring(str(tmp_path / "odd.gguf"), tmp_path / "out")
    assert not (tmp_path / "out" / "lighten.json").exists()
