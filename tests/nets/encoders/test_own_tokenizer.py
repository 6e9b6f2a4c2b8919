"""A model is asked exactly as transformers' own pipeline asks it, whatever files say how: ids, limit, side, answers."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from tokenizers.models import Unigram
from tokenizers.pre_tokenizers import Metaspace
from tokenizers.processors import TemplateProcessing

from lighten.core.errors import ModelError
from lighten.models.bring import bring
from lighten.nets.encoders.network import open_network
from lighten.nets.facts import FAMILIES
from lighten.nets.forward import logits
from lighten.readers.text import Encoder
from lighten.testing.tiny import WORDS, tiny_network_folder

LONG = " ".join(WORDS * 8)
TEXTS = (
    "the film was good",
    "",
    "A LOVELY plot, and this is VERY very tedious music",
    f"dreadful {LONG} superb",
    "wörds nobody [MASK] knows <mask> [PAD] : [extra]",
    "  two   spaces\tand\nlines ",
)


def pipeline_answers(folder: Path, texts: tuple[str, ...], **cut: Any) -> np.ndarray[Any, Any]:
    """Probabilities [n, classes] of transformers' text-classification pipeline, one text at a time."""
    from transformers import AutoModelForSequenceClassification, AutoTokenizer, TextClassificationPipeline

    net = AutoModelForSequenceClassification.from_pretrained(folder, dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    pipe = TextClassificationPipeline(model=net, tokenizer=tokenizer, device="cpu", framework="pt")
    found = [pipe(text, truncation=True, top_k=None, function_to_apply="softmax", **cut) for text in texts]
    names = [net.config.id2label[i] for i in range(net.config.num_labels)]
    return np.array([[next(a["score"] for a in answer if a["label"] == name) for name in names] for answer in found])


def own_answers(folder: Path, texts: tuple[str, ...]) -> np.ndarray[Any, Any]:
    """As :func:`pipeline_answers`, by lighten, all texts in one batch."""
    found = torch.from_numpy(logits(open_network(folder), texts, threads=1, most=100_000))
    return found.softmax(-1).numpy()


def edited(folder: Path, name: str, **changes: Any) -> None:
    """Change entries of a JSON file; None takes an entry out."""
    path = folder / name
    record = json.loads(path.read_text()) if path.is_file() else {}
    record = {key: value for key, value in {**record, **changes}.items() if value is not None}
    path.write_text(json.dumps(record))


def compare(folder: Path, tmp_path: Path, texts: tuple[str, ...] = TEXTS, **cut: Any) -> Encoder:
    """Bring the model of ``folder`` and compare ids and answers with those of transformers."""
    from transformers import AutoTokenizer

    brought = bring(str(folder), tmp_path / "brought").path
    own, theirs = Encoder.open(brought), AutoTokenizer.from_pretrained(folder)
    assert own(texts) == theirs(list(texts), truncation=True, **cut)["input_ids"]
    wanted = pipeline_answers(folder, texts, **cut)
    assert np.ptp(wanted, axis=0).max() > 0.004, "every text gets the same answer"
    np.testing.assert_allclose(own_answers(brought, texts), wanted, atol=2e-5)
    shutil.copytree(brought, tmp_path / "again")
    again = Encoder.open(tmp_path / "again")
    again.save(tmp_path / "again")
    assert Encoder.open(tmp_path / "again")(texts) == own(texts)
    return own


@pytest.mark.parametrize("side", ["right", "left"])
@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_answers_as_the_pipeline_does(family: str, side: str, tmp_path: Path) -> None:
    folder = tiny_network_folder(tmp_path / "net", family, layers=1)
    edited(folder, "tokenizer_config.json", truncation_side=side)
    own = compare(folder, tmp_path)
    assert own.max_tokens == 64
    kept = own([TEXTS[3]])[0]
    word = {name: own([name])[0][1] for name in ("dreadful", "superb")}
    assert (word["superb"] in kept[-3:], word["dreadful"] in kept[:3]) == ((side == "left"), (side == "right"))


Change = Callable[[Path], None]


def _vocabulary_text(folder: Path) -> None:
    words = json.loads((folder / "tokenizer.json").read_text())["model"]["vocab"]
    (folder / "tokenizer.json").unlink()
    (folder / "vocab.txt").write_text("\n".join(sorted(words, key=words.__getitem__)) + "\n")
    (folder / "tokenizer_config.json").write_text(
        json.dumps({"do_lower_case": True, "model_max_length": 64, "tokenizer_class": "BertTokenizer"})
    )


def _extra_tokens(folder: Path) -> None:
    _vocabulary_text(folder)
    words = (folder / "vocab.txt").read_text().splitlines()
    words[words.index("tedious")] = "[extra]"
    (folder / "vocab.txt").write_text("\n".join(words) + "\n")
    (folder / "added_tokens.json").write_text(json.dumps({"[extra]": words.index("[extra]")}))
    (folder / "special_tokens_map.json").write_text(json.dumps({"pad_token": "scene", "sep_token": "music"}))


def _baked(folder: Path) -> None:
    record = json.loads((folder / "tokenizer.json").read_text())
    record["truncation"] = {"direction": "Left", "max_length": 9, "strategy": "LongestFirst", "stride": 0}
    pads = {"pad_id": 7, "pad_type_id": 0, "pad_token": "film"}
    record["padding"] = {"strategy": {"Fixed": 50}, "direction": "Left", "pad_to_multiple_of": None, **pads}
    (folder / "tokenizer.json").write_text(json.dumps(record))


def _cased(folder: Path) -> None:
    edited(folder, "tokenizer_config.json", do_lower_case=False, tokenizer_class="BertTokenizer")


def _uncased(folder: Path) -> None:
    record = json.loads((folder / "tokenizer.json").read_text())
    record["normalizer"]["lowercase"] = False
    (folder / "tokenizer.json").write_text(json.dumps(record))
    edited(folder, "tokenizer_config.json", do_lower_case=True, tokenizer_class="BertTokenizer")


def _half(folder: Path) -> None:
    path = folder / "model.safetensors"
    save_file({name: value.half() for name, value in load_file(path).items()}, path, {"format": "pt"})
    edited(folder, "config.json", dtype="float16")


def _sharded(folder: Path) -> None:
    whole = {name: value.bfloat16() for name, value in load_file(folder / "model.safetensors").items()}
    (folder / "model.safetensors").unlink()
    table = {name: f"model-{i % 2 + 1:05}-of-00002.safetensors" for i, name in enumerate(sorted(whole))}
    for file in set(table.values()):
        save_file({n: whole[n] for n, place in table.items() if place == file}, folder / file, {"format": "pt"})
    (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": table}))


def _settings(**changes: Any) -> Change:
    return lambda folder: edited(folder, "tokenizer_config.json", **changes)


def _config(**changes: Any) -> Change:
    return lambda folder: edited(folder, "config.json", **changes)


def _nothing_but_the_tokenizer(folder: Path) -> None:
    (folder / "tokenizer_config.json").unlink()


CHANGES: dict[str, tuple[Change, int, dict[str, Any]]] = {
    "vocab.txt": (_vocabulary_text, 64, {}),
    "added_tokens.json and special_tokens_map.json": (_extra_tokens, 64, {}),
    "padding and truncation in tokenizer.json": (_baked, 64, {}),
    "do_lower_case is false": (_cased, 64, {}),
    "do_lower_case is true": (_uncased, 64, {}),
    "half": (_half, 64, {}),
    "bfloat16 in parts": (_sharded, 64, {}),
    "another pad token": (_settings(pad_token="film"), 64, {}),
    "another pad id in the config": (_config(pad_token_id=9), 64, {}),
    "padding on the left": (_settings(padding_side="left"), 64, {}),
    "no padding token": (_settings(pad_token=None), 64, {}),
    "a padding token that the model does not know": (_settings(pad_token="[NONE]"), 64, {}),
    "a limit below the positions": (_settings(model_max_length=11), 11, {}),
    "a limit above the positions": (_settings(model_max_length=4096), 64, {"max_length": 64}),
    "no limit": (_settings(model_max_length=None), 64, {"max_length": 64}),
    "no limit, as transformers writes it": (_settings(model_max_length=int(1e30)), 64, {"max_length": 64}),
    "a limit with a point": (_settings(model_max_length=1e30), 64, {"max_length": 64}),
    "special tokens in texts are words": (_settings(split_special_tokens=True), 64, {}),
    "no tokenizer_config.json": (_nothing_but_the_tokenizer, 64, {"max_length": 64}),
}


@pytest.mark.parametrize("name", CHANGES)
def test_every_way_to_say_how_a_model_is_asked(name: str, tmp_path: Path) -> None:
    folder = tiny_network_folder(tmp_path / "net", "bert", layers=1)
    change, limit, cut = CHANGES[name]
    change(folder)
    assert compare(folder, tmp_path, **cut).max_tokens == limit


@pytest.mark.parametrize("padding", [0, 1, 5])
@pytest.mark.parametrize("family", ["roberta", "xlm-roberta", "camembert"])
def test_positions_begin_after_the_padding_of_the_config(family: str, padding: int, tmp_path: Path) -> None:
    folder = tiny_network_folder(tmp_path / "net", family, layers=1)
    edited(folder, "config.json", pad_token_id=padding)
    edited(folder, "tokenizer_config.json", model_max_length=None)
    own = compare(folder, tmp_path, max_length=66 - padding - 1)
    assert own.max_tokens == 66 - padding - 1


def test_the_files_of_a_byte_level_tokenizer(tmp_path: Path) -> None:
    folder = tiny_network_folder(tmp_path / "net", "roberta", layers=1, tokenizer="bpe")
    model = json.loads((folder / "tokenizer.json").read_text())["model"]
    (folder / "tokenizer.json").unlink()
    (folder / "vocab.json").write_text(json.dumps(model["vocab"]))
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(" ".join(pair) for pair in model["merges"]) + "\n")
    for prefix in (False, True):
        settings = {"tokenizer_class": "RobertaTokenizer", "model_max_length": 64, "add_prefix_space": prefix}
        (folder / "tokenizer_config.json").write_text(json.dumps(settings))
        (tmp_path / str(prefix)).mkdir()
        compare(folder, tmp_path / str(prefix))


def test_tokens_that_the_model_has_no_embedding_for_are_read_as_text(tmp_path: Path) -> None:
    folder = tiny_network_folder(tmp_path / "net", "bert", layers=1)
    record = json.loads((folder / "tokenizer.json").read_text())
    words = record["model"]["vocab"]
    last = max(words, key=words.__getitem__)
    record["model"]["vocab"] = {
        ("superb" if word == "[MASK]" else word): i for word, i in words.items() if word != last
    }
    record["added_tokens"] = [token for token in record["added_tokens"] if token["content"] != "[MASK]"]
    (folder / "tokenizer.json").write_text(json.dumps(record))
    state = load_file(folder / "model.safetensors")
    name = "bert.embeddings.word_embeddings.weight"
    state[name] = state[name][: len(words) - 1].clone()
    save_file(state, folder / "model.safetensors", {"format": "pt"})
    edited(folder, "config.json", vocab_size=len(words) - 1)
    edited(folder, "tokenizer_config.json", tokenizer_class="BertTokenizer")
    compare(folder, tmp_path, TEXTS[:4])  # transformers adds [MASK], and crashes where a text holds one
    assert np.isfinite(own_answers(tmp_path / "brought", TEXTS)).all()


def test_token_types_that_lighten_does_not_give_are_refused(tmp_path: Path) -> None:
    folder = tiny_network_folder(tmp_path / "net", "electra", layers=1)
    record = json.loads((folder / "tokenizer.json").read_text())
    for piece in record["post_processor"]["single"]:
        next(iter(piece.values()))["type_id"] = 1
    (folder / "tokenizer.json").write_text(json.dumps(record))
    bring(str(folder), tmp_path / "without")  # transformers does not give them to this model either
    names = ["input_ids", "token_type_ids", "attention_mask"]
    edited(folder, "tokenizer_config.json", model_input_names=names)
    with pytest.raises(ModelError, match=r"types \[1\]"):
        bring(str(folder), tmp_path / "brought")


def test_what_transformers_cannot_open_is_asked_as_its_tokenizer_file_says(tmp_path: Path) -> None:
    folder = tiny_network_folder(tmp_path / "net", "bert", layers=1)
    before = Encoder.open(folder)(TEXTS)
    edited(folder, "tokenizer_config.json", added_tokens_decoder=3)
    assert Encoder.open(bring(str(folder), tmp_path / "brought").path)(TEXTS) == before


def test_a_class_that_nobody_named_does_not_overrule_how_the_file_splits(tmp_path: Path) -> None:
    folder = tiny_network_folder(tmp_path / "net", "bert", layers=1)
    pieces = [("[PAD]", 0.0), ("[UNK]", 0.0), ("[CLS]", 0.0), ("[SEP]", 0.0), ("\u2581The", -1.0), ("\u2581film", -1.0)]
    native = Tokenizer(Unigram(pieces, unk_id=1))
    native.pre_tokenizer = Metaspace()
    native.post_processor = TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    native.save(str(folder / "tokenizer.json"))
    edited(folder, "tokenizer_config.json", tokenizer_class=None)
    before = Encoder.open(folder)(["The film"])
    assert before == [[2, 4, 5, 3]]
    assert Encoder.open(bring(str(folder), tmp_path / "brought").path)(["The film"]) == before


def test_a_sentencepiece_model_is_converted(tmp_path: Path) -> None:
    pytest.importorskip("sentencepiece", reason="sentencepiece is not installed: pip install 'lighten[train]'")
    from sentencepiece import sentencepiece_model_pb2 as pb

    folder = tiny_network_folder(tmp_path / "net", "deberta-v2", layers=1, words=[*WORDS, *map(str, range(60))])
    (folder / "tokenizer.json").unlink()
    made = pb.ModelProto()
    made.trainer_spec.model_type, made.trainer_spec.unk_id = 1, 3
    pieces = [("[PAD]", 3), ("[CLS]", 3), ("[SEP]", 3), ("[UNK]", 2)]
    pieces += [(word, 1) for word in dict.fromkeys([*(f"▁{word}" for word in WORDS), *"abcdefghijklmnopqrstuvwxyz▁"])]
    for number, (word, kind) in enumerate(pieces):
        piece = made.pieces.add()
        piece.piece, piece.type, piece.score = word, kind, -float(number) / 10 - (5 if len(word) == 1 else 0)
    made.normalizer_spec.name, made.normalizer_spec.add_dummy_prefix = "identity", True
    (folder / "spm.model").write_bytes(made.SerializeToString())
    settings = {"do_lower_case": False, "vocab_type": "spm", "model_max_length": 64}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    compare(folder, tmp_path)


@pytest.mark.parametrize("pooling", ["cls", "mean"])
def test_settings_of_a_head_that_change_its_answers_are_obeyed(pooling: str, tmp_path: Path) -> None:
    folder = tiny_network_folder(tmp_path / "net", "modernbert", layers=1)
    edited(folder, "config.json", classifier_pooling=pooling, classifier_dropout=0.5)
    compare(folder, tmp_path)
