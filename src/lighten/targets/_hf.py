"""``config.json`` and what lies beside a network in a folder as the Hugging Face ecosystem has it."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from lighten.core.plain import PlainReading
from lighten.core.target import Source
from lighten.files.json_file import read_object

CONFIG = "config.json"
OWN = (
    "_name_or_path", "auto_map", "custom_pipelines", "dtype", "lighten_shapes", "quantization_config", "torch_dtype",
    "transformers_version",
)  # fmt: skip
"""Keys of a network's config that say nothing of the graph that was made from it, or would run code."""
CLASS = re.compile(r"^(\w+?)(?:Model|For[A-Z]\w+)$")
"""A class of transformers, and the name of its family in it."""
FAMILIES: Mapping[str, str] = {
    "bert": "Bert", "albert": "Albert", "camembert": "Camembert", "convnext": "ConvNext", "convnextv2": "ConvNextV2",
    "deberta": "Deberta", "deberta-v2": "DebertaV2", "deit": "DeiT", "distilbert": "DistilBert",
    "efficientnet": "EfficientNet", "electra": "Electra", "ernie": "Ernie", "mobilebert": "MobileBert",
    "mobilenet_v1": "MobileNetV1", "mobilenet_v2": "MobileNetV2", "modernbert": "ModernBert", "mpnet": "MPNet",
    "resnet": "ResNet", "roberta": "Roberta", "swin": "Swin", "swinv2": "Swinv2", "vit": "ViT",
    "xlm-roberta": "XLMRoberta",
}  # fmt: skip
"""What classes of a family begin with, by ``model_type``, where its config names none."""


def config_of(source: Source, reading: PlainReading) -> dict[str, Any]:
    """What ``config.json`` says: the network that it was made from, as far as that is known, its classes, its inputs.

    Of a model that says nothing of its family, the family by which loaders choose how such inputs are handed over: the
    graph is the network, and nothing is computed by its name.
    """
    known = {name: value for name, value in source.config.items() if name not in OWN}
    family = str(known.get("model_type") or source.artifact.meta.get("family") or reading.family)
    if family not in FAMILIES and not known:
        family = reading.family
    named = [name for name in known.get("architectures") or () if isinstance(name, str)]
    found = CLASS.match(named[0]) if named else None
    prefix = found.group(1) if found else FAMILIES.get(family, family.capitalize())
    labels = source.labels
    return {
        **known,
        **reading.config,
        "model_type": family,
        "architectures": [f"{prefix}{reading.head}"],
        "id2label": {str(i): label for i, label in enumerate(labels)},
        "label2id": {label: i for i, label in enumerate(labels)},
        "problem_type": source.task.problem_type,
    }


def write_reading(reading: PlainReading, folder: Path, inputs: Collection[str]) -> None:
    """Write the reader's files. inputs: names of what the network takes, which the tokenizer's settings list."""
    for name, text in reading.files.items():
        if name == reading.settings:
            taken = [one for one in ("input_ids", "token_type_ids", "attention_mask") if one in inputs]
            text = json.dumps({**json.loads(text), "model_input_names": taken}, ensure_ascii=False, indent=2) + "\n"
        (folder / name).write_text(text, encoding="utf-8")


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write an object as JSON that people read."""
    path.write_text(json.dumps(value, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def loader_code(reading: PlainReading, package: str, kind: str, options: str) -> str:
    """Python that opens a folder with a loader's class and asks it once.

    Args:
        package: that the class is imported from. kind: what its name begins with. options: of ``from_pretrained``.
    """
    name = f"{kind}{reading.head}"
    opened = f'model = {name}.from_pretrained(".", {options})\n'
    if reading.config.get("num_channels") == 1:  # pipelines make colours of every picture
        return (
            f"import numpy as np\nfrom {package} import {name}\nfrom PIL import Image\n"
            f"from transformers import AutoImageProcessor\n\n{opened}"
            f'picture = np.asarray(Image.open("{reading.example}").convert("L"))[:, :, None]\n'
            'inputs = AutoImageProcessor.from_pretrained(".")(picture, return_tensors="pt")\n'
            "print(model.config.id2label[int(model(**inputs).logits.argmax())])"
        )
    cut = ", truncation=True" if reading.settings else ""  # pipelines hand texts above the limit over as they are
    role, loader = ("tokenizer", "AutoTokenizer") if reading.settings else ("image_processor", "AutoImageProcessor")
    return (
        f"from {package} import {name}\nfrom transformers import {loader}, pipeline\n\n{opened}"
        f'answer = pipeline("{reading.pipeline}", model=model, {role}={loader}.from_pretrained("."))\n'
        f"print(answer({reading.example!r}{cut}))"
    )


def fills(reading: PlainReading) -> bool:
    """Whether every text is padded by ``tokenizer.json``: loaders undo that, and would answer otherwise."""
    text = reading.files.get("tokenizer.json")
    return text is not None and json.loads(text).get("padding") is not None


def known_class(path: Path) -> None:
    """Have a tokenizer's settings name a class that every version of transformers knows, where they name a new one."""
    settings = read_object(path, missing={})
    if settings.get("tokenizer_class") == "TokenizersBackend":
        write_json(path, {**settings, "tokenizer_class": "PreTrainedTokenizerFast"})


def no_classes(source: Source) -> str:
    """Why answers cannot be described in ``config.json``; empty where they can."""
    if not source.task.problem_type:
        return "its answers are not one class of one list, which is all that config.json describes"
    return "" if source.labels else "it does not say what its classes are called"


def pinned(libraries: Sequence[str]) -> str:
    """``requirements.txt``: distributions at the versions that are installed here, one a line; else without one."""
    return "".join(f"{name}{_version(name)}\n" for name in libraries)


def _version(name: str) -> str:
    try:
        return f"=={version(name).partition('+')[0]}"  # other indices have other builds
    except PackageNotFoundError:
        return ""
