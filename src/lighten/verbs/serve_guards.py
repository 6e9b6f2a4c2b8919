"""The guards of a server, from the rules that a user wrote to what looks at every request."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from lighten.core.errors import InputError
from lighten.core.guard import ModelGuard
from lighten.core.home import expanded
from lighten.serve.chain import Cases
from lighten.serve.guarding import Guarding
from lighten.serve.model import ServedModel
from lighten.serve.rules import Rule, read_rules

PREFIX = "guard:"
"""How a model is called in ``/metrics`` that only rules ask."""


class GuardPlan:
    """Rules that were read, before any model is opened.

    Args:
        path: of the rules; None for none.

    Attributes:
        models: paths of the models that the rules ask, by the name of the rule.

    Raises:
        InputError: a rule that cannot be used.
    """

    def __init__(self, path: str | Path | None) -> None:
        self.rules: Sequence[Rule] = read_rules(path) if path is not None else ()
        folder = expanded(str(path)).parent if path is not None else Path()
        self.models = {
            rule.name: str(folder / expanded(rule.guard.model))
            for rule in self.rules
            if isinstance(rule.guard, ModelGuard)
        }

    def open(self, opened: Callable[[str, str], ServedModel], cases: Cases | None) -> Guarding:
        """What guards the server.

        Args:
            opened: a model that is to be asked, by a name and its path.

        Raises:
            InputError: a model that rules ask cannot be used, or does not have the label of a rule.
        """
        helpers: dict[str, ServedModel] = {}
        for rule in self.rules:
            if rule.name in self.models:
                try:
                    helpers[rule.name] = opened(PREFIX + rule.name, self.models[rule.name])
                except InputError as error:
                    raise type(error)(f"{rule.where}: {error.seen}", allowed=error.allowed, fix=error.fix) from error
        return Guarding(self.rules, helpers, cases)
