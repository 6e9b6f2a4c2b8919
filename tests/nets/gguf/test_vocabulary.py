"""GGUF vocabularies: cut so that covered text keeps its tokens, and written from a tokenizer.json."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

from lighten.core.errors import ModelError
from lighten.nets.gguf.bpe import SPLITS, byte_alphabet
from lighten.nets.gguf.tokenizer import tokenizer_json
from lighten.nets.gguf.vocabulary import closure, cut, from_tokenizer
from lighten.nets.runtimes.llama_api import Tokenizer as LlamaTokenizer
from lighten.nets.vocabulary import CannotCut
from lighten.testing.require import require

KEY = "tokenizer.ggml."
BYTES = tuple(f"<0x{byte:02X}>" for byte in range(256))
SPECIAL = ["<pad>", "<s>", "</s>", "<unk>"]
SYLLABLES = ("ba", "ko", "lin", "stre", "um", "é", "ß", "or", "ti", "zza", "qu", "ing", "ed", "ново", "映", "画", "😀")
SETTINGS = {
    "bos_token": "<s>",
    "eos_token": {"content": "</s>"},
    "pad_token": "<pad>",
    "chat_template": "<extra_1>{{ x }}",
}
KINDS = ("sentencepiece", "sentencepiece_bare", "gpt-2", "llama-bpe", "qwen2")


def sentences(count: int = 300) -> list[str]:
    rng = random.Random(7)
    words = ["".join(rng.choices(SYLLABLES, k=rng.randint(1, 4))) for _ in range(250)]
    weights = [1 / (rank + 2) for rank in range(len(words))]
    return [" ".join(rng.choices(words, weights, k=rng.randint(2, 9))) + rng.choice(".!?,") for _ in range(count)]


@cache
def trained(kind: str) -> str:
    """A tokenizer.json whose tokens begin with special ones and end with a user-defined and two free places."""
    inner: Any = Tokenizer(models.BPE(unk_token="<unk>" if kind.startswith("sent") else None))
    special = {"special_tokens": SPECIAL, "show_progress": False}
    if kind.startswith("sentencepiece"):
        space = normalizers.Replace(" ", "▁")
        prefixed = normalizers.Sequence([normalizers.Prepend("▁"), space])
        inner.normalizer = prefixed if kind == "sentencepiece" else space
        inner.train_from_iterator(sentences(), trainers.BpeTrainer(vocab_size=500, **special))
    else:
        bytes_ = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=kind == "gpt-2")
        regex = [pre_tokenizers.Split(_regex(pattern), "isolated") for pattern in SPLITS[kind].patterns]
        inner.pre_tokenizer = bytes_ if kind == "gpt-2" else pre_tokenizers.Sequence([*regex, bytes_])
        inner.decoder = decoders.ByteLevel()
        alphabet = pre_tokenizers.ByteLevel.alphabet()
        inner.train_from_iterator(
            sentences(), trainers.BpeTrainer(vocab_size=700, initial_alphabet=alphabet, **special)
        )
    begin = [("<s>", inner.token_to_id("<s>"))]
    inner.post_processor = processors.TemplateProcessing("<s> $A", special_tokens=begin)
    made = json.loads(inner.to_str())
    made["model"]["ignore_merges"] = kind == "llama-bpe"
    if kind.startswith("sentencepiece"):
        made = _with_bytes(made)
    size = len(made["model"]["vocab"])
    plain = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False}
    for place, (text, special_) in enumerate((("\n\n", False), ("<extra_1>", True), ("<extra_2>", True))):
        made["added_tokens"].append({"id": size + place, "content": text, "special": special_, **plain})
    return json.dumps(made)


def _regex(pattern: str) -> Any:
    from tokenizers import Regex

    return Regex(pattern)


def _with_bytes(made: dict[str, Any]) -> dict[str, Any]:
    """As SentencePiece has it: tokens for bytes, and whatever spells a token is a merge of it."""
    model = made["model"]
    old = sorted(model["vocab"], key=model["vocab"].__getitem__)
    names = [*SPECIAL, *BYTES, *old[len(SPECIAL) :]]
    model["vocab"] = {token: i for i, token in enumerate(names)}
    order = dict.fromkeys("".join(merge) for merge in model["merges"])
    pairs = ([token[:i], token[i:]] for token in order for i in range(1, len(token)))
    model["merges"] = [pair for pair in pairs if pair[0] in model["vocab"] and pair[1] in model["vocab"]]
    return {**made, "model": {**model, "byte_fallback": True, "fuse_unk": True}}


def values_of(kind: str, **more: Any) -> dict[str, Any]:
    made = from_tokenizer(json.loads(trained(kind)), SETTINGS, rows=800)
    return {"general.architecture": "toy", "toy.vocab_size": 800, **made, **more}


class Spoken:
    """The tokenizer that metadata describe; text in, token strings and ids out, and back."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.inner = Tokenizer.from_str(json.dumps(tokenizer_json(values)[0]))
        self.inner.encode_special_tokens = True

    def ids(self, text: str) -> list[int]:
        return list(self.inner.encode(text).ids)

    def back(self, text: str) -> str:
        return str(self.inner.decode(self.inner.encode(text, add_special_tokens=False).ids))


class Pair:
    """A vocabulary before and after it was cut to what the first sentences use."""

    def __init__(self, kind: str) -> None:
        self.old_values = values_of(kind)
        self.prefix = self.old_values.get(KEY + "add_space_prefix", False)
        self.old = Spoken(self.old_values)
        self.used = {i for text in sentences()[:100] for i in self.old.ids(text)}
        self.new_values, self.kept = cut(self.old_values, self.used)
        self.new = Spoken(self.new_values)

    def check(self, text: str) -> bool:
        """Assert what is promised for ``text``; whether it is covered."""
        was, now = self.old.ids(text), self.new.ids(text)
        covered = set(self.kept).issuperset(was)
        if covered:
            assert [self.kept[i] for i in now] == was
        assert self.new.back(text) == self.old.back(text)
        if self.prefix is False or "\n\n" not in text:  # a part behind a user-defined token gets a space of its own
            assert self.new.back(text) == text
        return covered


@cache
def pair(kind: str) -> Pair:
    return Pair(kind)


# The sign that stands for a space in SentencePiece comes back as a space, before the cut as well.
CHARACTERS = st.characters(exclude_characters="▁", exclude_categories=["Cs"])
WORDS = st.lists(
    st.sampled_from([*SYLLABLES, *SYLLABLES[:8], " ", " ", ".", "z", "\n\n", "<extra_1>", "🦊"]), max_size=14
)
TEXTS = st.one_of(WORDS.map("".join), st.text(CHARACTERS, max_size=30))


@pytest.mark.parametrize("kind", KINDS)
def test_covered_sentences_keep_their_tokens(kind: str) -> None:
    assert all(pair(kind).check(text) for text in sentences()[:100])
    assert 0 < sum(pair(kind).check(text) for text in sentences()[100:]) < 200
    assert len(pair(kind).kept) < len(pair(kind).old_values[KEY + "tokens"]) / 1.2


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=60, deadline=None)
@given(text=TEXTS)
def test_any_text_comes_back_and_covered_text_keeps_its_tokens(kind: str, text: str) -> None:
    pair(kind).check(text)


@pytest.mark.parametrize("kind", KINDS)
def test_llama_cpp_reads_the_cut_as_promised(kind: str, tmp_path: Path) -> None:
    require(find_spec("xllamacpp"), "llama.cpp (pip install 'lighten[llama]')")
    both = pair(kind)
    old, new = write(tmp_path / "old.gguf", both.old_values), write(tmp_path / "new.gguf", both.new_values)
    with LlamaTokenizer(old) as before, LlamaTokenizer(new) as after:
        assert (before.size, after.size) == (800, len(both.kept))
        covered = 0
        for text in (*sentences(), "🦊  z\n\n\nЯ <extra_1>", "ba  ko"):
            was, now = before.encode(text), after.encode(text)
            assert was == both.old.ids(text)
            assert b"".join(after.pieces(now)).decode() == b"".join(before.pieces(was)).decode()
            if set(both.kept).issuperset(was):
                covered += 1
                assert [both.kept[i] for i in now] == was
        assert 100 < covered < 302
        ends = [both.kept[i] for i in range(after.size) if after.ends(i)]
        assert ends == [i for i in range(before.size) if before.ends(i)] == [2]


@pytest.mark.parametrize("kind", KINDS)
def test_what_the_metadata_name_follows(kind: str) -> None:
    values = values_of(kind, **{KEY + "suppress_tokens": (1, 700), KEY + "mask_token_id": 9_999})
    before = copy.deepcopy(values)
    made, kept = cut(values, [400])
    assert values == before
    assert kept == sorted(kept) and 400 in kept and len(kept) == len(made[KEY + "tokens"]) == made["toy.vocab_size"]
    assert [values[KEY + "tokens"][i] for i in kept] == list(made[KEY + "tokens"])
    for name in ("bos", "eos", "padding"):
        key = f"{KEY}{name}_token_id"
        assert kept[made[key]] == values[key]
    assert [kept[i] for i in made[KEY + "suppress_tokens"]] == [1]
    assert KEY + "mask_token_id" not in made  # no token had this id
    everything, kept = cut(values_of(kind), range(800))
    assert kept == list(range(800)) and everything.items() >= values_of(kind).items()


@pytest.mark.parametrize("kind", ["sentencepiece", "gpt-2"])
def test_free_places_go_and_what_the_chat_template_names_stays(kind: str) -> None:
    values = values_of(kind)
    texts = set(cut(values, [])[0][KEY + "tokens"])
    assert {*SPECIAL, "\n\n", "<extra_1>"} <= texts
    assert "<extra_2>" not in texts and not any(text.startswith("[PAD") for text in texts)
    place = values[KEY + "tokens"].index("<extra_2>")
    assert place in closure(values, [place])


def test_the_smallest_vocabularies() -> None:
    texts = set(cut(values_of("sentencepiece"), [])[0][KEY + "tokens"])
    assert texts == {*SPECIAL, *BYTES, "▁", *"abdegiklmnoqrstuz.!?,", "\n\n", "<extra_1>"}
    texts = set(cut(values_of("gpt-2"), [])[0][KEY + "tokens"])
    assert texts == {*SPECIAL, *byte_alphabet(), "\n\n", "<extra_1>"}


def test_a_token_brings_what_it_is_merged_from_and_no_more() -> None:
    pieces = ("ab", "cd", "abc", "abcd", "bcd", "▁a")
    values = {
        KEY + "model": "llama",
        KEY + "tokens": (*BYTES, *"abcd▁é", *pieces),
        KEY + "scores": (*(-99.0,) * 262, *(-float(i) for i in range(len(pieces)))),
        KEY + "bos_token_id": 5,
        "tokenizer.huggingface.json": "{}",
    }

    def needs(text: str) -> set[str]:
        made, _ = cut(values, [values[KEY + "tokens"].index(text)])
        return set(made[KEY + "tokens"]) - {*BYTES, *"abcd▁"}

    assert needs("abcd") == {"abcd", "ab", "cd"}  # by "ab" and "cd", never by "abc"
    assert needs("abc") == {"abc", "ab"}
    assert needs("bcd") == {"bcd", "cd"}
    assert needs("é") == {"é"} and needs("a") == set()
    made, _ = cut(values, [])
    assert made[KEY + "unknown_token_id"] == 0  # said now, as it was taken for granted before
    assert KEY + "merges" not in made and "tokenizer.huggingface.json" not in made


def test_byte_level_merges_are_cut_with_their_tokens() -> None:
    values = values_of("gpt-2")
    made, _ = cut(values, [values[KEY + "tokens"].index("Ġlin")])
    there = set(made[KEY + "tokens"])
    lines = [line.split(" ") for line in values[KEY + "merges"]]
    assert [line.split(" ") for line in made[KEY + "merges"]] == [
        [left, right] for left, right in lines if {left, right, left + right} <= there
    ]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({KEY + "model": "bert", KEY + "tokens": ("a",)}, "'bert'"),
        ({KEY + "model": "t5", KEY + "tokens": ("a",)}, "'t5'"),
        ({KEY + "model": "rwkv", KEY + "tokens": ("a",)}, "'rwkv'"),
        ({"general.architecture": "toy"}, "None"),
        ({KEY + "model": "llama", KEY + "tokens": ("a",)}, "no token <0x00>"),
        ({KEY + "model": "gpt2", KEY + "tokens": ("a",)}, "merges"),
    ],
)
def test_what_cannot_be_cut(values: dict[str, Any], message: str) -> None:
    with pytest.raises(CannotCut, match=message):
        cut(values, [])


def test_ids_that_are_not_there() -> None:
    with pytest.raises(CannotCut, match=r"suppress_tokens .* is 5"):
        cut(values_of("gpt-2", **{KEY + "suppress_tokens": 5}), [])
    with pytest.raises(CannotCut, match="no token 800"):
        closure(values_of("gpt-2"), [3, 800])


def test_metadata_of_a_tokenizer() -> None:
    values = values_of("sentencepiece_bare")
    rest = {key: value for key, value in values.items() if not isinstance(value, tuple)}
    assert rest == {
        "general.architecture": "toy",
        "toy.vocab_size": 800,
        KEY + "model": "llama",
        KEY + "pre": "default",
        KEY + "add_space_prefix": False,
        KEY + "unknown_token_id": 3,
        KEY + "bos_token_id": 1,
        KEY + "eos_token_id": 2,
        KEY + "padding_token_id": 0,
        KEY + "add_bos_token": True,
        KEY + "add_eos_token": False,
        "tokenizer.chat_template": "<extra_1>{{ x }}",
    }
    assert values[KEY + "token_type"][:5] == (3, 3, 3, 2, 6)
    size = values[KEY + "tokens"].index("\n\n")
    assert values[KEY + "token_type"][size - 1 : size + 4] == (1, 4, 3, 3, 5)
    assert values[KEY + "tokens"][size + 3 :] == tuple(f"[PAD{i}]" for i in range(size + 3, 800))
    for kind in ("gpt-2", "llama-bpe", "qwen2"):
        assert (values_of(kind)[KEY + "model"], values_of(kind)[KEY + "pre"]) == ("gpt2", kind)


@pytest.mark.parametrize("kind", KINDS)
def test_there_and_back_gives_the_same_ids(kind: str) -> None:
    original = Tokenizer.from_str(trained(kind))
    original.encode_special_tokens = True
    again = Spoken(values_of(kind))
    for text in (*sentences(), "🦊  z\n\n\nЯ <extra_1>", "", "  ba"):
        assert again.ids(text) == original.encode(text).ids


def test_user_defined_spaces_are_looked_for_as_spaces() -> None:
    tokenizer = json.loads(trained("sentencepiece_bare"))
    tokenizer["added_tokens"][-3]["content"] = "▁▁▁"
    assert "   " in from_tokenizer(tokenizer, SETTINGS, rows=800)[KEY + "tokens"]


def test_several_chat_templates_and_settings_in_place_of_a_post_processor() -> None:
    tokenizer = json.loads(trained("qwen2")) | {"post_processor": {"type": "ByteLevel"}}
    templates = [{"name": "default", "template": "d"}, {"name": "tool", "template": "t"}]
    values = from_tokenizer(tokenizer, SETTINGS | {"chat_template": templates, "add_eos_token": True}, rows=800)
    assert (values["tokenizer.chat_template"], values["tokenizer.chat_template.tool"]) == ("d", "t")
    assert (values[KEY + "add_bos_token"], values[KEY + "add_eos_token"]) == (False, True)


def _with(kind: str, part: str, value: Any) -> dict[str, Any]:
    return json.loads(trained(kind)) | {part: value}


def _model(kind: str, **more: Any) -> dict[str, Any]:
    tokenizer = json.loads(trained(kind))
    return _with(kind, "model", {**tokenizer["model"], **more})


def _merges(change: Any) -> dict[str, Any]:
    merges = json.loads(trained("sentencepiece"))["model"]["merges"]
    return _model("sentencepiece", merges=change(merges))


def _apart(merges: list[list[str]]) -> list[list[str]]:
    """The merges with the first of two that make the same token moved to the end."""
    first = next(i for i in range(len(merges) - 1) if "".join(merges[i]) == "".join(merges[i + 1]))
    return [*merges[:first], *merges[first + 1 :], merges[first]]


DOUBLE = {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<s>"}}] * 2 + [{"Sequence": {"id": "A"}}]}
DOUBLE |= {"special_tokens": {"<s>": {"ids": [1]}}}


@pytest.mark.parametrize(
    ("tokenizer", "message"),
    [
        (_model("gpt-2", type="WordPiece", max_input_chars_per_word=9), "kind 'WordPiece'"),
        (_model("sentencepiece", byte_fallback=False), "does not spell in bytes"),
        (_model("sentencepiece", end_of_word_suffix="</w>"), "kind 'BPE'"),
        (_with("gpt-2", "pre_tokenizer", {"type": "ByteLevel", "add_prefix_space": True}), "no name for: ByteLevel"),
        (_model("qwen2", ignore_merges=True), "takes a whole part"),
        (_with("gpt-2", "normalizer", {"type": "Lowercase"}), "Lowercase"),
        (_with("sentencepiece", "normalizer", {"type": "NFKC"}), "'NFKC'"),
        (_with("sentencepiece", "normalizer", None), "does not write spaces"),
        (_with("sentencepiece", "post_processor", {"type": "Own"}), "'Own'"),
        (_with("sentencepiece", "post_processor", DOUBLE), "several tokens"),
        (_merges(lambda merges: merges[:-1]), "where llama.cpp would by"),
        (_merges(_apart), "do not follow one another"),
    ],
    ids=lambda found: found if isinstance(found, str) else "",
)
def test_tokenizers_that_llama_cpp_cannot_follow(tokenizer: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        from_tokenizer(tokenizer, SETTINGS, rows=800)


def test_settings_that_do_not_fit() -> None:
    tokenizer = json.loads(trained("gpt-2"))
    with pytest.raises(ModelError, match=r"embeddings have 100 rows"):
        from_tokenizer(tokenizer, SETTINGS, rows=100)
    with pytest.raises(ModelError, match="'<none>' as pad_token"):
        from_tokenizer(tokenizer, SETTINGS | {"pad_token": "<none>"}, rows=800)
    with pytest.raises(ModelError, match="which is the eos_token"):
        from_tokenizer(tokenizer, {}, rows=800)
    tokenizer["added_tokens"][-3]["lstrip"] = True
    with pytest.raises(ModelError, match="the spaces or the word around"):
        from_tokenizer(tokenizer, SETTINGS, rows=800)


def write(path: Path, values: Mapping[str, Any]) -> Path:
    gguf = pytest.importorskip("gguf")
    writer = gguf.GGUFWriter(path, "llama")
    for key, value in values.items():
        if key == "general.architecture":
            continue
        if isinstance(value, tuple):
            writer.add_array(key, list(value))
        else:
            {bool: writer.add_bool, int: writer.add_uint32, str: writer.add_string}[type(value)](key, value)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path
