"""A throw-away package that brings one plug-in, as an author outside lighten would ship it."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lighten.core import catalog


def plugin_package(folder: Path, kind: str, name: str, source: str = "", *, module: str = "") -> str:
    """Write a package with one entry point into ``folder`` and return the dotted path of its module.

    Args:
        kind: such as ``"engines"`` or ``"quantize"`` (see ``catalog.KINDS``).
        name: what the catalog is to call it, without the kind.
        source: of the module.
        module: dotted path of a module that exists already, instead of ``source``.
    """
    if not module:
        module = f"{folder.name.replace('-', '_')}_{kind}_{name}"
        (folder / f"{module}.py").write_text(source, encoding="utf-8")
    record = folder / f"lighten_plugin_{kind}_{name}-1.0.dist-info"
    record.mkdir(parents=True)
    metadata = f"Metadata-Version: 2.1\nName: lighten-plugin-{kind}-{name}\nVersion: 1.0\n"
    (record / "METADATA").write_text(metadata, encoding="utf-8")
    (record / "entry_points.txt").write_text(f"[lighten.{kind}]\n{name} = {module}\n", encoding="utf-8")
    return module


@contextmanager
def installed(folder: Path) -> Iterator[None]:
    """The packages in ``folder`` are installed, in this process and in every child that it starts meanwhile."""
    before = os.environ.get("PYTHONPATH")
    sys.path.insert(0, str(folder))
    os.environ["PYTHONPATH"] = os.pathsep.join([str(folder), *([before] if before else [])])
    _forget()
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        if before is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = before
        for module in [m for m in sys.modules if (folder / f"{m}.py").is_file()]:
            del sys.modules[module]
        _forget()


def _forget() -> None:
    importlib.invalidate_caches()
    catalog.entries.cache_clear()
    catalog._class_in.cache_clear()
