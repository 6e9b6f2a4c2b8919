"""How much each weight matrix of a language model minds being rounded.

The loss of a small change of a weight is, to second order, half its squared size times the curvature there. The
curvature of a matrix is taken as the product of two means over calibration text: of the squared inputs of each column,
and of the squared gradients of each output row (the diagonal of K-FAC). Both cost one forward and one backward pass.

Sources: Martens and Grosse, "Optimizing neural networks with Kronecker-factored approximate curvature" (2015); the
means of squared inputs alone are llama.cpp's importance matrix.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from lighten.core.errors import StepFailed
from lighten.core.step import Watch
from lighten.nets.gguf.families import family_of_config, gguf_name, to_gguf
from lighten.nets.language.network import LanguageNetwork
from lighten.nets.language.next_token import hidden_at_targets
from lighten.nets.language.windows import windows
from lighten.nets.training.precision import using_threads

Array = NDArray[np.float32]
PLACES = 128
"""Places whose logits are held at a time."""


@dataclass(frozen=True, slots=True)
class Curvature:
    """What is known of one matrix.

    Attributes:
        inputs: [columns] mean square of what each column is multiplied with.
        outputs: [rows] mean square of the gradient of the loss at each output, in GGUF's order of rows.
    """

    inputs: Array
    outputs: Array

    def sampled(self, rows: slice) -> Curvature:
        """That of some of the matrix's rows."""
        return Curvature(self.inputs, self.outputs[rows])

    def loss(self, exact: Array, rounded: Array) -> float:
        """Estimated loss of rounding, in nats times a factor all matrices share. exact, rounded: [rows, columns]."""
        total = 0.0
        for begin in range(0, len(exact), 8192):
            off = exact[begin : begin + 8192] - rounded[begin : begin + 8192]
            total += float(self.outputs[begin : begin + 8192].astype(np.float64) @ ((off * off) @ self.inputs))
        return total


def measure_curvature(
    network: LanguageNetwork, texts: Sequence[str], *, tokens: int, longest: int, threads: int, watch: Watch
) -> Mapping[str, Curvature]:
    """Curvature of every matrix by its GGUF name, from the first texts of together about ``tokens`` tokens.

    Raises:
        StepFailed: no text has a token after another one.
    """
    net = network.net
    config = net.config.to_dict()
    family = family_of_config(config)
    modules = {name: module for name, module in net.named_modules() if isinstance(module, nn.Linear)}
    sums: dict[str, list[torch.Tensor]] = {}
    hooks = []

    def listen(name: str, module: nn.Linear) -> None:
        sums[name] = [torch.zeros(module.in_features), torch.zeros(module.out_features)]

        def forward(_: nn.Module, inputs: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
            flat = inputs[0].detach().reshape(-1, inputs[0].shape[-1])
            sums[name][0] += flat.square().sum(0)
            if output.requires_grad:
                output.register_hook(backward)

        def backward(gradient: torch.Tensor) -> None:
            sums[name][1] += gradient.reshape(-1, gradient.shape[-1]).square().sum(0)

        hooks.append(module.register_forward_hook(forward))

    for name, module in modules.items():
        listen(name, module)
    needing = [parameter.requires_grad for parameter in net.parameters()]
    count = 0
    try:
        # Gradients of outputs are wanted, none of weights: they would need as much memory as training.
        for parameter in net.parameters():
            parameter.requires_grad_(False)
        hook = net.get_input_embeddings().register_forward_hook(lambda m, i, output: output.requires_grad_(True))
        hooks.append(hook)
        with using_threads(threads):
            for row in windows(network, texts, longest):
                hidden, targets = hidden_at_targets(net, [row])
                cut = hidden.detach().requires_grad_(True)
                for begin in range(0, len(targets), PLACES):
                    logits = net.lm_head(cut[begin : begin + PLACES])
                    wanted = targets[begin : begin + PLACES]
                    torch.nn.functional.cross_entropy(logits, wanted, reduction="sum").backward()
                assert cut.grad is not None
                hidden.backward(cut.grad)
                count += len(targets)
                watch.progress(min(count, tokens), tokens, "measuring how sensitive each matrix is")
                if count >= tokens:
                    break
    finally:
        for one in hooks:
            one.remove()
        for parameter, needed in zip(net.parameters(), needing, strict=True):
            parameter.requires_grad_(needed)
    if not count:
        raise StepFailed("The texts to calibrate with have nothing to score.", allowed="texts of two tokens at least")
    found: dict[str, Curvature] = {}
    tied = bool(config.get("tie_word_embeddings"))
    for name, (inputs, outputs) in sums.items():
        weight = "model.embed_tokens.weight" if tied and name == "lm_head" else f"{name}.weight"
        ours = gguf_name(family, weight)
        rows = to_gguf(family, ours, outputs.numpy()[:, None], config)[:, 0]
        found[ours] = Curvature((inputs / count).numpy(), np.ascontiguousarray(rows / count))
    return found


def as_importance(curvature: Mapping[str, Curvature]) -> dict[str, Any]:
    """Weights of the columns for quantizing, by GGUF name: mean squares, none of them zero."""
    return {name: np.maximum(one.inputs, 1e-12) for name, one in curvature.items()}
