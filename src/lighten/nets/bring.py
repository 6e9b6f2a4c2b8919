"""Bring: whatever the user calls a model, checked before anything is opened, copied and sealed as an artifact."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable
from pathlib import Path

from lighten.core.artifact import GGUF, HF, HF_CAUSAL, LANGUAGE, LEARNED, RECORD, Artifact
from lighten.core.errors import MissingExtra, ModelError, RunFolderError, UnsafeFile
from lighten.core.home import expanded
from lighten.nets.facts import facts, language_config, read_config, weights
from lighten.nets.gguf_file import FILE, is_gguf, read_gguf
from lighten.nets.json_file import read_object
from lighten.nets.language import read_language_config
from lighten.nets.longest import limited
from lighten.nets.own_tokenizer import write_own_tokenizer
from lighten.nets.safefile import FLOATS

WANTED = (
    "config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
    "chat_template.jinja",
    "vocab.txt", "vocab.json", "merges.txt", "sentencepiece.bpe.model", "spm.model", "spiece.model", "tokenizer.model",
    LEARNED,
)  # fmt: skip
"""Files beside the weights that are copied."""

SLOW = ("vocab.txt", "vocab.json", "sentencepiece.bpe.model", "spm.model", "spiece.model", "tokenizer.model")
"""Tokenizer files that can be converted to ``tokenizer.json``."""

PICKLED_WEIGHTS = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".h5", ".msgpack")
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?")


def bring(model: str, folder: Path, *, longest: int | None = None) -> Artifact:
    """Copy a model into the empty ``folder`` and seal it.

    Args:
        model: an HF folder, a hub id, ``sample:NAME``, or an artifact of lighten (which is copied as it is).
        folder: made when it does not exist.
        longest: most tokens of a text that a classifier is to read; None for what it reads.

    Raises:
        ModelError: there is no such model, a file is missing or broken, or config and weights disagree.
        InputError: a classifier does not read ``longest`` tokens.
        UnsafeFile: weights that are pickled only, code of its own, or links that leave the folder.
        MissingExtra: the hub's library, or torch, is not installed.
        RunFolderError: ``folder`` holds something already.
    """
    return _limited(_bring(resolve(model), folder, model), longest)


def bring_resolved(source: str, folder: str, model: str = "", longest: int = 0) -> dict[str, str]:
    """As :func:`bring`, for a source that is resolved already; for a child process, which takes and gives plain values.

    Args:
        model: what the user called it. longest: 0 for what the model reads.

    Returns:
        ``path`` of the artifact.
    """
    return {"path": str(_limited(_bring(Path(source), Path(folder), model or source), longest or None).path)}


def _limited(artifact: Artifact, longest: int | None) -> Artifact:
    return artifact if longest is None or artifact.format in LANGUAGE else limited(artifact, longest)


def _bring(source: Path, folder: Path, model: str) -> Artifact:
    if folder.exists() and any(folder.iterdir()):
        raise RunFolderError(f"{folder} is not empty.", allowed="an empty or a new folder")
    folder.mkdir(parents=True, exist_ok=True)
    if source.is_file():
        return _bring_gguf(source, folder, model)
    if (source / RECORD).is_file():
        return _copy_artifact(Artifact.open(source), folder)
    for name in check_folder(source):
        shutil.copyfile(source / name, folder / name)
    if language_config(folder) is None or not (folder / "tokenizer.json").exists():
        write_own_tokenizer(folder, model)
    if language_config(folder) is not None:
        _check_weights(folder)
        return Artifact.seal(folder, format=HF_CAUSAL, meta={"model": model, "labels": []})
    known = facts(folder)
    _check_weights(folder)
    meta = {"model": model, "family": known["family"], "labels": list(known["labels"])}
    return Artifact.seal(folder, format=HF, meta=meta)


def check_folder(source: Path) -> list[str]:
    """Names of the files of an HF folder that are to be copied, after everything that can be checked unopened.

    Raises:
        ModelError: no config, weights or tokenizer, an unknown architecture, or a broken weights file.
        UnsafeFile: pickled weights only, code of its own, or links that leave the folder.
    """
    tops = sorted(path.name for path in source.iterdir())
    shards = [name for name in tops if name.endswith(".safetensors") and not name.startswith("adapter_")]
    wanted = [name for name in tops if name in WANTED]
    for name in (*shards, *wanted):
        _check_link(source / name, source)
    if not shards:
        _refuse_weights(source, tops)
    if (source / "config.json").is_file() and language_config(source) is not None:
        read_language_config(source)
    else:
        read_config(source)
    for name in ("config.json", "tokenizer_config.json"):
        _refuse_code(source / name)
    shards = _one_set(source, shards)
    if "tokenizer.json" not in wanted and not any(name in SLOW for name in wanted):
        raise ModelError(
            f"{source} has no tokenizer.",
            allowed="tokenizer.json (and tokenizer_config.json), or a file it can be made from: " + ", ".join(SLOW),
            fix="AutoTokenizer.from_pretrained(WHERE_THE_MODEL_IS_FROM).save_pretrained(THIS_FOLDER)",
        )
    return [*wanted, *shards]


def resolve(model: str) -> Path:
    """Where a model is: a folder as it stands, a sample or a snapshot of the hub, fetched when it must be.

    Raises:
        ModelError: there is none. MissingExtra: the hub's library is not installed.
    """
    kind, _, name = model.partition(":")
    if kind == "sample" and name:
        from lighten.data.samples import fetch_sample

        path = Path(fetch_sample(name))
        return path if path.is_dir() else _checked_gguf(path)
    path = expanded(model)
    if path.is_dir():
        return path
    if path.is_file() and is_gguf(path):
        return _checked_gguf(path)
    if path.is_file():
        raise ModelError(
            f"{path} is a file.",
            allowed="the folder that holds config.json, weights and tokenizer",
            fix=f"give {path.parent}",
        )
    if not _HUB_ID.fullmatch(model):
        raise ModelError(f"There is no folder {model}.", allowed="an HF folder, a hub id, or sample:NAME")
    return _download(model)


def _checked_gguf(path: Path) -> Path:
    """A GGUF file, after everything that can be checked without native code.

    Raises:
        ModelError: it is broken, or one part of several.
    """
    header = read_gguf(path)
    if int(header.values.get("split.count", 1) or 1) > 1:
        raise ModelError(
            f"{path} is one of {header.values['split.count']} parts of a model.",
            allowed="one file",
            fix="join them with llama-gguf-split --merge",
        )
    return path


def _bring_gguf(source: Path, folder: Path, model: str) -> Artifact:
    header = read_gguf(_checked_gguf(source))
    shutil.copyfile(source, folder / FILE)
    meta = {"model": model, "family": header.architecture, "labels": []}
    return Artifact.seal(folder, format=GGUF, meta=meta)


def _download(model: str) -> Path:
    """A snapshot of a model on the hub: configs, tokenizer and safetensors only."""
    try:
        import huggingface_hub as hub
    except ImportError as error:
        raise MissingExtra(
            f"The model {model}, which is no folder here and so is looked up on the hub,", "hub", str(error)
        ) from error
    try:
        names = list(hub.list_repo_files(model))
        if not any(name.endswith(".safetensors") for name in names if "/" not in name):
            _refuse_weights(Path(model), names)
        shards = [name for name in names if name.endswith(".safetensors") and "/" not in name]
        return Path(hub.snapshot_download(model, allow_patterns=[*WANTED, *shards, "model.safetensors.index.json"]))
    except (OSError, ValueError, hub.errors.HfHubHTTPError) as error:
        reason = f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}"
        raise ModelError(
            f"{model} is no folder here, and the hub does not give it ({reason}).",
            allowed="an HF folder, a hub id, or sample:NAME",
            fix="check the name and the network; for a gated model run `hf auth login`",
        ) from error


def _check_link(path: Path, folder: Path) -> None:
    """A link may only be one of the hub's cache: snapshots/REVISION/NAME -> blobs/HASH, a plain file."""
    if not path.is_symlink():
        if not path.is_file():
            raise UnsafeFile(f"{path} is not a plain file.", allowed="plain files")
        return
    root, target = folder.resolve(), path.resolve()
    blobs = root.parent.parent / "blobs"
    if root.parent.name != "snapshots" or target.parent != blobs or not target.is_file():
        raise UnsafeFile(
            f"{path} is a link to {target}.", allowed="plain files, or links of the hub's cache into its own blobs"
        )


def _refuse_weights(source: Path, names: Iterable[str]) -> None:
    pickled = [name for name in names if name.endswith(PICKLED_WEIGHTS) and "training_args" not in name]
    if not pickled:
        raise ModelError(f"{source} has no weights.", allowed="model.safetensors, whole or in parts with their index")
    raise UnsafeFile(
        f"{source} has its weights in {', '.join(sorted(pickled))} only, which can run code when opened.",
        allowed="model.safetensors",
        fix="if you trust where it is from: "
        'python -c "from transformers import AutoModelForSequenceClassification as M; '
        f"M.from_pretrained('{source}').save_pretrained('{source}')\"",
    )


def _refuse_code(path: Path) -> None:
    if "auto_map" in read_object(path, missing={}):
        raise UnsafeFile(
            f"{path} names Python code of its own to run (auto_map).",
            allowed="architectures and tokenizers without code",
        )


def _one_set(source: Path, shards: list[str]) -> list[str]:
    """The weights' files: one file, or all the parts that the index names (and the index)."""
    index = source / "model.safetensors.index.json"
    if "model.safetensors" in shards:
        return ["model.safetensors"]
    if not index.is_file():
        if len(shards) == 1:
            return shards
        raise ModelError(
            f"{source} has {len(shards)} weights files and no {index.name}.", allowed="one file, or an index"
        )
    _check_link(index, source)
    table = read_object(index).get("weight_map")
    parts = sorted(set(map(str, table.values()))) if isinstance(table, dict) else []
    missing = [name for name in parts if name not in shards]
    if missing or not parts:
        raise ModelError(
            f"{source} lacks {', '.join(missing) or 'the parts'} that {index.name} names.", fix="download it again"
        )
    return [*parts, index.name]


def _check_weights(folder: Path) -> None:
    """Number formats and, against the config, names and shapes; no weight is read."""
    for name, tensor in weights(folder).items():
        if tensor.dtype not in FLOATS and not name.endswith("position_ids"):
            raise ModelError(
                f"{folder.name}: {name} is {tensor.dtype}.",
                allowed="float weights (F32, F16, BF16)",
                fix="bring the model before quantization",
            )
    if language_config(folder) is not None:
        return
    try:
        from lighten.nets.network import expected_shapes
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
