"""What is shown while a run is taken up."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from lighten.cli import resume, screen
from lighten.store.folder import MANIFEST


class Enough(Exception):
    """It is known how it is watched."""


@pytest.mark.parametrize(("verb", "rank", "quiet"), [("train", 1, True), ("train", 0, False), ("optimize", 1, False)])
def test_of_processes_that_train_together_one_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, verb: str, rank: int, quiet: bool
) -> None:
    seen: list[bool] = []

    def watched(work: Callable[..., object], *, quiet: bool) -> None:
        seen.append(quiet)
        raise Enough

    monkeypatch.setattr(screen, "watched", watched)
    told = {"RANK": str(rank), "WORLD_SIZE": "2", "MASTER_ADDR": "here", "MASTER_PORT": "1"}
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    (tmp_path / MANIFEST).write_text(json.dumps({"verb": verb}))
    with pytest.raises(Enough):
        resume.command(str(tmp_path))
    assert seen == [quiet]
