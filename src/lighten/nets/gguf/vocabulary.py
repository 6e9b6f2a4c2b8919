"""Cut the vocabulary of a GGUF file, or write the one of a ``tokenizer.json`` as GGUF metadata.

What a cut promises, and why it holds:

- *Covered text is tokenized as before.* Every merge that was applied to it made a part of a token that is there at the
  end; with these parts kept it is still possible, and what went can only have competed with it.
- *Every text can still be spelled*, byte by byte, and comes back as it was.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from lighten.core.errors import ModelError
from lighten.nets.gguf.bpe import (
    BYTE,
    BYTES,
    CONTROL,
    GPT2,
    KEY,
    LLAMA,
    NORMAL,
    SPACE,
    UNKNOWN,
    UNUSED,
    USER,
    GgufBpe,
    read,
    split_name,
)
from lighten.nets.gguf.tokenizer import ROLES, ends, space_prefix
from lighten.nets.vocabulary import CannotCut, Merges, kind_of, tokens

Json = dict[str, Any]

PLACE = re.compile(
    r"<\|?(unused|reserved|extra|placeholder|dummy|special)[a-z_]*[-_ ]?\d+\|?>|\[(pad|unused|control)_?\d+\]", re.I
)
"""Names of tokens that were kept free when the model was trained."""

_STALE = ("tokenizer.huggingface.json",)
"""Metadata that describe the whole vocabulary once more; no reader needs them."""


def closure(values: Mapping[str, Any], keep: Collection[int]) -> set[int]:
    """Ids that must be kept so that ``keep`` can be: see the promises of this module.

    Besides what they need: control and user-defined tokens other than free places (unless the chat template names
    them), the tokens of bytes, and the characters of ASCII, which words that nobody foresaw are spelled with.

    Args:
        values: metadata of a GGUF file, by key.

    Raises:
        CannotCut: a kind of tokenizer that cannot be cut, or an id that it does not have.
    """
    return _closure(_read(values), values, keep)


def cut(values: Mapping[str, Any], keep: Collection[int]) -> tuple[dict[str, Any], list[int]]:
    """Metadata whose tokenizer knows only ``keep`` and its closure. ``values`` is not changed.

    Args:
        values: metadata of a GGUF file, by key.

    Returns:
        All metadata, those of the tokenizer cut; and the old id of each new one: row i of the new embeddings is row
        ``kept[i]`` of the old. The order of ids stays.

    Raises:
        CannotCut: a kind of tokenizer that cannot be cut, or an id that it does not have.
    """
    found = _read(values)
    kept = sorted(_closure(found, values, keep))
    new = {old: i for i, old in enumerate(kept)}
    made = {key: value for key, value in values.items() if key not in _STALE}
    made[KEY + "tokens"] = tuple(found.texts[i] for i in kept)
    for name, column in (("scores", found.scores), ("token_type", found.types)):
        if KEY + name in values:
            made[KEY + name] = tuple(column[i] for i in kept)
    if found.ranks:
        there = set(made[KEY + "tokens"])
        made[KEY + "merges"] = tuple(
            f"{left} {right}"
            for left, right in found.ranks
            if left in there and right in there and left + right in there
        )
    # What a file does not say would be one of the new tokens by llama.cpp's default; what it says wrongly is not read.
    made |= {key: new[i] for key, i in found.named.items()}
    for key, value in values.items():
        if key.startswith(KEY) and key.endswith(("_token_ids", ".suppress_tokens")):
            if not isinstance(value, (tuple, list)):
                raise CannotCut(f"{key} of the GGUF file is {value!r}.", allowed="the numbers of tokens")
            made[key] = tuple(new[i] for i in value if i in new)
        elif key.startswith(KEY) and key.endswith("_token_id") and key not in found.named:
            del made[key]
    size = f"{values.get('general.architecture')}.vocab_size"
    if size in values:
        made[size] = len(kept)
    return made, kept


def from_tokenizer(tokenizer: Json, settings: Json, *, rows: int) -> dict[str, Any]:
    """Metadata of a GGUF file for a tokenizer; llama.cpp then gives the ids that it gives.

    Arrays are tuples; llama.cpp wants scores as 32-bit floats, types as signed and ids as unsigned 32-bit integers.

    Args:
        tokenizer: content of a ``tokenizer.json``.
        settings: content of its ``tokenizer_config.json``.
        rows: of the matrix of embeddings; rows without a token become unused ones.

    Raises:
        ModelError: another kind than BPE with byte fallback and byte-level BPE, or one that llama.cpp cannot follow.
    """
    names, model, kind = tokens(tokenizer), tokenizer["model"], _kind(tokenizer)
    if max(names) >= rows:
        raise ModelError(f"The tokenizer has the token {max(names)}, and the embeddings have {rows:,} rows.")
    types = _types(tokenizer, kind, names)
    # llama.cpp looks for user-defined tokens in the text as it is, with plain spaces.
    plain = {i: text.replace(SPACE, " ") if (kind, types[i]) == (LLAMA, USER) else text for i, text in names.items()}
    ids = {text: i for i, text in plain.items()}
    made: dict[str, Any] = {
        KEY + "model": kind,
        KEY + "pre": split_name(tokenizer) if kind == GPT2 else "default",
        KEY + "tokens": tuple(plain.get(i, f"[PAD{i}]") for i in range(rows)),
        KEY + "token_type": tuple(types.get(i, UNUSED) for i in range(rows)),
    }
    if kind == GPT2:
        made[KEY + "merges"] = tuple(f"{left} {right}" for left, right in Merges(model).ranks)
    else:
        scores = _scores(model, {text: i for text, i in ids.items() if types[i] == NORMAL}, ids)
        made[KEY + "scores"] = tuple(scores.get(i, -float(rows)) for i in range(rows))
        made[KEY + "add_space_prefix"] = space_prefix(tokenizer, ids)
    made |= _special(tokenizer, settings, {text: i for i, text in names.items()})
    read(made).spelling()
    return made | _templates(settings)


def _read(values: Mapping[str, Any]) -> GgufBpe:
    try:
        return read(values)
    except ModelError as error:
        raise CannotCut(error.seen, allowed=error.allowed, fix=error.fix) from error


def _closure(found: GgufBpe, values: Mapping[str, Any], keep: Collection[int]) -> set[int]:
    if strange := [i for i in keep if not 0 <= i < len(found.texts)]:
        raise CannotCut(
            f"The tokenizer ({found.kind}) has no token {strange[0]}, which is to be kept.",
            allowed=f"0 to {len(found.texts) - 1}",
        )
    wanted = {*keep, *_always(found, values)}
    return wanted | {found.ids[part] for i in tuple(wanted) for part in found.passed(found.texts[i])}


def _always(found: GgufBpe, values: Mapping[str, Any]) -> Iterator[int]:
    """Tokens that stay whatever is asked for."""
    yield from found.named.values()
    try:
        yield from found.spelling()
    except ModelError as error:
        raise CannotCut(error.seen, allowed=error.allowed) from error
    # Without its own token the sign for a space would be spelled in bytes, and those are not turned into a space.
    yield from (found.ids[text] for text in (SPACE, *BYTES, *map(chr, range(128))) if text in found.ids)
    templates = "".join(str(value) for key, value in values.items() if key.startswith("tokenizer.chat_template"))
    for i, (text, type_) in enumerate(zip(found.texts, found.types, strict=True)):
        if type_ in (UNKNOWN, BYTE) or (type_ in (CONTROL, USER) and (text in templates or not PLACE.fullmatch(text))):
            yield i


def _kind(tokenizer: Json) -> str:
    kind, model = kind_of(tokenizer), tokenizer["model"]
    known = kind == "BPE" and not model.get("continuing_subword_prefix") and not model.get("end_of_word_suffix")
    if known and '"type": "ByteLevel"' in json.dumps(tokenizer.get("pre_tokenizer")):
        return GPT2
    if known and model.get("byte_fallback"):
        return LLAMA
    raise ModelError(
        f"The tokenizer is of the kind {kind!r}, and does not spell in bytes what it does not know.",
        allowed="BPE with byte fallback, byte-level BPE",
    )


def _types(tokenizer: Json, kind: str, names: Mapping[int, str]) -> dict[int, int]:
    types = {i: BYTE if kind == LLAMA and text in BYTES else NORMAL for i, text in names.items()}
    for token in tokenizer.get("added_tokens") or ():
        if not token["special"] and any(token.get(name) for name in ("lstrip", "rstrip", "single_word")):
            raise ModelError(f"The tokenizer looks for {token['content']!r} with the spaces or the word around it.")
        types[token["id"]] = CONTROL if token["special"] else USER
    unknown = tokenizer["model"].get("unk_token")
    return types | {i: UNKNOWN for i, text in names.items() if kind == LLAMA and text == unknown}


def _scores(model: Json, normal: Mapping[str, int], ids: Mapping[str, int]) -> dict[int, float]:
    """A score for each plain token, by id, so that the highest first is the order of the merges.

    llama.cpp merges whatever spells a token, so every two tokens that do must be a merge, those of one token together.
    """
    order: dict[str, int] = {}
    for left, right in Merges(model).ranks:
        made = left + right
        if made in normal and left in ids and right in ids:
            if made in order and made != next(reversed(order)):
                raise ModelError(f"The merges of the tokenizer that make {made!r} do not follow one another.")
            order[made] = order.get(made, 0) + 1
    for text in normal:
        splits = sum(text[:at] in ids and text[at:] in ids for at in range(1, len(text)))
        if splits != order.get(text, 0):
            raise ModelError(
                f"The tokenizer makes {text!r} by {order.get(text, 0)} merges, where llama.cpp would by {splits}.",
                allowed="merges between any two tokens that spell a third, as SentencePiece has them",
            )
    return {normal[text]: -float(place) for place, text in enumerate({**order, **normal})}


def _special(tokenizer: Json, settings: Json, ids: Mapping[str, int]) -> dict[str, Any]:
    """Ids of special tokens, and which of them are added to a text."""
    made: dict[str, Any] = {}
    named = {"unk_token": tokenizer["model"].get("unk_token")} | settings
    for ours, theirs in ROLES.items():
        token = named.get(f"{theirs}_token")
        text = token["content"] if isinstance(token, dict) else token
        if text is not None:
            if text not in ids:
                raise ModelError(f"The tokenizer's settings name {text!r} as {theirs}_token, and it has no such token.")
            made[f"{KEY}{ours}_token_id"] = ids[text]
    found = ends(tokenizer)
    for place, name in enumerate(("bos", "eos")):
        key, added = f"{KEY}{name}_token_id", found is not None and found[place] is not None
        if found is not None and added:
            made[key] = found[place]
        if found is None:
            added = bool(settings.get(f"add_{name}_token"))
        made[f"{KEY}add_{name}_token"] = added
        if key not in made and (added or name == "eos"):
            raise ModelError(f"The tokenizer's settings do not say which is the {name}_token.")
    return made


def _templates(settings: Json) -> dict[str, str]:
    """Chat templates: one, or several with names, of which one is the default."""
    found = settings.get("chat_template") or {}
    named = {"default": found} if isinstance(found, str) else found
    if isinstance(named, list):
        named = {entry["name"]: entry["template"] for entry in named}
    return {"tokenizer.chat_template" + (f".{n}" if n != "default" else ""): str(t) for n, t in named.items()}
