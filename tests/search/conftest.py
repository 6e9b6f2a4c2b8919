"""A catalogue of fakes: steps and engines that need no library, installed as packages of their own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lighten.core import catalog
from lighten.testing.plugin import installed, plugin_package

FAKES = Path(__file__).parent.parent / "fakes"


@pytest.fixture(scope="module")
def fakes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The only steps and engines there are; tasks and meters stay."""
    folder = tmp_path_factory.mktemp("fakes")
    for path in sorted(FAKES.glob("*_*.py")):
        kind, _, name = path.stem.partition("_")
        plugin_package(folder, kind, name, path.read_text(encoding="utf-8"))
    every = catalog.entries
    with installed(folder), pytest.MonkeyPatch.context() as patch:
        kept = (*catalog.STEP_KINDS, "engines")
        patch.setattr(
            catalog, "entries", lambda kind: tuple(e for e in every(kind) if kind not in kept or e.source != "lighten")
        )
        yield
