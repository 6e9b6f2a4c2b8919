"""The tokenizer in the metadata of a GGUF file: what is read, what merging passes through, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from lighten.core.errors import ModelError
from lighten.nets.gguf.bpe import BYTES, KEY, SPLITS, GgufBpe, adds, byte_alphabet, read, split_name, split_of, steps


def sentencepiece(*pieces: str, **more: Any) -> dict[str, Any]:
    """Bytes, the letters a to d, then pieces of which the first is merged first."""
    return {
        KEY + "model": "llama",
        KEY + "tokens": (*BYTES, *"abcd", *pieces),
        KEY + "scores": (*(-99.0,) * 260, *(-float(i) for i in range(len(pieces)))),
        **{KEY + name: value for name, value in more.items()},
    }


def byte_level(*merges: str, **more: Any) -> dict[str, Any]:
    made = dict.fromkeys(merge.replace(" ", "") for merge in merges)
    return {
        KEY + "model": "gpt2",
        KEY + "tokens": (*byte_alphabet(), *made),
        KEY + "merges": merges,
        **{KEY + name: value for name, value in more.items()},
    }


def test_every_byte_has_a_letter_of_its_own() -> None:
    alphabet = byte_alphabet()
    assert len(alphabet) == len(set(alphabet)) == 256
    assert (alphabet[ord("a")], alphabet[ord(" ")], alphabet[ord("\n")], alphabet[0xFF]) == ("a", "Ġ", "Ċ", "ÿ")
    assert not any(letter.isspace() for letter in alphabet)


@pytest.mark.parametrize("kind", ["llama", "gpt2"])
def test_merging_passes_through_what_it_really_merges(kind: str) -> None:
    def passed(text: str, *pieces: str) -> set[str]:
        if kind == "llama":
            return read(sentencepiece(*pieces)).passed(text)
        split = {"ab": "a b", "cd": "c d", "abc": "ab c", "abcd": "ab cd", "bcd": "b cd", "bc": "b c"}
        return read(byte_level(*(split[piece] for piece in pieces))).passed(text)

    assert passed("abcd", "ab", "cd", "abc", "abcd") == {*"abcd", "ab", "cd", "abcd"}
    assert passed("bcd", "ab", "cd", "bcd") == {*"bcd", "cd", "bcd"}
    assert passed("a", "ab") == {"a"}
    assert passed("abcd", "bc", "ab", "cd", "abcd") == set()  # "bc" comes first, and then nothing makes it whole


def test_what_is_read() -> None:
    found = read(sentencepiece("ab", bos_token_id=5, mask_token_id=9_999, token_type=(1,) * 261))
    assert isinstance(found, GgufBpe)
    assert found.ids["ab"] == 260 and found.scores[260] == 0.0
    assert found.named == {
        KEY + "bos_token_id": 5,
        KEY + "eos_token_id": 2,  # by llama.cpp's default
        KEY + "unknown_token_id": 0,
    }
    assert read(byte_level("a b")).ranks == {("a", "b"): 0}
    assert read({**sentencepiece(), KEY + "tokens": ("", *BYTES), KEY + "scores": (0.0,) * 257}).texts[0] == "[EMPTY_0]"


def test_bytes_can_spell_anything() -> None:
    assert sorted(read(sentencepiece()).spelling()) == list(range(256))
    assert sorted(read(byte_level()).spelling()) == list(range(256))
    values = sentencepiece()
    values[KEY + "tokens"] = tuple("y" if text == "<0x79>" else text for text in values[KEY + "tokens"])
    assert len(read(values).spelling()) == 256  # the letter serves in the place of its byte
    values[KEY + "tokens"] = tuple("yy" if text == "<0xFF>" else text for text in values[KEY + "tokens"])
    with pytest.raises(ModelError, match="no token <0xFF>"):
        read(values).spelling()


@pytest.mark.parametrize(
    ("values", "seen"),
    [
        ({KEY + "model": "t5"}, "kind 't5'"),
        ({KEY + "model": "llama"}, "no tokenizer.ggml.tokens"),
        ({KEY + "model": "llama", KEY + "tokens": "abc"}, "not an array"),
        ({KEY + "model": "llama", KEY + "tokens": ("a", 1)}, "not an array"),
        ({KEY + "model": "llama", KEY + "tokens": ()}, "has 0 values"),
        (sentencepiece("ab", "ab"), "'ab' twice"),
        (sentencepiece(scores=(0.0,) * 7), "has 7 values"),
        (sentencepiece(bos_token_id="<s>"), "bos_token_id .* is '<s>'"),
        (byte_level("a b", merges=("a b", "ab c")), "merges 'ab' and 'c'"),
        ({KEY + "model": "gpt2", KEY + "tokens": tuple(byte_alphabet())}, "no tokenizer.ggml.merges"),
    ],
)
def test_metadata_that_contradict_each_other(values: dict[str, Any], seen: str) -> None:
    with pytest.raises(ModelError, match=seen):
        read(values)


def test_ways_to_split() -> None:
    assert split_of({KEY + "pre": "llama3"}) is SPLITS["llama-bpe"]
    assert split_of({KEY + "pre": "deepseek-r1-qwen"}) is SPLITS["qwen2"]
    assert split_of({}) is SPLITS["default"]
    with pytest.raises(ModelError, match="splits text as 'own'"):
        split_of({KEY + "pre": "own"})


@pytest.mark.parametrize("name", SPLITS)
def test_a_way_to_split_is_known_again(name: str) -> None:
    split = SPLITS[name]
    parts = [
        {"type": "Split", "pattern": {"Regex": p}, "behavior": "Isolated", "invert": False} for p in split.patterns
    ]
    bytes_ = {"type": "ByteLevel", "add_prefix_space": False, "use_regex": False}
    sequence = {"type": "Sequence", "pretokenizers": [*parts, bytes_]}
    tokenizer = {"pre_tokenizer": sequence, "normalizer": {"type": "NFC"}, "model": {"ignore_merges": split.whole}}
    assert split_name(tokenizer) == name
    with pytest.raises(ModelError, match="no name for: Lowercase"):
        split_name({**tokenizer, "normalizer": {"type": "Lowercase"}})


def test_what_is_put_around_a_text() -> None:
    assert adds(sentencepiece()) == (True, False)
    assert adds(byte_level()) == (False, False)
    assert adds(byte_level(pre="llama-bpe")) == (True, False)
    assert adds(byte_level(pre="llama-bpe", add_bos_token=False, add_eos_token=True)) == (False, True)


def test_sequences_within_sequences_are_laid_flat() -> None:
    inner = {"type": "Sequence", "normalizers": [{"type": "A"}, {"type": "B"}]}
    assert [
        p["type"]
        for p in steps({"normalizer": {"type": "Sequence", "normalizers": [inner, {"type": "C"}]}}, "normalizer")
    ] == [
        "A",
        "B",
        "C",
    ]
    assert steps({}, "normalizer") == []
