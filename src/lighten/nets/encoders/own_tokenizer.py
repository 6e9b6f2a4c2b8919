"""A model's own tokenizer: what transformers makes of all of its files, written down so that it needs no transformers.

``tokenizer.json`` alone does not say how a model is asked. transformers also reads ``tokenizer_config.json``, and some
of its classes build normalizer, splitting and special tokens anew from there (``do_lower_case``, ``add_prefix_space``);
older models have ``vocab.txt`` or ``spm.model`` instead. So transformers opens the tokenizer once, when the model is
brought, and what it opened is what ``readers.text`` reads from then on.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lighten.core.errors import MissingExtra, ModelError
from lighten.files.json_file import read_object
from lighten.isolate.quiet import quiet
from lighten.readers.text import SETTINGS, TOKENIZER, UNLIMITED

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast


def write_own_tokenizer(folder: Path, model: str) -> None:
    """Replace ``tokenizer.json`` of a classifier's folder, and what ``tokenizer_config.json`` says of limit, side and
    padding, by what transformers' AutoTokenizer makes of the folder's files.

    A ``tokenizer.json`` that transformers cannot open stays as it is: nothing else says how the model is asked. So does
    one of which nobody names the class, where transformers would split texts in another way than it says: the class is
    guessed from the family then, and a BERT of a hundred languages does not have BERT's tokens.

    Args:
        model: what the user called it, for errors.

    Raises:
        ModelError: there is no ``tokenizer.json`` and none can be made; or texts get token types other than 0.
        MissingExtra: transformers is not installed.
    """
    made = _opened(folder, model)
    if made is None:
        return
    config, before = (read_object(folder / name, missing={}) for name in ("config.json", TOKENIZER))
    words, settings = config.get("vocab_size"), read_object(folder / SETTINGS, missing={})
    record = _record(made, before, words if isinstance(words, int) else None)
    named = settings.get("tokenizer_class") or config.get("tokenizer_class")
    if before and not named and _splitting(before) != _splitting(record):
        return
    _refuse_token_types(made, model)
    if not before:
        made.save_pretrained(folder)
        settings = read_object(folder / SETTINGS, missing={})
    _write(folder / TOKENIZER, record)
    settings["truncation_side"] = made.truncation_side
    if made.pad_token is not None:
        settings["pad_token"] = made.pad_token
    if made.model_max_length < UNLIMITED:
        settings["model_max_length"] = int(made.model_max_length)
    else:
        settings.pop("model_max_length", None)
    _write(folder / SETTINGS, settings)


def _opened(folder: Path, model: str) -> PreTrainedTokenizerFast | None:
    try:
        from transformers import AutoTokenizer
    except ImportError as error:
        raise MissingExtra("Opening a tokenizer", "train", str(error)) from error
    try:
        with quiet():
            made = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False, use_fast=True)
            if made.is_fast:
                return made
        reason = "its tokenizer has no fast version"
    except Exception as error:  # noqa: BLE001  each class of tokenizers raises what it likes
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
    if (folder / TOKENIZER).is_file():
        return None
    raise ModelError(
        f"{model} has no {TOKENIZER}, and none can be made from its other files ({reason}).",
        fix="pip install sentencepiece protobuf, or save the model with a fast tokenizer",
    )


def _refuse_token_types(made: PreTrainedTokenizerFast, model: str) -> None:
    """Refuse a tokenizer that marks the tokens of a single text as anything but the first sentence."""
    types = made.backend_tokenizer.encode("a").type_ids
    if any(types) and "token_type_ids" in made.model_input_names:
        raise ModelError(
            f"The tokenizer of {model} gives the tokens of a single text the types {sorted(set(types))}.",
            allowed="token types of 0: lighten asks models for one text at a time, without types",
        )


def _record(made: PreTrainedTokenizerFast, before: dict[str, Any], words: int | None) -> dict[str, Any]:
    """``tokenizer.json`` as transformers has it. Tokens that it added by itself, and that the model has no embedding
    for, are left out: a model that was never trained on a ``[MASK]`` cannot read one."""
    record: dict[str, Any] = json.loads(made.backend_tokenizer.to_str())
    record["truncation"] = record["padding"] = None
    own = {token["content"] for token in before.get("added_tokens") or ()}
    if words is not None:
        record["added_tokens"] = [t for t in record["added_tokens"] if t["id"] < words or t["content"] in own]
    return record


def _splitting(record: dict[str, Any]) -> str:
    """How a ``tokenizer.json`` splits texts before it looks for tokens."""
    return str((record.get("pre_tokenizer") or {}).get("type", ""))


def _write(path: Path, record: dict[str, Any]) -> None:
    path.write_text(json.dumps(record, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
