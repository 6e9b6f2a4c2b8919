"""Tiny random language models on disk, in the layout of the HF hub or as GGUF, made without a network in a moment."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import torch
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import AutoConfig, AutoModel, AutoModelForCausalLM, AutoModelForSequenceClassification
from transformers.utils.logging import disable_progress_bar

from lighten.core import catalog
from lighten.core.artifact import Artifact
from lighten.core.language import Span
from lighten.core.rows import Rows
from lighten.core.step import Needs
from lighten.nets.gguf.bpe import BYTES, SPLITS
from lighten.nets.language.network import open_language
from lighten.pipeline.formats import save_model
from lighten.tasks.text_generation import TextGeneration

Json = dict[str, Any]

FAMILIES = ("llama", "mistral", "qwen2", "qwen3", "gemma3_text")
"""Every family (``model_type``) that lighten opens."""
JUDGES = ("llama", "mistral", "qwen2", "qwen3", "gemma", "gemma2", "gemma3_text", "phi3")
"""Decoder families that lighten opens with a head that classifies."""
TOKENIZERS: Mapping[str, str] = {
    "llama": "sentencepiece",
    "mistral": "sentencepiece",
    "qwen2": "qwen2",
    "qwen3": "qwen2",
    "gemma3_text": "gemma",
}
"""Tokenizer that each family gets when none is named. ``llama3`` is the fourth."""
TIED = ("qwen3", "gemma3_text")
"""Families whose head is the embedding when nothing is said."""
POSITIONS = 256
"""Longest sequence in tokens."""
WINDOW = 16
"""Tokens that the sliding attention of the tiny Gemma sees."""

SYLLABLES = ("ba", "ko", "lin", "stre", "um", "or", "ti", "zza", "qu", "ing", "ed", "é", "ß", "ново", "映", "画", "😀")

_SPECIAL: Mapping[str, tuple[str, ...]] = {
    "sentencepiece": ("<unk>", "<s>", "</s>"),
    "gemma": ("<pad>", "<eos>", "<bos>", "<unk>", "<start_of_turn>", "<end_of_turn>"),
    "llama3": ("<|begin_of_text|>", "<|end_of_text|>", "<|eot_id|>"),
    "qwen2": ("<|endoftext|>", "<|im_start|>", "<|im_end|>"),
}
_ROLES: Mapping[str, Mapping[str, str]] = {
    "sentencepiece": {"bos": "<s>", "eos": "</s>", "unk": "<unk>"},
    "gemma": {"bos": "<bos>", "eos": "<eos>", "unk": "<unk>", "pad": "<pad>"},
    "llama3": {"bos": "<|begin_of_text|>", "eos": "<|end_of_text|>"},
    "qwen2": {"eos": "<|endoftext|>", "pad": "<|endoftext|>"},
}
LLAMA31: Json = {
    "rope_type": "llama3", "rope_theta": 10_000.0, "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64,
}  # fmt: skip
"""Scaled as Llama 3.1 is, for a context as short as that of the tiny ones."""
LINEAR: Mapping[str, Json] = {
    "llama": {"rope_type": "linear", "rope_theta": 10_000.0, "factor": 4.0},
    "qwen2": {"rope_type": "linear", "rope_theta": 10_000.0, "factor": 4.0},
    "gemma3_text": {
        "full_attention": {"rope_type": "linear", "rope_theta": 1_000_000.0, "factor": 8.0},
        "sliding_attention": {"rope_type": "default", "rope_theta": 10_000.0},
    },
}
"""Scaled linearly, by family; Gemma's larger models scale the layers that see the whole sequence."""
_SHAPE: Mapping[str, int] = {
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": POSITIONS,
}
_MORE: Mapping[str, Json] = {
    "llama": {"rms_norm_eps": 1e-5},
    "mistral": {"rms_norm_eps": 1e-5, "sliding_window": None, "head_dim": 32},
    "qwen2": {"use_sliding_window": False},
    "qwen3": {"head_dim": 32, "num_key_value_heads": 1},
    "gemma3_text": {"head_dim": 32, "query_pre_attn_scalar": 32, "sliding_window": WINDOW},
}


def tiny_texts(count: int, seed: int = 0, words: int = 12) -> tuple[str, ...]:
    """Sentences of made-up words, 2 to ``words`` each; the frequent words are frequent in every seed."""
    fixed = random.Random(7)
    known = ["".join(fixed.choices(SYLLABLES, k=fixed.randint(1, 3))) for _ in range(120)]
    weights = [1 / (rank + 2) for rank in range(len(known))]
    rng = random.Random(seed)
    return tuple(
        " ".join(rng.choices(known, weights, k=rng.randint(2, words))) + rng.choice((".", "!", "?", " 12, it's."))
        for _ in range(count)
    )


def tiny_documents(count: int, seed: int = 0) -> Rows:
    """Documents of three sentences each, as the task has them: no targets that mean anything."""
    texts = tiny_texts(3 * count, seed)
    return Rows(tuple(" ".join(texts[i : i + 3]) for i in range(0, 3 * count, 3)), (0,) * count)


def span_cases(tokens: int = 440) -> dict[str, list[Span]]:
    """Spans in every constellation that a session may compute together, by what they have in common.

    Args:
        tokens: ids are drawn below this; no sequence is longer than ``POSITIONS``.
    """
    rng = random.Random(3)

    def ids(least: int, most: int = 0) -> tuple[int, ...]:
        return tuple(rng.randrange(5, tokens) for _ in range(rng.randint(least, most or least)))

    prefix = ids(20)
    contexts = [prefix + ids(1, 30) for _ in range(7)]
    return {
        "choices behind contexts that begin alike": [Span(c, ids(n)) for c in contexts for n in (1, 3, 7)],
        "nothing in common": [Span(ids(1, 50), ids(1, 50)) for _ in range(11)],
        "one context": [Span(prefix, ids(n)) for n in (1, 2, 5, 30)],
        "a context that all others begin with": [Span(prefix + ids(n) * (n > 1), ids(3)) for n in (1, 5, 60)],
        "long": [Span(ids(100), ids(120)), Span(ids(1), ids(200)), Span(ids(200), ids(3))],
        "the same twice": [Span(prefix, prefix)] * 2,
        "one": [Span(prefix, ids(4))],
        "none": [],
    }


def tiny_language(
    family: str,
    folder: Path,
    *,
    tied: bool | None = None,
    seed: int = 0,
    layers: int = 0,
    tokenizer: str = "",
    rope: Json | None = None,
) -> Path:
    """Write a random causal language model, 64 wide, with its tokenizer as an HF folder and return the folder.

    Args:
        family: one of ``FAMILIES``.
        tied: whether the head is the embedding; None for what is usual in the family.
        seed: of the random weights.
        layers: 0 for 2, and for Gemma 6, the last of which sees the whole sequence.
        tokenizer: one of ``sentencepiece``, ``gemma``, ``llama3``, ``qwen2``; empty for that of the family.
        rope: ``rope_parameters`` of the config, such as ``LLAMA31``; None for those of the family.
    """
    folder.mkdir(parents=True, exist_ok=True)
    kind = tokenizer or TOKENIZERS[family]
    source, settings = tiny_language_tokenizer(kind)
    made = Tokenizer.from_str(source)
    roles = {f"{role}_token_id": made.token_to_id(text) for role, text in _ROLES[kind].items() if role != "unk"}
    config = AutoConfig.for_model(
        family,
        **{**_SHAPE, **_MORE[family]},
        # Some rows more than tokens, as real models have them, where the family allows for it.
        vocab_size=-(-made.get_vocab_size() // 32) * 32,
        num_hidden_layers=layers or (6 if family == "gemma3_text" else 2),
        tie_word_embeddings=family in TIED if tied is None else tied,
        **{"bos_token_id": None, "pad_token_id": None, **roles},
        **({} if rope is None else {"rope_parameters": rope}),
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net = AutoModelForCausalLM.from_config(config)
        for name, parameter in net.named_parameters():
            if parameter.dim() > 1:  # 0.02 is too small for a net this narrow: every token would be as likely
                parameter.data.mul_(8.0)
            elif name.endswith("bias"):
                parameter.data.normal_(0.0, 0.2)
            else:
                parameter.data.add_(torch.empty_like(parameter).uniform_(-0.7, 0.7))
    disable_progress_bar()
    net.save_pretrained(folder)
    (folder / "tokenizer.json").write_text(source, encoding="utf-8")
    (folder / "tokenizer_config.json").write_text(json.dumps(settings), encoding="utf-8")
    return folder


def tiny_judge(
    family: str,
    folder: Path,
    *,
    padding: str = "named",
    seed: int = 0,
    tokenizer: str = "",
    labels: int = 2,
    **config: Any,
) -> Path:
    """Write a random decoder with a head that classifies, as rerankers and guards are, and return the folder.

    Args:
        family: one of ``JUDGES``.
        padding: ``named`` by the config; ``unnamed``, as many models have it; ``ending``: the token that ends a text.
        labels: outputs of the head; 0 for a network without one. config: what else its config says.
    """
    folder.mkdir(parents=True, exist_ok=True)
    kind = tokenizer or TOKENIZERS.get(family, "gemma" if family.startswith("gemma") else "sentencepiece")
    source, settings = tiny_language_tokenizer(kind)
    made = Tokenizer.from_str(source)
    roles = {f"{role}_token_id": made.token_to_id(text) for role, text in _ROLES[kind].items() if role != "unk"}
    roles["pad_token_id"] = {"unnamed": None, "ending": roles["eos_token_id"]}.get(padding, made.token_to_id("."))
    names = {i: f"class {i}" for i in range(labels)}
    head = {"id2label": names, "label2id": {name: i for i, name in names.items()}} if labels else {}
    more = {**_MORE.get(family, {"head_dim": 16} if family.startswith("gemma") else {}), **_SHAPE}
    rows = -(-made.get_vocab_size() // 32) * 32
    said = {**more, "num_hidden_layers": 2, "vocab_size": rows, "bos_token_id": None, **roles, **head, **config}
    made_of = AutoConfig.for_model(family, **said)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net = (AutoModelForSequenceClassification if labels else AutoModel).from_config(made_of)
        for parameter in net.parameters():
            if parameter.dim() > 1:
                parameter.data.mul_(8.0)
    disable_progress_bar()
    net.save_pretrained(folder)
    (folder / "tokenizer.json").write_text(source, encoding="utf-8")
    longest = {"model_max_length": POSITIONS}
    (folder / "tokenizer_config.json").write_text(json.dumps({**settings, **longest}), encoding="utf-8")
    return folder


def tiny_gguf(family: str, folder: Path, *, format: str = "F32", **more: Any) -> Artifact:
    """The same model as an artifact of format ``gguf``, written by lighten's own export step.

    Args:
        folder: gets the HF folder ``hf`` and the artifact's folder ``gguf``.
        format: of the matrices, ``F32`` or ``F16``.
        more: what else :func:`tiny_language` takes.
    """
    network = open_language(tiny_language(family, folder / "hf", **more))
    export: Any = catalog.load_step("export.gguf")
    made = export(format=format).run(network, Needs(TextGeneration()))
    (folder / "gguf").mkdir()
    return Artifact.seal(folder / "gguf", format="gguf", meta=save_model(made, "gguf", folder / "gguf"))


def tiny_phi3(folder: Path) -> Artifact:
    """A model in GGUF that llama.cpp runs and lighten cannot open as a network: projections in one matrix each."""
    import numpy as np

    from lighten.nets.gguf.network import GgufModel, open_gguf
    from lighten.nets.gguf.weights import QuantizedTensor

    model = open_gguf(tiny_gguf("llama", folder, format="F16", tokenizer="llama3"))
    known = dict(model.tensors())

    def fused(*names: str) -> QuantizedTensor:
        parts = [known.pop(name) for name in names]
        rows = np.concatenate([part.data for part in parts])
        return QuantizedTensor(parts[0].format, (len(rows), parts[0].shape[1]), rows)

    for layer in range(int(model.values["llama.block_count"])):
        before = f"blk.{layer}."
        known[f"{before}attn_qkv.weight"] = fused(*(f"{before}attn_{one}.weight" for one in "qkv"))
        known[f"{before}ffn_up.weight"] = fused(f"{before}ffn_gate.weight", f"{before}ffn_up.weight")
    values = {key.replace("llama.", "phi3.", 1): value for key, value in model.values.items()}
    values |= {"general.architecture": "phi3"}
    (folder / "phi3").mkdir()
    made = GgufModel(values, lambda: iter(known.items()))
    return Artifact.seal(folder / "phi3", format="gguf", meta=save_model(made, "gguf", folder / "phi3"))


@cache
def tiny_language_tokenizer(kind: str) -> tuple[str, Json]:
    """Contents of ``tokenizer.json`` and ``tokenizer_config.json``; kinds as :func:`tiny_language` names them."""
    bytewise = kind in ("llama3", "qwen2")
    inner: Any = Tokenizer(models.BPE(unk_token=None if bytewise else "<unk>"))
    more: Json = {"special_tokens": list(_SPECIAL[kind]), "show_progress": False}
    if bytewise:
        split = SPLITS["llama-bpe" if kind == "llama3" else "qwen2"]
        parts = [pre_tokenizers.Split(Regex(pattern), "isolated") for pattern in split.patterns]
        bytes_ = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
        inner.pre_tokenizer = pre_tokenizers.Sequence([*parts, bytes_])
        inner.decoder = decoders.ByteLevel()
        more["initial_alphabet"] = pre_tokenizers.ByteLevel.alphabet()
    else:
        space = normalizers.Replace(" ", "▁")
        prefixed = normalizers.Sequence([normalizers.Prepend("▁"), space])
        inner.normalizer = space if kind == "gemma" else prefixed
        spelled = [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
        inner.decoder = decoders.Sequence(spelled if kind == "gemma" else [*spelled, decoders.Strip(" ", 1, 0)])
    inner.train_from_iterator(tiny_texts(300, 1), trainers.BpeTrainer(vocab_size=540 if bytewise else 300, **more))
    if "bos" in _ROLES[kind]:
        start = _ROLES[kind]["bos"]
        begin = [(start, inner.token_to_id(start))]
        inner.post_processor = processors.TemplateProcessing(f"{start} $A", special_tokens=begin)
    made = json.loads(inner.to_str())
    made["model"]["ignore_merges"] = kind == "llama3"
    if not bytewise:
        made["model"] = _with_bytes(made["model"], len(_SPECIAL[kind]))
    if kind == "gemma":
        plain = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": False}
        made["added_tokens"].append({"id": len(made["model"]["vocab"]), "content": "\n\n", **plain})
    roles = {f"{role}_token": text for role, text in _ROLES[kind].items()}
    return json.dumps(made), {"add_bos_token": "bos" in _ROLES[kind], "add_eos_token": False, **roles}


def _with_bytes(model: Json, special: int) -> Json:
    """As SentencePiece has it: tokens for bytes behind the special ones, and whatever spells a token is a merge."""
    old = sorted(model["vocab"], key=model["vocab"].__getitem__)
    vocab = {token: i for i, token in enumerate([*old[:special], *BYTES, *old[special:]])}
    order = dict.fromkeys("".join(merge) for merge in model["merges"])
    pairs = ([token[:i], token[i:]] for token in order for i in range(1, len(token)))
    merges = [pair for pair in pairs if pair[0] in vocab and pair[1] in vocab]
    return {**model, "vocab": vocab, "merges": merges, "byte_fallback": True, "fuse_unk": True}
