"""The child's side in another environment: run as a file, it borrows lighten's source and that of plug-ins.

``python -P elsewhere.py SOCKET BORROWED``, where BORROWED is what :func:`borrowed` made. Nothing else of the place
where lighten is installed can be imported there: its libraries are what the other environment exists to avoid.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any


class Borrowed(MetaPathFinder):
    """Finds some packages, and those only, where they lie.

    Args:
        places: name of each package -> the folder that it lies in.
    """

    def __init__(self, places: dict[str, str]) -> None:
        self.places = places

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """See :class:`MetaPathFinder`."""
        return PathFinder.find_spec(name, [self.places[name]]) if name in self.places else None


def borrowed() -> str:
    """What a child elsewhere needs to import, as JSON: lighten, and the packages that bring plug-ins."""
    from dataclasses import asdict

    from lighten.core import catalog

    places = {"lighten": str(Path(__file__).resolve().parents[2])}
    brought = [entry for kind in catalog.KINDS for entry in catalog.entries(kind) if entry.source != "lighten"]
    for name in {entry.module.partition(".")[0] for entry in brought}:
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.submodule_search_locations:
            places[name] = str(Path(next(iter(spec.submodule_search_locations))).parent)
        elif spec is not None and spec.origin:
            places[name] = str(Path(spec.origin).parent)
    return json.dumps({"places": places, "entries": [asdict(entry) for entry in brought]})


def main(number: int, told: dict[str, Any]) -> None:
    """Become the child of socket ``number``."""
    sys.meta_path.insert(0, Borrowed(told["places"]))
    from lighten.core import catalog
    from lighten.isolate.child import main as answer

    catalog.lend(catalog.Entry(**entry) for entry in told["entries"])
    answer(number)


if __name__ == "__main__":
    main(int(sys.argv[1]), json.loads(sys.argv[2]))
