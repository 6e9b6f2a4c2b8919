"""Tiny random encoders on disk, in the layout of the HF hub, made in a fraction of a second and without a network."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import (
    AlbertConfig,
    AutoModel,
    AutoModelForSequenceClassification,
    BertConfig,
    CamembertConfig,
    DebertaConfig,
    DebertaV2Config,
    DistilBertConfig,
    ElectraConfig,
    ErnieConfig,
    MobileBertConfig,
    ModernBertConfig,
    MPNetConfig,
    PreTrainedTokenizerFast,
    RobertaConfig,
    XLMRobertaConfig,
)
from transformers.utils.logging import disable_progress_bar

from lighten.core.rows import Rows

GOOD = ("good", "great", "lovely", "superb", "fine", "charming")
BAD = ("bad", "awful", "dreadful", "poor", "boring", "tedious")
PLAIN = ("the", "a", "film", "plot", "actor", "story", "was", "is", "and", "this", "music", "very", "scene", "it")
WORDS = (*PLAIN, *GOOD, *BAD)

PLAIN_FAMILIES = {"bert": BertConfig, "ernie": ErnieConfig}
ROBERTAS = {"roberta": RobertaConfig, "xlm-roberta": XLMRobertaConfig, "camembert": CamembertConfig}
FAMILIES = ("bert", "roberta", "xlm-roberta", "distilbert", "electra", "mpnet", "deberta-v2")
"""Families whose layers lighten can take apart."""
WHOLE_FAMILIES = ("camembert", "albert", "modernbert", "mobilebert", "deberta", "ernie")
"""Others that can be made."""
POSITIONS = 64
"""Longest input of a tiny network in tokens, special tokens included."""


def tiny_network_folder(
    folder: Path,
    family: str = "bert",
    layers: int = 4,
    labels: int | None = 2,
    words: Sequence[str] = WORDS,
    *,
    hidden: int = 32,
    heads: int = 4,
    intermediate: int = 128,
    tokenizer: str = "wordlevel",
    seed: int = 0,
) -> Path:
    """Write a random network with its tokenizer as an HF folder and return the folder.

    Args:
        family: one of ``FAMILIES`` or ``WHOLE_FAMILIES``.
        layers, hidden, heads, intermediate: sizes of the encoder.
        labels: classes of the head (labels ``negative``, ``positive`` when 2); None for a network without a head.
        words: vocabulary of the tokenizer, lower case; what it is trained on when it is not ``wordlevel``.
        tokenizer: ``"wordlevel"``, ``"wordpiece"`` or ``"bpe"`` (byte level).
        seed: of the random weights.
    """
    folder.mkdir(parents=True, exist_ok=True)
    fast = tiny_tokenizer(words, kind=tokenizer, roberta=family in ROBERTAS)
    config = _config(family, len(fast), fast.pad_token_id, layers, hidden, heads, intermediate)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        if labels is None:
            net = AutoModel.from_config(config)
        else:
            names = ["negative", "positive"] if labels == 2 else [f"class{i}" for i in range(labels)]
            config.id2label = dict(enumerate(names))
            config.label2id = {name: i for i, name in enumerate(names)}
            net = AutoModelForSequenceClassification.from_config(config)
        for parameter in net.parameters():  # 0.02 is too small for a net this narrow: every input would look the same
            if parameter.dim() > 1:
                parameter.data.mul_(5.0)
    disable_progress_bar()
    net.save_pretrained(folder)
    fast.save_pretrained(folder)
    return folder


def tiny_tokenizer(words: Sequence[str], *, kind: str = "wordlevel", roberta: bool = False) -> PreTrainedTokenizerFast:
    """A small fast tokenizer over ``words``; ``roberta`` sets which special tokens it has and their ids."""
    if roberta:
        cls, pad, sep, unk, mask = "<s>", "<pad>", "</s>", "<unk>", "<mask>"
        special = [cls, pad, sep, unk, mask]
    else:
        cls, pad, sep, unk, mask = "[CLS]", "[PAD]", "[SEP]", "[UNK]", "[MASK]"
        special = [pad, unk, cls, sep, mask]
    corpus = [" ".join(words)] * 3
    if kind == "wordlevel":
        vocabulary = {token: i for i, token in enumerate(dict.fromkeys([*special, *words]))}
        inner = Tokenizer(models.WordLevel(vocabulary, unk_token=unk))
        inner.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    elif kind == "wordpiece":
        inner = Tokenizer(models.WordPiece(unk_token=unk))
        inner.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        inner.decoder = decoders.WordPiece()
        inner.train_from_iterator(
            corpus, trainers.WordPieceTrainer(vocab_size=400, special_tokens=special, show_progress=False)
        )
    elif kind == "bpe":
        inner = Tokenizer(models.BPE())
        inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        inner.decoder = decoders.ByteLevel()
        inner.train_from_iterator(
            corpus,
            trainers.BpeTrainer(
                vocab_size=400,
                special_tokens=special,
                initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
                show_progress=False,
            ),
        )
    else:
        raise ValueError(f"tokenizer {kind!r}; allowed: wordlevel, wordpiece, bpe")
    if kind != "bpe":
        inner.normalizer = normalizers.BertNormalizer(lowercase=True)
    ends = [(cls, inner.token_to_id(cls)), (sep, inner.token_to_id(sep))]
    inner.post_processor = processors.TemplateProcessing(
        single=f"{cls} $A {sep}", pair=f"{cls} $A {sep} $B:1 {sep}:1", special_tokens=ends
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=inner,
        cls_token=cls,
        pad_token=pad,
        sep_token=sep,
        unk_token=unk,
        mask_token=mask,
        model_max_length=POSITIONS,
    )


def toy_rows(n: int, seed: int = 0, *, groups: bool = False) -> Rows:
    """Separable toy data: class 1 when the text holds a word of ``GOOD``, 0 when it holds one of ``BAD``.

    Args:
        groups: give each row one of the groups ``east`` and ``west``.
    """
    rng = random.Random(seed)
    inputs, targets = [], []
    for number in range(n):
        label = number % 2
        words = rng.choices(PLAIN, k=rng.randint(1, 9))
        words.insert(rng.randrange(len(words) + 1), rng.choice((BAD, GOOD)[label]))
        inputs.append(" ".join(words))
        targets.append(label)
    return Rows(tuple(inputs), tuple(targets), tuple(("east", "west")[i // 2 % 2] for i in range(n)) if groups else ())


def _config(family: str, vocabulary: int, pad: int, layers: int, hidden: int, heads: int, intermediate: int) -> Any:
    shape: dict[str, Any] = {
        "vocab_size": vocabulary,
        "pad_token_id": pad,
        "hidden_size": hidden,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "intermediate_size": intermediate,
        "max_position_embeddings": POSITIONS,
        "type_vocab_size": 2,
    }
    if family == "distilbert":
        return DistilBertConfig(
            vocab_size=vocabulary,
            pad_token_id=pad,
            dim=hidden,
            n_layers=layers,
            n_heads=heads,
            hidden_dim=intermediate,
            max_position_embeddings=POSITIONS,
        )
    if family in ROBERTAS:
        shape["max_position_embeddings"] = POSITIONS + pad + 1  # positions start after the padding id
        return ROBERTAS[family](**{**shape, "type_vocab_size": 1})
    if family == "albert":
        return AlbertConfig(**shape, embedding_size=hidden)
    if family == "modernbert":
        tokens = {"bos_token_id": 2, "cls_token_id": 2, "eos_token_id": 3, "sep_token_id": 3}
        return ModernBertConfig(**shape, **tokens)
    if family == "electra":
        return ElectraConfig(**shape, embedding_size=hidden)
    if family == "mpnet":
        shape["max_position_embeddings"] = POSITIONS + 2
        return MPNetConfig(**shape)
    if family == "deberta-v2":
        return DebertaV2Config(
            **shape,
            relative_attention=True,
            pos_att_type=["p2c", "c2p"],
            position_buckets=16,
            pooler_hidden_size=hidden,
        )
    if family == "mobilebert":
        return MobileBertConfig(**shape, embedding_size=hidden, intra_bottleneck_size=hidden // 2)
    if family == "deberta":
        return DebertaConfig(**shape, relative_attention=True, pos_att_type=["p2c", "c2p"], pooler_hidden_size=hidden)
    if family in PLAIN_FAMILIES:
        return PLAIN_FAMILIES[family](**shape)
    raise ValueError(f"family {family!r}; allowed: {', '.join((*FAMILIES, *WHOLE_FAMILIES))}")
