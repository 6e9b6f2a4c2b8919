"""No module above the plug-ins knows a modality: none names a plug-in of the catalogue, none asks what kind it has.

What differs between a classifier, a language model and a picture is a method of the task, the format, the reader or
the meter, with one answer for each.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import lighten
from lighten.core import catalog

ROOT = Path(lighten.__file__).parent
ABOVE = ("fitting", "search", "measure", "sessions", "pipeline", "reports", "serve", "verbs")
KINDS = ("tasks", "formats", "engines", "readers", "targets", *catalog.STEP_KINDS)
MODALITIES = {"language", "vision", "picture", "pictures", "image", "images", "sound", "audio", "speech", "evidence"}
COLUMNS = {"text"}
"""Names of plug-ins that are names of columns, too."""
LIBRARIES = {"LIBRARIES", "EXTRAS"}
"""Constants that list distributions, some of which are called as an engine or a format is."""


def names() -> set[str]:
    """Every name in the catalogue, as modules, artifacts and the command line spell it."""
    found = {entry.name for kind in KINDS for entry in catalog.entries(kind)} - COLUMNS
    return found | {name.replace("_", "-") for name in found}


def modules() -> Iterator[Path]:
    for folder in ABOVE:
        yield from sorted((ROOT / folder).rglob("*.py"))


def docstrings(tree: ast.AST) -> set[int]:
    """Texts that stand for themselves: of modules, classes and functions, and those below a constant."""
    return {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}


def distributions(tree: ast.AST) -> set[int]:
    """Every text in a constant that lists distributions."""
    found: set[int] = set()
    for node in ast.walk(tree):
        target = (
            node.target
            if isinstance(node, ast.AnnAssign)
            else node.targets[0]
            if isinstance(node, ast.Assign)
            else None
        )
        if isinstance(target, ast.Name) and target.id in LIBRARIES:
            found |= {id(inner) for inner in ast.walk(node)}
    return found


def named(tree: ast.AST, known: set[str]) -> Iterator[tuple[int, str]]:
    """(line, name) of every plug-in that code names."""
    free = docstrings(tree) | distributions(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and node.value in known and id(node) not in free:
            yield node.lineno, str(node.value)


def asked(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """(line, word) of every condition that has a modality in it."""
    tests = [node.test for node in ast.walk(tree) if isinstance(node, ast.If | ast.IfExp | ast.While | ast.Assert)]
    tests += [test for node in ast.walk(tree) if isinstance(node, ast.comprehension) for test in node.ifs]
    tests += [node for node in ast.walk(tree) if isinstance(node, ast.BoolOp | ast.Compare | ast.match_case)]
    for test in tests:
        for node in ast.walk(test):
            word = next((value for value in _words(node)), None)
            if word is not None:
                yield getattr(node, "lineno", 0), word


def _words(node: ast.AST) -> Iterator[str]:
    """What is asked: an attribute, a name or a key of which a modality is a part."""
    values = {
        ast.Attribute: lambda: node.attr,  # type: ignore[attr-defined]
        ast.Name: lambda: node.id,  # type: ignore[attr-defined]
        ast.Constant: lambda: node.value,  # type: ignore[attr-defined]
    }
    value = values.get(type(node), lambda: None)()
    if isinstance(value, str) and value.isidentifier():
        parts = {part.lower() for part in value.split("_")} | {_split(value)}
        yield from (value for _ in parts & MODALITIES)


def _split(name: str) -> str:
    """The first word of a name in capitals: ``language`` of ``LanguageSession``."""
    first = "".join(f" {one}" if one.isupper() else one for one in name).split()
    return first[0].lower() if first else ""


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_no_module_above_the_plugins_names_one_or_asks_for_a_modality(path: Path) -> None:
    where = str(path.relative_to(ROOT))
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = [f"{where}:{line} names {name!r}" for line, name in named(tree, names())]
    found += [f"{where}:{line} asks for {word!r}" for line, word in asked(tree)]
    assert not found, "\n".join(found) + "\nask the task, the format, the engine or the reader instead"


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ('engine = "eager"', "eager"),
        ('task = "text-generation" if choices else None', "text-generation"),
        ('steps = ["prune.layers"]', "prune.layers"),
        ('"""Such as gguf."""\nx = 1', None),
        ('"gguf"', None),
        ('LIBRARIES = ("onnx", "numpy")', None),
    ],
)
def test_a_name_is_seen_where_code_has_it(code: str, found: str | None) -> None:
    assert [name for _, name in named(ast.parse(code), names())] == ([found] if found else [])


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("if task.language: pass", True),
        ("x = 1 if facts.get('language') else 2", True),
        ("y = [a for a in b if isinstance(a, LanguageSession)]", True),
        ("z = run.task.evidence == kind", True),
        ("while is_image(x): pass", True),
        ("if task.settles_classes: pass", False),
        ("language = 3", False),
    ],
)
def test_a_condition_on_a_modality_is_seen(code: str, found: bool) -> None:
    assert bool(list(asked(ast.parse(code)))) is found
