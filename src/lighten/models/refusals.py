"""What is no model that can be used: called by its right name, with what to do instead."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from lighten.core.artifact import RECORD
from lighten.core.errors import ModelError, UnsafeFile
from lighten.core.format import Location
from lighten.core.training import MODEL, SCALARS
from lighten.files.json_file import read_object
from lighten.models.adapter import CONFIG as ADAPTER_CONFIG
from lighten.models.adapter import WEIGHTS as ADAPTER_WEIGHTS
from lighten.nets.architectures import is_for_pictures, loader_of
from lighten.store.folder import MANIFEST

PICKLED_WEIGHTS = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".joblib", ".nemo", ".ot")
TRAINER = ("training_args.bin", "optimizer.pt", "optimizer.bin", "scheduler.pt", "scaler.pt", "scheduler.bin")
"""What the Trainer of transformers leaves beside the weights of a checkpoint."""
EXPORTED: Mapping[str, str] = {
    ".onnx": "an ONNX file", ".xml": "OpenVINO IR", ".tflite": "a TensorFlow Lite file", ".mlpackage/": "Core ML",
    ".mlmodel": "Core ML", ".engine": "a TensorRT engine", ".plan": "a TensorRT engine",
}  # fmt: skip
ARCHIVES = (".zip", ".gz", ".tgz", ".tar", ".xz", ".7z", ".zst")


def refusal_of_file(path: Path) -> ModelError:
    """What a file is that is no model.

    Raises:
        UnsafeFile: it holds pickled weights.
    """
    name = path.name.lower()
    whole = any(path.parent.glob("*.safetensors"))  # pickled weights beside them are not needed
    parts = (".safetensors", ".json", *(PICKLED_WEIGHTS if whole else ()))
    if path.name == ADAPTER_WEIGHTS or (name.endswith(parts) and holds_files_of_model(path.parent)):
        return ModelError(
            f"{path} is a file of a model.", allowed="the whole folder, or a GGUF file", fix=f"give {path.parent}"
        )
    if name.endswith(".safetensors"):
        return ModelError(
            f"{path} is a file of weights alone: what network they belong to is said nowhere.",
            allowed="a folder with config.json, weights and tokenizer",
            fix="give the folder that it was saved in, or a hub id",
        )
    if name.endswith(PICKLED_WEIGHTS):
        refuse_weights(str(path.parent), [path.name], _config_beside(path))
    for suffix, what in EXPORTED.items():
        if name.endswith(suffix):
            return _exported(str(path), what)
    if name.endswith(ARCHIVES):
        return ModelError(f"{path} is an archive.", allowed="a folder, or a GGUF file", fix="unpack it first")
    return ModelError(
        f"{path} is a file that holds no model.",
        allowed="an HF folder, a GGUF file, a hub id, or sample:NAME",
        fix="optimize, bench and compare take the model first, then the data with --data"
        if name.endswith((".csv", ".tsv", ".jsonl", ".parquet", ".txt"))
        else "give the folder that holds config.json, weights and tokenizer",
    )


def refusal_of_folder(location: Location, is_model: Callable[[Path], bool]) -> ModelError:
    """What a folder, here or on the hub, is that is no model.

    Args:
        is_model: whether a folder in it is one.

    Raises:
        UnsafeFile: it holds pickled weights.
    """
    if location.path is not None:
        _refuse_empty(location.path, location.names, is_model)
    if "model_index.json" in location.names:
        return ModelError(
            f"{location.where} is a pipeline of diffusers, which makes images.", allowed="a model of texts"
        )
    if not any(name.endswith(".safetensors") and name != ADAPTER_WEIGHTS for name in location.names):
        refuse_weights(location.where, location.names)
    return no_config(location.where)


def _config_beside(path: Path) -> Mapping[str, Any]:
    try:
        return read_object(path.parent / "config.json", missing={})
    except ModelError:
        return {}


def holds_files_of_model(folder: Path) -> bool:
    """Whether a folder looks like that of a model, whether or not it can be used."""
    if not folder.is_dir():
        return False
    return any((folder / name).is_file() for name in ("config.json", ADAPTER_CONFIG)) or any(folder.glob("*.gguf"))


def _refuse_empty(path: Path, names: Sequence[str], is_model: Callable[[Path], bool]) -> None:
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
    if MANIFEST in names and SCALARS in names and f"{MODEL}/" not in names:
        raise ModelError(
            f"The training in {path} is not over: it has no model yet.",
            allowed="a model, or the folder of a training that is over",
            fix=f"go on with it: lighten resume {path}",
        )
    if holds_files_of_model(path):
        return
    inside = [name.rstrip("/") for name in names if name.endswith("/") and is_model(path / name)]
    if inside:
        raise ModelError(
            f"{path} holds no model itself; there {'is one' if len(inside) == 1 else f'are {len(inside)}'} in it: "
            f"{', '.join(inside[:8])}.",
            allowed="the folder of one model",
            fix=f"give {path / inside[-1]}",
        )


def refuse_weights(
    where: str, names: Sequence[str], config: Mapping[str, Any] | None = None, *, adapter: str = ""
) -> None:
    """Refuse a model without weights that can be opened, by what is there instead.

    Args:
        config: what its ``config.json`` says, by which a fix names the class that opens the model whole. adapter: the
            task of an adapter, as peft calls it; empty for a model.

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
                fix=f"with transformers 4: {loader_of(config or {})}.from_pretrained('{where}', {option}=True)"
                f".save_pretrained('{_beside(where)}')",
            )
    exported = next((what for one in names for suffix, what in EXPORTED.items() if one.endswith(suffix)), "")
    if exported or ("onnx/" in names and not pickled):
        raise _exported(where, exported or "an ONNX file")
    if not pickled:
        allowed = ADAPTER_WEIGHTS if adapter else "model.safetensors, whole or in parts with their index"
        raise ModelError(f"{where} has no weights.", allowed=allowed)
    raise UnsafeFile(
        f"{where} has its weights in {', '.join(sorted(pickled))} only, which can run code when opened.",
        allowed=ADAPTER_WEIGHTS if adapter else "model.safetensors",
        fix=f"if you trust where it is from: {_rewriting(where, pickled, config or {}, adapter)}",
    )


def _rewriting(where: str, pickled: Sequence[str], config: Mapping[str, Any], adapter: str) -> str:
    """How pickled weights are written once more as safetensors, whole and into a folder of their own."""
    new, tuned = _beside(where), _TUNED.get(adapter)
    if tuned and ADAPTER_WEIGHTS.replace(".safetensors", ".bin") in pickled:
        package, loader, others = "peft", tuned, ""
    elif config and any(one.startswith("pytorch_model") and one.endswith(".bin") for one in pickled):
        package, loader = "transformers", loader_of(config)
        others = f"{'the image processor' if is_for_pictures(config) else 'the tokenizer'}'s files"
    else:
        return "open it with what wrote it, and save it with save_pretrained of transformers"
    command = f"from {package} import {loader} as M; M.from_pretrained('{where}').save_pretrained('{new}')"
    return f'python -c "{command}"' + (f", copy {others} there" if others else "") + f", and give {new}"


def _beside(where: str) -> str:
    """A new folder for what is made of a model: beside its own, and here for one of the hub."""
    path = Path(where)
    path = path if path.name.strip(".") else path.resolve()
    return str(path if path.is_dir() else Path(path.name)) + "-safetensors"


_TUNED: Mapping[str, str] = {
    "SEQ_CLS": "AutoPeftModelForSequenceClassification", "CAUSAL_LM": "AutoPeftModelForCausalLM"
}  # fmt: skip
"""What of peft opens an adapter with its base, by the adapter's task."""


def _exported(where: str, what: str) -> ModelError:
    return ModelError(
        f"{where} is exported already: {what}, without the weights that it was made from.",
        allowed="a folder with config.json and model.safetensors, or a GGUF file",
        fix="bring the model that it was exported from; lighten exports it itself",
    )


def no_config(where: str) -> ModelError:
    return ModelError(
        f"{where} has no config.json, or an empty one.", allowed="a folder that save_pretrained of transformers wrote"
    )
