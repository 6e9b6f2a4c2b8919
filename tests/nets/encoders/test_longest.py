"""A limit below what a model reads is kept by everything that is made from it, and one above is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from lighten.core.artifact import Artifact
from lighten.core.errors import InputError
from lighten.models.bring import bring
from lighten.nets.encoders.network import open_network
from lighten.pipeline.formats import save_model
from lighten.readers.text import Encoder
from lighten.testing.tiny import tiny_network_folder
from lighten.testing.tiny_artifacts import tiny_artifact

TEXT = "the film was good and the plot was fine"


def test_what_is_brought_with_a_limit_is_saved_with_it(tmp_path: Path) -> None:
    source = tiny_network_folder(tmp_path / "net", layers=1)
    artifact = bring(str(source), tmp_path / "brought", longest=7)
    assert artifact.meta["max_tokens"] == 7
    assert Artifact.open(artifact.path).id == artifact.id
    network = open_network(artifact)
    assert len(network.reader([TEXT])[0]) == 7
    made = tmp_path / "made"
    made.mkdir()
    save_model(network, "hf", made)
    assert Encoder.open(made)([TEXT]) == network.reader([TEXT])
    assert Encoder.open(source).max_tokens == 64, "the user's own files stay as they are"


@pytest.mark.parametrize("longest", [2, 65, 8192])
def test_a_limit_that_the_model_does_not_have_is_refused(longest: int, tmp_path: Path) -> None:
    source = tiny_network_folder(tmp_path / "net", layers=1)
    with pytest.raises(InputError, match=r"--longest is .* reads at most 64 tokens") as caught:
        bring(str(source), tmp_path / "brought", longest=longest)
    assert "3 to 64" in str(caught.value)


def test_an_artifact_gets_a_lower_limit_in_a_copy(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed: pip install 'lighten[ort]'")
    built = tiny_artifact("onnx")
    copy = bring(str(built.path), tmp_path / "copy", longest=5)
    assert (Encoder.open(copy.path).max_tokens, Encoder.open(built.path).max_tokens) == (5, 64)
    assert copy.format == built.format and copy.meta["labels"] == built.meta["labels"]
