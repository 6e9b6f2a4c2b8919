"""Every family that can be opened is exported, quantized and answered by every engine, one text at a time and together.

Its sizes are tiny and its texts few: what is tested is that each graph is computed at all, and rightly, whatever the
batch and the length. How exact int8 is, real models tell.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lighten.core import catalog
from lighten.core.artifact import HF, ONNX, Artifact
from lighten.engines._text import Logits
from lighten.nets.facts import FAMILIES
from lighten.nets.onnx_model import open_onnx
from lighten.pipeline.formats import open_model, save_model
from lighten.testing.tiny import WORDS, tiny_network_folder
from lighten.testing.tiny_artifacts import LABELS, META, tiny_needs

pytest.importorskip("onnxruntime", reason="onnxruntime is not installed: pip install 'lighten[ort]'")

TEXTS = (
    *(" ".join((WORDS[i:] + WORDS[:i])[:length]) for i, length in enumerate((3, 9, 0, 26, 5, 1, 17, 8))),
    " ".join(WORDS * 4),
)
"""Nine texts from none to more than 64 tokens: alone, and eight or nine in a batch."""

ENGINES = (
    ("ort", ""),
    ("ort", "quantize.int8_dynamic"),
    ("ov", ""),
    ("ov", "quantize.int8_static"),
    ("ov", "quantize.int8_weights"),
)
SIZES = [(family, 32, 4) for family in FAMILIES] + [("modernbert", 128, 2), ("modernbert", 192, 3)]
"""Family, width, heads: a head is 8, 64 or 64 numbers wide."""


def answers(engine: str, artifact: Artifact, folder: Path) -> tuple[Logits, Logits]:
    """Logits [n, classes] of ``TEXTS`` by a built artifact: all in one call, and each in a call of its own."""
    made = catalog.load("engines", engine)()
    made = replace(made, rows=8, tokens=8 * 64)
    folder.mkdir()
    built = Artifact.seal(folder, format=made.build(artifact, folder), meta=META)
    with made.open(built, threads=1) as session:
        return session.run(TEXTS), np.concatenate([session.run([text]) for text in TEXTS])


def changed(step: str, artifact: Artifact, folder: Path) -> Artifact:
    """What a step at its default settings makes of an artifact."""
    made = catalog.load_step(step)()
    model = made.run(open_model(artifact, LABELS), tiny_needs(12))
    folder.mkdir()
    save_model(model, made.produces, folder)
    return Artifact.seal(folder, format=made.produces, meta=META)


@pytest.mark.parametrize(("family", "hidden", "heads"), SIZES)
def test_a_family_is_answered_by_every_engine(family: str, hidden: int, heads: int, tmp_path: Path) -> None:
    folder = tiny_network_folder(tmp_path / "net", family, 1, hidden=hidden, heads=heads, intermediate=2 * hidden)
    network = Artifact.seal(folder, format=HF, meta=META)
    wanted, alone = answers("eager", network, tmp_path / "eager")
    np.testing.assert_allclose(wanted, alone, atol=1e-4 * (1 + np.abs(wanted).max()))
    spread = float(np.ptp(wanted, axis=0).max())
    assert spread > 0.02, "every text gets the same answer"
    graph = changed("export.onnx", network, tmp_path / "onnx")
    assert graph.format == ONNX and open_onnx(graph).proto.graph.node
    for engine, step in ENGINES:
        if engine == "ov":
            pytest.importorskip("openvino", reason="openvino is not installed: pip install 'lighten[ov]'")
        name = f"{engine} {step}".strip()
        made = changed(step, graph, tmp_path / f"made {name}") if step else graph
        for found in answers(engine, made, tmp_path / f"built {name}"):
            assert found.shape == wanted.shape, name
            apart = float(np.abs(found - wanted).max())
            # Rounded to int8 a net this small is a rough copy; one that is computed wrongly is none.
            assert apart < (0.5 * spread if step else 1e-4 * (1 + np.abs(wanted).max())), (name, apart, spread)
