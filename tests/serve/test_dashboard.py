"""The dashboard asks for metrics that there are, and is what Grafana imports."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from typer.main import get_command

from lighten.cli import app
from lighten.serve.dashboard import dashboard
from lighten.serve.limits import Limits
from lighten.serve.metrics import Counts, Gauges, Written, exposition
from lighten.serve.request_log import RequestLog
from lighten.serve.review import Review
from lighten.verbs.serve import application

WORDS = {
    "sum",
    "min",
    "max",
    "by",
    "rate",
    "increase",
    "histogram_quantile",
    "label_values",
    "le",
    "e6",
    "model",
    "version",
}
NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_:]*")


@pytest.fixture
def served(opened: Callable[..., Any], tmp_path: Path) -> set[str]:
    """Names of all samples that a server may have, with every kind of model and every option."""

    async def body() -> str:
        async with opened(load=False) as stage:
            with closing(Review(tmp_path / "review", Limits())) as cases, closing(RequestLog(tmp_path / "log")) as log:
                return application(stage.models, Limits(), cases=cases, more=[log.families]).metrics()

    writes = exposition([("m", "1", Counts(written=Written()), Gauges(0, 0, 0, {}, 0))], {}, True)
    found = set()
    for line in (asyncio.run(body()) + writes).splitlines():
        if line.startswith("# TYPE"):
            name, kind = line.split()[2:]
            found |= {f"{name}_{part}" for part in ("bucket", "sum", "count")} if kind == "histogram" else {name}
    return found


def queries() -> Iterator[str]:
    """Every query of the dashboard, those of its choices too."""
    found = dashboard()
    for panel in found["panels"]:
        yield from (target["expr"] for target in panel.get("targets", ()))
    yield from (one["query"]["query"] for one in found["templating"]["list"] if one["type"] == "query")


def named(query: str) -> set[str]:
    """Metrics that a query names: what is left without labels, times and groupings."""
    plain = re.sub(r"\{[^}]*\}|\[[^\]]*\]|\bby \([^)]*\)", "", query)
    return set(NAME.findall(plain)) - WORDS


def test_every_query_names_metrics_that_there_are(served: set[str]) -> None:
    asked = list(queries())
    assert len(asked) > 30
    for query in asked:
        assert named(query) and named(query) <= served, query


def test_every_label_that_is_grouped_by_or_filtered_is_there() -> None:
    labels = {"model", "version", "le", "code", "reason", "state", "finished_reason", "role"}
    for query in queries():
        grouped = {one.strip() for group in re.findall(r"by \(([^)]*)\)", query) for one in group.split(",")}
        assert grouped | set(re.findall(r"(\w+)[=!]~?\"", query)) <= labels, query


def test_panels_have_places_of_their_own_and_ids() -> None:
    panels = dashboard()["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken and at["x"] + at["w"] <= 24
        taken |= cells


def test_the_command_prints_it() -> None:
    done = CliRunner().invoke(get_command(app), ["serve", "--dashboard"])
    assert done.exit_code == 0 and json.loads(done.output) == dashboard()
