"""The dashboard asks for metrics that there are, and is what Grafana imports."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from click.testing import CliRunner
from typer.main import get_command

from lighten.cli import app
from lighten.serve import process_metrics
from lighten.serve.dashboard import dashboard
from lighten.serve.metrics import Counts, Gauges, Written, exposition

WORDS = {"sum", "min", "by", "rate", "increase", "histogram_quantile", "label_values", "le", "e6", "model", "version"}
NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_:]*")


def served() -> set[str]:
    """Names of all samples of a server with every kind of model, of which everything has happened."""
    counts = Counts(written=Written())
    counts.refused["overloaded"] += 1
    assert counts.written is not None
    counts.written.ended["stop"] += 1
    text = exposition([("m", "1", counts, Gauges(0, 0, 0, {"ready": 1}, 0))], {}, True, process_metrics.families())
    return {re.split(r"[{ ]", line)[0] for line in text.splitlines() if not line.startswith("#")}


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


def test_every_query_names_metrics_that_there_are() -> None:
    there, asked = served(), list(queries())
    assert len(asked) > 30
    for query in asked:
        assert named(query) and named(query) <= there, query


def test_every_label_that_is_grouped_by_or_filtered_is_there() -> None:
    labels = {"model", "version", "le", "code", "reason", "state", "finished_reason"}
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
