"""The base of an adapter is found where its config says, beside it, and refused when it is of another kind."""

from __future__ import annotations

from pathlib import Path

import pytest

from lighten.core.errors import ModelError
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
