"""A run says how often its proof rows were opened before, and its own opening is kept before the first answer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lighten.core.summary import Opened
from lighten.reports import table
from lighten.reports.card import model_card
from lighten.reports.describe import opened_sentence
from lighten.reports.page import page
from lighten.search.listener import Quiet
from lighten.search.openings import tell_openings
from lighten.store.ledger import earlier_openings
from lighten.store.summaries import summary_from
from lighten.testing.stage import Act, Stage, stage_parts


class Heard(Quiet):
    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)


def test_the_second_run_on_the_same_proof_rows_says_so(
    stage: Callable[..., Stage], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIGHTEN_HOME", str(tmp_path / "home"))
    proof, heard = stage_parts().proof, Heard()
    tell_openings(proof, heard)
    assert heard.notes == []
    (tmp_path / "a").mkdir()
    one = stage(Act(10.0), Act(5.0))
    first = one.play()
    assert first.winner is not None and first.opened is None
    assert earlier_openings(proof.ids).runs == 1
    again = one.play()
    assert again.opened is None and earlier_openings(proof.ids).runs == 1, "a resumed run is the same opening"
    tell_openings(proof, heard)
    assert "1,200 of these 1,200 rows were opened by an earlier run" in heard.notes[0]
    two = Stage(tmp_path / "a", one.acts)
    second = two.play()
    assert second.opened == Opened(1200, 1) and summary_from(second.to_json()).opened == second.opened
    for lang, said in (("en", "an earlier run"), ("zh", "先前的一次运行")):
        assert said in opened_sentence(second, lang) and opened_sentence(first, lang) == ""
        assert said in page(second)
    assert "were opened by an earlier run" in model_card(second) and "opened by" not in model_card(first)
    assert "opened by" in "".join(str(line) for line in table.verdict_panel(second).renderable.renderables)  # type: ignore[attr-defined]


def test_a_ledger_that_cannot_be_used_is_said_once_and_the_run_goes_on(
    stage: Callable[..., Stage], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "home").write_text("a file")
    monkeypatch.setenv("LIGHTEN_HOME", str(tmp_path / "home"))
    summary = stage(Act(10.0), Act(5.0)).play()
    assert summary.winner is not None and summary.opened is None
    assert any("ledger of opened proofs could not be written" in note for note in summary.data.notes)
