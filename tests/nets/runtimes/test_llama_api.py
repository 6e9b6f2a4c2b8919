"""The C interface of llama.cpp: a build is used only when its structs are laid out as they are known here."""

from __future__ import annotations

import ctypes
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from lighten.core.errors import MissingExtra, ModelError
from lighten.nets.gguf.file import FILE
from lighten.nets.runtimes import llama_api
from lighten.nets.runtimes.llama_api import (
    BUILDS,
    ContextParams,
    LlamaVocabulary,
    ModelParams,
    Tokenizer,
    WiderContextParams,
    library,
    load_model,
)
from lighten.testing.require import require
from lighten.testing.tiny_language import tiny_gguf


@pytest.fixture(scope="module", autouse=True)
def libraries() -> None:
    require(find_spec("xllamacpp") and find_spec("gguf"), "llama.cpp (pip install 'lighten[llama]')")


class Function:
    """A C function that fills the struct it is told to return with the bytes that its build would."""

    def __init__(self, image: bytes = b"") -> None:
        self.image, self.restype, self.argtypes = image, Any, ()

    def __call__(self) -> Any:
        return self.restype.from_buffer_copy(self.image.ljust(ctypes.sizeof(self.restype), b"\0"))


class Build:
    """A build whose default parameters are these bytes."""

    def __init__(self, model: bytes, context: bytes) -> None:
        self.llama_model_default_params, self.llama_context_default_params = Function(model), Function(context)
        self.llama_model_default_params.restype = ModelParams
        self.llama_init_from_model = Function()


def defaults() -> tuple[bytes, bytes]:
    """The bytes of the installed build, and those of its context up to the end of the known struct."""
    lib = library()
    return bytes(lib.llama_model_default_params()), bytes(lib.llama_context_default_params())


def known(struct: Any) -> bytes:
    """The default parameters of a context in a layout."""
    made = struct(n_ctx=512, n_batch=2048, n_ubatch=512, n_seq_max=1, type_k=1, type_v=1)
    for name in ("offload_kqv", "no_perf", "op_offload", "swa_full"):
        setattr(made, name, True)
    return bytes(made)


def test_the_installed_build_is_taken() -> None:
    assert library().llama_init_from_model.argtypes[1] in (ContextParams, WiderContextParams)
    build = Build(*defaults())
    llama_api._take_layout(build, "this")
    assert build.llama_init_from_model.argtypes == library().llama_init_from_model.argtypes


@pytest.mark.parametrize("struct", [ContextParams, WiderContextParams])
def test_each_known_layout_is_told_by_its_defaults(struct: Any) -> None:
    build = Build(defaults()[0], known(struct))
    llama_api._take_layout(build, "this")
    assert build.llama_init_from_model.argtypes == (ctypes.c_void_p, struct)
    assert build.llama_init_from_model.restype is ctypes.c_void_p


def test_a_build_with_another_layout_is_refused() -> None:
    model, context = defaults()
    for build in (
        Build(model, b"\0" * 8 + context),  # a field more at the front
        Build(model, context[4:]),  # one less
        Build(model, known(ContextParams)[:96] + b"\0" * 8 + known(ContextParams)[96:]),  # one more in the middle
        Build(b"\0" * 3 + model, context),
        Build(model, b""),
    ):
        with pytest.raises(ModelError, match="installed other has parameters of another layout"):
            llama_api._take_layout(build, "other")
        assert build.llama_init_from_model.argtypes == ()  # it is never called


def test_a_build_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(BUILDS, "none", ("no_such_package_of_llama", "*.so"))
    with pytest.raises(MissingExtra, match="none is not installed"):
        library("none")
    monkeypatch.setitem(BUILDS, "empty", ("lighten", "*.so"))  # the package is there, its library is not
    with pytest.raises(MissingExtra, match="empty is not installed"):
        library("empty")


def test_texts_of_any_length_become_tokens_and_bytes_again(tmp_path: Path) -> None:
    artifact = tiny_gguf("llama", tmp_path)
    with Tokenizer(artifact.path / FILE) as words:
        assert isinstance(words, LlamaVocabulary)
        assert words.encode("") == words.encode("", begin=True) == [1]
        assert words.encode("", begin=False) == []
        for text in ("ba", "映" * 4000, "ba ko\0lin", "\n" * 300):
            ids = words.encode(text, begin=False)
            assert b"".join(words.pieces(ids)).decode() == " " + text
            assert words.encode(text) == [1, *ids]
        assert words.encode("</s>", begin=False, special=True) == [2]
        assert 2 not in words.encode("</s>", begin=False)
        assert words.pieces([0, 1, 2]) == [b""] * 3
        assert [words.ends(i) for i in range(3)] == [False, False, True]
        assert not words.closes
        assert words.size == 576


def test_a_file_that_llama_cpp_does_not_know_is_refused(tmp_path: Path) -> None:
    artifact = tiny_gguf("llama", tmp_path)
    path = artifact.path / FILE
    other = tmp_path / "other.gguf"
    other.write_bytes(path.read_bytes().replace(b"\x05\0\0\0\0\0\0\0llama", b"\x05\0\0\0\0\0\0\0lamma", 1))
    with pytest.raises(ModelError, match=r"llama.cpp refuses .*other.gguf"):
        load_model(library(), other)
    with pytest.raises(ModelError, match=r"llama.cpp refuses"):
        Tokenizer(tmp_path / "missing.gguf")
