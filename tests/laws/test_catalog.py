"""The catalogue loads, every entry documents itself, and every plug-in has its test."""

from __future__ import annotations

import ast
import dataclasses
from pathlib import Path

import pytest

from lighten.core import catalog
from lighten.core.engine import Engine
from lighten.core.step import Step, settings_of

TESTS = Path(__file__).parent.parent
MEASURED = {q.name for meter in catalog.names("meters") for q in catalog.load("meters", meter).quantities}
EVERY = [(kind, entry) for kind in catalog.KINDS for entry in catalog.entries(kind) if entry.source == "lighten"]


@pytest.mark.parametrize(("kind", "entry"), EVERY, ids=[entry.name for _, entry in EVERY])
def test_every_entry_loads_and_documents_itself(kind: str, entry: catalog.Entry) -> None:
    cls = catalog.load(kind, entry.name.rpartition(".")[2])
    assert entry.doc.endswith("."), f"{entry.module}: the first docstring line is one sentence"
    assert cls.__doc__
    assert catalog.name_of(cls) == entry.name
    if issubclass(cls, (Step, Engine)):
        assert dataclasses.is_dataclass(cls)
        assert cls.__dataclass_params__.frozen  # type: ignore[attr-defined]
        settings = settings_of(cls)
        assert len(settings) == len(dataclasses.fields(cls)), "every field is made with setting()"
        for setting in settings:
            assert setting.doc.endswith(".")
            assert not setting.problem(setting.default)
            assert not any(setting.problem(value) for value in setting.search)
            assert set(setting.saves) <= MEASURED, "what a setting saves is a quantity that a meter measures"
            assert not any(setting.problem(value) for values in setting.saves.values() for value in values)


@pytest.mark.parametrize(("kind", "entry"), EVERY, ids=[entry.name for _, entry in EVERY])
def test_every_plugin_has_its_test(kind: str, entry: catalog.Entry) -> None:
    mirrored = TESTS / kind / f"test_{entry.module.rpartition('.')[2]}.py"
    assert mirrored.is_file(), f"{entry.module} has no {mirrored.relative_to(TESTS.parent)}"
    tree = ast.parse(mirrored.read_text(encoding="utf-8"))
    asserted = [node for node in ast.walk(tree) if isinstance(node, ast.Assert) or "raises" in ast.dump(node)]
    assert asserted, f"{mirrored} asserts nothing"


SOURCE = Path(catalog.__file__).parent.parent
TESTED = [
    path
    for folder in ("fitting", "search", "proof", "pipeline", "measure", "serve")
    for path in sorted((SOURCE / folder).glob("*.py"))
    if path.stem != "__init__"
]


@pytest.mark.parametrize("module", TESTED, ids=[f"{path.parent.name}.{path.stem}" for path in TESTED])
def test_every_module_that_decides_or_measures_has_its_test(module: Path) -> None:
    mirrored = TESTS / module.parent.name / f"test_{module.stem}.py"
    assert mirrored.is_file(), f"{module.relative_to(SOURCE)} has no {mirrored.relative_to(TESTS.parent)}"
    tree = ast.parse(mirrored.read_text(encoding="utf-8"))
    tests = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef) and n.name.startswith("test_")]
    idle = [
        test.name
        for test in tests
        if not any(isinstance(n, ast.Assert) or (isinstance(n, ast.Call) and _checks(n)) for n in ast.walk(test))
    ]
    assert tests, f"{mirrored} has no test"
    assert not idle, f"{mirrored}: these assert nothing: {idle}"


def _checks(call: ast.Call) -> bool:
    """Whether a call expects an error, or hands over to a function that asserts (``check_...``)."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    return name == "raises" or name.startswith("check_")


def test_every_test_file_mirrors_a_module() -> None:
    free = {"laws", "story", "hardware", "contracts"}
    source = Path(catalog.__file__).parent.parent
    lost = []
    for path in sorted(TESTS.rglob("test_*.py")):
        folder = path.relative_to(TESTS).parts[0]
        if folder in free or path.parent == TESTS:
            continue
        if not (source / path.relative_to(TESTS).with_name(path.name.removeprefix("test_"))).is_file():
            lost.append(str(path.relative_to(TESTS)))
    assert not lost, f"these test no module of the same name: {lost}"
