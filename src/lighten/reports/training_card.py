"""The model card of a trained model: what it is, how it was trained, what it is worth on rows that nothing has seen."""

from __future__ import annotations

import json
from pathlib import Path

from lighten.core.training import ProofScore, TrainingResult
from lighten.reports.card import code, fenced, plain
from lighten.reports.markup import one_line
from lighten.reports.numbers import amount, count, duration
from lighten.reports.sweep import score_of, searched, setting_name, setting_value
from lighten.reports.training import headline, how, sureness
from lighten.reports.words import capital, quantity


def write_training_card(result: TrainingResult, path: Path | str) -> None:
    """Write the model card, usually as ``README.md`` of the model's folder."""
    Path(path).write_text(training_card(result), encoding="utf-8")


def training_card(result: TrainingResult) -> str:
    """The model card as Markdown with a YAML head. Texts from data are escaped."""
    head = [
        "---",
        f"base_model: {json.dumps(one_line(result.model), ensure_ascii=False)}",
        f"pipeline_tag: {json.dumps(result.task.replace('_', '-'))}",
        "tags:",
        "- lighten",
        "---",
    ]
    labels = ", ".join(plain(label) for label in result.labels)
    parts = [
        "\n".join(head),
        f"# {plain(result.model)}, trained on {plain(result.data)}",
        plain(f"{headline(result, 'en')} {sureness(result, 'en')}"),
        *([f"It answers with one of: {labels}."] if labels else []),
        "## How it was trained",
        plain(how(result, "en")),
        _settings(result),
        *_search(result),
        "## Score",
        f"On {count(result.proof[0].n)} rows that training never saw. Bounds of 95 % each.",
        _table(result.proof),
        "## Cost",
        _cost(result),
        "## Use",
        "It is an ordinary folder of transformers. To make it cheaper, and prove that it still works:",
        fenced(f"lighten optimize {result.paths['model']} --data {result.data}", "sh"),
        "To train it again:",
        fenced(result.command, "sh"),
        "## Licence",
        "As the base model and the data. lighten adds no terms of its own; check the licences of "
        f"{plain(result.model)} and {plain(result.data)} before you share this model.",
    ]
    return "\n\n".join(parts) + "\n"


def _settings(result: TrainingResult) -> str:
    every = {**result.settings, "precision": result.precision, "seed": result.seed, "threads": result.threads}
    return "\n".join(["| setting | value |", "| --- | --- |", *(f"| {n} | {code(v)} |" for n, v in every.items())])


def _search(result: TrainingResult) -> list[str]:
    """What was searched, and what came of it."""
    sweep = result.sweep
    if sweep is None:
        return []
    lines = ["| searched | from | to | best |", "| --- | --- | --- | --- |"]
    for name, one in sweep.ranges.items():
        values = (one.choices[0], one.choices[-1]) if one.choices else (one.low, one.high)
        shown = " | ".join(setting_value(value) for value in (*values, sweep.best.settings[name]))
        lines.append(f"| {plain(setting_name('en', name))} | {shown} |")
    default = next((one for one in sweep.trials if one.number == 1), None)
    beside = f", the default settings {score_of(default, shares=result.shares)}" if default is not None else ""
    found = f"On tune the best trial reached {score_of(sweep.best, shares=result.shares)}{beside}."
    return ["## Search", plain(f"{searched(result, 'en')} {found}"), "\n".join(lines)]


def _table(scores: tuple[ProofScore, ...]) -> str:
    lines = ["| quantity | group | rows | value | at least | at most |", "| --- | --- | --- | --- | --- | --- |"]
    for one in scores:
        values = (amount("en", v, one.unit) if v is not None else "" for v in (one.value, one.lower, one.upper))
        name = capital(quantity("en", one.metric))
        lines.append(f"| {plain(name)} | {plain(one.group)} | {count(one.n)} | {' | '.join(values)} |")
    return "\n".join(lines)


def _cost(result: TrainingResult) -> str:
    cost = result.cost
    among = f" in {result.workers} processes" if result.workers > 1 else ""
    grid = f" The grid took {duration('en', result.grid_seconds)} more." if result.grid_seconds else ""
    return (
        f"{duration('en', cost.seconds)} by the clock, {duration('en', cost.cpu_seconds)} of CPU time on "
        f"{result.threads} threads{among}, {amount('en', cost.memory / 1e6, 'MB')} of memory at most.{grid}"
    )
