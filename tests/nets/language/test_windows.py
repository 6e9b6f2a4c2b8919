"""Windows hold every token once, and batches every window once a pass, lengths alike."""

from __future__ import annotations

import json
import random
from pathlib import Path

from lighten.nets.language.network import Tokens, open_language
from lighten.nets.language.schedule import LanguageSchedule
from lighten.nets.language.windows import planned, windows
from lighten.testing.tiny_language import tiny_language, tiny_texts

TEXTS = tiny_texts(24, 4)


def test_windows_hold_every_token_once_behind_a_start_token(tmp_path: Path) -> None:
    model, text = open_language(tiny_language("llama", tmp_path)), " ".join(tiny_texts(8))
    whole = model.tokens([text])[0]
    rows = windows(model, ["", text, "ba"], 16)
    assert all(row[0] == 1 and 2 <= len(row) <= 16 for row in rows)
    assert [token for row in rows[:-1] for token in row[1:]] == whole[1:]
    assert rows[-1] == model.tokens(["ba"])[0]
    other = open_language(tiny_language("qwen2", tmp_path / "q"))  # no start token
    whole = other.tokens([text])[0]
    assert [token for row in windows(other, [text], 16) for token in row] == whole


def test_a_tokenizer_that_only_ends_texts_has_no_start_token(tmp_path: Path) -> None:
    model = open_language(tiny_language("qwen2", tmp_path))
    source, end = json.loads(model.tokens.source), "<|endoftext|>"
    source["post_processor"] = {
        "type": "TemplateProcessing",
        "single": [{"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": end, "type_id": 0}}],
        "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 0}}],
        "special_tokens": {end: {"id": end, "ids": [0], "tokens": [end]}},
    }
    model.tokens = Tokens(json.dumps(source), {})
    whole = model.tokens([TEXTS[0] * 3])[0]
    assert whole[-1] == 0
    longest = len(whole) - 2
    assert windows(model, [TEXTS[0] * 3], longest) == [whole[:longest], whole[longest:]]


def test_batches_hold_rows_of_similar_length_and_every_row_once_a_pass() -> None:
    rng = random.Random(0)
    rows = [[number] * rng.randint(2, 30) for number in range(50)]
    updates = planned(rows, LanguageSchedule(2.5, 1e-3, tokens=64), seed=1)
    seen = [row[0] for batch in updates for row in batch]
    assert len(seen) == 50 + 50 + 25
    assert all(2 <= seen.count(number) <= 3 for number in range(50))
    assert all(len(batch) * max(map(len, batch)) <= 64 for batch in updates)
    padded = sum(len(batch) * max(map(len, batch)) for batch in updates)
    assert padded < 1.25 * sum(len(row) for batch in updates for row in batch)
    assert updates == planned(rows, LanguageSchedule(2.5, 1e-3, tokens=64), seed=1)
    assert updates != planned(rows, LanguageSchedule(2.5, 1e-3, tokens=64), seed=2)
    assert planned([[1] * 90], LanguageSchedule(1.0, 1e-3, tokens=64), seed=0) == [[[1] * 90]]
