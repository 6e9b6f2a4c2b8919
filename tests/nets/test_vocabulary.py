"""Cutting a tokenizer: covered text keeps its tokens, nothing becomes unknown, every id that is named follows."""

from __future__ import annotations

import copy
import json
import random
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

from lighten.data.samples import samples_home
from lighten.nets.vocabulary import CannotCut, Merges, closure, cut, kind_of, tokens, used
from lighten.testing.require import require

SYLLABLES = ("ba", "ko", "lin", "stre", "um", "é", "ß", "or", "ti", "zza", "qu", "ing", "ed", "ново", "映", "画", "😀")
SPECIAL = ["<pad>", "<s>", "</s>", "<unk>"]
KINDS = (
    "wordpiece",
    "byte_bpe",
    "byte_bpe_words",
    "clip_bpe",
    "prefix_bpe",
    "sentencepiece_bpe",
    "unigram",
    "wordlevel",
)
SPELLING = tuple(kind for kind in KINDS if kind != "wordlevel")


def sentences(count: int = 300) -> list[str]:
    rng = random.Random(7)
    words = ["".join(rng.choices(SYLLABLES, k=rng.randint(1, 4))) for _ in range(250)]
    weights = [1 / (rank + 2) for rank in range(len(words))]
    return [" ".join(rng.choices(words, weights, k=rng.randint(2, 9))) + rng.choice(".!?,") for _ in range(count)]


@cache
def tokenizer_json(kind: str) -> str:
    special = {"special_tokens": SPECIAL, "show_progress": False}
    inner: Any
    trainer: Any = trainers.BpeTrainer(vocab_size=500, **special)
    if kind == "wordpiece":
        inner, trainer = (
            Tokenizer(models.WordPiece(unk_token="<unk>")),
            trainers.WordPieceTrainer(vocab_size=400, **special),
        )
        inner.normalizer, inner.pre_tokenizer = normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer()
        inner.decoder = decoders.WordPiece()
    elif kind in ("byte_bpe", "byte_bpe_words"):
        inner = Tokenizer(models.BPE(ignore_merges=kind == "byte_bpe_words"))
        inner.pre_tokenizer, inner.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
        alphabet = pre_tokenizers.ByteLevel.alphabet()
        trainer = trainers.BpeTrainer(vocab_size=600, initial_alphabet=alphabet, **special)
    elif kind == "clip_bpe":
        inner = Tokenizer(models.BPE(unk_token="<unk>", end_of_word_suffix="</w>"))
        inner.pre_tokenizer, inner.decoder = pre_tokenizers.Whitespace(), decoders.BPEDecoder()
        trainer = trainers.BpeTrainer(vocab_size=400, end_of_word_suffix="</w>", **special)
    elif kind == "prefix_bpe":
        inner = Tokenizer(models.BPE(unk_token="<unk>", continuing_subword_prefix="##"))
        inner.pre_tokenizer, inner.decoder = pre_tokenizers.BertPreTokenizer(), decoders.WordPiece()
        trainer = trainers.BpeTrainer(vocab_size=400, continuing_subword_prefix="##", **special)
    elif kind == "sentencepiece_bpe":
        inner = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True))
        inner.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    elif kind == "unigram":
        inner, trainer = (
            Tokenizer(models.Unigram()),
            trainers.UnigramTrainer(vocab_size=300, unk_token="<unk>", **special),
        )
        inner.pre_tokenizer, inner.decoder = pre_tokenizers.Metaspace(), decoders.Metaspace()
    else:
        inner, trainer = Tokenizer(models.WordLevel(unk_token="<unk>")), trainers.WordLevelTrainer(**special)
        inner.pre_tokenizer = pre_tokenizers.Whitespace()
    inner.train_from_iterator(sentences(), trainer)
    ends = [(token, inner.token_to_id(token)) for token in ("<s>", "</s>")]
    if kind == "byte_bpe":
        inner.post_processor = processors.RobertaProcessing(ends[1], ends[0])
    else:
        inner.post_processor = processors.TemplateProcessing("<s> $A </s>", "<s> $A </s> $B:1 </s>:1", ends)
    inner.add_special_tokens(["<mask>"])
    made = json.loads(inner.to_str())
    if kind == "sentencepiece_bpe":
        made = with_bytes(made)
    return json.dumps(made)


def with_bytes(tokenizer: dict[str, Any]) -> dict[str, Any]:
    """As transformers converts SentencePiece BPE: tokens for bytes, and every split of a token as a merge of it."""
    model = tokenizer["model"]
    old = sorted(model["vocab"], key=model["vocab"].__getitem__)
    names = [*SPECIAL, *(f"<0x{byte:02X}>" for byte in range(256)), *old[len(SPECIAL) :]]
    model["vocab"] = {token: i for i, token in enumerate(names)}
    order = [left + right for left, right in model["merges"]]
    splits = ((token, i) for token in order for i in range(1, len(token)))
    pairs = ([token[:i], token[i:]] for token, i in splits)
    model["merges"] = [pair for pair in pairs if pair[0] in model["vocab"] and pair[1] in model["vocab"]]
    model["byte_fallback"] = True
    for token in tokenizer["added_tokens"]:
        token["id"] = model["vocab"].get(token["content"], len(names))
    unspace = {"type": "Replace", "pattern": {"String": "▁"}, "content": " "}
    strip = {"type": "Strip", "content": " ", "start": 1, "stop": 0}
    tokenizer["decoder"] = {
        "type": "Sequence",
        "decoders": [unspace, {"type": "ByteFallback"}, {"type": "Fuse"}, strip],
    }
    return tokenizer


class Pair:
    """A tokenizer before and after it was cut to what the first third of the sentences uses."""

    def __init__(self, source: str, texts: list[str]) -> None:
        self.json = json.loads(source)
        self.old = Tokenizer.from_str(source)
        counts = used(lambda rows: [e.ids for e in self.old.encode_batch(list(rows))], texts)
        self.new_json, self.kept = cut(self.json, counts)
        self.new = Tokenizer.from_str(json.dumps(self.new_json))
        self.names = set(tokens(self.new_json).values())

    def check_text(self, text: str) -> bool:
        """Assert what is promised for ``text``; whether it is covered."""
        was, now = self.old.encode(text), self.new.encode(text)
        covered = self.names.issuperset(was.tokens)
        if covered:
            assert now.tokens == was.tokens
            assert [self.kept[i] for i in now.ids] == was.ids
        if kind_of(self.json) != "WordLevel":
            assert "<unk>" not in now.tokens or "<unk>" in was.tokens
            if self.old.decode(was.ids) == text:
                assert self.new.decode(now.ids) == text
        return covered


@cache
def pair(kind: str) -> Pair:
    return Pair(tokenizer_json(kind), sentences()[:100])


WORDS = st.lists(st.sampled_from([*SYLLABLES, *SYLLABLES[:8], " ", " ", ".", "z", "\n", "<mask>", "🦊"]), max_size=14)
TEXTS = st.one_of(WORDS.map("".join), st.text(max_size=30))


@pytest.mark.parametrize("kind", KINDS)
def test_covered_sentences_keep_their_tokens(kind: str) -> None:
    assert all(pair(kind).check_text(text) for text in sentences()[:100])
    assert 0 < sum(pair(kind).check_text(text) for text in sentences()[100:]) < 200
    assert len(pair(kind).kept) < len(tokens(pair(kind).json))


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=150, deadline=None)
@given(text=TEXTS)
def test_any_text_keeps_the_promises(kind: str, text: str) -> None:
    pair(kind).check_text(text)


@pytest.mark.parametrize("kind", SPELLING)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_choice_of_tokens_keeps_the_promises(kind: str, data: st.DataObject) -> None:
    tokenizer = json.loads(tokenizer_json(kind))
    keep = data.draw(st.sets(st.sampled_from(sorted(tokens(tokenizer))), max_size=40))
    chosen = Pair.__new__(Pair)
    chosen.json, chosen.old = tokenizer, pair(kind).old
    chosen.new_json, chosen.kept = cut(tokenizer, keep)
    chosen.new, chosen.names = Tokenizer.from_str(json.dumps(chosen.new_json)), set(tokens(chosen.new_json).values())
    for text in data.draw(st.lists(TEXTS, min_size=1, max_size=5)):
        chosen.check_text(text)
    for i in keep:  # what was asked for can still be produced, wherever it could be
        text = chosen.old.decode([i], skip_special_tokens=False)
        assert not chosen.names.issuperset(chosen.old.encode(text).tokens) or chosen.check_text(text)


@pytest.mark.parametrize("kind", KINDS)
def test_ids_are_compact_in_the_old_order_and_as_the_library_counts_them(kind: str) -> None:
    cut_one = pair(kind)
    assert cut_one.kept == sorted(cut_one.kept)
    assert cut_one.new.get_vocab(with_added_tokens=True) == {t: i for i, t in tokens(cut_one.new_json).items()}
    assert [tokens(cut_one.json)[i] for i in cut_one.kept] == [
        tokens(cut_one.new_json)[i] for i in range(len(cut_one.kept))
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_special_tokens_follow(kind: str) -> None:
    cut_one = pair(kind)
    encoding = cut_one.new.encode("ba ko", "lin")
    for token, i in zip(encoding.tokens, encoding.ids, strict=True):
        assert cut_one.new.token_to_id(token) == i
    assert encoding.tokens[0] == "<s>" and encoding.tokens[-1] == "</s>"
    assert "<mask>" in cut_one.new.encode("ba <mask> ko").tokens
    assert cut_one.new.decode(encoding.ids, skip_special_tokens=True).find("<s>") == -1


def test_special_tokens_move_when_rows_before_them_go() -> None:
    vocab = {"a": 0, "[PAD]": 1, "b": 2, "[UNK]": 3, "c": 4, "[CLS]": 5, "[SEP]": 6}
    inner = Tokenizer(models.WordLevel(vocab, unk_token="[UNK]"))
    inner.pre_tokenizer = pre_tokenizers.Whitespace()
    inner.post_processor = processors.Sequence(
        [processors.ByteLevel(), processors.BertProcessing(("[SEP]", 6), ("[CLS]", 5))]
    )
    inner.enable_padding(length=5, pad_id=1, pad_token="[PAD]")
    made, kept = cut(json.loads(inner.to_str()), ["c"])
    assert kept == [1, 3, 4, 5, 6]
    encoding = Tokenizer.from_str(json.dumps(made)).encode("a c")
    assert (encoding.tokens, encoding.ids) == (["[CLS]", "[UNK]", "c", "[SEP]", "[PAD]"], [3, 1, 2, 4, 0])


def bpe(merges: list[Any], alphabet: str = "abcd", **model: Any) -> dict[str, Any]:
    pairs = [m.split(" ") if isinstance(m, str) else m for m in merges]
    names = dict.fromkeys([*alphabet, *(left + right for left, right in pairs)])
    return {"model": {"type": "BPE", "vocab": {t: i for i, t in enumerate(names)}, "merges": merges, **model}}


@pytest.mark.parametrize("merges", [["#version: 0.2", "a b", "c d", "ab c"], [["a", "b"], ["c", "d"], ["ab", "c"]]])
def test_a_bpe_token_brings_what_it_is_merged_from(merges: list[Any]) -> None:
    made, kept = cut(bpe([m for m in merges if m != "#version: 0.2"]) | {}, ["abc"])
    assert made["model"]["vocab"] == {"a": 0, "b": 1, "c": 2, "d": 3, "ab": 4, "abc": 5}
    assert kept == [0, 1, 2, 3, 4, 6]
    assert made["model"]["merges"] == [m for m in merges if m in ("a b", "ab c", ["a", "b"], ["ab", "c"])]


def test_a_header_among_the_merges_is_no_merge() -> None:
    assert Merges({"merges": ["#version: 0.2", "a b"]}).ranks == {("a", "b"): 0}


def test_only_the_merges_that_happen_bring_parts() -> None:
    tokenizer = bpe([["a", "b"], ["b", "c"], ["ab", "c"], ["a", "bc"]])
    names = tokens(tokenizer)
    assert {names[i] for i in closure(tokenizer, ["abc"])} == {*"abcd", "ab", "abc"}


def test_a_token_that_merging_cannot_reach_brings_all_it_could_be_made_from() -> None:
    tokenizer = bpe([["b", "c"], ["a", "b"], ["ab", "c"]], ignore_merges=True)
    assert {tokens(tokenizer)[i] for i in closure(tokenizer, ["abc"])} == {*"abcd", "ab", "abc"}


def test_characters_go_only_where_bytes_can_spell_them() -> None:
    names = tokens(pair("sentencepiece_bpe").json)
    bare = {names[i] for i in closure(pair("sentencepiece_bpe").json, [])}
    assert bare == {*SPECIAL, "<mask>", "▁", *(f"<0x{byte:02X}>" for byte in range(256))}
    for kind in ("wordpiece", "byte_bpe", "clip_bpe", "unigram"):
        tokenizer = pair(kind).json
        letters = {i for i, t in tokens(tokenizer).items() if len(t.removeprefix("##").removesuffix("</w>")) == 1}
        assert letters and letters <= closure(tokenizer, [])


def test_a_token_with_a_character_of_its_own_stays() -> None:
    vocab = {"[UNK]": 0, "a": 1, "##a": 2, "##b": 3, "ab": 4, "aé": 5}
    model = {"type": "WordPiece", "vocab": vocab, "unk_token": "[UNK]", "continuing_subword_prefix": "##"}
    assert closure({"model": model}, []) == {0, 1, 2, 3, 5}


def test_the_lowest_score_stays_for_unknown_characters_hang_on_it() -> None:
    tokenizer = {
        "model": {"type": "Unigram", "unk_id": 0, "vocab": [["?", 0.0], ["a", -1.0], ["aa", -9.0], ["ab", -2.0]]}
    }
    made, kept = cut(tokenizer, [])
    assert kept == [0, 1, 2, 3]  # "ab": no token is "b"
    tokenizer["model"]["vocab"][3:] = [["aaa", -3.0]]
    assert cut(tokenizer, [])[1] == [0, 1, 2]
    assert made["model"]["unk_id"] == 0


@pytest.mark.parametrize("kind", KINDS)
def test_the_tokenizer_given_is_not_changed(kind: str) -> None:
    tokenizer = json.loads(tokenizer_json(kind))
    before = copy.deepcopy(tokenizer)
    cut(tokenizer, [0])
    assert tokenizer == before
    everything, kept = cut(tokenizer, tokens(tokenizer))
    assert everything == tokenizer and kept == list(tokens(tokenizer))


def test_files_without_a_type_are_understood() -> None:
    for kind in ("wordpiece", "byte_bpe", "unigram", "wordlevel"):
        tokenizer = json.loads(tokenizer_json(kind))
        named = tokenizer["model"].pop("type")
        assert kind_of(tokenizer) == named


def broken(kind: str, **model: Any) -> dict[str, Any]:
    tokenizer = json.loads(tokenizer_json(kind))
    tokenizer["model"].update(model)
    return dict(tokenizer)


def test_refusals() -> None:
    with pytest.raises(CannotCut, match="'Morphemes'"):
        cut(broken("wordlevel", type="Morphemes"), [])
    with pytest.raises(CannotCut, match="dropout"):
        cut(broken("byte_bpe", dropout=0.1), [])
    with pytest.raises(CannotCut, match="WordLevel without a token for unknown words"):
        cut(broken("wordlevel", unk_token="nowhere"), [])
    with pytest.raises(CannotCut, match="merge"):
        cut(broken("byte_bpe", merges=["a b c"]), [])
    with pytest.raises(CannotCut, match="post-processor of the kind 'Own'"):
        cut(broken("wordlevel") | {"post_processor": {"type": "Own"}}, [])
    with pytest.raises(CannotCut, match=r"\[987654\]"):
        cut(broken("wordlevel") | {"padding": {"pad_id": 987654}}, [])
    with pytest.raises(CannotCut, match="share an id"):
        cut(broken("wordlevel", vocab={"<unk>": 0, "a": 0}) | {"added_tokens": []}, [])
    with pytest.raises(CannotCut, match="list of added tokens"):
        cut(broken("wordlevel") | {"added_tokens": [{"id": 9, "content": "<unk>"}]}, [])
    with pytest.raises(CannotCut, match="no token 'nosuchtoken'"):
        cut(broken("wordlevel"), ["nosuchtoken"])
    with pytest.raises(CannotCut, match="no token 1000000"):
        cut(broken("wordlevel"), [10**6])


@pytest.fixture(scope="module")
def minilm() -> str:
    path = samples_home() / "minilm" / "tokenizer.json"
    require(path.is_file(), "the sample minilm (lighten sample minilm)")
    return path.read_text(encoding="utf-8")


def test_a_real_vocabulary(minilm: str) -> None:
    texts = [
        "A touching, unforgettable film.",
        "The plot was tediously predictable; actors mumbled.",
        "ordinary 東京 naïve",
    ]
    cut_one = Pair(minilm.replace("[UNK]", "<unk>"), texts)
    assert 2000 < len(cut_one.kept) < 2100
    assert all(cut_one.check_text(text) for text in texts)
    for text in ("Quixotic zeitgeist!", "🦊 mumbled unforgettably", "x" * 120, "[unused7] [MASK]"):
        cut_one.check_text(text)
