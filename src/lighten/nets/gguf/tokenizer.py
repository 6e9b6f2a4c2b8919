"""The tokenizer of a GGUF file as a ``tokenizer.json``, which gives the ids that llama.cpp gives.

Text that only looks like a control token is text for llama.cpp unless it is told otherwise; the library ``tokenizers``
does the same with ``encode_special_tokens = True``.

Two things cannot be said in a ``tokenizer.json``, and differ in text made for it: user-defined tokens that overlap
(llama.cpp looks for the longest first, ``tokenizers`` for the leftmost), and a character of a Unicode version that one
of the two does not know (where text is split by classes of characters).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from lighten.core.errors import ModelError
from lighten.nets.gguf.bpe import (
    CONTROL,
    ENDINGS,
    GPT2,
    KEY,
    LLAMA,
    NORMAL,
    SPACE,
    UNKNOWN,
    USER,
    GgufBpe,
    adds,
    read,
    split_of,
    steps,
)

Json = dict[str, Any]

ROLES = {
    "bos": "bos",
    "eos": "eos",
    "unknown": "unk",
    "padding": "pad",
    "seperator": "sep",
    "cls": "cls",
    "mask": "mask",
}
"""Names of special tokens in GGUF (with the spelling that it has) and in ``tokenizer_config.json``."""


def tokenizer_json(values: Mapping[str, Any]) -> tuple[Json, Json]:
    """Contents of ``tokenizer.json`` and ``tokenizer_config.json`` for the tokenizer in a GGUF file.

    Args:
        values: metadata of the file, by key.

    Raises:
        ModelError: another kind than SentencePiece BPE and byte-level BPE, a way to split text that is not known here,
            or a vocabulary whose ids depend on more than a ``tokenizer.json`` can say.
    """
    found = read(values)
    made: Json = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": list(_added(found)),
        "normalizer": None,
        "pre_tokenizer": None,
        "post_processor": _post_processor(found, *adds(values)),
        "decoder": None,
    }
    if found.kind == LLAMA:
        made |= _sentencepiece(found, bool(values.get(KEY + "add_space_prefix", True)))
    else:
        made |= _byte_level(found, values)
    return made, _settings(found, values)


def _added(found: GgufBpe) -> Iterator[Json]:
    """Tokens that are looked for in text before anything else; control tokens among them are marked as special."""
    plain = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False}
    for i, (text, type_) in enumerate(zip(found.texts, found.types, strict=True)):
        special = type_ in (CONTROL, UNKNOWN) or text in ENDINGS
        if special or type_ == USER:
            yield {"id": i, "content": text, **plain, "special": special}


def _post_processor(found: GgufBpe, begin: bool, end: bool) -> Json | None:
    """What puts the start token before a text and the end token behind it."""
    names = {}
    for wanted, name in ((begin, "bos"), (end, "eos")):
        i = found.named.get(f"{KEY}{name}_token_id")
        if wanted and i is None:
            raise ModelError(f"The GGUF file says that the {name} token is added, and does not say which that is.")
        if wanted and i is not None:
            names[name] = found.texts[i]
    if not names:
        return None

    def template(*texts: str) -> list[Json]:
        inside: list[Json] = []
        for number, text in enumerate(texts):
            row = [
                {"SpecialToken": {"id": names[n], "type_id": number}} if n in names else None for n in ("bos", "eos")
            ]
            inside += [part for part in (row[0], {"Sequence": {"id": text, "type_id": number}}, row[1]) if part]
        return inside

    return {
        "type": "TemplateProcessing",
        "single": template("A"),
        "pair": template("A", "B"),
        "special_tokens": {t: {"id": t, "ids": [found.ids[t]], "tokens": [t]} for t in names.values()},
    }


def _sentencepiece(found: GgufBpe, prefix: bool) -> Json:
    found.spelling()
    _check_scores(found)
    replace = {"type": "Replace", "pattern": {"String": " "}, "content": SPACE}
    back = {"type": "Replace", "pattern": {"String": SPACE}, "content": " "}
    unknown = found.named.get(KEY + "unknown_token_id")
    decoders = [back, {"type": "ByteFallback"}, {"type": "Fuse"}]
    if prefix:
        decoders.append({"type": "Strip", "content": " ", "start": 1, "stop": 0})
    return {
        "normalizer": {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": SPACE}, replace]}
        if prefix
        else replace,
        "decoder": {"type": "Sequence", "decoders": decoders},
        "model": _model(
            found, list(_merges(found)), unk_token=None if unknown is None else found.texts[unknown], byte_fallback=True
        ),
    }


def _merges(found: GgufBpe) -> Iterator[list[str]]:
    """Every two tokens that together spell a third, the highest score of the third first.

    Of the splits of one token that with the longer left part comes first, as in the files that others convert.
    """
    ids, texts, scores = found.ids, found.texts, found.scores
    for i in sorted(range(len(texts)), key=lambda i: -scores[i]):
        text = texts[i]
        for at in range(len(text) - 1, 0, -1):
            left, right = ids.get(text[:at]), ids.get(text[at:])
            if left is not None and right is not None:
                yield [texts[left], texts[right]]


def _check_scores(found: GgufBpe) -> None:
    """Refuse what merges in another order, or from other pieces, than a list of merges between tokens can say."""
    plain = [i for i, text in enumerate(found.texts) if found.types[i] == NORMAL and len(text) > 1]
    often, count = Counter(found.scores[i] for i in plain).most_common(1)[0] if plain else (0.0, 0)
    if count > 1:
        raise ModelError(
            f"{count:,} tokens of the GGUF file share the score {often:g}: which is merged first hangs on the text.",
            allowed="a vocabulary in which every token has a score of its own",
        )
    missing = {character for i in plain for character in found.texts[i]} - found.ids.keys()
    if missing:
        some = ", ".join(map(repr, sorted(missing)[:5]))
        raise ModelError(f"{len(missing):,} characters in tokens of the GGUF file have no token of their own: {some}.")


def _byte_level(found: GgufBpe, values: Mapping[str, Any]) -> Json:
    split = split_of(values)
    parts: list[Json] = [
        {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": False}
        for pattern in split.patterns
    ]
    bytes_ = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}
    return {
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [*parts, bytes_]},
        "decoder": {**bytes_, "use_regex": True},
        "model": _model(found, [list(pair) for pair in found.ranks], ignore_merges=split.whole),
    }


def _model(found: GgufBpe, merges: list[list[str]], **more: Any) -> Json:
    return {
        "type": "BPE",
        "dropout": None,
        "unk_token": None,
        "continuing_subword_prefix": None,
        "end_of_word_suffix": None,
        "fuse_unk": found.kind == LLAMA,
        "byte_fallback": False,
        "ignore_merges": False,
        **more,
        "vocab": dict(found.ids),
        "merges": merges,
    }


def _settings(found: GgufBpe, values: Mapping[str, Any]) -> Json:
    begin, end = adds(values)
    made: Json = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "add_bos_token": begin,
        "add_eos_token": end,
        "clean_up_tokenization_spaces": False,
    }
    for ours, theirs in ROLES.items():
        key = f"{KEY}{ours}_token_id"
        if key in found.named and (key in values or found.kind != GPT2):  # GPT-2's defaults are llama.cpp's alone
            made[f"{theirs}_token"] = found.texts[found.named[key]]
    longest = values.get(f"{values.get('general.architecture')}.context_length")
    if longest is not None:
        made["model_max_length"] = int(longest)
    template = values.get("tokenizer.chat_template")
    if template is not None:
        made["chat_template"] = template
    return made


def space_prefix(tokenizer: Json, texts: Mapping[str, int]) -> bool:
    """Whether a SentencePiece BPE puts a space before the text.

    Raises:
        ModelError: it does something else to text than to write spaces as "▁".
    """
    prefix = replaced = False
    for part in (*steps(tokenizer, "normalizer"), *steps(tokenizer, "pre_tokenizer")):
        if part["type"] == "Prepend" and part["prepend"] == SPACE:
            prefix = True
        elif part["type"] == "Replace" and (part["pattern"], part["content"]) == ({"String": " "}, SPACE):
            replaced = True
        elif part["type"] == "Metaspace" and part["replacement"] == SPACE:
            scheme = part.get("prepend_scheme", "always" if part.get("add_prefix_space", True) else "never")
            prefix, replaced = prefix or scheme != "never", True
            # llama.cpp does not part words: it would find the tokens that reach over a space.
            if part.get("split", True) and any(SPACE in text[1:] for text in texts):
                raise ModelError(f"The tokenizer parts words at {SPACE!r}, and has tokens that reach over it.")
        elif not (part["type"] == "Split" and part["pattern"] == {"String": " "} and replaced):
            raise ModelError(
                f"The tokenizer is a BPE with byte fallback that does {part} to text; llama.cpp cannot.",
                allowed=f"Prepend {SPACE!r}, Replace ' ' by {SPACE!r}, Metaspace",
            )
    if not replaced:
        raise ModelError(f"The tokenizer is a BPE with byte fallback that does not write spaces as {SPACE!r}.")
    return prefix


def ends(tokenizer: Json) -> tuple[int | None, int | None] | None:
    """The tokens put before and behind a text by the post-processor; None when it says nothing about that.

    Raises:
        ModelError: it puts more than one token there, or is of another kind.
    """
    found: tuple[int | None, int | None] | None = None
    for part in steps(tokenizer, "post_processor"):
        if part["type"] == "TemplateProcessing":
            names = [piece["SpecialToken"]["id"] if "SpecialToken" in piece else None for piece in part["single"]]
            ids = [None if name is None else int(part["special_tokens"][name]["ids"][0]) for name in names]
            at = ids.index(None) if None in ids else len(ids)
            if at > 1 or len(ids) - at > 2:
                raise ModelError(f"The tokenizer puts several tokens before or behind a text: {part['single']}.")
            found = (ids[0] if at else None), ids[-1]
        elif part["type"] in ("BertProcessing", "RobertaProcessing"):
            found = int(part["cls"][1]), int(part["sep"][1])
        elif part["type"] != "ByteLevel":
            raise ModelError(f"The tokenizer has a post-processor of the kind {part['type']!r}.")
    return found
