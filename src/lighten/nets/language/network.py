"""LanguageNetwork: a causal language model, live in torch, with its tokenizer and what its GGUF file said of itself."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lighten.core.artifact import Artifact
from lighten.core.errors import ModelError, UnsafeFile
from lighten.files.json_file import read_object
from lighten.nets.gguf.families import family_of_config

if TYPE_CHECKING:
    from torch import nn

METADATA = "gguf.json"
"""File of an HF folder with the metadata of the GGUF file that the model came from; absent when it came from none."""
TOKENIZER, SETTINGS, CONFIG = "tokenizer.json", "tokenizer_config.json", "config.json"
HEAD = "lm_head.weight"
TEMPLATE = "chat_template.jinja"
"""File of the chat template; where there is one, it is the one that counts."""


class Tokens:
    """A tokenizer of ``tokenizer.json``: whole texts, nothing truncated, the start token first where there is one."""

    def __init__(self, source: str, settings: Mapping[str, Any]) -> None:
        self.source, self.settings = source, dict(settings)
        self._native = _native(source, settings)
        self._native.encode_special_tokens = True  # control tokens that are written out in a text are text
        self._special: Any = None
        self._bytes: dict[int, bytes] = {}

    @classmethod
    def open(cls, folder: Path) -> Tokens:
        """Read the tokenizer of an HF folder.

        Raises:
            ModelError: it has none that can be read. UnsafeFile: it wants to run code of its own.
        """
        try:
            source = (folder / TOKENIZER).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ModelError(f"{folder} has no {TOKENIZER} that can be read ({error}).") from error
        path = folder / SETTINGS
        settings = read_object(path, missing={})
        if "auto_map" in settings:
            raise UnsafeFile(f"{path} names Python code to run (auto_map).", allowed="tokenizers without code")
        if (apart := folder / TEMPLATE).is_file():
            settings["chat_template"] = apart.read_text(encoding="utf-8")
        return cls(source, settings)

    def __call__(self, texts: Sequence[str]) -> list[list[int]]:
        """Token ids of each text, with what the tokenizer puts around a text."""
        return [encoding.ids for encoding in self._native.encode_batch_fast(list(texts))]

    def plain(self, text: str) -> list[int]:
        """Token ids of a text alone."""
        ids: list[int] = self._native.encode(text, add_special_tokens=False).ids
        return ids

    def begun(self, text: str, *, control: bool = False) -> list[int]:
        """Token ids of a text that may go on: behind the start token, where there is one, and without an end token.

        Args:
            control: control tokens that are written out in ``text`` become those tokens.
        """
        if control and self._special is None:
            self._special = _native(self.source, self.settings)
        ids: list[int] = (self._special if control else self._native).encode(text).ids
        return ids[: len(ids) - self.around[1]]

    def control(self, text: str) -> list[int]:
        """Token ids of a text alone in which control tokens are read as such."""
        ids = self.begun(text, control=True)
        return ids[self.around[0] :]

    @cached_property
    def around(self) -> tuple[int, int]:
        """How many tokens are put before a text and behind it."""
        plain, whole = self.plain("a"), self._native.encode("a").ids
        before = next(i for i in range(len(whole)) if whole[i : i + len(plain)] == plain)
        return before, len(whole) - before - len(plain)

    def pieces(self, tokens: Sequence[int]) -> list[bytes]:
        """The bytes that each token stands for; none for a control token."""
        return [self._bytes[token] if token in self._bytes else self._piece(token) for token in tokens]

    def _piece(self, token: int) -> bytes:
        name, added = self.name(token), self._native.get_added_tokens_decoder().get(token)
        if added is not None:
            found = b"" if added.special else name.encode()
        elif self._letters:
            found = bytes(self._letters[letter] for letter in name if letter in self._letters)
        elif re.fullmatch(r"<0x[0-9A-F]{2}>", name):
            found = bytes([int(name[3:5], 16)])
        else:
            found = name.replace("\u2581", " ").encode()
        self._bytes[token] = found
        return found

    @cached_property
    def _letters(self) -> dict[str, int]:
        """Byte of each letter of a byte-level vocabulary; empty for other kinds."""
        from lighten.nets.gguf.bpe import byte_alphabet

        if '"ByteLevel"' not in json.dumps(json.loads(self.source).get("decoder")):
            return {}
        return {letter: byte for byte, letter in enumerate(byte_alphabet())}

    def name(self, token: int) -> str:
        """What the tokenizer calls a token; empty for a number that it does not know."""
        return self._native.id_to_token(token) or ""

    def id_of(self, name: str) -> int | None:
        """The id of the token that the tokenizer calls ``name``; None when it has none."""
        found: int | None = self._native.token_to_id(name)
        return found

    @property
    def size(self) -> int:
        """One more than the highest id, added tokens included."""
        return 1 + max(self._native.get_vocab(with_added_tokens=True).values(), default=-1)

    def endings(self, told: int | list[int] | None) -> frozenset[int]:
        """Tokens that end an answer: those that the config tells, and those whose name says it."""
        from lighten.nets.gguf.bpe import ENDINGS

        known = told if isinstance(told, list) else [] if told is None else [told]
        return frozenset(known).union(i for i in range(self.size) if self.name(i) in ENDINGS)

    def told(self) -> str:
        """``tokenizer.json`` that puts the start token first by itself, also where only the settings say so."""
        text: str = _native(self.source, self.settings).to_str(pretty=True)
        return text + "\n"

    def save(self, folder: Path) -> None:
        """Write the tokenizer's files."""
        (folder / TOKENIZER).write_text(self.source, encoding="utf-8")
        text = json.dumps(self.settings, indent=1, ensure_ascii=False, sort_keys=True)
        (folder / SETTINGS).write_text(text + "\n", encoding="utf-8")


def _native(source: str, settings: Mapping[str, Any]) -> Any:
    """The tokenizer of the library; puts the start token first where only the settings say so.

    Raises:
        ModelError: it cannot be read.
    """
    from tokenizers import Tokenizer, processors

    try:
        made = Tokenizer.from_str(source)
    except Exception as error:
        raise ModelError(f"{TOKENIZER} is not a tokenizer that can be read ({error}).") from error
    made.no_truncation()
    made.no_padding()
    named = settings.get("bos_token")
    start = named["content"] if isinstance(named, dict) else named
    says_nothing = type(made.post_processor).__name__ in ("NoneType", "ByteLevel")
    if says_nothing and settings.get("add_bos_token") and start and made.token_to_id(start) is not None:
        made.post_processor = processors.TemplateProcessing(
            f"{start} $A", special_tokens=[(start, made.token_to_id(start))]
        )
    return made


@dataclass
class LanguageNetwork:
    """A float language model in memory.

    Attributes:
        net: the HF module with its head, such as ``Gemma3ForCausalLM``; float32, in eval mode.
        tokens: its tokenizer.
        values: metadata of the GGUF file that it came from, its vocabulary cut as the model's; empty when none.
        source: the GGUF file whose tensors it began with, so that what did not change can be copied; empty when none.
        meta: of the artifact it was opened from.
    """

    net: nn.Module
    tokens: Tokens
    values: dict[str, Any] = field(default_factory=dict)
    source: str = ""
    meta: dict[str, Any] = field(default_factory=dict)

    @property
    def record(self) -> dict[str, Any]:
        """What belongs into the record of its artifact."""
        return {"labels": [], "source": self.source}


def open_language(source: Artifact | Path) -> LanguageNetwork:
    """Load a language model from an HF folder.

    Raises:
        ModelError: an unknown architecture, or config and weights that disagree. UnsafeFile: code of its own.
    """
    from safetensors import SafetensorError
    from transformers import AutoModelForCausalLM

    from lighten.isolate.quiet import quiet

    folder = source.path if isinstance(source, Artifact) else source
    read_language_config(folder)
    meta = dict(source.meta) if isinstance(source, Artifact) else {}
    with quiet():
        try:
            net, found = AutoModelForCausalLM.from_pretrained(
                folder,
                dtype="float32",
                local_files_only=True,
                trust_remote_code=False,
                use_safetensors=True,
                ignore_mismatched_sizes=True,  # they are refused here, by name
                output_loading_info=True,
            )
        except (ValueError, TypeError, KeyError, AttributeError, RuntimeError, OSError, SafetensorError) as error:
            raise ModelError(f"{folder} holds no language model that can be built ({error}).") from error
    lost = {*found["missing_keys"]} - ({HEAD} if net.config.tie_word_embeddings else set())
    other = {str(key[0]) for key in found["mismatched_keys"]}
    _refuse_misfit(folder, lost, {*found["unexpected_keys"]}, other)
    values = tupled(read_object(folder / METADATA, missing={}))
    tokens = within(Tokens.open(folder), int(net.config.vocab_size))
    return LanguageNetwork(net.eval(), tokens, values, str(meta.get("source", "")), meta)


def check_language_weights(folder: Path) -> None:
    """Check names and shapes of a folder's weights against its config, by their headers alone.

    Raises:
        ModelError: names the first difference.
    """
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    from lighten.isolate.quiet import quiet
    from lighten.nets.facts import weights

    shapes = {name: tensor.shape for name, tensor in weights(folder).items() if not name.endswith("inv_freq")}
    try:
        with quiet(), torch.device("meta"):
            config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
            net = AutoModelForCausalLM.from_config(config)
    except (ValueError, TypeError, KeyError, AttributeError, RuntimeError, OSError, ZeroDivisionError) as error:
        raise ModelError(f"{folder / CONFIG} describes no language model that can be built ({error}).") from error
    wanted = {name: tuple(value.shape) for name, value in net.state_dict().items()}
    lost = wanted.keys() - shapes.keys()
    if config.tie_word_embeddings:
        lost.discard(HEAD)
    other = {name for name in wanted.keys() & shapes.keys() if wanted[name] != shapes[name]}
    _refuse_misfit(folder, lost, shapes.keys() - wanted.keys(), other)


def _refuse_misfit(folder: Path, lost: Collection[str], strange: Collection[str], other: Collection[str]) -> None:
    """Refuse weights that do not fit their config.

    Raises:
        ModelError: names the first one that is missing, has no place, or has another shape.
    """
    if HEAD in lost:
        raise ModelError(
            f"{folder}: config.json says that the output layer is a matrix of its own (tie_word_embeddings), and the "
            f"weights lack {HEAD}: transformers would fill it with random numbers.",
            allowed="all weights that config.json describes",
            fix='if the output layer is the embedding, write "tie_word_embeddings": true into config.json; '
            "else download the weights again",
        )
    if lost or strange or other:
        what = (
            f"lacks {min(lost)}"
            if lost
            else f"holds {min(strange)}"
            if strange
            else f"has {min(other)} of another shape"
        )
        raise ModelError(f"{folder}: the weights do not fit config.json; the file {what}.")


def within(tokens: Tokens, rows: int) -> Tokens:
    """The tokenizer without control tokens that the network has no embedding for.

    No text gives such a token: Gemma's smaller models share the tokenizer of those that see images, and its last token
    stands for a part of an image.

    Raises:
        ModelError: a token of texts has no embedding.
    """
    if tokens.size <= rows:
        return tokens
    source = json.loads(tokens.source)
    beyond = {token["content"] for token in source["added_tokens"] if token["id"] >= rows and token["special"]}
    source["added_tokens"] = [token for token in source["added_tokens"] if token["content"] not in beyond]
    if isinstance(source["model"]["vocab"], dict):
        source["model"]["vocab"] = {name: i for name, i in source["model"]["vocab"].items() if name not in beyond}
    made = Tokens(json.dumps(source, ensure_ascii=False), tokens.settings)
    if made.size > rows:
        raise ModelError(
            f"The tokenizer knows the token {made.size - 1:,}, the network has embeddings for {rows:,}.",
            fix="take tokenizer and weights from the same place",
        )
    return made


def save_language(network: LanguageNetwork, folder: Path) -> Path:
    """Write config, weights and tokenizer as an HF folder; :func:`open_language` reads it back."""
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    config = network.net.config
    config.architectures = [type(network.net).__name__]
    (folder / CONFIG).write_text(config.to_json_string(), encoding="utf-8")
    state = {name: tensor.detach().contiguous() for name, tensor in network.net.state_dict().items()}
    if config.tie_word_embeddings:
        state.pop("lm_head.weight", None)
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
    network.tokens.save(folder)
    if network.values:
        (folder / METADATA).write_text(json.dumps(network.values, ensure_ascii=False), encoding="utf-8")
    return folder


def read_language_config(folder: Path) -> dict[str, Any]:
    """``config.json`` of a language model.

    Raises:
        ModelError: missing, not JSON, or an architecture that lighten does not know. UnsafeFile: code of its own.
    """
    path = folder / CONFIG
    config = read_object(path)
    if "auto_map" in config:
        raise UnsafeFile(f"{path} names Python code of its own to run (auto_map).", allowed="known architectures")
    family_of_config(config)
    return config


def tupled(values: Mapping[str, Any]) -> dict[str, Any]:
    """Metadata as ``read_gguf`` gives it: arrays are tuples."""
    return {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}
