"""What the model reads of each part is counted and said before any time is spent."""

from __future__ import annotations

import json
from pathlib import Path

from lighten.core.artifact import Artifact
from lighten.core.rows import Parts, Rows
from lighten.search.reading import coverage_of
from lighten.testing.tiny import tiny_network_folder


def rows(*texts: str) -> Rows:
    return Rows(texts, (0,) * len(texts))


def test_cut_and_unknown_texts_are_counted_for_each_part(tmp_path: Path) -> None:
    folder = tiny_network_folder(tmp_path / "net", layers=1)
    long, foreign = "good " * 100, "这部 电影 很 好"
    parts = Parts(rows(long, "good film"), rows(foreign), rows("good", "fine"), rows(long, long, "bad"), ("a", "b"))
    said: list[str] = []
    found = coverage_of("my-model", Artifact(folder, "", "hf", {}), parts, said.append)
    assert {name: (one.texts, one.cut) for name, one in found.items()} == {
        "train": (2, 1),
        "tune": (1, 0),
        "select": (2, 0),
        "proof": (3, 2),
    }
    assert found["tune"].share_unknown == 1.0
    assert found["proof"].unknown == 0
    unknown, cut = said
    assert "unknown to my-model" in unknown
    assert "1 of 2 texts in train (50%), 2 of 3 texts in proof (67%)" in cut


def test_what_is_learned_from_is_said_where_a_model_reads_more(tmp_path: Path) -> None:
    folder = tiny_network_folder(tmp_path / "net", "modernbert", layers=1)
    path = folder / "tokenizer_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "model_max_length": 8192}))
    part = rows("good " * 2000, "bad")
    said: list[str] = []
    found = coverage_of("m", Artifact(folder, "", "hf", {}), Parts(part, part, part, part, ("a", "b")), said.append)
    assert [one.cut for one in found.values()] == [0, 0, 0, 0]
    (only,) = said
    assert only.startswith("1 of the training texts (50%) are longer than 512 tokens")
