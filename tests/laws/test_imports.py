"""A module imports only from lower levels or its own folder; a plug-in folder never imports another; no cycles."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import lighten

ROOT = Path(lighten.__file__).parent
PLUGINS = (
    "train",
    "prune",
    "distill",
    "export",
    "quantize",
    "formats",
    "engines",
    "tasks",
    "meters",
    "targets",
    "guards",
)
LEVELS = {
    **dict.fromkeys(("core", "proof"), 0),
    **dict.fromkeys(("isolate", "store", "files", "look"), 1),
    "data": 2,
    "readers": 3,
    "nets": 4,
    "models": 5,
    **dict.fromkeys(PLUGINS, 6),
    "sessions": 7,
    **dict.fromkeys(("pipeline", "measure"), 8),
    **dict.fromkeys(("search", "reports", "serve"), 9),
    "fitting": 10,
    "verbs": 11,
    "cli": 12,
    "testing": 13,
}
STANDARD = sys.stdlib_module_names


@cache
def every_import(path: Path) -> list[tuple[int, str, bool]]:
    """(line, dotted module, whether it is for type checkers alone) of every import. Read once: the files are many."""
    every = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    typing_only = {
        id(inner)
        for node in every
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for inner in ast.walk(node)
    }
    found = []
    for node in every:
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name, id(node) in typing_only) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}:{node.lineno} imports relatively"
            found += [(node.lineno, f"{node.module}.{alias.name}", id(node) in typing_only) for alias in node.names]
    return found


def imports(path: Path, *, typing: bool = False) -> Iterator[tuple[int, str]]:
    """(line, dotted module) of every import that runs. typing: those for type checkers, too."""
    return ((line, name) for line, name, types_alone in every_import(path) if typing or not types_alone)


def modules() -> Iterator[tuple[Path, str]]:
    """(file, folder) of every module in a folder of the house."""
    for path in sorted(ROOT.rglob("*.py")):
        parts = path.relative_to(ROOT).parts
        if len(parts) > 1:
            yield path, parts[0]


def graph(root: Path, *, typing: bool) -> dict[str, set[str]]:
    """Every module of a package, and the modules of the package that it imports, wherever in the file that stands."""
    files = {}
    for path in sorted(root.rglob("*.py")):
        parts = (root.name, *path.relative_to(root).with_suffix("").parts)
        files[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    found: dict[str, set[str]] = {}
    for module, path in files.items():
        names = [name for _, name in imports(path, typing=typing)]
        nearest = (next((m for m in prefixes(name) if m in files), None) for name in names)
        found[module] = {name for name in nearest if name is not None and name != module}
    return found


def prefixes(name: str) -> list[str]:
    """A dotted name, then each shorter one."""
    parts = name.split(".")
    return [".".join(parts[:end]) for end in range(len(parts), 0, -1)]


def circles(edges: dict[str, set[str]]) -> list[str]:
    """One circle for each group of modules that import one another, as text; empty when there is none."""
    sorter, found = TopologicalSorter(edges), []
    while True:
        try:
            sorter.prepare()
        except CycleError as error:
            circle = error.args[1]
            found.append(" <- ".join(circle))
            edges = {module: targets - set(circle) for module, targets in edges.items() if module not in circle}
            sorter = TopologicalSorter(edges)
        else:
            return found


@pytest.mark.parametrize("typing", [False, True], ids=["that run", "for types"])
def test_no_modules_import_one_another(typing: bool) -> None:
    found = circles(graph(ROOT, typing=typing))
    assert not found, "import circles:\n" + "\n".join(found)


def test_a_circle_for_types_alone_is_seen(tmp_path: Path) -> None:
    package = tmp_path / "package"
    package.mkdir()
    texts = {
        "__init__": "",
        "first": "from package.second import B\nfrom package import third",
        "second": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from package.first import A",
        "third": "def late():\n    import package.fourth",
        "fourth": "import package.third",
    }
    for name, text in texts.items():
        (package / f"{name}.py").write_text(text, encoding="utf-8")
    assert [set(c.split(" <- ")) for c in circles(graph(package, typing=False))] == [
        {"package.third", "package.fourth"}
    ]
    assert sorted(sorted(set(c.split(" <- "))) for c in circles(graph(package, typing=True))) == [
        ["package.first", "package.second"],
        ["package.fourth", "package.third"],
    ]


def test_every_folder_has_a_level() -> None:
    folders = {folder for _, folder in modules()}
    assert folders <= set(LEVELS), f"give these folders a level: {folders - set(LEVELS)}"


def test_imports_point_downward() -> None:
    broken = []
    for path, folder in modules():
        for line, name in imports(path):
            parts = name.split(".")
            if parts[0] != "lighten" or len(parts) < 2 or parts[1] not in LEVELS:
                continue
            target = parts[1]
            if target != folder and LEVELS[target] >= LEVELS[folder]:
                broken.append(f"{path.relative_to(ROOT)}:{line} ({folder}) imports {name} ({target})")
    assert not broken, "\n".join(broken)


def test_plugins_are_reached_through_the_catalog_only() -> None:
    broken = []
    for path, folder in modules():
        if folder in (*PLUGINS, "testing"):
            continue
        for line, name in imports(path):
            parts = name.split(".")
            if parts[0] == "lighten" and len(parts) > 1 and parts[1] in PLUGINS:
                broken.append(f"{path.relative_to(ROOT)}:{line} imports {name}")
    assert not broken, "\n".join(broken)


def test_core_imports_the_standard_library_only_and_proof_adds_numpy_and_scipy() -> None:
    allowed = {"core": set(), "proof": {"numpy", "scipy"}}
    broken = []
    for path, folder in modules():
        for line, name in imports(path):
            top = name.partition(".")[0]
            if folder in allowed and top not in STANDARD and top not in ("lighten", *allowed[folder]):
                broken.append(f"{path.relative_to(ROOT)}:{line} imports {name}")
    assert not broken, "\n".join(broken)


def test_importing_lighten_and_asking_for_help_load_no_heavy_library() -> None:
    code = (
        "import sys, lighten, lighten.cli; dir(lighten);"
        "heavy = {'torch', 'transformers', 'onnxruntime', 'openvino', 'optuna', 'scipy', 'numpy'} & set(sys.modules);"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
