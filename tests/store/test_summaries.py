"""A summary survives its file, and a damaged one says everything that is wrong with it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lighten.core.errors import DataError
from lighten.core.summary import Summary
from lighten.proof import Verdict
from lighten.store.summaries import load_summary, save_summary, summary_from
from lighten.testing import language_summaries, summaries

RUNS: list[Callable[[], Summary]] = [
    summaries.winner,
    summaries.nothing_met,
    summaries.interrupted,
    summaries.bare,
    summaries.hostile,
    language_summaries.documents,
    language_summaries.answers,
    language_summaries.hostile,
]


@pytest.mark.parametrize("make", RUNS)
def test_a_saved_summary_loads_as_the_same(make: Callable[[], Summary], tmp_path: Path) -> None:
    run = make()
    save_summary(run, tmp_path / "summary.json")
    assert load_summary(tmp_path / "summary.json") == run
    assert [p.name for p in tmp_path.iterdir()] == ["summary.json"]


def test_texts_that_are_no_valid_unicode_survive(tmp_path: Path) -> None:
    run = summaries.hostile()
    assert any("\ud800" in flip.text for flip in run.flips)
    save_summary(run, tmp_path / "s.json")
    assert load_summary(tmp_path / "s.json").flips == run.flips


def test_a_summary_from_before_ratios_had_a_spread_still_loads() -> None:
    record = damaged()
    for name in ("ratio_spread", "unsure"):
        del record["winner"][name]
    for candidate in record["candidates"]:
        for result in candidate["results"].values():
            for name in ("ratio_spread", "rounds", "ratio_unit", "reference", "unsure"):
                del result[name]
    old = summary_from(record)
    assert old.winner is not None and old.winner.ratio_spread == {} and old.winner.unsure == ()
    assert old.candidates[6].results["p50"].ratio_spread is None and not old.candidates[6].results["p50"].unsure


def test_a_flag_that_is_no_flag_is_refused() -> None:
    record = damaged()
    record["candidates"][6]["results"]["p50"]["unsure"] = "yes"
    with pytest.raises(DataError, match="unsure is 'yes'; allowed: true or false"):
        summary_from(record)


def damaged(**changes: Any) -> dict[str, Any]:
    record: dict[str, Any] = json.loads(json.dumps(summaries.winner().to_json()))
    return {**record, **changes}


def test_a_summary_from_before_there_were_language_models_still_loads() -> None:
    record = damaged()
    for name in ("continuations", "roofline"):
        del record[name]
    run = summary_from(record)
    assert (run.continuations, run.roofline) == ((), {})


def test_a_key_is_read_by_the_name_that_it_had() -> None:
    record = damaged(roof={"1": {"decode": 0.5}})
    del record["roofline"]
    assert summary_from(record).roofline == {"1": {"decode": 0.5}}


def test_shares_of_the_roofline_and_samples_are_checked() -> None:
    record = damaged(roofline={"6": {"decode": "half"}}, continuations=[{"prompt": "a", "original": "b"}])
    with pytest.raises(DataError) as refused:
        summary_from(record)
    assert "roofline.6.decode is 'half'; allowed: a finite number" in str(refused.value)
    assert "continuations[0].winner is missing" in str(refused.value)


def test_every_problem_is_listed_with_its_path() -> None:
    record = damaged(state=3, seconds="long")
    record["candidates"][2]["results"]["p50"]["value"] = "fast"
    del record["candidates"][3]["name"]
    record["colour"] = "blue"
    with pytest.raises(DataError) as refused:
        summary_from(record)
    said = str(refused.value)
    for line in (
        "state is 3; allowed: a text",
        "seconds is 'long'; allowed: a finite number",
        "candidates[2].results.p50.value is 'fast'",
        "candidates[3].name is missing",
        "colour is unknown",
    ):
        assert line in said


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"state": "won"}, "state is 'won'; allowed: winner, nothing_met, missed, unproved, interrupted"),
        ({"winner": None}, "winner is null"),
        ({"state": "nothing_met"}, "winner is given"),
        ({"roofline": {"99": {"decode": 0.5}}}, "roofline.99 is '99'; allowed: 0, 1"),
        ({"frontier": [99]}, "frontier[0] is 99"),
        ({"cheaper": 99}, "cheaper is 99"),
        ({"nearest": {"key": 99, "missed": []}}, "nearest.key is 99"),
        ({"reasons": [{"kind": "luck"}]}, "reasons[0].kind is 'luck'"),
        ({"original": 99}, "original is 99"),
        ({"baseline": [{"rung": "magic", "key": 0}]}, "baseline[0].rung is 'magic'"),
        ({"tested": [{"key": 77, "verdicts": []}]}, "tested[0].key is 77"),
        ({"verdicts": [{"metric": "accuracy"}]}, "verdicts[0].b is missing"),
    ],
)
def test_contradictions_are_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(DataError) as refused:
        summary_from(damaged(**changes))
    assert said in str(refused.value)


def test_another_version_and_other_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="version is 2"):
        summary_from(damaged(version=2))
    (tmp_path / "s.json").write_text("{", encoding="utf-8")
    with pytest.raises(DataError, match=r"s\.json cannot be read"):
        load_summary(tmp_path / "s.json")
    with pytest.raises(DataError, match="cannot be read"):
        load_summary(tmp_path / "absent.json")
    (tmp_path / "s.json").write_text("[1]", encoding="utf-8")
    with pytest.raises(DataError, match="no summary"):
        load_summary(tmp_path / "s.json")


def test_a_verdict_of_an_earlier_version_is_read_as_a_difference() -> None:
    record = json.loads(json.dumps(summaries.winner().to_json()))
    for verdict in (*record["verdicts"], *(v for test in record["tested"] for v in test["verdicts"])):
        for name in ("kind", "floor", "group"):
            del verdict[name]
    found = summary_from(record)
    assert Verdict.from_json(found.verdicts[0]).kind == "difference"


@pytest.mark.parametrize(
    ("change", "says"), [({"kind": "vague"}, "verdicts[0].kind"), ({"floor": "high"}, "verdicts[0].floor")]
)
def test_a_damaged_kind_of_verdict_is_named(change: dict[str, object], says: str) -> None:
    record = json.loads(json.dumps(summaries.asked_for().to_json()))
    record["verdicts"][0].update(change)
    with pytest.raises(DataError, match=re.escape(says)):
        summary_from(record)


def test_a_power_that_counts_nothing_known_is_named() -> None:
    record = json.loads(json.dumps(summaries.asked_for().to_json()))
    record["power"][0]["of"] = "things"
    with pytest.raises(DataError, match=r"power\[0\]\.of"):
        summary_from(record)
