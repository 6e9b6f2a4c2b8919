"""Language models in HF folders: what is opened, what is written, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from lighten.core.artifact import Artifact
from lighten.core.errors import LightenError, ModelError, UnsafeFile
from lighten.nets.language.network import Tokens, open_language, save_language, within
from lighten.testing.tiny_language import FAMILIES, tiny_language, tiny_language_tokenizer, tiny_texts

KINDS = ("sentencepiece", "gemma", "llama3", "qwen2")


def tokens(kind: str, **settings: Any) -> Tokens:
    source, known = tiny_language_tokenizer(kind)
    return Tokens(source, {**known, **settings})


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("family", FAMILIES)
def test_what_is_saved_is_opened_again(tmp_path: Path, family: str, tied: bool) -> None:
    network = open_language(tiny_language(family, tmp_path / "a", tied=tied))
    network.values, network.source = {"general.architecture": "toy", "ids": (1, 2)}, "there.gguf"
    save_language(network, tmp_path / "b")
    again = open_language(Artifact.seal(tmp_path / "b", format="hf-causal", meta=network.record))
    ids = torch.tensor([[5, 9, 300, 7]])
    assert torch.equal(again.net(ids).logits, network.net(ids).logits)
    assert again.tokens(tiny_texts(5)) == network.tokens(tiny_texts(5))
    assert (again.values, again.source) == (network.values, "there.gguf")
    weights = load_file(tmp_path / "b" / "model.safetensors")
    assert ("lm_head.weight" in weights) != tied
    assert (again.net.lm_head.weight is again.net.model.embed_tokens.weight) == tied
    save_language(again, tmp_path / "c")
    for path in (tmp_path / "b").iterdir():
        if path.name != "lighten.json":
            assert (tmp_path / "c" / path.name).read_bytes() == path.read_bytes()


@pytest.mark.parametrize("kind", KINDS)
def test_pieces_are_the_bytes_of_the_text(kind: str) -> None:
    known = tokens(kind)
    for text in (*tiny_texts(20, 5), "naïve 🦊\n\n\tЯ  z", "</s><|im_end|><eos>", "a" * 3000):
        said = b"".join(known.pieces(known.plain(text))).decode()
        assert said == (" " + text if kind == "sentencepiece" else text)
    control = [i for i in range(known.size) if known.pieces([i]) == [b""]]
    assert control == {"sentencepiece": [0, 1, 2], "gemma": [*range(6)]}.get(kind, [0, 1, 2])
    assert known.pieces([known.size + 7]) == [b""]


@pytest.mark.parametrize(
    ("kind", "start"), [("sentencepiece", "<s>"), ("gemma", "<bos>"), ("llama3", "<|begin_of_text|>"), ("qwen2", "")]
)
def test_control_tokens_are_read_only_where_they_are_asked_for(kind: str, start: str) -> None:
    known = tokens(kind)
    assert known.around == (1 if start else 0, 0)
    plain, text = known.plain("ba ko"), start or "<|im_end|>"
    assert known.begun("ba ko") == known(["ba ko"])[0]
    assert [known.name(i) for i in known.begun("ba ko")[: known.around[0]]] == ([start] if start else [])
    assert known.begun("ba ko")[known.around[0] :] == known.control("ba ko") == plain
    assert known.name(known.control(text + "ba")[0]) == text
    assert len(known.plain(text + "ba")) > len(known.control(text + "ba"))
    assert known.begun(text, control=True)[known.around[0] :] == known.control(text)


def test_what_the_tokenizer_puts_behind_a_text_is_left_out_of_one_that_goes_on() -> None:
    source = json.loads(tiny_language_tokenizer("llama3")[0])
    end = "<|end_of_text|>"
    source["post_processor"]["single"].append({"SpecialToken": {"id": end, "type_id": 0}})
    source["post_processor"]["special_tokens"][end] = {"id": end, "ids": [1], "tokens": [end]}
    known = Tokens(json.dumps(source), {})
    assert known.around == (1, 1)
    assert known(["ba"])[0] == [0, *known.plain("ba"), 1]
    assert known.begun("ba") == known.begun("ba", control=True) == [0, *known.plain("ba")]
    assert known.control("ba" + end) == [*known.plain("ba"), 1]


def test_the_settings_say_that_texts_begin_with_a_token() -> None:
    known = tokens("qwen2", add_bos_token=True, bos_token={"content": "<|im_start|>"})
    assert known.begun("ba") == known.begun("ba", control=True) == [1, *known.plain("ba")]
    assert tokens("qwen2", add_bos_token=True).around == (0, 0)  # which one they do not say


def test_long_texts_are_tokenized_whole() -> None:
    source = json.loads(tiny_language_tokenizer("llama3")[0])
    cut = {"direction": "Right", "max_length": 5, "strategy": "LongestFirst", "stride": 0}
    pad = {"strategy": {"Fixed": 9}, "direction": "Right", "pad_id": 0, "pad_type_id": 0, "pad_token": "x"}
    known = Tokens(json.dumps(source | {"truncation": cut, "padding": pad | {"pad_to_multiple_of": None}}), {})
    assert len(known(["ba ko " * 50])[0]) > 50
    assert len(known.begun("ba", control=True)) == len(known(["ba"])[0]) < 9


def test_the_chat_template_of_a_file_of_its_own_counts(tmp_path: Path) -> None:
    folder = tiny_language("gemma3_text", tmp_path / "a")
    (folder / "chat_template.jinja").write_text("{{ messages }}")
    network = open_language(folder)
    assert network.tokens.settings["chat_template"] == "{{ messages }}"
    save_language(network, tmp_path / "b")
    assert Tokens.open(tmp_path / "b").settings["chat_template"] == "{{ messages }}"


def test_control_tokens_without_an_embedding_are_left_out(tmp_path: Path) -> None:
    folder = tiny_language("gemma3_text", tmp_path)
    source, rows = read(folder, "tokenizer.json"), read(folder, "config.json")["vocab_size"]
    beyond = {**source["added_tokens"][0], "id": rows, "content": "<image_soft_token>"}
    write(folder, "tokenizer.json", source | {"added_tokens": [*source["added_tokens"], beyond]})
    network = open_language(folder)
    assert network.tokens.size <= rows
    assert network.tokens(["<image_soft_token>", "ba"]) == Tokens.open(folder)(["<image_soft_token>", "ba"])
    known = tokens("gemma")
    assert within(known, known.size) is known
    for rows in (known.size - 1, 300):  # the last token is found in texts, and those before it are not added at all
        with pytest.raises(
            ModelError, match=f"knows the token {known.size - 1}, the network has embeddings for {rows}"
        ):
            within(known, rows)


def read(folder: Path, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / name).read_text())
    return found


def write(folder: Path, name: str, value: Any) -> None:
    (folder / name).write_text(value if isinstance(value, str) else json.dumps(value))


def changed(name: str, **more: Any) -> Callable[[Path], None]:
    return lambda folder: write(folder, name, {**read(folder, name), **more})


def weights(change: Callable[[dict[str, torch.Tensor]], Any]) -> Callable[[Path], None]:
    def apply(folder: Path) -> None:
        state = load_file(folder / "model.safetensors")
        change(state)
        save_file(state, folder / "model.safetensors", metadata={"format": "pt"})

    return apply


UP = "model.layers.0.mlp.up_proj.weight"
BAD: dict[str, tuple[Callable[[Path], Any], type[LightenError], str]] = {
    "no head": (weights(lambda s: s.pop("lm_head.weight")), ModelError, "weights lack lm_head.weight"),
    "no matrix": (weights(lambda s: s.pop(UP)), ModelError, f"lacks {UP}"),
    "one more": (weights(lambda s: s.update(other=torch.ones(2))), ModelError, "holds other"),
    "shape": (weights(lambda s: s.update({UP: torch.ones(3, 64)})), ModelError, f"has {UP} of another shape"),
    "architecture": (changed("config.json", model_type="mamba"), ModelError, "'mamba'"),
    "code": (changed("config.json", auto_map={}), UnsafeFile, "auto_map"),
    "tokenizer code": (changed("tokenizer_config.json", auto_map={}), UnsafeFile, "auto_map"),
    "config": (lambda f: write(f, "config.json", "{"), ModelError, "cannot be read"),
    "config list": (lambda f: write(f, "config.json", []), ModelError, "holds list"),
    "no config": (lambda f: (f / "config.json").unlink(), ModelError, "cannot be read"),
    "tokenizer": (lambda f: write(f, "tokenizer.json", "{}"), ModelError, "not a tokenizer"),
    "no tokenizer": (lambda f: (f / "tokenizer.json").unlink(), ModelError, "no tokenizer.json"),
    "settings": (lambda f: write(f, "tokenizer_config.json", "{"), ModelError, "tokenizer_config.json cannot be read"),
    "metadata": (lambda f: write(f, "gguf.json", "[]"), ModelError, "gguf.json holds list"),
    "weights": (lambda f: write(f, "model.safetensors", "x"), ModelError, "can be built|safetensors"),
    "sizes": (changed("config.json", hidden_size=60), ModelError, "of another shape"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_wrong_with_a_folder_is_said(tmp_path: Path, name: str) -> None:
    change, error, seen = BAD[name]
    change(tiny_language("llama", tmp_path, tied=False))
    with pytest.raises(error, match=seen):
        open_language(tmp_path)
