"""The C interface of llama.cpp, as far as lighten needs it, from whichever build is installed.

The wheel of xllamacpp carries llama.cpp's own functions in its extension module; llama-cpp-python, which is compiled on
the user's machine, carries them in a library of its own. Both are called here through ctypes. The layout of the
parameter structs is not versioned by llama.cpp; it is checked against the known defaults before the first call, so that
a build with another layout is refused instead of misread.

Source: ``llama.h`` of llama.cpp.
"""

from __future__ import annotations

import ctypes as c
import importlib.util
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from lighten.core.errors import MissingExtra, ModelError

BUILDS = {
    "xllamacpp": ("xllamacpp", "xllamacpp*.so"),
    "llama-cpp-python": ("llama_cpp", "lib/libllama.so"),
}
"""Where each build keeps its functions: the package, and the library's place in it."""

AUTO = "auto"
"""The build that is installed; of several, the one that was compiled on this machine, until they are measured."""

TAIL = 512
"""Bytes behind the known fields of a struct that a newer build may use; they keep the build's own defaults."""


class ModelParams(c.Structure):
    """``llama_model_params``."""

    _fields_ = (
        ("devices", c.c_void_p),
        ("tensor_buft_overrides", c.c_void_p),
        ("n_gpu_layers", c.c_int32),
        ("split_mode", c.c_int32),
        ("load_mode", c.c_int32),
        ("lazy_mode", c.c_int32),
        ("main_gpu", c.c_int32),
        ("tensor_split", c.c_void_p),
        ("progress_callback", c.c_void_p),
        ("progress_callback_user_data", c.c_void_p),
        ("kv_overrides", c.c_void_p),
        ("vocab_only", c.c_bool),
        ("check_tensors", c.c_bool),
        ("use_extra_bufts", c.c_bool),
        ("no_host", c.c_bool),
        ("tail", c.c_uint8 * TAIL),
    )


_BEFORE: tuple[tuple[str, Any], ...] = (
    *((name, c.c_uint32) for name in ("n_ctx", "n_batch", "n_ubatch", "n_seq_max", "n_rs_seq")),
    *((name, c.c_uint32) for name in ("n_outputs_max", "n_outputs_max_per_seq")),
    *((name, c.c_int32) for name in ("n_threads", "n_threads_batch", "ctx_type", "rope_scaling_type")),
    *((name, c.c_int32) for name in ("pooling_type", "attention_type", "flash_attn_type")),
    *((name, c.c_float) for name in ("rope_freq_base", "rope_freq_scale")),
    ("yarn", c.c_float * 4),
    ("yarn_orig_ctx", c.c_uint32),
    ("defrag_thold", c.c_float),
    ("cb_eval", c.c_void_p),
    ("cb_eval_user_data", c.c_void_p),
    ("type_k", c.c_int32),
    ("type_v", c.c_int32),
    ("abort_callback", c.c_void_p),
    ("abort_callback_data", c.c_void_p),
)
_SWITCHES: tuple[tuple[str, Any], ...] = tuple(
    (name, c.c_bool) for name in ("embeddings", "offload_kqv", "no_perf", "op_offload", "swa_full", "kv_unified")
)


class ContextParams(c.Structure):
    """``llama_context_params``."""

    _fields_ = (*_BEFORE, *_SWITCHES, ("tail", c.c_uint8 * TAIL))


class WiderContextParams(c.Structure):
    """``llama_context_params`` of the builds that have one pointer more before the switches."""

    _fields_ = (*_BEFORE, ("more", c.c_void_p), *_SWITCHES, ("tail", c.c_uint8 * TAIL))


class Batch(c.Structure):
    """``llama_batch``."""

    _fields_ = (
        ("n_tokens", c.c_int32),
        ("token", c.POINTER(c.c_int32)),
        ("embd", c.c_void_p),
        ("pos", c.POINTER(c.c_int32)),
        ("n_seq_id", c.POINTER(c.c_int32)),
        ("seq_id", c.POINTER(c.POINTER(c.c_int32))),
        ("logits", c.POINTER(c.c_int8)),
    )


LOG = c.CFUNCTYPE(None, c.c_int, c.c_char_p, c.c_void_p)

ERROR = 4
"""Level of llama.cpp's messages that tell of an error."""
_SAID: list[str] = []
"""What llama.cpp said last of an error; its other messages are dropped."""


def _hear(level: int, text: bytes | None, data: Any) -> None:
    if level == ERROR and text:
        _SAID.append(text.decode("utf-8", "replace").strip())
        del _SAID[:-8]


_SILENCE = LOG(_hear)

_SIGNATURES: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "llama_backend_init": (None, ()),
    "llama_log_set": (None, (LOG, c.c_void_p)),
    "llama_model_default_params": (ModelParams, ()),
    "llama_model_load_from_file": (c.c_void_p, (c.c_char_p, ModelParams)),
    "llama_model_free": (None, (c.c_void_p,)),
    "llama_free": (None, (c.c_void_p,)),
    "llama_model_get_vocab": (c.c_void_p, (c.c_void_p,)),
    "llama_model_n_ctx_train": (c.c_int32, (c.c_void_p,)),
    "llama_n_ctx": (c.c_uint32, (c.c_void_p,)),
    "llama_get_memory": (c.c_void_p, (c.c_void_p,)),
    "llama_memory_clear": (None, (c.c_void_p, c.c_bool)),
    "llama_memory_seq_rm": (c.c_bool, (c.c_void_p, c.c_int32, c.c_int32, c.c_int32)),
    "llama_memory_seq_pos_min": (c.c_int32, (c.c_void_p, c.c_int32)),
    "llama_memory_seq_cp": (None, (c.c_void_p, c.c_int32, c.c_int32, c.c_int32, c.c_int32)),
    "llama_batch_init": (Batch, (c.c_int32, c.c_int32, c.c_int32)),
    "llama_batch_free": (None, (Batch,)),
    "llama_decode": (c.c_int32, (c.c_void_p, Batch)),
    "llama_get_logits": (c.POINTER(c.c_float), (c.c_void_p,)),
    "llama_vocab_n_tokens": (c.c_int32, (c.c_void_p,)),
    "llama_vocab_bos": (c.c_int32, (c.c_void_p,)),
    "llama_vocab_get_add_eos": (c.c_bool, (c.c_void_p,)),
    "llama_vocab_is_eog": (c.c_bool, (c.c_void_p, c.c_int32)),
    "llama_tokenize": (
        c.c_int32,
        (c.c_void_p, c.c_char_p, c.c_int32, c.POINTER(c.c_int32), c.c_int32, c.c_bool, c.c_bool),
    ),
    "llama_token_to_piece": (c.c_int32, (c.c_void_p, c.c_int32, c.c_char_p, c.c_int32, c.c_int32, c.c_bool)),
    "llama_print_system_info": (c.c_char_p, ()),
}


@cache
def installed() -> tuple[str, ...]:
    """Builds that are installed and can be used, in the order of ``BUILDS``."""
    return tuple(build for build in BUILDS if _files(build) and _usable(build))


def _usable(build: str) -> bool:
    try:
        library(build)
    except (ModelError, OSError, AttributeError):  # another layout; a library that does not load; a function that left
        return False
    return True


def build_of(name: str) -> str:
    """The build that ``name`` stands for: itself, or for ``AUTO`` the last one that is installed."""
    return name if name != AUTO else (installed() or tuple(BUILDS))[-1]


def _files(build: str) -> list[Path]:
    package, pattern = BUILDS[build]
    spec = importlib.util.find_spec(package)
    places = [Path(place) for place in (spec.submodule_search_locations or ())] if spec else []
    return sorted(file for place in places for file in place.glob(pattern))


@cache
def library(build: str = AUTO) -> Any:
    """The functions of a build, with their types, its messages switched off.

    Args:
        build: one of ``BUILDS``, or ``AUTO``.

    Raises:
        MissingExtra: it is not installed.
        ModelError: its parameter structs have another layout than the known one.
    """
    build = build_of(build)
    files = _files(build)
    if not files:
        raise MissingExtra("llama.cpp", "llama", f"{build} is not installed")
    found = c.CDLL(str(files[0]))
    for name, (result, arguments) in _SIGNATURES.items():
        function = getattr(found, name)
        function.restype, function.argtypes = result, arguments
    _take_layout(found, build)
    found.llama_log_set(_SILENCE, None)
    found.llama_backend_init()
    return found


def _take_layout(found: Any, build: str) -> None:
    """Give the two functions of a context the struct whose defaults make sense, or refuse the build."""
    model = found.llama_model_default_params()
    plausible = (model.vocab_only, model.check_tensors, model.use_extra_bufts) == (False, False, True)
    for struct in (ContextParams, WiderContextParams):
        defaults = found.llama_context_default_params
        defaults.restype, defaults.argtypes = struct, ()
        made = defaults()
        numbers = (made.n_ctx, made.n_batch, made.n_ubatch, made.n_seq_max, made.type_k, made.type_v)
        switches = (made.embeddings, made.offload_kqv, made.no_perf, made.op_offload, made.swa_full, made.kv_unified)
        if plausible and numbers == (512, 2048, 512, 1, 1, 1) and switches == (False, True, True, True, True, False):
            found.llama_init_from_model.restype = c.c_void_p
            found.llama_init_from_model.argtypes = (c.c_void_p, struct)
            return
    raise ModelError(
        f"The installed {build} has parameters of another layout than lighten knows ({numbers}, {switches}).",
        fix="install the version that lighten names in its extra: pip install 'lighten[llama]'",
    )


class LlamaVocabulary:
    """The tokenizer of a loaded model.

    Attributes:
        size: number of tokens.
        closes: whether the file wants the end token behind a text; :meth:`encode` puts it there.

    Args:
        lib: from :func:`library`. model: a loaded ``llama_model``.
    """

    def __init__(self, lib: Any, model: int) -> None:
        self._lib, self._vocab = lib, lib.llama_model_get_vocab(model)
        self.size = int(lib.llama_vocab_n_tokens(self._vocab))
        self.closes = bool(lib.llama_vocab_get_add_eos(self._vocab))
        self._pieces: dict[int, bytes] = {}

    def encode(self, text: str, *, begin: bool = True, special: bool = False) -> list[int]:
        """Token ids; ``begin`` adds what the file says is added, ``special`` reads control tokens in the text."""
        raw = text.encode("utf-8", "surrogatepass")
        room = len(raw) + 8
        while True:
            ids = (c.c_int32 * room)()
            count = self._lib.llama_tokenize(self._vocab, raw, len(raw), ids, room, begin, special)
            if count >= 0:
                return ids[:count]
            room = -count

    def pieces(self, tokens: Sequence[int]) -> list[bytes]:
        """The bytes of each token; none for a control token."""
        return [self._pieces.get(token) or self._piece(token) for token in tokens]

    def _piece(self, token: int) -> bytes:
        room = 64
        while True:
            text = c.create_string_buffer(room)
            count = self._lib.llama_token_to_piece(self._vocab, token, text, room, 0, False)
            if count >= 0:
                self._pieces[token] = text.raw[:count]
                return self._pieces[token]
            room = -count

    def ends(self, token: int) -> bool:
        """Whether a token ends an answer."""
        return bool(self._lib.llama_vocab_is_eog(self._vocab, token))


READ, MAPPED = 0, 1
"""Ways of loading a file in llama.cpp."""


def load_model(lib: Any, path: Path, *, vocabulary_only: bool = False, repack: bool = True, mapped: bool = True) -> int:
    """Load a GGUF file whose header was checked before. The caller frees it with ``llama_model_free``.

    Raises:
        ModelError: llama.cpp refuses it.
    """
    params = lib.llama_model_default_params()
    params.load_mode = MAPPED if mapped else READ
    params.vocab_only, params.use_extra_bufts, params.n_gpu_layers = vocabulary_only, repack, 0
    _SAID.clear()
    model = lib.llama_model_load_from_file(str(path).encode(), params)
    if not model:
        said = next(
            (line.rpartition("error loading model: ")[2] for line in _SAID if "error loading model" in line), ""
        )
        raise ModelError(
            f"llama.cpp refuses {path}{f': {said}' if said else '.'}",
            fix="check that its architecture is one that the installed llama.cpp knows, and that the file is whole",
        )
    return int(model)


def check_loads(path: str) -> None:
    """Have llama.cpp open a file, its weights mapped and untouched; nothing where llama.cpp is not installed.

    For a child process, because what is broken may end it.

    Raises:
        ModelError: llama.cpp refuses it; says why.
    """
    try:
        lib = library()
    except MissingExtra:
        return  # the engine says so when it is asked for
    lib.llama_model_free(load_model(lib, Path(path), repack=False))


class Tokenizer:
    """The tokenizer in a GGUF file, without its weights. A context manager."""

    def __init__(self, path: Path, build: str = AUTO) -> None:
        self._lib = library(build)
        self._model = load_model(self._lib, path, vocabulary_only=True)
        self.vocabulary = LlamaVocabulary(self._lib, self._model)

    def __enter__(self) -> LlamaVocabulary:
        return self.vocabulary

    def __exit__(self, *_: object) -> None:
        self._lib.llama_model_free(self._model)
