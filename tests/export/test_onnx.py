"""The exported graph answers as the network does, whatever its size and family, and says so when it does not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from lighten.core.errors import BuildFailed
from lighten.core.step import Needs
from lighten.export import onnx
from lighten.export.onnx import Onnx, check
from lighten.nets.encoders.network import open_network
from lighten.nets.network import Network
from lighten.nets.runtimes.onnx_model import answers, open_onnx
from lighten.tasks.text_classification import TextClassification
from lighten.testing.engine_contract import texts
from lighten.testing.tiny import tiny_network_folder
from lighten.testing.tiny_artifacts import tiny_artifact, tiny_needs
from lighten.testing.tiny_language import tiny_judge, tiny_texts

pytest.importorskip("onnxruntime", reason="onnxruntime is not installed: pip install 'lighten[ort]'")

NEEDS = Needs(TextClassification())


def network(folder: Path, family: str = "bert") -> Network:
    return open_network(tiny_network_folder(folder, family, layers=2))


def apart(net: Network, proto: object) -> float:
    """Largest difference of a logit on 20 texts of different length, together and alone."""
    found = []
    for batch in (texts(20), texts(1, seed=3)):
        asked = net.reader.batch(net.reader(batch))
        with torch.inference_mode():
            wanted = net.net(**{name: torch.from_numpy(array) for name, array in asked.items()}).logits.numpy()
        assert wanted.std() > 0.01
        found.append(np.abs(answers(proto, asked, 1) - wanted).max())  # type: ignore[arg-type]
    return float(max(found))


def test_any_batch_and_length_is_answered_as_the_network_does(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Other families: tests/engines/test__arrays.py."""
    net = network(tmp_path / "net", "roberta")
    capfd.readouterr()
    model = Onnx().run(net, NEEDS)
    said = capfd.readouterr()
    assert (said.out, said.err) == ("", ""), "exporting must be silent"
    assert model.labels == net.labels
    assert [value.name for value in model.proto.graph.input] == ["input_ids", "attention_mask"]
    assert not model.proto.graph.value_info
    assert b".py" not in model.proto.SerializeToString(), "stack traces name paths of the machine that exported"
    assert apart(net, model.proto) < 1e-4


def test_a_pruned_network_is_exported_and_the_last_layer_is_shortened(tmp_path: Path) -> None:
    from lighten.prune.width import Narrow

    net: Network = Narrow(heads=0.5, ff=0.5).run(network(tmp_path / "net"), tiny_needs())
    whole = Onnx(shortcut=False).run(net, NEEDS).proto
    assert apart(net, whole) < 1e-4
    short = open_onnx(tiny_artifact("onnx")).proto
    assert apart(open_network(tiny_artifact("hf")), short) < 1e-4
    cuts = [sum(node.op_type == "Slice" for node in proto.graph.node) for proto in (short, whole)]
    assert cuts[0] > cuts[1], "nothing chooses the first token before the last layer"


def test_a_graph_that_answers_differently_is_refused() -> None:
    net, proto = open_network(tiny_artifact("hf")), open_onnx(tiny_artifact("onnx")).proto
    assert check(proto, net, 1) < 1e-4
    with torch.no_grad():
        net.net.classifier.bias.add_(0.1)
    with pytest.raises(BuildFailed, match="answers differently"):
        check(proto, net, 1)


def untraceable(input_ids: torch.Tensor, attention_mask: torch.Tensor) -> object:
    raise TypeError("looks at its data")


def unknown(input_ids: torch.Tensor, attention_mask: torch.Tensor) -> object:
    return torch.special.bessel_j0((input_ids * attention_mask).float())


@pytest.mark.parametrize(("forward", "words"), [(untraceable, "looks at its data"), (unknown, "bessel_j0")])
def test_what_no_operator_set_can_say_is_refused_at_once_with_the_reason(
    forward: Callable[..., object], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    net, tried = network(tmp_path / "net"), list[int]()
    trace = onnx.traced

    def counted(network: Network, opset: int) -> object:
        tried.append(opset)
        return trace(network, opset)

    monkeypatch.setattr(onnx, "traced", counted)
    net.net.forward = forward
    with pytest.raises(BuildFailed, match=rf"cannot be exported to ONNX: .*{words}"):
        Onnx().run(net, NEEDS)
    assert tried == [23], "older operator sets have no more operators"


def test_a_decoder_with_a_head_is_exported_with_the_token_that_ends_a_text(tmp_path: Path) -> None:
    """Eight texts of different length, padded, and one alone: the head reads the last token of each.

    Other families: tests/engines/test__arrays.py.
    """
    net = open_network(tiny_judge("qwen2", tmp_path / "judge", padding="unnamed"))
    proto = Onnx().run(net, NEEDS).proto
    for batch in (tiny_texts(8, 3), tiny_texts(1, 5)):
        asked = net.reader.batch(net.reader(batch))
        with torch.inference_mode():
            wanted = net.net(**{name: torch.from_numpy(array) for name, array in asked.items()}).logits.numpy()
        assert wanted.std() > 0.01
        assert np.abs(answers(proto, asked, 1) - wanted).max() < 1e-3
