"""The list of samples names everything that can be fetched."""

from __future__ import annotations

import typer
from typer.testing import CliRunner

from lighten.cli import sample
from lighten.data.samples import sample_names


def test_every_name_is_listed_as_it_is_written_elsewhere() -> None:
    app = typer.Typer()
    app.command()(sample.command)
    lines = CliRunner().invoke(app, []).stdout.split()
    assert lines == [f"sample:{name}" for name in sample_names()]
    assert "sample:reviews/movie-documents" in lines
