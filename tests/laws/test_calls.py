"""What is called in a process of its own takes the arguments that it is called with: of these, ``call`` keeps some."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path

import lighten
from lighten.isolate.process import call

ROOT = Path(lighten.__file__).parent
KEPT = {name for name, one in inspect.signature(call).parameters.items() if one.kind == one.KEYWORD_ONLY}


def calls() -> Iterator[tuple[str, str, ast.Call]]:
    """(place, ``module:function``, call) of every call of a function by its name."""
    for path in sorted(ROOT.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "call" and node.args:
                name = node.args[0]
                if isinstance(name, ast.Constant) and isinstance(name.value, str):
                    yield f"{path.relative_to(ROOT)}:{node.lineno}", name.value, node


def arguments_of(name: str) -> ast.arguments:
    """What ``lighten.module:function`` takes."""
    module, _, function = name.partition(":")
    path = ROOT.joinpath(*module.split(".")[1:]).with_suffix(".py")
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return next(one.args for one in tree.body if isinstance(one, ast.FunctionDef) and one.name == function)


def test_a_function_gets_all_that_it_needs_and_nothing_else() -> None:
    found = list(calls())
    assert len(found) > 5
    for place, name, node in found:
        takes = arguments_of(name)
        given = {one.arg for one in node.keywords} - KEPT
        every = [*takes.args, *takes.kwonlyargs]
        optional = [one.arg for one in takes.args[len(takes.args) - len(takes.defaults) :]]
        optional += [one.arg for one, value in zip(takes.kwonlyargs, takes.kw_defaults, strict=True) if value]
        names = {one.arg for one in every}
        assert takes.kwarg or given - {None} <= names, f"{place}: {name} takes no {given - names}"
        missing = names - set(optional) - given
        assert None in given or not missing, f"{place}: {name} does not get {missing}"
