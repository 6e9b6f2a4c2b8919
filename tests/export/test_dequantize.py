"""A GGUF file as a float network: exactly the numbers that its blocks stand for."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch

from lighten.core import catalog
from lighten.core.errors import ModelError
from lighten.core.step import Needs
from lighten.export.dequantize import Dequantize
from lighten.nets.gguf.network import open_gguf
from lighten.nets.language.network import open_language
from lighten.tasks.text_generation import TextGeneration
from lighten.testing.require import require
from lighten.testing.tiny_language import FAMILIES, tiny_gguf, tiny_texts

NEEDS = Needs(TextGeneration())


@pytest.fixture(scope="module", autouse=True)
def libraries() -> None:
    require(find_spec("gguf") and find_spec("libgguf"), "the libraries of GGUF (pip install 'lighten[llama]')")


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("format", ["F32", "F16"])
@pytest.mark.parametrize("family", FAMILIES)
def test_the_network_that_was_exported_comes_back(tmp_path: Path, family: str, format: str, tied: bool) -> None:
    artifact = tiny_gguf(family, tmp_path, format=format, tied=tied)
    before, after = open_language(tmp_path / "hf"), Dequantize().run(open_gguf(artifact), NEEDS)
    old, new = before.net.state_dict(), after.net.state_dict()
    assert old.keys() == new.keys()
    for name, value in old.items():
        if value.dim() > 1:
            wanted = value if format == "F32" else value.half().float()
            assert torch.equal(new[name], wanted), name
        else:  # one is added to Gemma's norms and taken away again
            assert torch.allclose(new[name], value, atol=1e-7, rtol=0), name
    assert (after.net.lm_head.weight is after.net.model.embed_tokens.weight) == tied
    texts = (*tiny_texts(20, 3), "🦊 naïve\n\nЯ  z", "", "<s></s><|im_end|>")
    assert after.tokens(texts) == before.tokens(texts)
    ids = torch.tensor([before.tokens(texts)[0]])
    with torch.inference_mode():
        apart = (after.net(ids).logits - before.net(ids).logits).abs().max()
    assert apart < (1e-4 if format == "F32" else 5e-2)
    assert np.isfinite(float(apart))


def test_it_says_what_it_is() -> None:
    assert catalog.load_step("export.dequantize") is Dequantize
    assert (Dequantize.consumes, Dequantize.produces, Dequantize.lossy) == (("gguf",), "hf-causal", False)


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    model = open_gguf(tiny_gguf("llama", tmp_path))
    model.values["general.architecture"] = "mamba"
    with pytest.raises(ModelError, match="'mamba'"):
        Dequantize().run(model, NEEDS)
