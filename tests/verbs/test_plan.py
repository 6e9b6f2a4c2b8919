"""A dry run says what would be tried, proved and needed, and writes nothing."""

from __future__ import annotations

import csv
import inspect
import json
import random
from pathlib import Path

import pytest

import lighten
from lighten.cli.planned import lines
from lighten.core.errors import InputError, RunFolderError
from lighten.search.plan import Plan
from lighten.store.decode import decode
from lighten.testing.tiny import BAD, GOOD, PLAIN, tiny_network_folder
from lighten.verbs.optimize import options_of


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("plan")
    tiny_network_folder(folder / "model", layers=2, labels=None)
    rng = random.Random(0)
    with (folder / "reviews.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["review", "sentiment"])
        for number in range(800):
            words = [*rng.choices(PLAIN, k=6), str(number), *rng.choices(GOOD if number % 2 else BAD, k=2)]
            writer.writerow([" ".join(words), "positive" if number % 2 else "negative"])
    return folder


def test_it_tells_what_would_be_tried_and_writes_nothing(given: Path) -> None:
    before = sorted(given.rglob("*"))
    found = lighten.plan(
        given / "model", given / "reviews.csv", keep="accuracy>=-6pt", time="5m", engines="ort", out=given / "run"
    )
    assert sorted(given.rglob("*")) == before
    assert found.engines == ("eager", "ort")
    assert found.stock[0] == "as it is @ ort" and len(found.stock) >= 2
    assert found.architectures and found.tunes
    assert sum(found.rows.values()) == 800
    assert found.power[0].n == found.rows["proof"] and 0 < found.power[0].provable < 0.06
    assert found.disk is not None and 0 < found.disk.least < found.disk.usual < found.disk.free
    assert (found.seconds, found.minimize, found.memory) == (300.0, "cpu", {})
    problems: list[str] = []
    assert decode(json.loads(json.dumps(found.to_json())), Plan, "", problems) == found and not problems
    said = "\n".join(lines(found))
    for part in ("5:00 at most", "int8_dynamic @ ort", "fine-tuning comes before it", "smaller architectures", "start"):
        assert part in said


def test_every_argument_of_optimize_is_one_of_plan() -> None:
    known = {name: one.default for name, one in inspect.signature(lighten.optimize).parameters.items()}
    asked = {name: value for name, value in known.items() if name not in ("model", "data", "listener")}
    given = {"task": "text-classification", "out": "run"}
    assert options_of("m", "d", **{**asked, **given}) == options_of("m", "d", **given)
    with pytest.raises(TypeError, match="'colour'"):
        options_of("m", "d", colour="blue")


def test_what_the_run_would_refuse_is_refused(given: Path) -> None:
    with pytest.raises(InputError, match="can never prove"):
        lighten.plan(given / "model", given / "reviews.csv", keep="accuracy>=-0.1pt", engines="ort")
    (given / "other").mkdir()
    (given / "other" / "file").write_text("x")
    with pytest.raises(RunFolderError, match="not a run"):
        lighten.plan(given / "model", given / "reviews.csv", keep="accuracy>=-6pt", out=given / "other")
    with pytest.raises(TypeError):
        lighten.plan(given / "model", given / "reviews.csv", kepe="accuracy>=-6pt")
