"""A throw-away package that brings one plug-in, as an author outside lighten would ship it."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterator, Mapping
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


def packaged(folder: Path, name: str, entries: Mapping[str, Mapping[str, str]]) -> None:
    """Make a package that lies in ``folder`` look installed there, as pip would leave it.

    Args:
        entries: by kind (see ``catalog.KINDS``), the dotted paths of modules by what the catalog is to call them.
    """
    record = folder / f"{name}-1.0.dist-info"
    record.mkdir()
    (record / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n", encoding="utf-8")
    lines = [
        line
        for kind, modules in entries.items()
        for line in (f"[lighten.{kind}]", *(f"{called} = {module}" for called, module in modules.items()))
    ]
    (record / "entry_points.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


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
        for module in [m for m in sys.modules if _is_in(folder, m)]:
            del sys.modules[module]
        _forget()


def _is_in(folder: Path, module: str) -> bool:
    place = folder.joinpath(*module.split("."))
    return place.with_suffix(".py").is_file() or (place / "__init__.py").is_file()


def _forget() -> None:
    importlib.invalidate_caches()
    catalog.entries.cache_clear()
    catalog._class_in.cache_clear()
