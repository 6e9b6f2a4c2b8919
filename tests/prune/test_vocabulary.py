"""Dropping unused tokens: covered text is answered as before, every id that is named follows, the rest still works.

How the vocabulary of a language model is cut is tested in ``tests/nets/language/test_vocabulary.py``; here is what a
user sees of it: texts come back, and llama.cpp reads the cut file.
"""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import (
    AutoModelForSequenceClassification,
    BertConfig,
    BertForMaskedLM,
    RobertaConfig,
    RobertaForSequenceClassification,
)

from lighten.core.artifact import Artifact
from lighten.core.errors import ModelError, StepFailed
from lighten.core.rows import Rows
from lighten.core.step import Needs, settings_of
from lighten.nets.encoders.network import open_network, save_network
from lighten.nets.network import Network
from lighten.nets.vocabulary import CannotCut, same_on_covered, tokens
from lighten.prune.vocabulary import (
    Vocabulary,
    keep_rows,
    positions_follow_padding,
    recoded_settings,
)
from lighten.readers.text import Encoder
from lighten.tasks.text_classification import TextClassification
from lighten.tasks.text_generation import ANSWERS, CHOICES, TextGeneration
from lighten.testing.require import require
from lighten.testing.tiny import FAMILIES, WORDS, tiny_network_folder, toy_rows
from lighten.testing.tiny_language import tiny_documents, tiny_gguf, tiny_judge, tiny_language, tiny_texts

RARE = ("zebra", "quixotic", "xylophone", "jigsaw", "kaleidoscope", "vowels")
ROWS = toy_rows(80)
UNSEEN = ("a zebra jigsaw is good", "quixotic", "", "Ünïcode 映画 😀", "[PAD] <pad> [MASK]")


def network(folder: Path, family: str = "bert", tokenizer: str = "wordpiece") -> Network:
    tiny_network_folder(folder, family, layers=2, words=(*RARE, *WORDS), tokenizer=tokenizer)
    return open_network(folder)


def needs(rows: Rows = ROWS) -> Needs:
    return Needs(task=None, train=rows)  # type: ignore[arg-type]


def logits(model: Network, texts: tuple[str, ...]) -> torch.Tensor:
    """[len(texts), classes]"""
    rows = model.reader(texts)
    width = max(map(len, rows))
    ids = torch.tensor([[*row, *[model.reader.pad_id] * (width - len(row))] for row in rows])
    mask = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in rows])
    with torch.inference_mode():
        found: torch.Tensor = model.net(input_ids=ids, attention_mask=mask).logits
    return found


@pytest.mark.parametrize("tokenizer", ["wordpiece", "bpe", "wordlevel"])
@pytest.mark.parametrize("family", FAMILIES)
def test_covered_text_is_answered_as_before(tmp_path: Path, family: str, tokenizer: str) -> None:
    model = network(tmp_path, family, tokenizer)
    before, rows = logits(model, ROWS.inputs), model.net.get_input_embeddings().weight.shape[0]
    cut = Vocabulary(spare=0.0).run(model, needs())
    assert (logits(cut, ROWS.inputs) - before).abs().max() < 1e-5
    embedding = cut.net.get_input_embeddings()
    assert embedding.weight.shape[0] == embedding.num_embeddings == cut.reader.vocabulary_size < rows
    assert cut.net.config.vocab_size == cut.reader.vocabulary_size
    assert cut.net.config.pad_token_id == cut.reader.pad_id
    assert torch.isfinite(logits(cut, UNSEEN)).all()
    if tokenizer != "wordlevel":
        unknown = json.loads(cut.reader.source)["model"].get("unk_token")
        names = tokens(json.loads(cut.reader.source))
        assert not any(names[i] == unknown for row in cut.reader(("a zebra jigsaw is good",)) for i in row)


def test_it_can_be_saved_opened_and_trained(tmp_path: Path) -> None:
    model = network(tmp_path / "old")
    cut = Vocabulary(spare=0.0).run(model, needs())
    before = logits(cut, (*ROWS.inputs, *UNSEEN))
    again = open_network(save_network(cut, tmp_path / "new"))
    assert torch.equal(logits(again, (*ROWS.inputs, *UNSEEN)), before)
    cut.net(input_ids=torch.tensor(cut.reader(("good",)))).logits.sum().backward()
    weight = cut.net.get_input_embeddings().weight
    assert weight.is_leaf and weight.grad is not None and weight.grad.shape == weight.shape


@pytest.mark.parametrize("padding", ["named", "unnamed", "ending"])
def test_a_decoder_with_a_head_finds_the_end_of_a_text_as_before(tmp_path: Path, padding: str) -> None:
    rows = Rows(tiny_texts(8, 4), (0, 1) * 4)
    folder = tiny_judge("qwen2", tmp_path / "judge", padding=padding)
    before = logits(open_network(folder), rows.inputs)
    made = Vocabulary(spare=0.0).run(open_network(folder), Needs(TextClassification(), train=rows, tune=rows))
    cut = open_network(save_network(made, tmp_path / "cut"))
    assert cut.reader.vocabulary_size < open_network(folder).reader.vocabulary_size
    assert cut.reader.pad_id == cut.net.config.pad_token_id
    assert abs(logits(cut, rows.inputs) - before).max() < 1e-4


def test_spare_keeps_rare_tokens_first_then_the_original_order(tmp_path: Path) -> None:
    whole = tokens(json.loads(network(tmp_path).reader.source))

    def kept(rows: Rows, **values: Any) -> list[str]:
        cut = Vocabulary(**values).run(open_network(tmp_path), needs(rows))
        return list(tokens(json.loads(cut.reader.source)).values())

    names = [set(kept(ROWS.take(range(4)), spare=spare)) for spare in (0.0, 0.1, 0.3, 1.0)]
    assert names[0] < names[1] < names[2] < names[3]
    assert len(names[1]) - len(names[0]) == round(0.1 * len(whole)) and len(names[3]) == len(whole)
    extra = set(kept(ROWS, min_count=10**6, spare=5 / len(whole))) - set(kept(ROWS, min_count=10**6, spare=0.0))
    assert len(extra) == 5
    assert all(any(token in text.split() for text in ROWS.inputs) for token in extra)


def test_placeholders_are_not_spared(tmp_path: Path) -> None:
    model = network(tmp_path, tokenizer="wordlevel")
    source = json.loads(model.reader.source)
    vocab = source["model"]["vocab"]
    source["model"]["vocab"] = {(f"[unused{i}]" if token == "zebra" else token): i for token, i in vocab.items()}
    model.reader = Encoder(json.dumps(source), max_tokens=64, pad_id=model.reader.pad_id, settings={})
    cut = Vocabulary(spare=1.0).run(model, needs())
    assert set(vocab) - set(tokens(json.loads(cut.reader.source)).values()) == {"zebra"}


def test_ids_in_the_config_and_the_settings_follow(tmp_path: Path) -> None:
    vocab = {t: i for i, t in enumerate(["a", "b", "[PAD]", "c", "[UNK]", "d", "[CLS]", "[SEP]", "e"])}
    model = wordlevel(vocab, BertConfig, AutoModelForSequenceClassification.from_config, "[PAD]", "[CLS]", "[SEP]")
    model.net.config.eos_token_id = [7, 5]
    model.net.config.bos_token_id = 50256
    before = logits(model, ("a c", "c"))
    cut = Vocabulary(spare=0.0).run(model, needs(Rows(("c a", "c"), (0, 1))))
    assert list(tokens(json.loads(cut.reader.source)).values()) == ["a", "[PAD]", "c", "[UNK]", "d", "[CLS]", "[SEP]"]
    config = cut.net.config
    assert (config.pad_token_id, config.eos_token_id, config.bos_token_id, config.vocab_size) == (1, [6, 4], 50256, 7)
    assert cut.reader.pad_id == cut.net.get_input_embeddings().padding_idx == 1
    assert cut.reader.settings["added_tokens_decoder"]["5"]["content"] == "[CLS]"
    assert torch.allclose(logits(cut, ("a c", "c")), before, atol=1e-5)
    with pytest.raises(ModelError, match="'9'"):
        recoded_settings({"added_tokens_decoder": {"9": {}}}, {0: 0})


def test_padding_stays_where_positions_are_counted_from_it(tmp_path: Path) -> None:
    vocab = {t: i for i, t in enumerate(["<s>", "a", "b", "c", "<pad>", "</s>", "[UNK]", "d", "e"])}
    model = wordlevel(vocab, RobertaConfig, RobertaForSequenceClassification, "<pad>", "<s>", "</s>")
    assert positions_follow_padding(model.net)
    assert not positions_follow_padding(network(tmp_path).net)
    before = logits(model, ("b", "b b"))
    cut = Vocabulary(spare=0.0).run(model, needs(Rows(("b",), (0,))))
    assert cut.reader.pad_id == 4 and cut.reader.vocabulary_size == 7
    assert torch.allclose(logits(cut, ("b", "b b")), before, atol=1e-5)


def wordlevel(vocab: dict[str, int], config: Any, make: Any, pad: str, cls: str, sep: str) -> Network:
    inner = Tokenizer(models.WordLevel(vocab, unk_token="[UNK]"))
    inner.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    inner.post_processor = processors.BertProcessing((sep, vocab[sep]), (cls, vocab[cls]))
    sizes = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    torch.manual_seed(0)
    net = make(config(vocab_size=len(vocab), pad_token_id=vocab[pad], max_position_embeddings=40, **sizes)).eval()
    table = {str(vocab[token]): {"content": token} for token in (pad, cls, sep)}
    settings = {"pad_token": pad, "cls_token": {"content": cls}, "sep_token": sep, "added_tokens_decoder": table}
    encoder = Encoder(inner.to_str(), max_tokens=16, pad_id=vocab[pad], settings=settings)
    return Network(net, encoder, ("negative", "positive"))


@pytest.mark.parametrize("tied", [True, False])
def test_an_output_head_loses_the_same_rows(tied: bool) -> None:
    sizes = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    torch.manual_seed(0)
    net = BertForMaskedLM(BertConfig(vocab_size=20, tie_word_embeddings=tied, **sizes)).eval()
    torch.nn.init.normal_(net.get_output_embeddings().bias)
    kept = [0, 3, 4, 11, 19]
    with torch.inference_mode():
        before = net(torch.tensor([[3, 11, 4]])).logits[..., kept]
        keep_rows(net, kept)
        after = net(torch.tensor([[1, 3, 2]])).logits
    assert torch.allclose(after, before, atol=1e-5)
    assert (net.get_output_embeddings().weight is net.get_input_embeddings().weight) == tied


def test_refusals(tmp_path: Path) -> None:
    model = network(tmp_path)
    assert Vocabulary().check({}) == Vocabulary().check({"tokenizer": "BPE"}) == ""
    assert "Morphemes" in Vocabulary().check({"tokenizer": "Morphemes"})
    with pytest.raises(ModelError, match="9 rows"):
        model.net.set_input_embeddings(torch.nn.Embedding(9, 32))
        Vocabulary().run(model, needs())
    source = json.loads(network(tmp_path / "bpe", tokenizer="bpe").reader.source)
    source["model"]["dropout"] = 0.5
    model.reader = Encoder(json.dumps(source), max_tokens=64, pad_id=0, settings={})
    with pytest.raises(CannotCut, match="dropout"):
        Vocabulary().run(model, needs())


def test_a_tokenizer_that_changes_covered_text_is_found(tmp_path: Path) -> None:
    encoder = network(tmp_path, tokenizer="wordlevel").reader
    every = list(range(encoder.vocabulary_size))
    same_on_covered(encoder, encoder, every, ROWS.inputs)
    with pytest.raises(StepFailed, match="text 0 of"):
        same_on_covered(encoder, encoder, every[::-1], ROWS.inputs)


def test_text_beyond_the_limit_counts(tmp_path: Path) -> None:
    model = network(tmp_path)
    model.reader = model.reader.with_limit(6)
    rows = Rows(("the film is a quixotic zebra", "the film is a zebra"), (0, 1))
    before, whole = logits(model, rows.inputs), Encoder.open(tmp_path)
    cut = Vocabulary(spare=0.0).run(model, needs(rows))
    assert cut.reader.max_tokens == 6 and torch.allclose(logits(cut, rows.inputs), before, atol=1e-5)
    names = json.loads(whole.source)["model"]["vocab"], json.loads(cut.reader.source)["model"]["vocab"]
    assert {t for t, i in names[0].items() if i in whole(rows.inputs)[0]} <= set(names[1])
    Vocabulary(min_count=2, spare=0.0).run(open_network(tmp_path), needs(rows))


def test_settings_are_within_their_bounds() -> None:
    for known in settings_of(Vocabulary):
        assert not any(known.problem(value) for value in (known.default, *known.search))


KINDS = {"sentencepiece": "llama", "gemma": "gemma3_text", "llama3": "llama", "qwen2": "qwen3"}
DOCUMENTS = tiny_documents(6)
STRANGE = ("Ünïcode 映画 😀", "  two  spaces\n\n\ttab", "<s></s><|im_end|><eos>", "quixotic zebra 1234", "")


@pytest.mark.parametrize("came_from_gguf", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_texts_of_a_cut_language_model_come_back_in_llama_cpp(tmp_path: Path, kind: str, came_from_gguf: bool) -> None:
    require(find_spec("xllamacpp") and find_spec("gguf"), "llama.cpp (pip install 'lighten[llama]')")
    from lighten.engines.llama import Llama
    from lighten.export.dequantize import Dequantize
    from lighten.export.gguf import Gguf
    from lighten.nets.gguf.network import open_gguf, save_gguf
    from lighten.nets.language.network import open_language

    whole = tiny_gguf(KINDS[kind], tmp_path, tokenizer=kind)
    given = Needs(TextGeneration(), train=DOCUMENTS)
    model = Dequantize().run(open_gguf(whole), given) if came_from_gguf else open_language(tmp_path / "hf")
    cut = Vocabulary(spare=0.0).run(model, given)
    (tmp_path / "cut").mkdir()
    save_gguf(Gguf(format="F32").run(cut, given), tmp_path / "cut")
    small = Artifact.seal(tmp_path / "cut", format="gguf")
    assert small.size < whole.size - 20_000
    with Llama().open(whole, threads=1) as before, Llama().open(small, threads=1) as after:
        covered = 0
        for text in (*DOCUMENTS.inputs, *tiny_texts(60, 77), *STRANGE):
            old, new = before.encode(text), after.encode(text)
            said = b"".join(after.pieces(new))
            assert said == b"".join(before.pieces(old))
            assert said.decode() in (text, " " + text)
            assert new == cut.tokens.begun(text)
            if before.pieces(old) == after.pieces(new):
                covered += 1
                assert len(old) == len(new)
            elif text in DOCUMENTS.inputs:
                raise AssertionError(f"{text!r} was counted and is spelled in other tokens now")
        assert len(DOCUMENTS) < covered < len(DOCUMENTS) + 65
        ends = [[m.pieces([i]) for i in range(400) if m.ends(i)] for m in (before, after)]
        assert len(ends[0]) == len(ends[1]) > 0


def test_choices_and_answers_keep_the_tokens_they_have_behind_a_prompt(tmp_path: Path) -> None:
    from lighten.nets.language.network import open_language

    tiny_language("llama", tmp_path)
    for task, rows in (
        (TextGeneration(CHOICES, choices=(" stre", " umti")), Rows(("ba", "ko"), (0, 0))),
        (TextGeneration(ANSWERS), Rows(("ba", "ko"), (0, 0), references=("stre", "umti"))),
    ):
        model = open_language(tmp_path)
        wanted = [[model.tokens.name(i) for i in model.tokens.begun(f"ba {text}")] for text in ("stre", "umti")]
        cut = Vocabulary(spare=0.0).run(model, Needs(task, train=rows))
        found = [[cut.tokens.name(i) for i in cut.tokens.begun(f"ba {text}")] for text in ("stre", "umti")]
        assert found[0] == wanted[0]
        assert found[1] == wanted[1] or task.evidence == ANSWERS  # that answer stands behind "ko"


def test_a_language_model_whose_tokenizer_cannot_be_cut(tmp_path: Path) -> None:
    from lighten.nets.language.network import Tokens, open_language

    model = open_language(tiny_language("qwen2", tmp_path))
    source = json.loads(model.tokens.source)
    source["model"]["dropout"] = 0.5
    model.tokens = Tokens(json.dumps(source), {})
    with pytest.raises(CannotCut, match="dropout"):
        Vocabulary().run(model, Needs(TextGeneration(), train=DOCUMENTS))
    known = {"language": True, "vocabulary": 600, "hidden": 10, "parameters": 10_000}
    assert Vocabulary().check({**known, "tokenizer": "gpt2"}) == Vocabulary().check({**known, "tokenizer": "BPE"}) == ""
    assert "bert" in Vocabulary().check({**known, "tokenizer": "bert"})
    assert Vocabulary(spare=0.1).share(known) == pytest.approx(1 - 0.6 * 0.8)
    assert Vocabulary().reshapes(known) and not Vocabulary().reshapes({})
