"""Recipe: an ordered tuple of steps for one model. ``plan`` checks the whole chain before anything is touched."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lighten.core import catalog
from lighten.core.engine import Engine
from lighten.core.errors import DataError, PlanError, UnknownName
from lighten.core.matching import fits
from lighten.core.step import Step, after, settings_of, values_of
from lighten.core.task import Task, task_record, task_settings

Data = Mapping[str, str | tuple[str, ...]]
"""The ``[data]`` table of a recipe: source, columns, prompts; choices and labels are lists."""

HELD = frozenset({"train", "tune", "teacher"})

KEYS: Mapping[str, tuple[type, str]] = {
    "model": (str, "a text"),
    "task": (str, "a text"),
    "seed": (int, "a whole number"),
    "data": (dict, "a table: [data]"),
    "step": (list, "tables: [[step]], one for each step"),
    "engine": (dict, "a table: [engine]"),
    "run": (dict, "a table: [run]"),
}
"""Keys of a recipe in TOML, their types, and how they are written. What is in ``run`` is for people only."""


@dataclass(frozen=True)
class Recipe:
    """Base model, steps, engine, task and seed: everything that is needed to make one candidate again.

    Attributes:
        model: what the user gave: a folder, a hub id, ``sample:NAME``.
        steps: in order.
        engine: what is to run it; None when the recipe only makes a model.
        task: catalog name of the task; empty for the one that the model is for.
        seed: for every random choice.
    """

    model: str
    steps: tuple[Step, ...] = ()
    engine: Engine | None = None
    task: str = ""
    seed: int = 0
    data: Data = field(default_factory=dict)
    """Source and column names of the data, as given."""

    def plan(
        self, *, format: str, facts: Mapping[str, Any] | None = None, held: frozenset[str] = HELD
    ) -> tuple[Step, ...]:
        """Check the whole chain and return it with the conversions it needs put in.

        Args:
            format: of the base model.
            facts: what is known of the base model (see ``nets``), for the steps' own checks.
            held: which of ``train``, ``tune``, ``teacher`` are at hand.

        Raises:
            PlanError: lists every problem.
        """
        problems: list[str] = []
        chain: list[Step] = []
        for number, step in enumerate(self.steps, 1):
            name = f"step {number} ({catalog.name_of(step)})"
            for known in settings_of(type(step)):
                problem = known.problem(getattr(step, known.name))
                if problem:
                    problems.append(f"{name}: {problem}.")
            missing = sorted(step.needs - held)
            if missing:
                problems.append(f"{name}: needs {', '.join(missing)} data, which is not given.")
            refused = step.check(facts or {})
            if refused:
                problems.append(f"{name}: {refused}.")
            bridge = conversion(format, step.consumes, facts)
            if bridge is None:
                problems.append(f"{name}: takes {' or '.join(step.consumes)}, but the model is {format} at this point.")
                continue
            # A step that refuses says so above; what stands between two steps is nobody else's to refuse.
            problems += [f"{name}: {why}." for link in bridge if (why := link.check(facts or {})) and not refused]
            for link in (*bridge, step):
                chain.append(link)
                format = after(link, format)
        if self.engine is not None:
            name = f"engine {catalog.name_of(self.engine)}"
            for known in settings_of(type(self.engine)):
                problem = known.problem(getattr(self.engine, known.name))
                if problem:
                    problems.append(f"{name}: {problem}.")
            bridge = conversion(format, self.engine.consumes, facts)
            if bridge is None:
                problems.append(f"{name}: takes {' or '.join(self.engine.consumes)}, but the recipe makes {format}.")
            else:
                chain.extend(bridge)
        if problems:
            raise PlanError(problems)
        return tuple(chain)

    @classmethod
    def from_toml(cls, source: str | Path) -> Recipe:
        """Read a recipe from a file (a Path) or from TOML text.

        Raises:
            DataError: not TOML, or a value of the wrong type. UnknownName: a key that does not belong there.
            PlanError: unknown steps or settings; lists every problem.
        """
        try:
            text = source.read_text(encoding="utf-8") if isinstance(source, Path) else source
            tree = tomllib.loads(text)
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
            raise DataError(
                f"{source if isinstance(source, Path) else 'The recipe'} cannot be read: {error}"
            ) from error
        for name, value in tree.items():
            if name not in KEYS:
                raise UnknownName("key of a recipe", name, KEYS)
            kind, wanted = KEYS[name]
            tables = all(isinstance(one, dict) for one in value) if kind is list and isinstance(value, list) else True
            if type(value) is not kind or not tables:
                raise DataError(f"The recipe's {name} is {value!r:.60}.", allowed=wanted)
        if not tree.get("model"):
            raise DataError("The recipe names no model.", fix='add a line such as  model = "sample:minilm"')
        problems: list[str] = []
        if tree.get("task", "") not in ("", *catalog.names("tasks")):
            problems.append(_one_line(UnknownName("task", tree["task"], catalog.names("tasks"))))
        steps = []
        for record in tree.get("step", []):
            try:
                steps.append(step_from(record))
            except UnknownName as error:
                problems.append(_one_line(error))
            except PlanError as error:
                problems.extend(error.problems)
        engine = None
        if "engine" in tree:
            try:
                engine = engine_from(tree["engine"])
            except UnknownName as error:
                problems.append(_one_line(error))
            except PlanError as error:
                problems.extend(error.problems)
        if problems:
            raise PlanError(problems)
        data = {k: tuple(map(str, v)) if isinstance(v, list) else str(v) for k, v in tree.get("data", {}).items()}
        return cls(tree["model"], tuple(steps), engine, tree.get("task", ""), tree.get("seed", 0), data)


def record_of(thing: Step | Engine) -> dict[str, Any]:
    """A step or engine as a plain record: ``{"use": catalog name, settings...}``."""
    return {"use": catalog.name_of(thing), **values_of(thing)}


def task_from(record: Mapping[str, Any]) -> Task:
    """A task from its record: ``{"use": catalog name, settings...}``.

    Raises:
        UnknownName: no such task. PlanError: a setting that it does not have.
    """
    cls = catalog.load("tasks", str(record.get("use", "")))
    try:
        made: Task = cls(**task_settings(cls, {k: v for k, v in record.items() if k != "use"}))
    except (TypeError, ValueError) as error:
        raise PlanError([f"The task cannot be made: {error}."]) from error
    return made


def task_record_of(task: Task) -> dict[str, Any]:
    """A task as a plain record; :func:`task_from` makes it again."""
    return {"use": catalog.name_of(task), **task_record(task)}


def step_from(record: Mapping[str, Any]) -> Step:
    """A step from its record.

    Raises:
        UnknownName: no such step. PlanError: a setting that it does not have or does not allow.
    """
    made: Step = _from(catalog.load_step(str(record.get("use", ""))), record)
    return made


def engine_from(record: Mapping[str, Any]) -> Engine:
    """An engine from its record.

    Raises:
        UnknownName: no such engine. PlanError: a setting that it does not have or does not allow.
    """
    made: Engine = _from(catalog.load("engines", str(record.get("use", ""))), record)
    return made


def _from(cls: type[Any], record: Mapping[str, Any]) -> Any:
    known = {s.name: s for s in settings_of(cls)}
    problems = []
    for name, value in record.items():
        if name == "use":
            continue
        if name not in known:
            problems.append(_one_line(UnknownName(f"setting of {record['use']}", name, known)))
        elif known[name].problem(value):
            problems.append(f"{record['use']}: {known[name].problem(value)}.")
    if problems:
        raise PlanError(problems)
    return cls(**{name: value for name, value in record.items() if name != "use"})


def conversion(format: str, wanted: Sequence[str], facts: Mapping[str, Any] | None = None) -> tuple[Step, ...] | None:
    """The export steps that turn ``format`` into one of ``wanted``; None when none leads there.

    Args:
        facts: of the model. Of several ways one is taken that does not refuse them, if there is one; and one that is
            made for the format before one that takes it as what it is like.
    """
    if fits(format, wanted):
        return ()
    ways = [catalog.load_step(entry.name)() for entry in catalog.entries("export")]
    ways = [way for way in ways if fits(format, way.consumes) and fits(way.produces, wanted)]
    ways.sort(key=lambda way: (bool(way.check(facts or {})), format not in way.consumes))
    return (ways[0],) if ways else None


def _one_line(error: UnknownName) -> str:
    return str(error).replace("\n", ";")
