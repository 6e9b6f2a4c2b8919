"""Factory: import the function that the user named, and call it with what its signature asks for."""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn
from torch.nn.modules.lazy import LazyModuleMixin

from lighten.core.artifact import sha256
from lighten.core.errors import ModelError, UnknownName, nearest
from lighten.nets.module.record import ALSO, ARGUMENTS
from lighten.nets.training.randomness import seed_all, untouched

KEPT = ("channels", "size", "length")
"""Arguments whose default, where they have one, is obeyed: inputs are made to fit it."""
SAYS = ("labels", "blocks", "size", "channels", "mean", "std", "tokenizer", "length")
"""What a module may say of itself, in a dictionary that it calls ``lighten``."""
Factory = Callable[..., Any]


@dataclass(frozen=True)
class Found:
    """A factory, imported.

    Attributes:
        name: as the user wrote it. make: the function. sources: SHA-256 of each file of the user's own that importing
            it brought in, by its path below ``root``.
    """

    name: str
    make: Factory
    root: Path

    @property
    def parameters(self) -> Mapping[str, inspect.Parameter]:
        """What it takes, by the name of the argument that each stands for."""
        try:
            found = inspect.signature(self.make).parameters
        except (TypeError, ValueError):
            return {}
        return {ALSO.get(name, name): one for name, one in found.items()}

    def wishes(self) -> dict[str, Any]:
        """What its defaults say of inputs: ``size``, ``channels``, ``length`` to be obeyed, ``vocabulary`` at most."""
        known = {name: one.default for name, one in self.parameters.items() if name in (*KEPT, "vocabulary")}
        return {name: value for name, value in known.items() if value is not inspect.Parameter.empty and value}

    def called_with(self, known: Mapping[str, Any]) -> dict[str, Any]:
        """Those of ``known`` that it takes, by their names in its signature.

        Raises:
            ModelError: it needs an argument that nobody knows.
        """
        variable = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
        taken = {name: one for name, one in self.parameters.items() if one.kind not in variable}
        lacking = [one.name for name, one in taken.items() if name not in known and one.default is one.empty]
        if lacking:
            raise ModelError(
                f"{self.name} needs the arguments {', '.join(lacking)}, which nobody knows here.",
                allowed=f"{', '.join(ARGUMENTS)}; every other one with a default",
                fix="give it a default, or write a factory that calls this one",
            )
        return {one.name: known[name] for name, one in taken.items() if name in known}

    def module(self, arguments: Mapping[str, Any], seed: int = 0) -> nn.Module:
        """The module that it returns, float32, in eval mode; its random weights are those of ``seed``.

        Raises:
            ModelError: it raised, or returned something else.
        """
        called = (
            f"{self.name.partition(':')[2]}({', '.join(f'{name}={value!r:.40}' for name, value in arguments.items())})"
        )
        try:
            with _importable(self.root), untouched():
                seed_all(seed)
                made = self.make(**arguments)
        except Exception as error:  # whatever the user's code raises
            raise ModelError(
                f"{called} of {self.name.partition(':')[0]} raised {type(error).__name__}: {error}",
                fix="call it yourself, in Python, with the same arguments",
            ) from error
        if not isinstance(made, nn.Module):
            raise ModelError(
                f"{called} of {self.name.partition(':')[0]} returned {type(made).__name__}.",
                allowed="a torch.nn.Module",
                fix="return the module itself, not its class or its weights",
            )
        if not any(True for _ in made.parameters()):
            raise ModelError(f"The module that {called} returned has no weights.", allowed="a module that can learn")
        if waiting := [name for name, one in made.named_modules() if isinstance(one, LazyModuleMixin)]:
            raise ModelError(
                f"{', '.join(waiting[:8])} of the module that {called} returned wait for an input to know their sizes.",
                allowed="layers with sizes, such as nn.Linear(in_features, out_features)",
                fix="give them their sizes, or call the module once on zeros before its factory returns it",
            )
        return made.float().eval()

    def sources(self) -> dict[str, str]:
        """SHA-256 of each file below the root that was imported, by its path there; of what is installed, the one that
        holds the factory."""
        files = {Path(str(sys.modules[self.name.partition(":")[0]].__file__)).resolve()}
        if "site-packages" not in self.root.parts:
            files |= set(_own_modules(self.root).values())
        return {path.relative_to(self.root).as_posix(): sha256(path) for path in sorted(files)}


def load_factory(name: str, root: Path) -> Found:
    """Import a factory. This runs the code of its module: who calls it has a permit.

    Args:
        root: folder that is made importable for this process.

    Raises:
        ModelError: importing it raises, or the module has no such function.
    """
    module, _, function = name.partition(":")
    _forget_others(module, root)
    try:
        with _importable(root):
            found = importlib.import_module(module)
    except Exception as error:  # whatever the user's code raises
        missing = f" It needs {error.name}." if isinstance(error, ModuleNotFoundError) and error.name else ""
        raise ModelError(
            f"{module}, in {root}, cannot be imported: {type(error).__name__}: {error}.{missing}",
            fix=f"try it: python -c 'import {module}', in {root}",
        ) from error
    made = getattr(found, function, None)
    if not callable(made):
        public = [one for one, value in vars(found).items() if callable(value) and not one.startswith("_")]
        near = nearest(function, public)
        raise ModelError(
            f"{module}, in {root}, has no function {function}.",
            allowed="a function that returns a torch.nn.Module",
            fix=f"did you mean {' or '.join(f'{module}:{one}' for one in near)}?" if near else "",
        )
    return Found(name, made, root)


def said_by(module: nn.Module) -> dict[str, Any]:
    """What a module says of itself in its dictionary ``lighten``; empty where it has none.

    Raises:
        UnknownName: a word that means nothing here. ModelError: it is no dictionary.
    """
    said = getattr(module, "lighten", {})
    if not isinstance(said, dict):
        raise ModelError(f"lighten of {type(module).__name__} is {type(said).__name__}.", allowed="a dictionary")
    for name in said:
        if name not in SAYS:
            raise UnknownName(f"word of {type(module).__name__}.lighten", str(name), SAYS)
    found = dict(said)
    tokenizer = found.get("tokenizer")
    if tokenizer is not None and not isinstance(tokenizer, str):
        inner = getattr(tokenizer, "backend_tokenizer", tokenizer)
        found["tokenizer"] = inner.to_str()
    return found


_before: dict[Path, set[str]] = {}
"""Names of the modules that were imported before the first of a folder was, by the folder."""


def _own_modules(root: Path) -> dict[str, Path]:
    """File of each module that a factory below ``root`` brought in and that lies there, by the module's name."""
    new = {name: getattr(sys.modules[name], "__file__", None) for name in set(sys.modules) - _before.get(root, set())}
    found = {name: Path(file).resolve() for name, file in new.items() if file and name.partition(".")[0] != "lighten"}
    return {name: path for name, path in found.items() if _is_own(path, root)}


@contextmanager
def _importable(root: Path) -> Iterator[None]:
    """Import from ``root`` before everything else inside, and after everything else from then on."""
    place = str(root)
    sys.path.insert(0, place)
    try:
        yield
    finally:
        sys.path.remove(place)
        if place not in sys.path:
            sys.path.append(place)


def _forget_others(module: str, root: Path) -> None:
    """Forget modules that other folders brought in, and those of the same name, so that this folder's are imported."""
    for other in [folder for folder in _before if folder != root]:
        for name in _own_modules(other):
            del sys.modules[name]
        del _before[other]
    top = module.partition(".")[0]
    file = getattr(sys.modules.get(top), "__file__", None)
    if file is not None and not Path(file).resolve().is_relative_to(root):
        for name in [name for name in sys.modules if name == top or name.startswith(f"{top}.")]:
            del sys.modules[name]
    _before.setdefault(root, set(sys.modules))


def _is_own(path: Path, root: Path) -> bool:
    inside = path.is_relative_to(root) and path.suffix == ".py" and path.is_file()
    return inside and not {"site-packages", "lib"} & set(path.relative_to(root).parts)
