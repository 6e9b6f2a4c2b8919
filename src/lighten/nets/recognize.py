"""What a model is, told from its ``architectures`` and its files: the one place that every verb asks. No torch.

Whatever can be told here is told before anything is copied, loaded or written. What lighten cannot use is refused by
its right name, with what to do instead.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lighten.core.artifact import LANGUAGE, RECORD, Artifact
from lighten.core.errors import ModelError, UnsafeFile
from lighten.files.json_file import read_object
from lighten.files.links import check_link
from lighten.nets.architectures import CAUSAL, CLASSIFIER, ENCODER, TEXT_PART, kind_of_config
from lighten.nets.facts import labels_of
from lighten.nets.gguf.file import is_gguf
from lighten.nets.gguf.parts import checked_header, is_projector, split_groups

ARTIFACT, GGUF_FILE, ADAPTER = "artifact", "gguf", "adapter"
"""Kinds beside those of ``architectures``."""
ADAPTER_CONFIG, ADAPTER_WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
ADAPTER_TASKS: Mapping[str, bool] = {"SEQ_CLS": False, "CAUSAL_LM": True}
"""Tasks of adapters that lighten merges, and whether they make language models."""

PICKLED_WEIGHTS = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".joblib", ".nemo", ".ot")
TRAINER = ("training_args.bin", "optimizer.pt", "optimizer.bin", "scheduler.pt", "scaler.pt", "scheduler.bin")
"""What the Trainer of transformers leaves beside the weights of a checkpoint."""
EXPORTED: Mapping[str, str] = {
    ".onnx": "an ONNX file", ".xml": "OpenVINO IR", ".tflite": "a TensorFlow Lite file", ".mlpackage/": "Core ML",
    ".mlmodel": "Core ML", ".engine": "a TensorRT engine", ".plan": "a TensorRT engine",
}  # fmt: skip
ARCHIVES = (".zip", ".gz", ".tgz", ".tar", ".xz", ".7z", ".zst")


@dataclass(frozen=True)
class Recognized:
    """A model that lighten can use.

    Attributes:
        path: its folder; of GGUF its file, the first one where it lies in several parts.
        kind: ``artifact`` (of ours), ``classifier``, ``encoder`` (no head yet), ``causal``, ``text-part`` (of a model
            of texts and images), ``gguf`` or ``adapter``.
        name: of its architecture.
        language: whether it writes text.
        base: of an adapter: the model that it changes, as its config names it.
    """

    path: Path
    kind: str
    name: str
    language: bool
    base: str = ""

    @property
    def task(self) -> str:
        """Name of the task that it is for."""
        return "text_generation" if self.language else "text_classification"

    @property
    def described(self) -> str:
        """Such as ``a text classifier (BertForSequenceClassification)``."""
        what = {
            CLASSIFIER: "a text classifier",
            ENCODER: "an encoder of texts",
            ADAPTER: f"an adapter of {self.base}",
        }.get(self.kind, "a language model" if self.language else "a text classifier")
        return f"{what} ({self.name})"


def check_task(model: str, found: Recognized, *, language: bool, fix: str = "") -> None:
    """Refuse a model that is not for the task.

    Args:
        model: what the user called it. language: whether the task is for language models. fix: what to do; by default
            what a user of the command line can do.

    Raises:
        ModelError: says what it is, and what to give instead.
    """
    if found.language == language:
        return
    if found.language:
        raise ModelError(
            f"{model} is {found.described}, and the task is text-classification.",
            allowed="a model with a head that classifies, or an encoder",
            fix=fix or "leave --task out; to have it choose between labels, give --prompt and --choices",
        )
    raise ModelError(
        f"{model} is {found.described}, and the task is text-generation.",
        allowed="a language model",
        fix=fix or "leave --task, --prompt, --answer and --choices out: it answers with its labels",
    )


def recognize(path: Path) -> Recognized:
    """What lies at ``path``.

    Raises:
        ModelError: nothing that lighten can use: says what it is, and what to do. UnsafeFile: pickled weights only.
    """
    if path.is_file():
        return _of_file(path)
    if not path.is_dir():
        raise ModelError(f"There is no file or folder {path}.", allowed="an HF folder, a GGUF file, or sample:NAME")
    if (path / RECORD).is_file():
        artifact = Artifact.open(path, verify=False)
        language = artifact.format in LANGUAGE or artifact.meta.get("task") == "text_generation"
        return Recognized(path, ARTIFACT, artifact.format, language)
    names = sorted(one.name + ("/" if one.is_dir() else "") for one in path.iterdir())
    _refuse_empty(path, names)
    found = recognize_listing(str(path), names, lambda name: _read(path, name))
    if found.kind == GGUF_FILE:
        return _of_file(path / found.path.name)
    return replace(found, path=path)


def _read(folder: Path, name: str) -> dict[str, Any]:
    check_link(folder / name, folder)
    return read_object(folder / name)


def recognize_listing(where: str, names: Sequence[str], read: Callable[[str], dict[str, Any]]) -> Recognized:
    """What a folder holds by the names of its files, here or on the hub.

    Args:
        where: what the user calls it, for the messages. names: of files, and of folders with "/" behind them.
        read: gives the object of one of its JSON files.

    Returns:
        Its path is ``where``; of GGUF the file's name, whose header is still to be read.

    Raises:
        ModelError, UnsafeFile: see :func:`recognize`.
    """
    tensors = [name for name in names if name.endswith(".safetensors") and name != ADAPTER_WEIGHTS]
    if ADAPTER_CONFIG in names and not (tensors and "config.json" in names):
        return _of_adapter(where, names, read(ADAPTER_CONFIG))
    files = split_groups([name for name in names if "/" not in name])
    if files and not (tensors and "config.json" in names):
        return Recognized(Path(_one_of(where, list(files))), GGUF_FILE, "", True)
    if "model_index.json" in names:
        raise ModelError(f"{where} is a pipeline of diffusers, which makes images.", allowed="a model of texts")
    if "config.json" in names:
        config = read("config.json")
        if not config:
            raise _no_config(where)
        kind, name = kind_of_config(where, config)
        if not tensors:
            _refuse_weights(where, names)
        if kind == CLASSIFIER:
            _refuse_head(where, name, config)
        return Recognized(Path(where), kind, name, kind in (CAUSAL, TEXT_PART))
    if not tensors:
        _refuse_weights(where, names)
    raise _no_config(where)


def _of_file(path: Path) -> Recognized:
    if is_gguf(path):
        return Recognized(path, GGUF_FILE, checked_header(path).architecture, True)
    name = path.name.lower()
    if path.name == ADAPTER_WEIGHTS or (name.endswith((".safetensors", ".json")) and _holds_model(path.parent)):
        raise ModelError(
            f"{path} is a file of a model.", allowed="the whole folder, or a GGUF file", fix=f"give {path.parent}"
        )
    if name.endswith(".safetensors"):
        raise ModelError(
            f"{path} is a file of weights alone: what network they belong to is said nowhere.",
            allowed="a folder with config.json, weights and tokenizer",
            fix="give the folder that it was saved in, or a hub id",
        )
    if name.endswith(PICKLED_WEIGHTS):
        _refuse_weights(str(path.parent), [path.name])
    for suffix, what in EXPORTED.items():
        if name.endswith(suffix):
            raise _exported(str(path), what)
    if name.endswith(ARCHIVES):
        raise ModelError(f"{path} is an archive.", allowed="a folder, or a GGUF file", fix="unpack it first")
    raise ModelError(
        f"{path} is a file that holds no model.",
        allowed="an HF folder, a GGUF file, a hub id, or sample:NAME",
        fix="optimize, bench and compare take the model first, then the data with --data"
        if name.endswith((".csv", ".tsv", ".jsonl", ".parquet", ".txt"))
        else "give the folder that holds config.json, weights and tokenizer",
    )


def _of_adapter(where: str, names: Sequence[str], told: Mapping[str, Any]) -> Recognized:
    base, task = str(told.get("base_model_name_or_path") or ""), str(told.get("task_type") or "")
    kind = str(told.get("peft_type") or "LORA")
    if kind != "LORA":
        raise ModelError(
            f"{where} is an adapter of the kind {kind} for {base or 'a model that it does not name'}.",
            allowed="LoRA",
            fix="merge it with peft (merge_and_unload), save that with save_pretrained, and give the folder",
        )
    if ADAPTER_WEIGHTS not in names:
        _refuse_weights(where, names)
    if not base:
        raise ModelError(
            f"{where} is a LoRA adapter that does not name its base (base_model_name_or_path).",
            fix="write the folder or hub id of the model that it was trained on into adapter_config.json",
        )
    if task not in ADAPTER_TASKS:
        raise ModelError(
            f"{where} is a LoRA adapter of {base} for the task {task or 'that it does not name'}.",
            allowed=", ".join(ADAPTER_TASKS),
        )
    return Recognized(Path(where), ADAPTER, f"LoRA, {task}", ADAPTER_TASKS[task], base)


def _one_of(where: str, files: Sequence[str]) -> str:
    models = [name for name in files if not is_projector(name)] or list(files)
    if len(models) == 1:
        return models[0]
    shown = ", ".join(models[:8]) + (f" and {len(models) - 8} more" if len(models) > 8 else "")
    raise ModelError(
        f"{where} holds {len(models)} GGUF models: {shown}.", allowed="one of them", fix=f"give {where}/{models[0]}"
    )


def _refuse_empty(path: Path, names: Sequence[str]) -> None:
    """Refuse folders that hold other folders, or nothing.

    Raises:
        ModelError: names the models inside.
    """
    if not names:
        raise ModelError(f"{path} is an empty folder.", allowed="a folder with config.json, weights and tokenizer")
    if "winner/" in names and (path / "winner" / RECORD).is_file():
        raise ModelError(
            f"{path} is the folder of a run.", allowed="a model", fix=f"give {path / 'winner'}, or {path}/store/model"
        )
    if "config.json" in names or ADAPTER_CONFIG in names or any(name.lower().endswith(".gguf") for name in names):
        return
    inside = [name.rstrip("/") for name in names if name.endswith("/") and _holds_model(path / name)]
    if inside:
        raise ModelError(
            f"{path} holds no model itself; there {'is one' if len(inside) == 1 else f'are {len(inside)}'} in it: "
            f"{', '.join(inside[:8])}.",
            allowed="the folder of one model",
            fix=f"give {path / inside[-1]}",
        )


def _holds_model(folder: Path) -> bool:
    if not folder.is_dir():
        return False
    return any((folder / name).is_file() for name in ("config.json", ADAPTER_CONFIG)) or any(folder.glob("*.gguf"))


def _refuse_head(where: str, name: str, config: Mapping[str, Any]) -> None:
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


def _refuse_weights(where: str, names: Sequence[str]) -> None:
    """Refuse a model without weights that can be opened, by what is there instead.

    Raises:
        UnsafeFile: pickled weights only. ModelError: everything else.
    """
    pickled = [one for one in names if one.endswith(PICKLED_WEIGHTS) and one not in TRAINER and "rng_state" not in one]
    sharded = any(one.startswith("global_step") or one == "zero_to_fp32.py" or "fsdp" in one for one in names)
    if sharded:
        raise ModelError(
            f"{where} is a checkpoint in shards of several processes (DeepSpeed or FSDP).",
            allowed="model.safetensors, whole or in parts with their index",
            fix="python zero_to_fp32.py . --safe_serialization, or accelerate merge-weights",
        )
    keras = [one for one in names if one in ("saved_model.pb", "tf_model.h5") or one.endswith((".h5", ".keras"))]
    flax = [one for one in names if one.endswith(".msgpack")]
    for kind, found, option in (("TensorFlow", keras, "from_tf"), ("Flax", flax, "from_flax")):
        if found and not pickled:
            raise UnsafeFile(
                f"{where} has its weights for {kind} only ({', '.join(found)}), in files that can hold code.",
                allowed="model.safetensors",
                fix=f"with transformers 4: AutoModel...from_pretrained('{where}', {option}=True).save_pretrained(NEW)",
            )
    exported = next((what for one in names for suffix, what in EXPORTED.items() if one.endswith(suffix)), "")
    if exported or ("onnx/" in names and not pickled):
        raise _exported(where, exported or "an ONNX file")
    if not pickled:
        raise ModelError(f"{where} has no weights.", allowed="model.safetensors, whole or in parts with their index")
    raise UnsafeFile(
        f"{where} has its weights in {', '.join(sorted(pickled))} only, which can run code when opened.",
        allowed="model.safetensors",
        fix="if you trust where it is from: "
        'python -c "from transformers import AutoModelForSequenceClassification as M; '
        f"M.from_pretrained('{where}').save_pretrained('{where}')\"",
    )


def _exported(where: str, what: str) -> ModelError:
    return ModelError(
        f"{where} is exported already: {what}, without the weights that it was made from.",
        allowed="a folder with config.json and model.safetensors, or a GGUF file",
        fix="bring the model that it was exported from; lighten exports it itself",
    )


def _no_config(where: str) -> ModelError:
    return ModelError(
        f"{where} has no config.json, or an empty one.", allowed="a folder that save_pretrained of transformers wrote"
    )
