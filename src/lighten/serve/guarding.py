"""Guarding: the rules of a server, the models that they ask, and what each served model gets of them."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from lighten.core.errors import InputError, UnknownName
from lighten.core.guard import (
    INPUT,
    LOGS,
    OUTPUT,
    REVIEW,
    AnswerGuard,
    Finder,
    ModelGuard,
    ProbeGuard,
    TextGuard,
    replaced,
)
from lighten.serve.cases import Case
from lighten.serve.chain import Cases, Chain
from lighten.serve.metrics import Family, labels_of
from lighten.serve.model import ServedModel
from lighten.serve.review import Review
from lighten.serve.rules import Rule
from lighten.serve.servable import Servable

LOGGERS = ("lighten.serve", "uvicorn.error", "asyncio")
"""Logs of a server."""


class Guarding:
    """What guards a server.

    Args:
        rules: in their order. helpers: models that rules ask, by the rule's name. cases: see :class:`Chain`.

    Raises:
        InputError: a rule names a label that the model which it asks does not have.
    """

    def __init__(self, rules: Sequence[Rule], helpers: Mapping[str, ServedModel], cases: Cases | None = None) -> None:
        self.rules, self.helpers, self._cases = tuple(rules), dict(helpers), cases
        for rule in self.rules:
            if isinstance(rule.guard, ModelGuard):
                _check_labels(rule, rule.guard, helpers[rule.name].source.labels)

    def chain(self, source: Servable) -> Chain | None:
        """The guards of one model; None where none is for it.

        Raises:
            InputError: a rule cannot be used for it though it names it, or names a label that it does not have.
        """
        fitting = []
        for rule in self.rules:
            why = unfit(rule, source)
            if why and source.name in rule.guard.models:
                raise InputError(f"{rule.where}: The guard {rule.name} cannot look at {source.name!r}: {why}.")
            if not why and rule.fits(source.name) and (rule.on(INPUT) or rule.on(OUTPUT)):
                fitting.append(rule)
        for rule in fitting:
            if isinstance(rule.guard, AnswerGuard):
                _check_labels(rule, rule.guard, source.labels)
        ask = {name: helper.predict for name, helper in self.helpers.items()}
        return Chain(source.name, source.version, fitting, ask=ask, cases=self._cases) if fitting else None

    def check(self, sources: Sequence[Servable], names: Sequence[str]) -> None:
        """Refuse rules that guard nothing.

        Args:
            sources: models that are open. names: of all that may be.

        Raises:
            UnknownName: a rule is for a model that is not served. InputError: one fits none of the models.
        """
        for rule in self.rules:
            other = next((name for name in rule.guard.models if name not in names), None)
            if other is not None:
                error = UnknownName("model", str(other), names)
                raise InputError(f"{rule.where}: {error.seen}", allowed=error.allowed, fix=error.fix)
            reasons = [unfit(rule, source) for source in sources if rule.fits(source.name)]
            if reasons and all(reasons):
                seen = f"{rule.where}: The guard {rule.name} fits no model: {reasons[0]}."
                raise InputError(seen, fix="leave it out, or serve a model that it is for")

    def cover_logs(self) -> None:
        """Have rules that stand before the log take out what they find, from now on, for as long as the process is."""
        finders = [rule.finder for rule in self.rules if rule.on(LOGS) and rule.finder is not None]
        for name in LOGGERS if finders else ():
            logging.getLogger(name).addFilter(Covering(finders))

    def cover_cases(self, review: Review | None) -> None:
        """Have rules that stand before the review queue take out what they find, from now on.

        Raises:
            InputError: there are such rules, and no queue.
        """
        kept = [rule for rule in self.rules if rule.on(REVIEW)]
        if kept and review is None:
            seen = f"{kept[0].where}: The guard {kept[0].name} stands before the review queue, and there is none."
            raise InputError(seen, fix="give --review FILE, or leave it out")
        if kept and review is not None:
            review.cover = self.covered

    def covered(self, case: Case) -> Case:
        """A case without what rules before the review queue find in it."""
        finders = [one.finder for one in self.rules if one.on(REVIEW) and one.finder and one.fits(case.model)]
        answers = tuple(replace(one, answer=cover(one.answer, finders)) for one in case.answers)
        return replace(case, input=covered_in(case.input, finders), answers=answers) if finders else case


def families(models: Iterable[ServedModel]) -> list[Family]:
    """What ``/metrics`` tells of the guards of models."""
    every = [
        (f'{labels_of(model.name, model.version)},guard="{rule}",action="{action}"', float(count))
        for model in models
        if model.guards is not None
        for (rule, action), count in model.guards.counts.items()
    ]
    told = "Inputs and answers with which a guard has done something, by guard and action."
    return [Family("lighten_guarded_total", "counter", told, every)] if every else []


class Covering(logging.Filter):
    """Takes out of what is logged, and of its tracebacks, what some finders find."""

    def __init__(self, finders: Iterable[Finder]) -> None:
        super().__init__()
        self._finders = tuple(finders)

    def filter(self, record: logging.LogRecord) -> bool:
        """See :meth:`logging.Filter.filter`. Nothing is left out as a whole."""
        record.msg, record.args = cover(record.getMessage(), self._finders), None
        if record.exc_info:
            record.exc_text = cover(logging.Formatter().formatException(record.exc_info), self._finders)
        return True


def cover(text: str, finders: Iterable[Finder]) -> str:
    """A text without what some finders find."""
    for finder in finders:
        text = replaced(text, finder.spans(text))
    return text


def covered_in(value: Any, finders: Sequence[Finder]) -> Any:
    """A JSON value without what some finders find in its texts."""
    if not finders:
        return value
    if isinstance(value, bytes):
        try:
            value = value.decode("utf-8")
        except UnicodeDecodeError:
            return value  # a file, in which nothing is looked for
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        told = cover(str(value), finders)
        return told if told != str(value) else value
    if isinstance(value, Mapping):
        return {name: covered_in(one, finders) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [covered_in(one, finders) for one in value]
    return value


def unfit(rule: Rule, source: Servable) -> str:
    """Why a rule cannot look at a model, in words; empty where it can, or where it stands beside all models."""
    guard = rule.guard
    if isinstance(guard, AnswerGuard):
        return "" if source.labels else "it chooses no label"
    if isinstance(guard, ProbeGuard):
        return "" if source.labels and not source.task.kind else "its answers are no labels of texts"
    if not any(rule.on(side) for side in (INPUT, OUTPUT)):
        return ""
    assert isinstance(guard, TextGuard | ModelGuard)
    if rule.on(INPUT) and not source.task.kind:
        return ""
    if rule.on(OUTPUT) and not source.labels and not source.task.embeds:
        return ""
    return "its inputs are files" if rule.on(INPUT) else "its answers are no texts"


def _check_labels(rule: Rule, guard: ModelGuard | AnswerGuard, labels: Sequence[str]) -> None:
    try:
        guard.check_labels(labels)
    except UnknownName as error:
        raise InputError(f"{rule.where}: {error.seen}", allowed=error.allowed, fix=error.fix) from error
