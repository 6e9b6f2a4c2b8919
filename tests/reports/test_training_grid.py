"""The grid of a training: the group that others teach worst first, the model of all groups last."""

from __future__ import annotations

from dataclasses import replace

from lighten.core.training import GridCell, ProofScore, TrainingResult
from lighten.reports.training import training_page, worst
from lighten.reports.training_card import training_card
from lighten.reports.training_grid import grid_of, trained_on, worst_group
from lighten.testing.trainings import result

SCORES = {("<a>", "<a>"): 0.9, ("<a>", "west"): 0.5, ("west", "<a>"): 0.7, ("west", "west"): 0.8}


def made(direction: str = "higher") -> TrainingResult:
    def score(value: float, group: str) -> ProofScore:
        return ProofScore("accuracy", "fraction", direction, value, 10, group=group)

    grid = tuple(GridCell(of, score(value, on)) for (of, on), value in SCORES.items())
    whole = ProofScore("accuracy", "fraction", direction, 0.8, 20)
    return result(proof=(whole, score(0.75, "west"), score(0.9, "<a>")), grid=grid)


def test_the_worst_comes_first_and_the_whole_last() -> None:
    grid = grid_of(made())
    assert grid is not None and grid.columns == ("west", "<a>")
    assert list(grid.rows) == ["<a>", "west", ""] and grid.rows["west"]["<a>"].value == 0.7
    assert trained_on("", "en") == "all groups" and trained_on("west", "zh") == "west"
    falling = grid_of(made("lower"))
    assert falling is not None and falling.columns == ("<a>", "west")
    assert grid_of(result()) is None


def test_what_it_took_is_said_beside_the_cost() -> None:
    taking = replace(made(), grid_seconds=300.0)
    for text, words in ((training_page, "Time of the grid"), (training_card, "The grid took 5 min")):
        said = [text(one).replace("\u00a0", " ") for one in (made(), taking)]
        assert [words in one for one in said] == [False, True]


def test_the_page_shows_it_and_the_worst_group() -> None:
    page = training_page(made())
    assert "Trained on one group alone" in page and "&lt;a&gt;" in page and "<a>" not in page
    assert "75.00%" in worst(made(), "en") and "west" in worst(made(), "zh")
    alone = result(proof=(ProofScore("accuracy", "fraction", "higher", 0.8, 20),))
    assert worst_group(alone) is None and worst(alone, "en") == ""
