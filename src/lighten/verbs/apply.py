"""apply: carry out one recipe, step by step, and leave the artifact it makes."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from lighten.core.artifact import STORE, Artifact
from lighten.core.data_options import DataOptions
from lighten.core.errors import DataError, RunFolderError
from lighten.core.lists import read_list
from lighten.core.matching import engine_for, facts_of, format_named
from lighten.core.progress import Progress, reported_to
from lighten.core.recipe import Recipe, record_of, task_record_of
from lighten.core.rows import Parts
from lighten.core.step import Step
from lighten.core.task import Data, Task
from lighten.data.learned import keep_apart, learned_in
from lighten.isolate.machine import allowed_cores
from lighten.models.bring import bring, find
from lighten.models.recognize import check_task
from lighten.pipeline.workshop import Workshop
from lighten.search.classes import asking, settle_classes, suit
from lighten.search.options import Options, asked_of, recorded
from lighten.search.reading import coverage_of
from lighten.search.start import fitting_task, read_data, recipe_of_head
from lighten.store.folder import save_parts


def apply(
    recipe: str | Path | Recipe,
    out: str | Path,
    *,
    data: str | Path | None = None,
    text: str | None = None,
    label: str | None = None,
    group: str | None = None,
    unit: str | None = None,
    split_column: str | None = None,
    threads: int = 0,
    prompt: str | None = None,
    answer: str | None = None,
    choices: Sequence[str] | str = (),
    shots: int = 0,
    drop_empty: bool = False,
    labels: Sequence[str] | str = (),
    longest: int | None = None,
    merge_labels: bool | None = None,
    drop_rare: int = 0,
    progress: Callable[[float, float, str], None] | None = None,
    note: Callable[[str], None] | None = None,
) -> Artifact:
    """Make what a recipe (TOML file, or the ``run.toml`` of a run) describes.

    Args:
        out: folder of the artifact; must not exist yet.
        data, text, label, group, unit, split_column, prompt, answer, choices, shots, labels, longest, drop_empty,
            merge_labels, drop_rare: override what the recipe says, as in ``optimize``.
        progress: told how far the work is: done, total, message. note: told what a user should know.

    Raises:
        PlanError: the recipe's steps do not fit together; lists every problem. InputError: model, data or folder.
        CandidateFailed: a step or the engine failed.
    """
    given = given_of_data(locals())
    made = recipe if isinstance(recipe, Recipe) else Recipe.from_toml(Path(recipe))
    source = str(data if data is not None else made.data.get("source", ""))
    if not source:
        raise DataError("The recipe names no data.", fix="give --data FILE")
    target = Path(out)
    if target.exists():
        raise RunFolderError(f"{target} exists already.", fix="give --out a new folder")
    said = overridden(asked_of(made.data), given)
    found = find(made.model, whole=False, task=made.task)
    if not isinstance(recipe, Recipe):
        format_named(found.format).refuse_unnamed(found, str(recipe))
    made = replace(made, task=made.task or fitting_task(found, source))
    options = Options(made.model, source, target, task=made.task, seed=made.seed, **said)
    with reported_to(progress):
        read, cores = read_data(options), threads or allowed_cores()
        check_task(made.model, find(made.model, task=made.task), made.task, fix="correct the recipe's task")
    scratch = target.with_name(f".{target.name}.part")
    shutil.rmtree(scratch, ignore_errors=True)
    try:
        (scratch / STORE).mkdir(parents=True)
        base = bring(made.model, scratch / STORE / "model", longest=options.longest, task=made.task)
        if not (options.labels and facts_of(base)["has_head"]):
            heard = asking(base, engine_for(base.format), cores, progress or _silent)
            base = suit(base, read.parts, made.model, note or _unheard, heard, seed=made.seed)
        job = prepared(made, options, read, base, cores, progress or _silent, note)
        sealed = sealed_with(carried_out(made, job, base, scratch, cores, progress), made, job.meta)
        sealed.path.rename(target)
        return replace(sealed, path=target)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def given_of_data(asked: Mapping[str, Any]) -> dict[str, Any]:
    """What of the arguments of a verb is said of the data, where it is not what nobody says; lists are read."""
    found = {one.name: asked[one.name] for one in fields(DataOptions)}
    found |= {name: read_list(found[name]) for name in ("labels", "choices")}
    return {one.name: found[one.name] for one in fields(DataOptions) if found[one.name] != one.default}


INSTEAD: Mapping[str, tuple[str, ...]] = {
    "prompt": ("text",), "answer": ("label", "choices"), "label": ("answer",), "choices": ("answer",)
}  # fmt: skip
"""What a recipe says of data that an option takes the place of, beside what it says of the same."""


def overridden(said: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """What a recipe says of its data, where the user says nothing else."""
    replaced = {name for option in given for name in INSTEAD.get(option, ())}
    return {name: value for name, value in said.items() if name not in replaced} | dict(given)


@dataclass(frozen=True)
class Job:
    """What a recipe is carried out on.

    Attributes:
        parts: with targets that are outputs of the model.
        plan: every step. taught: how many of the first ones make what students learn from.
        meta: what the record of the artifact says beside its lineage.
    """

    task: Task
    parts: Parts
    plan: tuple[Step, ...]
    taught: int
    meta: Mapping[str, Any]


def prepared(
    made: Recipe,
    options: Options,
    read: Data,
    base: Artifact,
    cores: int,
    progress: Callable[[float, float, str], None],
    note: Callable[[str], None] | None,
) -> Job:
    """Settle which class each label is, keep apart what the model learned from, and plan every step.

    Raises:
        PlanError, DataError, CandidateFailed: see :func:`apply`.
    """
    parts, known, classes = read.parts, {**facts_of(base), **read.task.facts}, {}
    if known["has_head"] and read.task.settles_classes:
        answer = asking(base, engine_for(base.format), cores, progress)
        told = options.labels
        settled = settle_classes(parts, known["labels"], told, answer, read.task, model=made.model, seed=made.seed)
        parts, classes = settled.parts, settled.classes.record()
        options = replace(options, labels=settled.classes.told)
        if settled.warning and note is not None:
            note(settled.warning)
    parts = keep_apart(parts, learned_in(base.path), made.model)
    if note is not None:
        coverage_of(made.model, base, parts, note)
    plan, taught = planned(made, base.format, known, learns=read.task.settles_classes)
    meta = {
        "labels": list(parts.labels),
        "task": made.task,
        "asked": task_record_of(read.task),
        "classes": classes,
        "data": {name: value for name, value in recorded(options, read.columns).items() if name != "source"},
    }
    return Job(read.task, parts, plan, taught, meta)


def carried_out(
    made: Recipe, job: Job, base: Artifact, scratch: Path, cores: int, progress: Progress | None
) -> Artifact:
    """What the steps make of ``base``, in the store below ``scratch``."""
    save_parts(job.parts, scratch / "parts.json")
    root = scratch / STORE
    workshop = Workshop(root, scratch / "parts.json", job.task, seed=made.seed, threads=cores, progress=progress)
    try:
        original = workshop.make(base, job.plan[: job.taught])
        workshop.teach_with(original)
        artifact = workshop.make(original, job.plan[job.taught :])
        return workshop.build(artifact, made.engine) if made.engine is not None else artifact
    finally:
        workshop.close()


def sealed_with(artifact: Artifact, made: Recipe, more: Mapping[str, Any]) -> Artifact:
    """The artifact with what is needed to use it in its record, beside what it has there."""
    kept = {name: value for name, value in artifact.meta.items() if name != "source"}  # it is gone in a moment
    engine = {} if made.engine is None else {"engine": record_of(made.engine)}
    return Artifact.seal(
        artifact.path,
        format=artifact.format,
        parent=artifact.parent,
        step=artifact.step,
        seed=artifact.seed,
        versions=artifact.versions,
        meta={**kept, **more, **engine},
    )


def _silent(done: float, total: float, message: str) -> None:
    """Nobody wants to know."""


def _unheard(text: str) -> None:
    """Nobody wants to know."""


def planned(recipe: Recipe, format: str, known: Mapping[str, Any], *, learns: bool) -> tuple[tuple[Step, ...], int]:
    """Every step with the conversions in between, and how many of the first ones make what students learn from.

    A model without a head is fine-tuned first, as a run does it, unless the recipe trains it itself.

    Args:
        format: of the base model. known: its facts. learns: whether models of the task learn before they teach.

    Raises:
        PlanError: the steps do not fit together; lists every problem.
    """
    if not learns:
        return recipe.plan(format=format, facts=known), 0
    trains = [record_of(step)["use"].startswith("train.") for step in recipe.steps]
    tuned = () if known["has_head"] or any(trains) else recipe_of_head(recipe.model, recipe.seed, format, known).steps
    plan = replace(recipe, steps=(*tuned, *recipe.steps)).plan(format=format, facts=known)
    first = next((i for i, step in enumerate(plan, 1) if record_of(step)["use"].startswith("train.")), 0)
    return plan, first
