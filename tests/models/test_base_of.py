"""The base of an adapter is found where its config says, beside it, and refused when it is of another kind."""

from __future__ import annotations

from pathlib import Path

import pytest

from lighten.core.errors import ModelError, UnsafeFile
from lighten.core.format import Recognized
from lighten.models.base_of import base_of
from lighten.testing.tiny import tiny_network_folder


def adapter(folder: Path, base: str) -> Recognized:
    """An adapter of a base."""
    folder.mkdir()
    return Recognized(folder, "hf", "LoRA, SEQ_CLS", "an adapter", ("text_classification",), "adapter", base)


def test_a_base_is_found_beside_its_adapter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    base = tiny_network_folder(tmp_path / "base")
    for number, named in enumerate((str(base), "../base", "gone/from/here/base")):
        found = base_of(adapter(tmp_path / str(number), named), ("classifier",), "a classifier")
        assert (found.path.resolve(), found.kind) == (base, "classifier")
    with pytest.raises(ModelError, match="which is a text classifier") as refused:
        base_of(adapter(tmp_path / "causal", str(base)), ("causal",), "a language model")
    assert refused.value.allowed == "a language model"
    with pytest.raises(ModelError, match="is not at hand"):
        base_of(adapter(tmp_path / "lost", "gone/for-good"), ("classifier",), "a classifier")


def test_a_base_that_is_here_and_cannot_be_used_is_called_so(tmp_path: Path) -> None:
    """It is not fetched once more: what is wrong with it is said."""
    base = tiny_network_folder(tmp_path / "base")
    (base / "model.safetensors").rename(base / "pytorch_model.bin")
    with pytest.raises(UnsafeFile, match=r"which cannot be used: .*pytorch_model\.bin only") as refused:
        base_of(adapter(tmp_path / "pickled", str(base)), ("classifier",), "a classifier")
    assert "AutoModelForSequenceClassification" in refused.value.fix
    (base / "config.json").write_text('{"model_type": "bert", "quantization_config": {"quant_method": "gptq"}}')
    with pytest.raises(ModelError, match=r"which cannot be used: .* is quantized already, with GPTQ"):
        base_of(adapter(tmp_path / "gptq", str(base)), ("classifier",), "a classifier")
