"""Language models as OpenVINO IR that keeps its keys and values between calls, laid out as OpenVINO GenAI has them."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lighten.core.errors import BuildFailed, LightenError, MissingEnvironment, ModelError
from lighten.files.json_file import read_object
from lighten.isolate.quiet import quiet
from lighten.nets.language.network import CONFIG, LanguageNetwork, Tokens
from lighten.nets.runtimes.ov_model import import_nncf, import_ov, read_ov

if TYPE_CHECKING:
    from numpy.typing import NDArray

REQUIREMENTS = (
    "optimum-intel==2.1.0",
    "optimum==2.3.0",
    "transformers==5.0.0",
    "tokenizers==0.22.2",
    "torch==2.13.0",
    "openvino==2026.4.1",
    "nncf==3.4.0",
    "numpy==2.4.6",
)
"""The exporter knows Gemma 3 up to transformers 5.0 alone, which is older than what lighten runs with. Its next release
wants torchvision too, of which there is no build for every torch."""
FILE, WEIGHTS = "openvino_model.xml", "openvino_model.bin"
PROBE = "It works, whatever the manual says."
TOLERANCE = 1e-2
"""Nats by which the graph may differ from the network at a token, both in single precision."""
MODES = {"int8": "INT8_ASYM", "int4": "INT4_ASYM"}


@dataclass
class OvLanguage:
    """A language model as an OpenVINO graph, with its tokenizer.

    Attributes:
        model: an ``openvino.Model``: input_ids, attention_mask, position_ids [rows, tokens], beam_idx [rows]; logits.
        tokens: its tokenizer.
        config: of the network, as JSON.
        half: write float32 weights in half precision.
    """

    model: Any
    tokens: Tokens
    config: Mapping[str, Any]
    half: bool = False
    meta: Mapping[str, Any] = field(default_factory=dict)

    @property
    def record(self) -> dict[str, Any]:
        """What belongs into the record of its artifact."""
        return {"labels": []}


def from_network(network: LanguageNetwork) -> OvLanguage:
    """Export a network and check the graph against it, in single precision.

    Raises:
        MissingEnvironment: the exporter is not installed here. BuildFailed: it refuses the network, or the graph
            answers differently.
    """
    ov = import_ov("exporting a language model to OpenVINO")
    ids = network.tokens.begun(PROBE)
    wanted = _network_logprobs(network, ids)
    with tempfile.TemporaryDirectory(prefix="lighten-export-") as folder, quiet():
        try:
            from optimum.exporters.openvino.convert import export_from_model
        except ImportError as error:
            raise MissingEnvironment(
                f"The exporter of language models to OpenVINO is not installed in this environment ({error}).",
                fix="lighten engine add ov-genai; then use the step through apply or optimize, which run it there",
            ) from error
        try:
            export_from_model(network.net, Path(folder), task="text-generation-with-past", stateful=True)
        except Exception as error:  # the exporter has no class of errors of its own that covers all its parts
            raise BuildFailed(f"{type(network.net).__name__} cannot be exported to OpenVINO: {error}") from error
        core = ov.Core()
        core.set_property({"ENABLE_MMAP": False})  # the folder is gone in a moment
        model = core.read_model(str(Path(folder) / FILE))
    found = logprobs(model, ids)
    apart = float(np.abs(found - wanted).max())
    if not apart <= TOLERANCE:
        raise BuildFailed(f"The OpenVINO graph answers differently: log-probabilities are up to {apart:.2g} apart.")
    config = json.loads(network.net.config.to_json_string())
    return OvLanguage(model, network.tokens, config, meta=dict(network.meta))


def compress(model: OvLanguage, weights: str, group: int) -> OvLanguage:
    """Every matrix in ``int8`` or ``int4``; with int4, embedding and head stay int8. No calibration data.

    Args:
        group: weights that share a scale in int4; where it does not divide a matrix, the next smaller one that does.
    """
    nncf = import_nncf("quantize.openvino_language")
    more: dict[str, Any] = {}
    if weights == "int4":
        advanced = nncf.AdvancedCompressionParameters(
            group_size_fallback_mode=nncf.GroupSizeFallbackMode.ADJUST, min_adjusted_group_size=16
        )
        more = {"group_size": group, "ratio": 1.0, "advanced_parameters": advanced}
    with quiet():
        made = nncf.compress_weights(model.model, mode=getattr(nncf.CompressWeightsMode, MODES[weights]), **more)
    return OvLanguage(made, model.tokens, model.config, meta=model.meta)


def save_ov_language(model: OvLanguage, folder: Path) -> None:
    """Write graph, weights, tokenizer and config into ``folder``."""
    ov = import_ov("saving an OpenVINO model")
    ov.save_model(model.model, str(folder / FILE), compress_to_fp16=model.half)
    model.tokens.save(folder)
    (folder / CONFIG).write_text(json.dumps(model.config, indent=1, sort_keys=True), encoding="utf-8")


def read_ov_language(folder: Path) -> Any:
    """Check and load the graph of a folder: an ``openvino.Model``.

    Raises:
        ModelError: no language model in OpenVINO IR. UnsafeFile: it needs a library of its own.
    """
    model = read_ov(folder, FILE, WEIGHTS)
    names = {name for one in model.inputs for name in one.get_names()}
    missing = {"input_ids", "attention_mask", "position_ids", "beam_idx"} - names
    if missing or not model.get_sinks():
        what = f"has no input {sorted(missing)[0]}" if missing else "keeps no keys and values"
        raise ModelError(f"{folder / FILE} {what}.", allowed="a language model that was exported with its state")
    return model


def read_config(folder: Path) -> dict[str, Any]:
    """``config.json`` of a folder.

    Raises:
        ModelError: missing, or no JSON object.
    """
    return read_object(folder / CONFIG)


def answer_wanted(model: Any) -> None:
    """Change a graph in place so that it computes logits only where they are wanted.

    It gets one more input, ``wanted`` [places]: numbers of tokens, counted over all rows one after the other; its
    output is then ``logits`` [1, places, vocabulary].

    Raises:
        ModelError: there is no matrix product before the logits.
    """
    ov = import_ov("opening an OpenVINO model")
    ops = ov.opset13
    node = model.output("logits").get_node()
    while node.get_type_name() != "MatMul":
        if node.get_input_size() == 0 or node.get_type_name() in ("Concat", "Add"):
            raise ModelError("The graph has no matrix product before its logits.", fix="export the model again")
        node = node.input_value(0).get_node()
    hidden = node.input_value(0)
    width = hidden.get_partial_shape()[2].get_length()
    wanted = ops.parameter([-1], np.int64, name="wanted")
    wanted.output(0).set_names({"wanted"})
    flat = ops.reshape(hidden, ops.constant(np.array([1, -1, width], np.int64)), False)
    picked = ops.gather(flat, wanted, ops.constant(np.int64(1)))
    node.input(0).replace_source_output(picked.output(0))
    model.add_parameters([wanted])
    model.validate_nodes_and_infer_types()


def logprobs(model: Any, ids: list[int]) -> NDArray[np.float64]:
    """Log-probabilities of every token at each place of one sequence, in single precision: [tokens, vocabulary]."""
    ov = import_ov("opening an OpenVINO model")
    settings = {"INFERENCE_PRECISION_HINT": "f32", "KV_CACHE_PRECISION": "f32", "DYNAMIC_QUANTIZATION_GROUP_SIZE": 0}
    try:
        request = ov.Core().compile_model(model, "CPU", settings).create_infer_request()
        row = np.array([ids], np.int64)
        places = np.arange(len(ids), dtype=np.int64)[None]
        given = {"input_ids": row, "attention_mask": np.ones_like(row), "position_ids": places}
        logits = request.infer({**given, "beam_idx": np.zeros(1, np.int32)})["logits"][0].astype(np.float64)
    except LightenError:
        raise
    except Exception as error:  # OpenVINO raises bare RuntimeError
        raise BuildFailed(f"OpenVINO refuses the model: {error}") from error
    shifted = logits - logits.max(axis=-1, keepdims=True)
    found: NDArray[np.float64] = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return found


def _network_logprobs(network: LanguageNetwork, ids: list[int]) -> NDArray[np.float64]:
    import torch

    with torch.inference_mode():
        logits = network.net(input_ids=torch.tensor([ids]), use_cache=False).logits[0]
        found: NDArray[np.float64] = logits.double().log_softmax(-1).numpy()
    return found
