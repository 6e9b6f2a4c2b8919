"""The model card: what a stranger needs to judge and use the winner."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from lighten.reports.card import code, fenced, model_card, plain, write_card
from lighten.testing import language_summaries, summaries


def test_the_card_holds_recipe_numbers_proof_limits_and_use(tmp_path: Path) -> None:
    write_card(summaries.winner(), tmp_path / "README.md")
    text = (tmp_path / "README.md").read_text(encoding="utf-8").replace("\u00a0", " ")
    assert text.startswith('---\nbase_model: "sample:minilm"\n')
    assert '- "quantize"' in text
    for line in (
        "1. `prune.layers keep=3`",
        "3. `quantize.int8_static rows=300`",
        "| Median latency | 12.4 ms | 2.12 ms | 0.0425 ms | 5.8× ± 0.2 | 600 | lower is better |",
        "unknown (no counter that this user may read)",
        "| accuracy | holds | −0.26 pt | −0.63 pt | 1 point | 5,766 | 87 | 72 |",
        "- processor: Example CPU @ 2.60 GHz",
        "- memory allowed: 14.9 GiB",
        "- matrix product, float32: 310.5 GFLOP/s",
        "| lighten predict runs/reviews/winner",
        'with lighten.load("runs/reviews/winner") as model:',
        "As the base model.",
    ):
        assert line in text


@pytest.mark.parametrize(
    ("example", "files", "shell", "python"),
    [
        ("photo.jpg", True, "lighten predict runs/reviews/winner photo.jpg", 'model.predict(["photo.jpg"])'),
        ("a text", False, "echo 'a text' | lighten predict runs/reviews/winner", 'model.predict(["a text"])'),
    ],
)
def test_the_card_shows_an_input_of_the_kind_that_is_asked(example: str, files: bool, shell: str, python: str) -> None:
    text = model_card(replace(summaries.winner(), example=example, files=files))
    assert f"\n{shell}\n" in text and python in text


def test_the_card_of_a_language_model() -> None:
    text = model_card(language_summaries.documents()).replace("\u00a0", " ")
    for line in (
        'pipeline_tag: "text-generation"',
        "1. `prune.vocabulary min_count=1 spare=0` (vocabulary cut to the tokens of your data plus 0% of the original)",
        "| Bits per byte | 1.316 bits/byte | 1.320 bits/byte |",
        "| Decode speed | 91.7 tok/s | 211 tok/s (72% of roofline) | 4.22 tok/s | 2.3× ± 0.1 | 141 | higher",
        "The roofline is the most that this machine allows:",
        "| bits per byte | holds | +0.42% | +0.87% | 1% | 121 |",
        "- memory bandwidth, reading only: 24.8 GB/s",
        "lighten chat runs/movies/winner",
        'with lighten.chat("runs/movies/winner") as chat:',
    ):
        assert line in text
    assert "| b | c |" not in text
    counted = model_card(language_summaries.baseline_won()).replace("\u00a0", " ")
    assert "| Decode speed | 91.7 tok/s | 49,200 bytes/s | 983 bytes/s |  | 141 | higher is better |" in counted
    assert "their speeds are bytes per second" in counted
    assert "| exact match | holds |" in model_card(language_summaries.answers())


def test_a_run_without_a_winner_has_no_card() -> None:
    with pytest.raises(ValueError, match="no model card"):
        model_card(summaries.nothing_met())


def test_data_cannot_write_markdown_or_html() -> None:
    text = model_card(summaries.hostile("<script>x</script>|[link](http://evil)\n# heading `tick` "))
    head, _, body = text.partition("\n---\n")
    starts = ("---", "base_model: ", "library", "pipeline", "tags:", "- ")
    assert all(line.startswith(starts) for line in head.splitlines())
    shown = re.sub(r"(?s)(`{3,})[a-z]*\n.*?\n\1|(`+)(?!`).+?(?<!`)\2(?!`)", "", body)  # what is no code
    assert not re.search(r"(?<!\\)<script|(?<!\\)\[link|^# heading", shown, re.MULTILINE)


def test_quoting() -> None:
    assert plain("a|b <c> *d*\n[e]") == "a\\|b \\<c\\> \\*d\\* \\[e\\]"
    assert fenced("```\nx") == "````\n```\nx\n````"
    assert code("a`b") == "`` a`b ``"


def test_paths_with_blanks_are_quoted_for_the_shell() -> None:
    run = summaries.winner()
    assert run.winner is not None
    text = model_card(replace(run, winner=replace(run.winner, path="my runs/winner")))
    assert "lighten predict 'my runs/winner'" in text


def test_the_card_tells_a_value_that_was_asked_and_the_group_that_decides() -> None:
    text = model_card(summaries.asked_for()).replace("\u00a0", " ")
    assert "| accuracy | holds | 89.21% | 88.51% | 88% | 5,766 |" in text
    assert "| worst-group accuracy (tweets) | holds |" in text
    assert "Where a value was asked for, it stands in place of the allowed loss" in text
