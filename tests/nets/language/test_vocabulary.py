"""Cutting the vocabulary of a language model: covered text keeps its tokens and its probabilities."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from lighten.core.errors import ModelError, StepFailed
from lighten.core.step import Silent
from lighten.nets.language.network import LanguageNetwork, Tokens, open_language, save_language
from lighten.nets.language.vocabulary import (
    cut_language,
    expected_counts,
    keep_rows,
    named_ids,
    recoded,
)
from lighten.nets.language.windows import windows
from lighten.nets.vocabulary import CannotCut, same_on_covered
from lighten.testing.tiny_language import FAMILIES, tiny_language, tiny_texts

TEXTS = tiny_texts(12, 2)


def cut(model: LanguageNetwork, min_count: int = 1, spare: float = 0.0) -> LanguageNetwork:
    return cut_language(model, TEXTS, min_count=min_count, spare=spare, threads=1, watch=Silent())


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("family", FAMILIES)
def test_what_is_kept_is_as_likely_as_before_among_what_is_kept(tmp_path: Path, family: str, tied: bool) -> None:
    tiny_language(family, tmp_path / "a", tied=tied)
    before, after = open_language(tmp_path / "a"), cut(open_language(tmp_path / "a"))
    size = after.net.config.vocab_size
    assert size == after.tokens.size < before.net.config.vocab_size
    names = [before.tokens.name(i) for i in range(before.tokens.size)]
    kept = [names.index(after.tokens.name(i)) for i in range(size)]
    assert kept == sorted(kept)
    with torch.inference_mode():
        for text in TEXTS[:4]:
            old, new = before.tokens([text])[0], after.tokens([text])[0]
            assert [kept[i] for i in new] == old
            wanted = before.net(torch.tensor([old])).logits[..., kept]
            torch.testing.assert_close(after.net(torch.tensor([new])).logits, wanted, atol=1e-5, rtol=1e-5)
    for name in ("bos", "eos", "pad"):
        old_id, new_id = (getattr(m.net.config, f"{name}_token_id") for m in (before, after))
        assert old_id is None if new_id is None else kept[new_id] == old_id
    assert (after.net.lm_head.weight is after.net.model.embed_tokens.weight) == tied
    save_language(after, tmp_path / "b")
    again = open_language(tmp_path / "b")
    assert torch.equal(again.net(torch.tensor([new])).logits, after.net(torch.tensor([new])).logits)


def test_how_much_is_kept(tmp_path: Path) -> None:
    tiny_language("llama", tmp_path)
    sizes = [cut(open_language(tmp_path), *given).net.config.vocab_size for given in ((3, 0.0), (1, 0.0), (1, 0.2))]
    assert sizes[0] < sizes[1] < sizes[2]
    every = open_language(tmp_path).tokens.size
    assert (
        sizes[1] + 0.19 * every < sizes[2] <= sizes[1] + 0.35 * every
    )  # what spare tokens are made of comes with them
    assert cut(open_language(tmp_path), 1, 1.0).net.config.vocab_size == every


def test_spare_tokens_are_those_that_the_model_expects(tmp_path: Path) -> None:
    tiny_language("llama", tmp_path)
    model = open_language(tmp_path)
    expected = expected_counts(model, TEXTS, threads=1, watch=Silent())
    without = words(cut(open_language(tmp_path)))
    left = [model.tokens.name(int(i)) for i in np.argsort(-expected) if model.tokens.name(int(i))]
    liked = [name for name in left if name not in without]
    spared = words(cut(open_language(tmp_path), spare=5 / model.tokens.size)) - without
    assert spared >= set(liked[:5])
    assert len(spared) < 12  # and what they are made of
    assert not spared & set(liked[-30:])


def words(model: LanguageNetwork) -> set[str]:
    return {model.tokens.name(i) for i in range(model.tokens.size)}


def test_expected_counts_are_the_probabilities_summed_over_places(tmp_path: Path) -> None:
    model = open_language(tiny_language("qwen2", tmp_path))
    found = expected_counts(model, TEXTS, threads=1, watch=Silent())
    total = torch.zeros(model.net.config.vocab_size, dtype=torch.float64)
    rows = windows(model, TEXTS, 512)
    with torch.inference_mode():
        for row in rows:
            total += model.net(torch.tensor([row])).logits[0, :-1].double().softmax(-1).sum(0)
    np.testing.assert_allclose(found, total.numpy(), rtol=1e-4)
    assert found.sum() == pytest.approx(sum(len(row) - 1 for row in rows))
    few = expected_counts(model, TEXTS, threads=1, watch=Silent(), places=3)
    assert 3 <= few.sum() < found.sum()


def test_rows_are_kept_in_their_order_and_ids_follow(tmp_path: Path) -> None:
    model = open_language(tiny_language("gemma3_text", tmp_path))
    model.net.config.eos_token_id = [1, 5, 300]
    old = model.net.model.embed_tokens.weight.detach().clone()
    assert named_ids(model.net.config) >= {0, 1, 2, 5, 300}
    keep_rows(model.net, [1, 2, 5, 40])
    assert torch.equal(model.net.model.embed_tokens.weight, old[[1, 2, 5, 40]])
    assert model.net.config.eos_token_id == [0, 2]
    assert (model.net.config.bos_token_id, model.net.config.pad_token_id) == (1, None)
    assert model.net.model.embed_tokens.padding_idx is None
    assert model.net(torch.tensor([[0, 3]])).logits.shape == (1, 2, 4)
    with pytest.raises(ModelError, match="has 4 rows, and its tokenizer the id 4"):
        keep_rows(model.net, [0, 4])


def test_the_table_of_added_tokens_follows() -> None:
    settings = {"added_tokens_decoder": {"0": {"content": "a"}, "7": {"content": "b"}, "9": {}}, "x": 1}
    made = recoded(settings, {0: 0, 7: 2})
    assert made == {"added_tokens_decoder": {"0": {"content": "a"}, "2": {"content": "b"}}, "x": 1}
    assert recoded({"x": 1}, {}) == {"x": 1}


def test_tokenizers_that_cannot_be_cut(tmp_path: Path) -> None:
    model = open_language(tiny_language("qwen2", tmp_path))
    source = json.loads(model.tokens.source)
    source["model"]["dropout"] = 0.5
    model.tokens = Tokens(json.dumps(source), {})
    with pytest.raises(CannotCut, match="BPE with dropout"):
        cut(model)
    model.values = {"tokenizer.ggml.model": "bert"}
    with pytest.raises(CannotCut, match="'bert'"):
        cut(model)


def test_other_tokens_for_covered_text_are_found(tmp_path: Path) -> None:
    known = open_language(tiny_language("llama", tmp_path)).tokens
    every = list(range(known.size))
    same_on_covered(known, known, every, TEXTS)
    with pytest.raises(StepFailed, match="text 0 of the training data"):
        same_on_covered(known, known, every[::-1], TEXTS)
