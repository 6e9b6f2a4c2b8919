"""lighten: bring a model, your data and a budget; get the cheapest version that provably still works.

Every verb of the command line is a function here, with the same words. Importing this loads none of them yet.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lighten.cli.screen import screen
    from lighten.core.errors import LightenError
    from lighten.core.recipe import Recipe
    from lighten.core.summary import Summary
    from lighten.core.training import TrainingResult
    from lighten.store.summaries import load_summary
    from lighten.verbs import engine
    from lighten.verbs.apply import apply
    from lighten.verbs.bench import bench
    from lighten.verbs.catalog import catalog
    from lighten.verbs.chat import chat
    from lighten.verbs.clean import clean
    from lighten.verbs.compare import compare
    from lighten.verbs.doctor import doctor
    from lighten.verbs.export import export
    from lighten.verbs.load import load
    from lighten.verbs.optimize import optimize
    from lighten.verbs.plan import plan
    from lighten.verbs.report import report
    from lighten.verbs.resume import resume
    from lighten.verbs.sample import sample
    from lighten.verbs.schema import schema
    from lighten.verbs.serve import serve
    from lighten.verbs.train import train
    from lighten.verbs.versions import versions
else:
    from importlib import import_module

    for folder in ("train", "serve", "export"):  # with the names of verbs: loaded later, they would take their place
        import_module(f"lighten.{folder}")
    del train, serve, export, folder, import_module

__version__ = "0.1.0"
__all__ = [
    "LightenError",
    "Recipe",
    "Summary",
    "TrainingResult",
    "apply",
    "bench",
    "catalog",
    "chat",
    "clean",
    "compare",
    "doctor",
    "engine",
    "export",
    "load",
    "load_summary",
    "optimize",
    "plan",
    "report",
    "resume",
    "sample",
    "schema",
    "screen",
    "serve",
    "train",
    "versions",
]

_HOMES = {
    "LightenError": "lighten.core.errors",
    "Recipe": "lighten.core.recipe",
    "Summary": "lighten.core.summary",
    "TrainingResult": "lighten.core.training",
    "load_summary": "lighten.store.summaries",
    "screen": "lighten.cli.screen",
}

_GROUPS = ("engine",)
"""Verbs with verbs of their own: ``lighten.engine.add``."""


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'lighten' has no attribute {name!r}")
    from importlib import import_module

    module = import_module(_HOMES.get(name, f"lighten.verbs.{name}"))
    value = module if name in _GROUPS else getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
