"""A classifier of pictures in a folder as the Hugging Face hub has it: what it is, what is copied. No torch."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from lighten.core.artifact import LEARNED
from lighten.core.errors import ModelError, UnsafeFile
from lighten.files.json_file import read_object
from lighten.files.links import check_link
from lighten.files.safefile import FLOATS, read_header
from lighten.files.weight_files import INDEX, weight_files
from lighten.nets.architectures import HEADED, PICTURES, is_for_pictures, named_architectures, refuse_quantized
from lighten.nets.vision.facts import BARE, has_vision_head

CONFIG, PROCESSOR = "config.json", "preprocessor_config.json"
FILES = (CONFIG, PROCESSOR, LEARNED)
"""Files beside the weights that are copied."""
COUNTERS = "num_batches_tracked"
"""How the names of whole numbers end that a batch norm keeps beside its floats."""


def kind_of_pictures(where: str, config: Mapping[str, Any], tensors: Collection[str] = ()) -> tuple[str, bool] | None:
    """Name of the architecture, and whether it has a head that classifies; None where it is nothing for pictures.

    Args:
        where: what the user calls the model, for the message. config: ``config.json``. tensors: names of its weights,
            which tell of a head where the config names no architecture.

    Raises:
        ModelError: a network for pictures that lighten cannot use, by its right name.
    """
    name = next(iter(named_architectures(config)), "")
    family = str(config.get("model_type") or "")
    headed = name.endswith(HEADED) if name else has_vision_head(config, tensors)
    if not is_for_pictures(config):
        return None
    refuse_quantized(where, config)
    if family not in PICTURES:
        raise ModelError(
            f"{where} classifies pictures with an architecture that lighten does not open "
            f"({name}, model_type {family or None!r}).",
            allowed=", ".join(PICTURES),
            fix="bring a model of one of these families",
        )
    if not headed and name and not name.endswith(BARE):
        raise ModelError(
            f"{where} is a model of pictures with another job than to classify them ({name}).",
            allowed=f"{HEADED[0]}, or a network without a head",
            fix="bring a classifier of the same family",
        )
    return name or family, headed


def check_picture_folder(source: Path) -> list[str]:
    """Names of the files of an HF folder that are to be copied, after everything that can be checked unopened.

    Raises:
        ModelError: no config, processor or weights, a broken weights file, or weights that are no floats.
        UnsafeFile: code of its own, or links that leave the folder.
    """
    wanted, shards = sorted(path.name for path in source.iterdir() if path.name in FILES), weight_files(source)
    for name in (*wanted, *shards):
        check_link(source / name, source)
    for name in (CONFIG, PROCESSOR):
        if "auto_map" in read_object(source / name):
            raise UnsafeFile(
                f"{source / name} names Python code of its own to run (auto_map).",
                allowed="architectures and processors without code",
            )
    for file in shards:
        for name, tensor in read_header(source / file).items():
            if tensor.dtype not in FLOATS and not name.endswith((COUNTERS, "relative_position_index")):
                raise ModelError(
                    f"{source}: {name} is {tensor.dtype}.",
                    allowed="float weights (F32, F16, BF16)",
                    fix="bring the model before quantization",
                )
    return [*wanted, *shards, *([INDEX] if len(shards) > 1 else [])]


def leave_head_out(folder: Path) -> None:
    """Let ``config.json`` say that the network has no head, so that its head's weights are left where they are."""
    config = read_object(folder / CONFIG)
    names = named_architectures(config) or (f"{config.get('model_type')}Model",)
    config["architectures"] = [re.sub(r"For\w+$", "Model", name) for name in names]
    config.pop("id2label", None)
    config.pop("label2id", None)
    (folder / CONFIG).write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", encoding="utf-8")
