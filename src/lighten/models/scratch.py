"""Scratch: the architecture of a config with random weights, written as a model that can be brought."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from lighten.core.errors import ModelError
from lighten.core.format import Location
from lighten.files.json_file import read_object
from lighten.models.hf_folder import CONFIG, SLOW
from lighten.models.recognize import ask_formats
from lighten.nets.architectures import is_for_pictures, named_architectures
from lighten.nets.vision.folder import PROCESSOR

BESIDE = (
    "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "chat_template.jinja", "added_tokens.json",
    "merges.txt", PROCESSOR, *SLOW,
)  # fmt: skip
"""Files beside a config that say how items become inputs."""
SIDE = 224
"""Pixels of a side where a config does not say it."""


def config_at(model: Path) -> Path | None:
    """The ``config.json`` that a path is, or that lies in a folder; None where there is none."""
    path = model / CONFIG if model.is_dir() else model
    return path if path.is_file() and path.suffix == ".json" else None


def write_random(config: str, folder: str, seed: int, writes: bool) -> dict[str, str]:
    """Write the architecture of a config with random weights and without a head for classes into a folder.

    Args:
        config: path of the ``config.json``; tokenizer or image processor lie beside it. seed: of the weights.
        writes: whether it is to write texts, where the config does not name an architecture.

    Returns:
        ``path`` of the folder.

    Raises:
        ModelError: it is no architecture that can be built, or says not how items become inputs.
    """
    source, target = Path(config), Path(folder)
    told = read_object(source)
    if "auto_map" in told:
        raise ModelError(f"{source} names Python code to run (auto_map).", allowed="known architectures")
    target.mkdir(parents=True, exist_ok=True)
    for name in BESIDE:
        if (source.parent / name).is_file():
            shutil.copyfile(source.parent / name, target / name)
    if is_for_pictures(told):
        _settle_processor(told, target)
    elif not any((target / name).is_file() for name in ("tokenizer.json", *SLOW)):
        raise ModelError(
            f"There is no tokenizer beside {source}.",
            allowed="tokenizer.json (and tokenizer_config.json) in the same folder",
            fix="copy the tokenizer of a model that reads such texts there",
        )
    named = named_architectures(told)
    causal = any(name.endswith("ForCausalLM") for name in named) or (not named and writes)
    _build(source, target, seed, causal)
    return {"path": str(target)}


def _build(source: Path, target: Path, seed: int, causal: bool) -> None:
    import torch
    from transformers import AutoConfig, AutoModel, AutoModelForCausalLM

    from lighten.isolate.quiet import quiet

    kind = AutoModelForCausalLM if causal else AutoModel
    try:
        with quiet(), torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            made = AutoConfig.from_pretrained(source.parent, local_files_only=True, trust_remote_code=False)
            made.dtype = torch.float32
            kind.from_config(made, dtype=torch.float32).save_pretrained(target)
    except (ValueError, TypeError, KeyError, AttributeError, RuntimeError, OSError, ZeroDivisionError) as error:
        raise ModelError(f"{source} describes no network that can be built ({error}).") from error


def _settle_processor(config: dict[str, Any], folder: Path) -> None:
    """Write how pictures become inputs, where nothing says it: the size of the config, levels from -1 to 1."""
    path = folder / PROCESSOR
    if path.is_file():
        return
    side, channels = int(config.get("image_size") or SIDE), int(config.get("num_channels") or 3)
    settings = {
        "image_processor_type": "ViTImageProcessor",
        "size": {"height": side, "width": side},
        "resample": 2,
        "image_mean": [0.5] * channels,
        "image_std": [0.5] * channels,
    }
    path.write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")


def format_of_config(config: Path) -> str:
    """Catalogue name of the format that an architecture has once it has weights.

    Raises:
        ModelError: it is none that lighten can use; says what it is.
    """
    names = (CONFIG, "model.safetensors", "tokenizer.json", PROCESSOR)
    told = read_object(config)
    found = ask_formats(Location(str(config), names, lambda name: told if name == CONFIG else {}))
    if found is None:
        raise ModelError(f"{config} is of no architecture that lighten knows.", allowed="see lighten catalog formats")
    return found.format
