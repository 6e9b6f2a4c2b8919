"""Terminal tables: complete when wide, readable when narrow, and deaf to control codes in data."""

from __future__ import annotations

import re
from dataclasses import replace
from io import StringIO

import pytest
from rich.cells import cell_len
from rich.console import Console, RenderableType

from lighten.core.summary import Summary
from lighten.proof import Verdict
from lighten.reports import table
from lighten.testing import language_summaries, summaries


def shown(what: RenderableType, width: int) -> str:
    console = Console(file=StringIO(), width=width, force_terminal=False, color_system=None)
    console.print(what)
    assert isinstance(console.file, StringIO)
    text = console.file.getvalue()
    assert max(cell_len(line) for line in text.splitlines()) <= width
    return text.replace("\u00a0", " ")


def everything(run: Summary, width: int, lang: str) -> str:
    first, last = run.candidates[0], run.candidates[6]
    judged = [Verdict.from_json(v) for v in run.verdicts]
    parts: list[RenderableType] = [
        table.verdict_panel(run, lang),
        table.ladder(run, width=width, lang=lang),
        table.candidates(run, width=width, lang=lang),
        table.bench([(c.name, c.results) for c in run.candidates[:4]], width=width, lang=lang),
        table.compare((first.name, first.results), (last.name, last.results), judged, lang=lang),
        table.groups(run.groups, lang=lang),
        table.flips(run.flips, 40, lang=lang),
    ]
    return "".join(shown(part, width) for part in parts)


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("width", [44, 80, 120, 200])
def test_everything_fits(width: int, lang: str) -> None:
    language = (language_summaries.documents, language_summaries.baseline_won, language_summaries.hostile)
    for make in (
        summaries.winner,
        summaries.asked_for,
        summaries.nothing_met,
        summaries.interrupted,
        summaries.hostile,
        *language,
    ):
        everything(make(), width, lang)


def test_the_panel_says_what_the_page_says() -> None:
    text = shown(table.verdict_panel(summaries.winner()), 100)
    assert "Winner found" in text
    assert "Accuracy  holds  −0.26 pt [−0.63 pt, +0.11 pt]" in text
    assert "allowed loss 1 point  n = 5,766  b = 87  c = 72" in text
    undecided = shown(table.verdict_panel(summaries.nothing_met()), 100)
    assert "not enough data" in undecided
    assert "rows would settle it" in undecided
    assert "candidate 8 (2 layers + distilled + int8 static @ ov)" in undecided
    assert "--resume" in shown(table.verdict_panel(summaries.interrupted()), 100)


def test_compare_shows_verdict_values_groups_and_flips() -> None:
    run = summaries.winner()
    first, last = run.candidates[0], run.candidates[6]
    verdict = Verdict.from_json(run.verdicts[0])
    text = shown(table.compare(("before", first.results), ("after", last.results), [verdict]), 100)
    assert "Accuracy  holds" in text
    assert re.search(r"Accuracy +89.21% +88.86% +−0.35 pt", text)
    assert re.search(r"Median latency +12.4 ms +2.12 ms +5.8×", text)
    assert re.search(r"movie +2,651 +85.78% +85.63% +−0.15 pt", shown(table.groups(run.groups), 80))
    changed = shown(table.flips(run.flips, 1), 120)
    assert "What changed (1 of 21 shown)" in changed
    assert "Not the triumph the trailer promised" in changed
    assert "The battery lasts" not in changed


def test_bench_gives_ratios_to_the_first() -> None:
    text = shown(table.bench([(c.name, c.results) for c in summaries.winner().candidates[:3]], width=140), 140)
    first, second, *_ = [line for line in text.splitlines() if "×" in line]
    assert "1.90×" in first
    assert "2.2× ± 0.1" in second


def test_a_ratio_that_is_unsure_is_said_to_be() -> None:
    first, last = summaries.winner().candidates[0], summaries.winner().candidates[6]
    doubted = {**last.results, "p50": replace(last.results["p50"], unsure=True)}
    rows = [("before", first.results), ("after", doubted)]
    assert "5.8× ± 0.2, unsure" in shown(table.bench(rows, width=160), 160).replace("\u00a0", " ")
    assert "，不确定" in shown(table.bench(rows, width=160, lang="zh"), 160)


def test_a_wide_ladder_has_every_quantity_and_a_narrow_one_names_what_it_leaves_out() -> None:
    run = summaries.winner()
    wide = shown(table.ladder(run, width=180), 180)
    assert all(text in wide for text in ("89.21%", "7.1×", "19.8", "unknown", "lighten", "Stock quantization"))
    assert "A wider terminal" not in wide
    narrow = shown(table.ladder(run, width=60), 60)
    assert "89.21%" in narrow
    assert "A wider terminal shows" in narrow


def test_candidates_carry_outcome_and_where_there_is_room_the_reason() -> None:
    run = summaries.winner()
    assert "SessionCrashed" in shown(table.candidates(run, width=140), 140)
    narrow = shown(table.candidates(run, width=80), 80)
    assert "failed" in narrow
    assert "SessionCrashed" not in narrow


def test_a_ladder_of_language_models_has_bytes_and_shares_of_the_roofline() -> None:
    won = language_summaries.baseline_won()
    text = shown(table.ladder(won, width=240), 240)
    assert "536× ± 21" in re.sub(r"(?m)^.*ngram.*$", "", text)  # by bytes
    assert "Cheap baseline" in text
    assert re.search(r"ms per byte +bytes/s +bytes/s", text)
    assert "61% of roofline" in text
    assert "本机上限的 72%" in shown(table.ladder(language_summaries.documents(), width=240, lang="zh"), 240)


def test_the_panel_of_documents_tells_per_cent_and_the_baseline() -> None:
    text = shown(table.verdict_panel(language_summaries.documents()), 120)
    assert "Bits per byte  holds  +0.42% [−0.03%, +0.87%]" in text
    assert "allowed loss 1%  n = 121" in text
    text = " ".join(shown(table.verdict_panel(language_summaries.baseline_won()), 120).replace("│", "").split())
    assert "no model like the original is needed" in text


def test_compare_of_documents_gives_per_cent() -> None:
    run = language_summaries.documents()
    first, last = run.candidates[0], run.candidates[2]
    text = shown(table.compare(("before", first.results), ("after", last.results)), 120)
    assert re.search(r"Bits per byte +1\.316 bits/byte +1\.925 bits/byte +\+46\.30%", text)
    assert re.search(r"Decode speed +91\.7 tok/s +49,200 bytes/s +536×", text)


def test_texts_from_data_are_neither_markup_nor_control_codes() -> None:
    run = summaries.hostile("[bold red]x[/] \x1b[31mred\x07 \u202e")
    text = everything(run, 160, "en")
    assert "[bold red]x[/]" in text
    assert not any(code in text for code in ("\x1b", "\x07", "\u202e"))


def test_what_was_asked_for_and_the_group_that_decides_stand_under_the_verdict() -> None:
    run = summaries.asked_for()
    text = shown(table.verdict_panel(run), 120)
    assert "Accuracy  holds  89.21% [88.51%, 89.88%]" in text
    assert "asked for 88%  n = 5,766" in text
    assert "group that decides tweets  n = 600  b = 6  c = 5" in text
