"""apply: carry out one recipe, step by step, and leave the artifact it makes."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from lighten.core.artifact import Artifact
from lighten.core.errors import DataError, RunFolderError
from lighten.core.lists import read_list
from lighten.core.matching import engine_for, facts_of
from lighten.core.recipe import Recipe, record_of, task_record_of
from lighten.core.step import Step
from lighten.core.task import asked_facts
from lighten.data.learned import keep_apart, learned_in
from lighten.isolate.machine import allowed_cores
from lighten.nets.bring import bring, find
from lighten.nets.recognize import check_task
from lighten.pipeline.workshop import Workshop
from lighten.search.classes import asking, settle_classes
from lighten.search.options import Options, asked_of, recorded
from lighten.search.reading import coverage_of
from lighten.search.start import read_data, recipe_of_head
from lighten.store.artifacts import ArtifactStore
from lighten.store.folder import save_parts


def apply(
    recipe: str | Path | Recipe,
    out: str | Path,
    *,
    data: str | Path | None = None,
    split_column: str | None = None,
    threads: int = 0,
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
        data, split_column, labels, longest, drop_empty, merge_labels, drop_rare: override what the recipe says, as in
            ``optimize``.
        progress: told how far the work is: done, total, message. note: told what a user should know.

    Raises:
        PlanError: the recipe's steps do not fit together; lists every problem. InputError: model, data or folder.
        CandidateFailed: a step or the engine failed.
    """
    made = recipe if isinstance(recipe, Recipe) else Recipe.from_toml(Path(recipe))
    source = str(data if data is not None else made.data.get("source", ""))
    if not source:
        raise DataError("The recipe names no data.", fix="give --data FILE")
    target = Path(out)
    if target.exists():
        raise RunFolderError(f"{target} exists already.", fix="give --out a new folder")
    given: dict[str, Any] = {
        "split_column": split_column,
        "drop_empty": drop_empty or None,
        "merge_labels": merge_labels,
    }
    given |= {"drop_rare": drop_rare or None, "labels": read_list(labels) if labels else None}
    given |= {"longest": longest}
    said = asked_of(made.data) | {name: value for name, value in given.items() if value is not None}
    made = replace(made, task=made.task or find(made.model, whole=False).task)
    options = Options(made.model, source, target, task=made.task, seed=made.seed, **said)
    task, parts, columns = read_data(options)
    check_task(made.model, find(made.model), made.task, fix="correct the recipe's task")
    scratch = target.with_name(f".{target.name}.part")
    shutil.rmtree(scratch, ignore_errors=True)
    try:
        store = ArtifactStore(scratch / "store")
        base = bring(made.model, store.root / "model", longest=options.longest)
        known = {**facts_of(base), **asked_facts(task)}
        cores, classes = threads or allowed_cores(), {}
        if known["has_head"] and not task.language:
            answer = asking(base, engine_for(base.format), cores, progress or _silent)
            settled = settle_classes(parts, known["labels"], options.labels, answer, model=made.model, seed=made.seed)
            parts, classes = settled.parts, settled.classes.record()
            options = replace(options, labels=settled.classes.told)
        parts = keep_apart(parts, learned_in(base.path), made.model)
        if not task.language and note is not None:
            coverage_of(made.model, base.path, parts, note)
        plan, taught = planned(made, base.format, known, language=task.language)
        save_parts(parts, scratch / "parts.json")
        workshop = Workshop(store.root, scratch / "parts.json", task, seed=made.seed, threads=cores, progress=progress)
        try:
            original = workshop.make(base, plan[:taught])
            workshop.teach_with(original)
            artifact = workshop.make(original, plan[taught:])
            if made.engine is not None:
                artifact = workshop.build(artifact, made.engine)
        finally:
            workshop.close()
        sealed = sealed_with(
            artifact,
            made,
            {
                "labels": list(parts.labels),
                "task": made.task,
                "asked": task_record_of(task),
                "classes": classes,
                "data": {name: value for name, value in recorded(options, columns).items() if name != "source"},
            },
        )
        artifact.path.rename(target)
        return replace(sealed, path=target)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


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


def planned(recipe: Recipe, format: str, known: Mapping[str, Any], *, language: bool) -> tuple[tuple[Step, ...], int]:
    """Every step with the conversions in between, and how many of the first ones make what students learn from.

    A classifier without a head is fine-tuned first, as a run does it, unless the recipe trains it itself. A language
    model is taken as it came.

    Args:
        format: of the base model. known: its facts.

    Raises:
        PlanError: the steps do not fit together; lists every problem.
    """
    if language:
        return recipe.plan(format=format, facts=known), 0
    trains = [record_of(step)["use"].startswith("train.") for step in recipe.steps]
    tuned = () if known["has_head"] or any(trains) else recipe_of_head(recipe.model, recipe.seed, format, known).steps
    plan = replace(recipe, steps=(*tuned, *recipe.steps)).plan(format=format, facts=known)
    first = next((i for i, step in enumerate(plan, 1) if record_of(step)["use"].startswith("train.")), 0)
    return plan, first
