"""Bring: whatever the user calls a model, checked before anything is opened, copied and sealed as an artifact."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from lighten.core.artifact import GGUF, HF, HF_CAUSAL, LANGUAGE, Artifact
from lighten.core.errors import MissingExtra, ModelError, RunFolderError, UnsafeFile
from lighten.core.home import expanded
from lighten.files.json_file import read_object
from lighten.files.links import check_link
from lighten.files.safefile import FLOATS, read_header
from lighten.files.weight_files import INDEX, WANTED, weight_files
from lighten.isolate.process import call
from lighten.nets.adapter import CONFIG as CONFIG_OF_ADAPTER
from lighten.nets.adapter import check_adapter, merge_adapter
from lighten.nets.architectures import CAUSAL, CLASSIFIER, ENCODER, TEXT_PART
from lighten.nets.encoders.longest import limited
from lighten.nets.encoders.own_tokenizer import write_own_tokenizer
from lighten.nets.facts import facts, language_config, read_config, weights
from lighten.nets.gguf.file import FILE
from lighten.nets.gguf.parts import checked_header, join, parts_of
from lighten.nets.hub import HUB_FILE, HUB_ID, fetch, look, nearest_names, snapshot_of
from lighten.nets.language.network import check_language_weights, read_language_config
from lighten.nets.language.text_part import take_text_part, text_tensors
from lighten.nets.recognize import ADAPTER, ADAPTER_WEIGHTS, ARTIFACT, GGUF_FILE, Recognized, recognize

CONFIG = "config.json"
SLOW = ("vocab.txt", "vocab.json", "sentencepiece.bpe.model", "spm.model", "spiece.model", "tokenizer.model")
"""Tokenizer files that can be converted to ``tokenizer.json``."""


def bring(model: str, folder: Path, *, longest: int | None = None) -> Artifact:
    """Copy a model into the empty ``folder`` and seal it.

    Args:
        model: an HF folder, a GGUF file or a folder with one, an adapter whose base is at hand, a hub id,
            ``sample:NAME``, or an artifact of lighten (which is copied as it is).
        folder: made when it does not exist.
        longest: most tokens of a text that a classifier is to read; None for what it reads.

    Raises:
        ModelError: there is no such model, a file is missing or broken, or config and weights disagree.
        InputError: a classifier does not read ``longest`` tokens.
        UnsafeFile: weights that are pickled only, code of its own, or links that leave the folder.
        MissingExtra: the hub's library, or torch, is not installed.
        RunFolderError: ``folder`` holds something already.
    """
    return _limited(_bring(find(model), folder, model), longest)


def bring_resolved(source: str, folder: str, model: str = "", longest: int = 0) -> dict[str, str]:
    """As :func:`bring`, for a source that is found already; for a child process, which takes and gives plain values.

    Args:
        model: what the user called it. longest: 0 for what the model reads.

    Returns:
        ``path`` of the artifact.
    """
    return {"path": str(_limited(_bring(recognize(Path(source)), Path(folder), model or source), longest or None).path)}


def _limited(artifact: Artifact, longest: int | None) -> Artifact:
    return artifact if longest is None or artifact.format in LANGUAGE else limited(artifact, longest)


def _bring(found: Recognized, folder: Path, model: str) -> Artifact:
    if folder.exists() and any(folder.iterdir()):
        raise RunFolderError(f"{folder} is not empty.", allowed="an empty or a new folder")
    if found.kind not in (ARTIFACT, GGUF_FILE):
        check_found(found)
    folder.mkdir(parents=True, exist_ok=True)
    source = found.path
    if found.kind == GGUF_FILE:
        return _bring_gguf(source, folder, model)
    if found.kind == ARTIFACT:
        return _copy_artifact(Artifact.open(source), folder)
    if found.kind == ADAPTER:
        base = base_of(found).path
        _copy(base, folder, wanted_files(base))
        _copy(source, folder, [name for name in wanted_files(source) if name != CONFIG])
        merge_adapter(source, base, folder)
    elif found.kind == TEXT_PART:
        _copy(source, folder, wanted_files(source))
        take_text_part(source, folder)
    else:
        _copy(source, folder, check_folder(source))
    if language_config(folder) is None or not (folder / "tokenizer.json").exists():
        write_own_tokenizer(folder, model)
    if language_config(folder) is not None:
        _check_weights(folder)
        return Artifact.seal(folder, format=HF_CAUSAL, meta={"model": model, "labels": []})
    known = facts(folder)
    _check_weights(folder)
    meta = {"model": model, "family": known["family"], "labels": list(known["labels"])}
    return Artifact.seal(folder, format=HF, meta=meta)


def find(model: str, *, whole: bool = True) -> Recognized:
    """What a user calls a model, found, fetched when it must be, and told by its files alone.

    Args:
        whole: fetch and check all of it; else only as much as says what it is.

    Raises:
        ModelError: there is none, or none that lighten can use; says what it is. UnsafeFile: pickled weights or code.
        MissingExtra: the hub's library is not installed.
    """
    kind, _, name = model.partition(":")
    if kind == "sample" and name:
        from lighten.data.samples import SAMPLES, fetch_sample

        if not whole and name in SAMPLES:
            language = SAMPLES[name].opens.get("", "").endswith(".gguf")
            return Recognized(Path(model), GGUF_FILE if language else CLASSIFIER, name, language)
        return recognize(Path(fetch_sample(name)))
    path = expanded(model)
    if path.exists():
        found = recognize(snapshot_of(path))
    elif HUB_ID.fullmatch(model) or HUB_FILE.fullmatch(model):
        found = recognize(fetch(model)) if whole else look(model)
    else:
        raise ModelError(
            f"There is no folder {model}.",
            allowed="an HF folder, a GGUF file, a hub id, or sample:NAME",
            fix=nearest_names(model),
        )
    if whole and found.kind not in (ARTIFACT, GGUF_FILE):
        check_found(found)
    elif found.kind == ADAPTER:
        base_of(found, whole=False)
    return found


def check_found(found: Recognized) -> None:
    """Everything that can be checked of an HF folder or an adapter before anything is opened.

    Raises:
        ModelError, UnsafeFile: it cannot be used.
    """
    if found.kind == ADAPTER:
        check_adapter(found.path)
        base = base_of(found)
        _check_links(found.path, [ADAPTER_WEIGHTS, CONFIG_OF_ADAPTER])
        check_folder(base.path)
        return
    check_folder(found.path)
    if found.kind == TEXT_PART:
        text_tensors(found.path)
    elif found.kind == CAUSAL:
        read_language_config(found.path)
    else:
        read_config(found.path)


def base_of(adapter: Recognized, *, whole: bool = True) -> Recognized:
    """The model that an adapter was trained on: a folder where its config says, beside it, or here; else of the hub.

    Args:
        whole: fetch all of it; else only as much as says what it is.

    Raises:
        ModelError: it is not at hand, or of another kind than the adapter is for.
    """
    places = [expanded(adapter.base), adapter.path / adapter.base, adapter.path.parent / adapter.base]
    places += [adapter.path.parent / Path(adapter.base).name]
    here = next((place for place in places if place.is_dir()), None)
    try:
        if here is None and not whole:
            base = look(adapter.base)
        else:
            base = recognize(here if here is not None else fetch(adapter.base))
    except (ModelError, MissingExtra) as error:
        raise ModelError(
            f"{adapter.path} is a LoRA adapter of {adapter.base}, and that model is not at hand: {error.seen}",
            allowed="an adapter whose base is a folder here, in the hub's cache, or on the hub",
            fix=f"hf download {adapter.base}, or write the base's folder into adapter_config.json; "
            "or merge them yourself (peft: merge_and_unload) and give the folder",
        ) from error
    if base.kind not in ((CAUSAL,) if adapter.language else (CLASSIFIER, ENCODER, CAUSAL)):
        raise ModelError(
            f"{adapter.path} is a LoRA adapter of {adapter.base}, which is {base.described}.",
            allowed="a causal language model in an HF folder" if adapter.language else "a float HF folder",
        )
    return base


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


def _copy(source: Path, folder: Path, names: Iterable[str]) -> None:
    _check_links(source, names := list(names))
    for name in names:
        shutil.copyfile(source / name, folder / name)


def _bring_gguf(source: Path, folder: Path, model: str) -> Artifact:
    header, parts = checked_header(source), parts_of(source)
    if len(parts) > 1:
        join(parts, folder / FILE)
    # A process of its own, because what is broken may end it; before the file is copied, so that it is called its name.
    call("lighten.nets.runtimes.llama_api:check_loads", path=str(folder / FILE if len(parts) > 1 else source))
    if len(parts) == 1:
        shutil.copyfile(source, folder / FILE)
    meta = {"model": model, "family": header.architecture, "labels": []}
    return Artifact.seal(folder, format=GGUF, meta=meta)


def _check_links(folder: Path, names: Iterable[str]) -> None:
    for name in names:
        check_link(folder / name, folder)


def _refuse_code(path: Path) -> None:
    if "auto_map" in read_object(path, missing={}):
        raise UnsafeFile(
            f"{path} names Python code of its own to run (auto_map).",
            allowed="architectures and tokenizers without code",
        )


def _check_weights(folder: Path) -> None:
    """Number formats and, against the config, names and shapes; no weight is read."""
    for name, tensor in weights(folder).items():
        if tensor.dtype not in FLOATS and not name.endswith("position_ids"):
            raise ModelError(
                f"{folder.name}: {name} is {tensor.dtype}.",
                allowed="float weights (F32, F16, BF16)",
                fix="bring the model before quantization",
            )
    try:
        if language_config(folder) is not None:
            check_language_weights(folder)
            return
        from lighten.nets.encoders.network import expected_shapes
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("lighten"):
            raise
        raise MissingExtra("Bringing an HF model", "train", str(error)) from error
    expected_shapes(folder)


def _copy_artifact(found: Artifact, folder: Path) -> Artifact:
    for name in found.files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(found.path / name, folder / name)
    return Artifact.seal(
        folder,
        format=found.format,
        parent=found.parent,
        step=found.step,
        seed=found.seed,
        versions=found.versions,
        meta=found.meta,
    )
