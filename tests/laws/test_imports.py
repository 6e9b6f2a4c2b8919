"""A module imports only from lower levels or its own folder; a plug-in folder never imports another; no cycles."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import lighten

ROOT = Path(lighten.__file__).parent
PLUGINS = ("train", "prune", "distill", "export", "quantize", "engines", "tasks", "meters")
LEVELS = {
    **dict.fromkeys(("core", "proof"), 0),
    **dict.fromkeys(("isolate", "store", "data", "files"), 1),
    "readers": 2,
    "nets": 3,
    **dict.fromkeys(PLUGINS, 4),
    "sessions": 5,
    **dict.fromkeys(("pipeline", "measure"), 6),
    **dict.fromkeys(("search", "reports"), 7),
    "verbs": 8,
    "cli": 9,
    "testing": 10,
}
STANDARD = sys.stdlib_module_names


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """(line, dotted module) of every import that runs; imports for type checkers only are left out."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    typing_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}:{node.lineno} imports relatively"
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def modules() -> Iterator[tuple[Path, str]]:
    """(file, folder) of every module in a folder of the house."""
    for path in sorted(ROOT.rglob("*.py")):
        parts = path.relative_to(ROOT).parts
        if len(parts) > 1:
            yield path, parts[0]


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
