"""The tokenizer of a GGUF file as a tokenizer.json: the ids that llama.cpp gives, or a refusal."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from importlib.util import find_spec
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer

from lighten.core.errors import ModelError
from lighten.nets.gguf.bpe import SPLITS, GgufBpe, byte_alphabet, read
from lighten.nets.gguf.tokenizer import ends, tokenizer_json
from lighten.nets.runtimes.llama_api import Tokenizer as LlamaTokenizer
from lighten.testing.require import require

KEY = "tokenizer.ggml."
SPECIAL = ("<unk>", "<s>", "</s>")
BYTES = tuple(f"<0x{byte:02X}>" for byte in range(256))
Values = dict[str, Any]


def sentencepiece(*pieces: str, characters: str = "▁abcd", user: tuple[str, ...] = (), **more: Any) -> Values:
    """A vocabulary of which ``pieces`` are merged in their order."""
    normal = [*dict.fromkeys(characters), *pieces]
    types = [2, 3, 3] + [6] * 256 + [1] * len(normal) + [4] * len(user)
    scores = [0.0] * 259 + [-100.0 - i for i in range(len(normal) - len(pieces))]
    scores += [-1.0 - i for i in range(len(pieces))] + [-1000.0] * len(user)
    return {
        KEY + "model": "llama",
        KEY + "tokens": (*SPECIAL, *BYTES, *normal, *user),
        KEY + "scores": tuple(scores),
        KEY + "token_type": tuple(types),
        **{KEY + name: value for name, value in more.items()},
    }


def byte_level(*merges: str, pre: str = "gpt-2", user: tuple[str, ...] = (), **more: Any) -> Values:
    made = [left + right for left, _, right in (merge.partition(" ") for merge in merges)]
    normal = [*byte_alphabet(), *dict.fromkeys(made)]
    return {
        KEY + "model": "gpt2",
        KEY + "pre": pre,
        KEY + "tokens": (*normal, "<|end|>", *user),
        KEY + "token_type": (1,) * len(normal) + (3,) + (4,) * len(user),
        KEY + "merges": merges,
        KEY + "eos_token_id": len(normal),
        KEY + "bos_token_id": len(normal),
        **{KEY + name: value for name, value in more.items()},
    }


class Read:
    """A tokenizer made from metadata, control tokens in text left as text."""

    def __init__(self, values: Values) -> None:
        self.texts = values[KEY + "tokens"]
        self.json, self.settings = tokenizer_json(values)
        self.inner = Tokenizer.from_str(json.dumps(self.json))
        self.inner.encode_special_tokens = True

    def ids(self, text: str) -> list[int]:
        return list(self.inner.encode(text).ids)

    def __call__(self, text: str) -> list[str]:
        return [self.texts[i] for i in self.inner.encode(text, add_special_tokens=False).ids]


def write(path: Path, values: Mapping[str, Any]) -> Path:
    gguf = pytest.importorskip("gguf")
    writer = gguf.GGUFWriter(path, "llama")
    for key, value in values.items():
        if isinstance(value, tuple):
            writer.add_array(key, list(value))
        else:
            {bool: writer.add_bool, int: writer.add_uint32, str: writer.add_string}[type(value)](key, value)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def test_the_highest_score_is_merged_first() -> None:
    encode = Read(sentencepiece("bc", "ab", "▁a", "▁ab", "cd", "abcd"))
    assert encode("ab") == ["▁ab"]
    assert encode("abcd") == ["▁a", "bc", "d"]  # "bc" before "ab" and "cd": "abcd" is never reached
    assert encode("abd") == ["▁ab", "d"]


def test_spaces_and_bytes_come_back() -> None:
    encode = Read(sentencepiece("▁a", "ab"))
    assert encode(" a  é") == ["▁", "▁a", "▁", "▁", "<0xC3>", "<0xA9>"]
    assert encode.inner.decode(encode.ids(" a  é\n")) == " a  é\n"
    plain = Read(sentencepiece("▁a", "ab", add_space_prefix=False))
    assert plain("ab a") == ["ab", "▁a"]
    assert plain.inner.decode(plain.ids(" ab a")) == " ab a"
    assert encode("") == []


def test_user_defined_tokens_come_before_merges_and_each_part_after_one_begins_anew() -> None:
    encode = Read(sentencepiece("▁a", "ab", "<b", "<b>", characters="▁ab<>", user=("<b>a", "\n\n")))
    assert encode("a<b>ab") == ["▁a", "<b>a", "▁", "b"]
    assert encode("\n\n\na") == ["\n\n", "▁", "<0x0A>", "a"]


def test_text_that_looks_like_a_control_token_stays_text() -> None:
    encode = Read(sentencepiece("▁a", characters="▁a</s>"))
    assert encode("</s>a") == ["▁", "<", "/", "s", ">", "a"]
    encode.inner.encode_special_tokens = False
    assert encode("</s>a") == ["</s>", "▁a"]


def test_a_name_that_llama_cpp_takes_for_an_end_is_special() -> None:
    made, _ = tokenizer_json(sentencepiece("▁a", user=("<b>", "<end_of_turn>")))
    special = {token["content"]: token["special"] for token in made["added_tokens"]}
    assert special == {"<unk>": True, "<s>": True, "</s>": True, "<b>": False, "<end_of_turn>": True}


def test_what_is_added_to_a_text() -> None:
    both = Read(sentencepiece(add_eos_token=True))
    assert both.inner.encode("a", "b").tokens == ["<s>", "▁", "a", "</s>", "<s>", "▁", "b", "</s>"]
    assert ends(both.json) == (1, 2)
    assert Read(sentencepiece()).ids("a")[0] == 1
    assert Read(sentencepiece(add_bos_token=False)).ids("a") == [259, 260]
    assert Read(byte_level()).inner.encode("a").tokens == ["a"]
    assert Read(byte_level(pre="llama3")).inner.encode("a").tokens == ["<|end|>", "a"]
    assert Read(byte_level(pre="llama3", add_bos_token=False)).inner.encode("a").tokens == ["a"]


def test_settings() -> None:
    values = sentencepiece(padding_token_id=0, add_space_prefix=False)
    values |= {"general.architecture": "toy", "toy.context_length": 512, "tokenizer.chat_template": "{{ x }}"}
    assert tokenizer_json(values)[1] == {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "add_bos_token": True,
        "add_eos_token": False,
        "clean_up_tokenization_spaces": False,
        "bos_token": "<s>",
        "eos_token": "</s>",
        "unk_token": "<unk>",
        "pad_token": "<unk>",
        "model_max_length": 512,
        "chat_template": "{{ x }}",
    }


def test_byte_level_merges_within_the_parts_of_its_split() -> None:
    encode = Read(byte_level("b c", "a b", "ab c", "Ġ a", "1 2", "12 3", "123 4", "' S"))
    assert encode("abc a") == ["a", "bc", "Ġa"]
    assert encode("1234") == ["1234"]
    assert Read(byte_level("1 2", "12 3", "123 4", pre="llama-bpe"))("1234") == ["123", "4"]
    assert Read(byte_level("1 2", pre="qwen2"))("12") == ["1", "2"]
    assert encode("x'S") == ["x", "'", "S"] and Read(byte_level("' S", pre="qwen2"))("x'S") == ["x", "'S"]
    assert encode.inner.decode(encode.ids("é\n 東")) == "é\n 東"


def test_a_whole_part_is_taken_where_the_split_says_so() -> None:
    merges = ("b c", "a b", "ab c")
    assert Read(byte_level(*merges, pre="llama-bpe"))("abc") == ["abc"]
    assert Read(byte_level(*merges, pre="smaug-bpe"))("abc") == ["a", "bc"]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({KEY + "model": "bert"}, "'bert'"),
        ({}, "None"),
        ({KEY + "model": "llama"}, "no tokenizer.ggml.tokens"),
        (byte_level(pre="tekken"), "'tekken'"),
        (byte_level() | {KEY + "merges": ("a b",)}, "merges 'a' and 'b'"),
        ({k: v for k, v in byte_level().items() if "merges" not in k}, "no tokenizer.ggml.merges"),
        (sentencepiece("ab", "ab"), "'ab' twice"),
        (sentencepiece() | {KEY + "scores": (0.0,)}, "scores .* has 1 values"),
        (sentencepiece() | {KEY + "scores": ("0",) * 264}, "scores .* not an array of the kind"),
        (sentencepiece() | {KEY + "tokens": 5}, "tokens .* not an array"),
        (sentencepiece(bos_token_id="<s>"), "bos_token_id .* is '<s>'"),
        (sentencepiece("ab", "bc") | {KEY + "scores": (0.0,) * 300}, "2 tokens .* share the score 0"),
        (sentencepiece("aé"), "1 characters .*'é'"),
        (sentencepiece() | {KEY + "tokens": (*SPECIAL, *BYTES[:-1], "x")}, "no token <0xFF>"),
        (sentencepiece(add_eos_token=True) | {KEY + "tokens": SPECIAL[:2]}, "<0x00>|eos"),
    ],
    ids=lambda found: found if isinstance(found, str) else "",
)
def test_refusals(values: Values, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        tokenizer_json(values)


def test_ids_that_a_file_does_not_say_are_those_that_llama_cpp_takes() -> None:
    values = byte_level(add_bos_token=True)
    silent = Read({key: value for key, value in values.items() if not key.endswith("_token_id")})
    assert silent.ids("a")[0] == 11
    assert "bos_token" not in silent.settings  # a comma in GPT-2: an accident, no name
    beyond = sentencepiece() | {KEY + "bos_token_id": 99_999}
    assert read(beyond).named[KEY + "bos_token_id"] == 1


def test_empty_tokens_have_the_name_that_llama_cpp_gives_them() -> None:
    values = sentencepiece("ab")
    values[KEY + "tokens"] = (*values[KEY + "tokens"][:-1], "")
    assert read(values).texts[-1] == "[EMPTY_264]"


def test_what_merging_passes_through() -> None:
    found = read(sentencepiece("bc", "ab", "abc", "abcd"))
    assert found.passed("abc") == {"a", "b", "c", "bc", "abc"}
    assert found.passed("abcd") == {"a", "b", "c", "d", "bc", "abc", "abcd"}
    assert found.passed("</s>") == set()
    assert isinstance(found, GgufBpe) and found.passed("a") == {"a"}


ODD = (
    *(
        "",
        " ",
        "  a   b    c",
        "\n",
        "a\n\n\nb\n",
        "\t\tx\t",
        "12345 3.14159 1,000",
        "😀👩‍👩‍👧‍👦🏳️‍🌈",
        "我喜欢处理。",
        "naïve café",
    ),
    *("<s>hello</s>", "</s> <unk><b>x</b>", "<0x0A>", "▁▁a▁b", "\x00\x01\x7f", "\u200b\u200d\ufeff", "\U0010ffff"),
    *(
        "e\u0301 a\u030a",
        "=" * 50,
        " " * 30 + "x",
        "aaaa" * 9,
        "\r\n\r\n",
        "x\u00a0y\u3000z",
        "I'LL you'ſ it's",
        "<|end|>x",
    ),
)
ALPHABET = (
    "a",
    "b",
    "c",
    "aa",
    " ",
    "  ",
    "\n",
    "<b>",
    "12",
    "'s",
    "'LL",
    ".",
    "é",
    "中",
    "़",
    "\u00a0",
    "²",
    "_",
    "😀",
)


def texts(rng: random.Random, count: int) -> list[str]:
    return [*ODD, *("".join(rng.choices(ALPHABET, k=rng.randint(1, 14))) for _ in range(count))]


def check(values: Values, path: Path, rng: random.Random, count: int) -> None:
    require(find_spec("xllamacpp"), "llama.cpp (pip install 'lighten[llama]')")
    ours = Read(values)
    with LlamaTokenizer(write(path, values)) as theirs:
        assert theirs.size == len(ours.texts)
        for text in texts(rng, count):
            assert ours.ids(text) == theirs.encode(text), text
            assert ours.inner.encode(text, add_special_tokens=False).ids == theirs.encode(text, begin=False), text


def test_sentencepiece_ids_are_those_of_llama_cpp(tmp_path: Path) -> None:
    """Random vocabularies, in which merges compete and overlap in every way."""
    rng = random.Random(3)
    for _ in range(25):
        letters = rng.choice(("a", "ab", "ab▁", "abc▁é"))
        pool = ["".join(letters_) for length in (2, 3, 4) for letters_ in product(letters, repeat=length)]
        user = rng.choice(((), ("<b>", "  ", "\n\n", "\n\n\n"), ("</s>x",)))
        pieces = rng.sample(pool, min(len(pool), rng.randint(1, 30)))
        flags = {"add_space_prefix": rng.random() < 0.5, "add_bos_token": rng.random() < 0.5}
        check(sentencepiece(*pieces, characters="▁abcé<>/s中", user=user, **flags), tmp_path / "v.gguf", rng, 60)


@pytest.mark.parametrize("name", sorted(SPLITS))
def test_byte_level_ids_are_those_of_llama_cpp(name: str, tmp_path: Path) -> None:
    """Merges that would reach over any place where the text is split, if it were not."""
    rng, units = random.Random(4), list("abcĠĊ12'sSL.Ãé_")
    merges: list[str] = []
    for _ in range(150):
        left, right = rng.choice(units), rng.choice(units)
        if len(left + right) < 6 and f"{left} {right}" not in merges and left + right not in units:
            merges.append(f"{left} {right}")
            units.append(left + right)
    check(byte_level(*merges, pre=name, user=("<b>", "   "), add_bos_token=True), tmp_path / "v.gguf", rng, 400)
