"""Which matrix products lose most when they work on int8: each one's own error, on real activations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lighten.nets.runtimes.onnx_model import import_onnx, import_ort

if TYPE_CHECKING:
    from onnx import ModelProto

Feed = dict[str, NDArray[Any]]
"""One batch: inputs by name, [batch, ...] each."""

MOST_ROWS = 64


def sensitivity(proto: ModelProto, rows: Sequence[Feed], threads: int) -> list[tuple[str, float]]:
    """Name and relative error of every matrix product with constant weights, the largest error first.

    The error is ||X'W' - XW|| / ||XW||: X' has one scale and zero point for all of the activations (uint8), W' a scale
    for each output (int8, symmetric).

    Args:
        rows: what to run the graph on; the first 64 are used.

    Raises:
        MissingExtra: onnx or onnxruntime is not installed.
    """
    onnx = import_onnx("finding sensitive layers")
    ort = import_ort("finding sensitive layers")
    weights = {tensor.name: tensor for tensor in proto.graph.initializer}
    products = [n for n in proto.graph.node if n.op_type in ("MatMul", "Gemm") and n.input[1] in weights]
    probed = onnx.ModelProto.FromString(proto.SerializeToString())
    names = list(dict.fromkeys(node.input[0] for node in products))
    known = {value.name for value in (*probed.graph.output, *probed.graph.input)}
    for name in names:
        if name not in known:
            probed.graph.output.append(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None))
    options = ort.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = threads, 3
    session = ort.InferenceSession(probed.SerializeToString(), options, providers=["CPUExecutionProvider"])
    seen: dict[str, list[NDArray[np.float32]]] = {name: [] for name in names}
    for feed in rows[:MOST_ROWS]:
        for name, value in zip(names, session.run(names, feed), strict=True):
            seen[name].append(value.reshape(-1, value.shape[-1]))
    inputs = {name: np.concatenate(values) for name, values in seen.items()}
    found = []
    for node in products:
        weight = onnx.numpy_helper.to_array(weights[node.input[1]])
        transposed = node.op_type == "Gemm" and any(a.name == "transB" and a.i for a in node.attribute)
        found.append((node.name, error_of(inputs[node.input[0]], weight.T if transposed else weight)))
    return sorted(found, key=lambda pair: -pair[1])


def error_of(x: NDArray[np.float32], w: NDArray[np.float32]) -> float:
    """Relative error of x @ w when both are rounded to 8 bits. x: [n, inputs]; w: [inputs, outputs]."""
    low, high = min(float(x.min()), 0.0), max(float(x.max()), 0.0)
    step = (high - low) / 255 or 1.0
    rounded_x = np.clip(np.round((x - low) / step), 0, 255) * step + low
    steps = np.maximum(np.abs(w).max(axis=0) / 127, np.finfo(np.float32).tiny)
    rounded_w = np.round(w / steps) * steps
    exact = x @ w
    return float(np.linalg.norm(rounded_x @ rounded_w - exact) / max(float(np.linalg.norm(exact)), 1e-30))
