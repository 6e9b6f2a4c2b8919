"""Checkpoint: weights on disk under the names of a network, and how they differ from what its config describes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from lighten.core.errors import ModelError
from lighten.files.weight_files import weight_files
from lighten.nets.facts import HEAD

PRETRAINING = ("cls", "lm_head", "vocab_transform", "vocab_layer_norm", "vocab_projector", "discriminator_predictions",
               "generator_predictions", "generator_lm_head", "mask_predictions", "lm_predictions", "predictions",
               "sop_classifier", "decoder", "qa_outputs")  # fmt: skip
"""First part of the names of weights that served pretraining only; a classifier has no place for them."""


def load(folder: Path) -> dict[str, Tensor]:
    """Every tensor of the files that are the weights of the model in ``folder``, floats as float32.

    Raises:
        ModelError: a file cannot be read.
    """
    state: dict[str, Tensor] = {}
    for path in (folder / name for name in weight_files(folder)):
        try:
            state |= load_file(path)
        except (SafetensorError, OSError) as error:
            raise ModelError(f"{path} cannot be read as safetensors ({error}).") from error
    return {name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in state.items()}


def renamed(state: Mapping[str, Tensor], net: nn.Module, headed: bool) -> dict[str, Tensor]:
    """The weights under the names of ``net``: old spellings, a missing base prefix, pretraining heads left out."""
    base = f"{net.base_model_prefix}."
    prefixed = any(name.startswith(base) for name in state)
    known = net.state_dict().keys()
    found = {}
    for old, tensor in state.items():
        name = old.replace("LayerNorm.gamma", "LayerNorm.weight").replace("LayerNorm.beta", "LayerNorm.bias")
        first = name.partition(".")[0]
        if name.endswith("position_ids") or first in PRETRAINING or (not headed and first in HEAD):
            continue
        if not prefixed and first not in HEAD:
            name = base + name
        if name.startswith(f"{base}pooler.") and name not in known:
            continue  # made for next-sentence prediction; this family's classifier does not use it
        found[name] = tensor
    return found


def differences(shapes: Mapping[str, tuple[int, ...]], net: nn.Module, headed: bool) -> list[str]:
    """How weights differ from what the config describes, one sentence each. A new head (and pooler) may be missing."""
    expected = {name: tuple(tensor.shape) for name, tensor in net.state_dict().items()}
    encoder = (f"{net.base_model_prefix}.",)
    problems = []
    for name in sorted(expected.keys() | shapes.keys()):
        if name not in shapes:
            new = not headed and (not name.startswith(encoder) or f"{encoder[0]}pooler" in name)
            if not new:
                problems.append(f"{name} {list(expected[name])} is missing from the weights")
        elif name not in expected:
            problems.append(f"{name} {list(shapes[name])} has no place in the config's network")
        elif shapes[name] != expected[name]:
            problems.append(f"{name} is {list(shapes[name])} in the weights and {list(expected[name])} by the config")
    return problems


def mismatch(folder: Path, problems: Sequence[str]) -> ModelError:
    """The error that lists the first of the ``differences``."""
    first = "".join(f"\n  - {problem}" for problem in problems[:5])
    more = f"\n  - and {len(problems) - 5} more" if len(problems) > 5 else ""
    return ModelError(
        f"{folder}: config.json does not describe model.safetensors:{first}{more}",
        fix="take config.json and the weights from the same place",
    )
