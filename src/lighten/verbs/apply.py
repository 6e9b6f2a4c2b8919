"""apply: carry out one recipe, step by step, and leave the artifact it makes."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from lighten.core.artifact import Artifact
from lighten.core.errors import DataError, RunFolderError
from lighten.core.recipe import Recipe, record_of
from lighten.data.columns import find_columns
from lighten.data.parts import split
from lighten.data.table import read_table
from lighten.isolate.machine import allowed_cores
from lighten.nets.bring import bring
from lighten.nets.facts import facts
from lighten.pipeline.workshop import Workshop
from lighten.search.start import load_recipe_defaults
from lighten.store.artifacts import ArtifactStore
from lighten.store.folder import save_parts


def apply(
    recipe: str | Path | Recipe,
    out: str | Path,
    *,
    data: str | Path | None = None,
    threads: int = 0,
    drop_empty: bool = False,
    progress: Callable[[float, float, str], None] | None = None,
) -> Artifact:
    """Make what a recipe (TOML file, or the ``run.toml`` of a run) describes.

    Args:
        out: folder of the artifact; must not exist yet.
        data: overrides the recipe's own data.
        progress: told how far the work is: done, total, message.

    Raises:
        PlanError: the recipe's steps do not fit together; lists every problem. InputError: model, data or folder.
        CandidateFailed: a step or the engine failed.
    """
    made = recipe if isinstance(recipe, Recipe) else Recipe.from_toml(Path(recipe))
    source = str(data) if data is not None else made.data.get("source", "")
    if not source:
        raise DataError("The recipe names no data.", fix="give --data FILE")
    target = Path(out)
    if target.exists():
        raise RunFolderError(f"{target} exists already.", fix="give --out a new folder")
    named = {name: made.data.get(name) for name in ("text", "label", "group", "unit")}
    table = read_table(source)
    parts = split(table, find_columns(table, **named), seed=made.seed, drop_empty=drop_empty)
    scratch = target.with_name(f".{target.name}.part")
    shutil.rmtree(scratch, ignore_errors=True)
    try:
        store = ArtifactStore(scratch / "store")
        base = bring(made.model, store.root / "model")
        known = facts(base.path)
        trained = any(record_of(step)["use"].startswith("train.") for step in made.steps)
        tuned = load_recipe_defaults(made.model, made.seed).steps
        chain = replace(made, steps=made.steps if known["has_head"] or trained else (*tuned, *made.steps))
        plan = chain.plan(format=base.format, facts=known)
        save_parts(parts, scratch / "parts.json")
        cores = threads or allowed_cores()
        workshop = Workshop(
            store.root, scratch / "parts.json", made.task, seed=made.seed, threads=cores, progress=progress
        )
        try:
            first = next((i for i, step in enumerate(plan) if record_of(step)["use"].startswith("train.")), -1)
            original = workshop.make(base, plan[: first + 1])
            workshop.teach_with(original)
            artifact = workshop.make(original, plan[first + 1 :])
            if made.engine is not None:
                artifact = workshop.build(artifact, made.engine)
        finally:
            workshop.close()
        meta = {**artifact.meta, "labels": list(parts.labels), "task": made.task}
        if made.engine is not None:
            meta["engine"] = record_of(made.engine)
        sealed = Artifact.seal(
            artifact.path,
            format=artifact.format,
            parent=artifact.parent,
            step=artifact.step,
            seed=artifact.seed,
            versions=artifact.versions,
            meta=meta,
        )
        artifact.path.rename(target)
        return replace(sealed, path=target)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
