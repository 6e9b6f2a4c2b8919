"""Models that targets are written from."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lighten.core.artifact import Artifact
from lighten.core.target import Source
from lighten.engines.ov import Ov
from lighten.pipeline.formats import open_model, save_model
from lighten.readers.text import Encoder
from lighten.testing.target_contract import source_of
from lighten.testing.tiny_artifacts import META, tiny_artifact, tiny_needs
from lighten.testing.tiny_pictures import LABELS, tiny_vision_folder


@pytest.fixture
def filled(tmp_path: Path) -> Callable[[Source], Source]:
    """Gives a model whose tokenizer makes all texts as long as one another, with the network of another."""

    def other(source: Source) -> Source:
        folder, artifact = tmp_path / "filled", source.artifact
        shutil.copytree(artifact.path, folder)
        Encoder.open(artifact.path).unmasked().save(folder)
        return replace(source, artifact=Artifact.seal(folder, format=artifact.format, meta=META))

    return other


@pytest.fixture(scope="session")
def config() -> dict[str, Any]:
    """Of the network that the tiny texts' models are made from."""
    found: dict[str, Any] = json.loads((tiny_artifact("hf").path / "config.json").read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="session")
def openvino_source(tmp_path_factory: pytest.TempPathFactory, config: dict[str, Any]) -> Source:
    """A classifier of texts in OpenVINO's format, in float."""
    folder = tmp_path_factory.mktemp("openvino")
    format = Ov().build(tiny_artifact("onnx"), folder)
    return source_of(Artifact.seal(folder, format=format, meta=META), config=config)


@pytest.fixture(scope="session")
def picture_source(tmp_path_factory: pytest.TempPathFactory) -> Source:
    """A classifier of pictures in ONNX."""
    from lighten.export.onnx import Onnx

    meta = {"labels": list(LABELS), "task": "image_classification"}
    folder = tiny_vision_folder(tmp_path_factory.mktemp("net"), "vit")
    network = open_model(Artifact.seal(folder, format="hf-image", meta=meta), LABELS)
    made = tmp_path_factory.mktemp("made")
    save_model(Onnx().run(network, tiny_needs()), "onnx", made)
    return source_of(Artifact.seal(made, format="onnx", meta=meta), config={"model_type": "vit"})


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Files of pictures in several sizes, one of them transparent."""
    import numpy as np
    from PIL import Image

    folder, rng = tmp_path_factory.mktemp("pictures"), np.random.default_rng(0)
    paths = []
    for number, (mode, size) in enumerate([("RGB", (48, 40)), ("L", (32, 32)), ("RGBA", (20, 64)), ("P", (33, 31))]):
        pixels = rng.integers(0, 256, (size[1], size[0], 4), dtype=np.uint8)
        path: Path = folder / f"{number}.png"
        Image.fromarray(pixels, "RGBA").convert(mode).save(path)
        paths.append(str(path))
    return paths
