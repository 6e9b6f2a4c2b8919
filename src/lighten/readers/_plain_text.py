"""How texts are read without lighten: the files of a tokenizer as loaders know them, and Python with ``tokenizers``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Protocol

from lighten.core.plain import PlainReading

ROLES = ("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token")
SAME = ("do_lower_case", "clean_up_tokenization_spaces", "split_special_tokens")
"""Settings that are handed on as they are."""
CLASS = "PreTrainedTokenizerFast"
"""What reads ``tokenizer.json`` as it stands, in every version of transformers and in transformers.js. Classes of
families build parts of it anew, and some are known to new versions only."""
CODE = '''
def arrays_of(text):
    """A text as the network takes it, a batch of one."""
    ids = np.array([tokenizer.encode(text).ids{empty}], np.int64)
    return {{"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}}
'''


class Tokenizing(Protocol):
    """A tokenizer with its limit; see ``readers.text.Encoder`` for what each means."""

    source: str
    settings: dict[str, Any]
    max_tokens: int
    side: str
    special: int
    pad_id: int
    vocabulary_size: int

    def token_of(self, token: int) -> str | None: ...


def plain_text(encoder: Tokenizing, *, filled: bool) -> PlainReading:
    """How ``encoder`` reads. filled: whether every text is padded to the limit, in front."""
    special = bool(encoder.settings.get("split_special_tokens"))
    setup = ['tokenizer = Tokenizer.from_file(str(HERE / "tokenizer.json"))']
    setup += ["tokenizer.encode_special_tokens = True"] if special else []
    return PlainReading(
        files={"tokenizer.json": _tokenizer(encoder, filled), "tokenizer_config.json": _settings(encoder, filled)},
        settings="tokenizer_config.json",
        libraries=("tokenizers",),
        imports=("from tokenizers import Tokenizer",),
        setup=tuple(setup),
        code=CODE.format(empty="" if encoder.special else f" or [{encoder.pad_id}]"),
        value=("a text", "一段文本"),
        from_bytes='data.decode("utf-8")',
        from_json="data",
        family="bert",
        head="ForSequenceClassification",
        pipeline="text-classification",
        example="It works, whatever the manual says.",
        fill={"input_ids": encoder.pad_id},
        config={"pad_token_id": encoder.pad_id, "vocab_size": encoder.vocabulary_size},
    )


def _tokenizer(encoder: Tokenizing, filled: bool) -> str:
    """``tokenizer.json`` that cuts, and pads where the network wants it, just as the reader does."""
    from tokenizers import Tokenizer

    native = Tokenizer.from_str(encoder.source)
    native.no_padding()
    native.enable_truncation(encoder.max_tokens, direction=encoder.side)
    if filled:
        native.enable_padding(
            direction="left",
            pad_id=encoder.pad_id,
            pad_token=native.id_to_token(encoder.pad_id) or "",
            length=encoder.max_tokens,
        )
    text: str = native.to_str(pretty=True)
    return text + "\n"


def _settings(encoder: Tokenizing, filled: bool) -> str:
    """``tokenizer_config.json`` with what every version of its loaders reads alike."""
    known = encoder.settings
    said: dict[str, Any] = {role: _content(known[role]) for role in ROLES if known.get(role) is not None}
    pad = encoder.token_of(encoder.pad_id)
    said |= {"pad_token": pad} if pad is not None else {}
    said |= {name: known[name] for name in SAME if name in known}
    said |= {
        "tokenizer_class": CLASS,
        "model_max_length": encoder.max_tokens,
        "truncation_side": encoder.side,
        "padding_side": "left" if filled else "right",
    }
    return json.dumps(said, ensure_ascii=False, indent=2, sort_keys=True) + "\n"


def _content(token: str | Mapping[str, Any]) -> Any:
    """A special token by its text; settings have it so, or as an object."""
    return token if isinstance(token, str) else token.get("content", "")
