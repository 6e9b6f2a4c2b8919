"""Models in folders as the Hugging Face hub has them: what one is, what is checked, what is copied. No torch."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lighten.core.errors import MissingExtra, ModelError, UnsafeFile
from lighten.core.format import Location, Recognized
from lighten.files.json_file import read_object
from lighten.files.links import check_link
from lighten.files.safefile import FLOATS, read_header
from lighten.files.weight_files import INDEX, WANTED, weight_files
from lighten.models.adapter import CONFIG as ADAPTER_CONFIG
from lighten.models.adapter import WEIGHTS as ADAPTER_WEIGHTS
from lighten.models.adapter import check_adapter, merge_adapter
from lighten.models.base_of import base_of
from lighten.models.refusals import no_config, refuse_weights
from lighten.nets.architectures import is_for_pictures, kind_of_config, named_architectures
from lighten.nets.facts import labels_of, weights
from lighten.nets.gguf.parts import split_groups

ADAPTER = "adapter"
"""Kind of a model beside those of ``architectures``: changes to another one."""
ADAPTER_TASKS = ("SEQ_CLS", "CAUSAL_LM")
"""Tasks of adapters that lighten merges, as peft calls them."""
CONFIG = "config.json"
LIMITS, PROMPTS = "sentence_bert_config.json", "config_sentence_transformers.json"
"""Files of sentence-transformers that say how many tokens are read, and what is put before every text."""
OF_VECTORS = ("modules.json", "1_Pooling/config.json", LIMITS, PROMPTS)
"""What says how vectors are made of an encoder's tokens."""
SLOW = ("vocab.txt", "vocab.json", "sentencepiece.bpe.model", "spm.model", "spiece.model", "tokenizer.model")
"""Tokenizer files that can be converted to ``tokenizer.json``."""


def kind_at(location: Location) -> tuple[str, str] | None:
    """Kind (see ``architectures``) and name of the architecture in a folder of its own; None where there is none, and
    where it classifies pictures.

    Raises:
        ModelError, UnsafeFile: it cannot be used: says what it is.
    """
    if location.is_file or CONFIG not in location.names or "model_index.json" in location.names:
        return None
    tensors = has_weights(location.names)
    if not tensors and (ADAPTER_CONFIG in location.names or split_groups([n for n in location.names if "/" not in n])):
        return None
    config = location.read(CONFIG)
    if not config:
        raise no_config(location.where)
    if is_for_pictures(config):
        return None
    kind, name = kind_of_config(location.where, config, tensor_names(location, config), headless=location.headless)
    if not tensors:
        refuse_weights(location.where, location.names, config)
    return kind, name


def tensor_names(location: Location, config: Mapping[str, Any]) -> tuple[str, ...]:
    """Names of a folder's weights, as far as they can be read and its config does not say what it is; of a repository
    of the hub those that an index lists.

    Raises:
        UnsafeFile: a link leaves the folder.
    """
    if named_architectures(config) or not has_weights(location.names):
        return ()
    try:
        if location.path is not None:
            _check_links(location.path, weight_files(location.path))
            return tuple(weights(location.path))
        table = location.read(INDEX).get("weight_map") if INDEX in location.names else None
    except ModelError:
        return ()  # a broken file is refused by its name when the folder is checked
    return tuple(table) if isinstance(table, dict) else ()


def has_weights(names: Iterable[str]) -> bool:
    """Whether files of these names hold weights of a whole model."""
    return any(name.endswith(".safetensors") and name != ADAPTER_WEIGHTS for name in names)


def adapter_at(location: Location, task: str) -> tuple[str, str] | None:
    """Name and base of an adapter for a task (as peft calls it) in a folder of its own; None where there is none.

    Raises:
        ModelError, UnsafeFile: it cannot be merged: says why.
    """
    where, names = location.where, location.names
    if location.is_file or ADAPTER_CONFIG not in names or (has_weights(names) and CONFIG in names):
        return None
    told = location.read(ADAPTER_CONFIG)
    base, named = str(told.get("base_model_name_or_path") or ""), str(told.get("task_type") or "")
    kind = str(told.get("peft_type") or "LORA")
    if kind != "LORA":
        raise ModelError(
            f"{where} is an adapter of the kind {kind} for {base or 'a model that it does not name'}.",
            allowed="LoRA",
            fix="merge it with peft (merge_and_unload), save that with save_pretrained, and give the folder",
        )
    if ADAPTER_WEIGHTS not in names:
        refuse_weights(where, names, adapter=named)
    if not base:
        raise ModelError(
            f"{where} is a LoRA adapter that does not name its base (base_model_name_or_path).",
            fix="write the folder or hub id of the model that it was trained on into adapter_config.json",
        )
    if named not in ADAPTER_TASKS:
        raise ModelError(
            f"{where} is a LoRA adapter of {base} for the task {named or 'that it does not name'}.",
            allowed=", ".join(ADAPTER_TASKS),
        )
    return (f"LoRA, {named}", base) if named == task else None


def refuse_head(where: str, name: str, config: Mapping[str, Any]) -> None:
    """Refuse heads whose outputs are no classes.

    Raises:
        ModelError: the head gives one number, or says yes or no to each label.
    """
    if config.get("problem_type") == "multi_label_classification":
        raise ModelError(
            f"{where} says yes or no to each label by itself (config.json: problem_type multi_label_classification).",
            allowed="a head that chooses one class of several",
            fix="if it was trained to choose one, take problem_type out of config.json; to train a new head on your "
            "labels, bring the model that this one was made from",
        )
    if len(labels_of(config)) > 1 and config.get("problem_type") != "regression":
        return
    raise ModelError(
        f"{where} gives one number for a text (a reranker, or a regression: {name}), not classes.",
        allowed="a head with at least two classes",
        fix="to train a new head on your labels, bring the model that this one was made from",
    )


def check_folder(source: Path) -> list[str]:
    """Names of the files of an HF folder that are to be copied, after everything that can be checked unopened.

    Raises:
        ModelError: no config, weights or tokenizer, or a broken weights file.
        UnsafeFile: code of its own, or links that leave the folder.
    """
    wanted, shards = wanted_files(source), weight_files(source)
    _check_links(source, [*wanted, *shards])
    for name in (CONFIG, "tokenizer_config.json"):
        _refuse_code(source / name)
    for name in shards:
        read_header(source / name)
    if "tokenizer.json" not in wanted and not any(name in SLOW for name in wanted):
        raise ModelError(
            f"{source} has no tokenizer.",
            allowed="tokenizer.json (and tokenizer_config.json), or a file it can be made from: " + ", ".join(SLOW),
            fix="AutoTokenizer.from_pretrained(WHERE_THE_MODEL_IS_FROM).save_pretrained(THIS_FOLDER)",
        )
    index = [INDEX] if len(shards) > 1 else []
    return [*wanted, *shards, *index]


def wanted_files(source: Path) -> list[str]:
    """Files of a folder beside its weights that belong to a model."""
    return sorted(path.name for path in source.iterdir() if path.name in WANTED)


def hub_files(names: Sequence[str]) -> list[str]:
    """Which files of a repository on the hub belong to a model."""
    shards = [one for one in names if one.endswith(".safetensors")]
    return [*WANTED, *shards, INDEX, ADAPTER_CONFIG, ADAPTER_WEIGHTS, *OF_VECTORS]


def check_found(found: Recognized, kinds: Collection[str], allowed: str, *, whole: bool = True) -> None:
    """What can be checked of a folder or an adapter before anything is opened.

    Args:
        kinds, allowed: of the base of an adapter (see :func:`base_of`). whole: all files are here.

    Raises:
        ModelError, UnsafeFile: it cannot be used.
    """
    if found.kind != ADAPTER:
        if whole:
            check_folder(found.path)
        return
    if not whole:
        base_of(found, kinds, allowed, whole=False)
        return
    check_adapter(found.path)
    base = base_of(found, kinds, allowed)
    _check_links(found.path, [ADAPTER_WEIGHTS, ADAPTER_CONFIG])
    check_folder(base.path)


def files_with_base(
    files: Callable[[Recognized], Sequence[Path]], found: Recognized, kinds: Collection[str], allowed: str
) -> Sequence[Path]:
    """Files of a model, as ``files`` finds them; of an adapter, those of its base, too. See :func:`check_found`."""
    return [*files(found), *(files(base_of(found, kinds, allowed)) if found.kind == ADAPTER else ())]


def copy_model(found: Recognized, folder: Path, kinds: Collection[str], allowed: str) -> None:
    """Copy a folder's model; of an adapter its base, with it merged in. See :func:`check_found`.

    Raises:
        ModelError, UnsafeFile: it cannot be used.
    """
    source = found.path
    if found.kind != ADAPTER:
        copy_files(source, folder, check_folder(source))
        return
    base = base_of(found, kinds, allowed).path
    copy_files(base, folder, wanted_files(base))
    copy_files(source, folder, [name for name in wanted_files(source) if name != CONFIG])
    merge_adapter(source, base, folder)


def copy_files(source: Path, folder: Path, names: Iterable[str]) -> None:
    """Copy files of a folder.

    Raises:
        UnsafeFile: one is a link that leaves the folder.
    """
    _check_links(source, names := list(names))
    for name in names:
        shutil.copyfile(source / name, folder / name)


def check_floats(folder: Path) -> None:
    """Raises ModelError: a weight is no float. None is read."""
    for name, tensor in weights(folder).items():
        if tensor.dtype not in FLOATS and not name.endswith("position_ids"):
            raise ModelError(
                f"{folder.name}: {name} is {tensor.dtype}.",
                allowed="float weights (F32, F16, BF16)",
                fix="bring the model before quantization",
            )


@contextmanager
def needing_torch() -> Iterator[None]:
    """Raises MissingExtra: what brings an HF model is not installed."""
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("lighten"):
            raise
        raise MissingExtra("Bringing an HF model", "train", str(error)) from error


def _check_links(folder: Path, names: Iterable[str]) -> None:
    for name in names:
        check_link(folder / name, folder)


def _refuse_code(path: Path) -> None:
    if "auto_map" in read_object(path, missing={}):
        raise UnsafeFile(
            f"{path} names Python code of its own to run (auto_map).",
            allowed="architectures and tokenizers without code",
        )
