"""The report of a training as one HTML file: curves, score on rows that nothing has seen, cost, settings."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from markupsafe import Markup

from lighten.core.training import Compared, ProofScore, TrainingResult
from lighten.reports.constant import trained_sentence
from lighten.reports.curves import Line, curve, tick
from lighten.reports.describe import environment_fact
from lighten.reports.intervals import Interval, intervals
from lighten.reports.markup import Both, data, one_line, said
from lighten.reports.numbers import amount, count, duration, number, share
from lighten.reports.page import document, made
from lighten.reports.sweep import searched, setting_value, sweep_section
from lighten.reports.templates import render
from lighten.reports.training_grid import grid_of, worst_group
from lighten.reports.words import WORDS, capital, quantity, say

CONTENTS = ("curves", "scores", "sweep", "settings", "data", "environment", "reproduce")


def write_training_page(result: TrainingResult, path: Path | str) -> None:
    """Write the report of a training as one self-contained HTML file in English and Chinese."""
    Path(path).write_text(training_page(result), encoding="utf-8")


def training_page(result: TrainingResult) -> str:
    """The report as HTML."""
    body = render(
        "training",
        curves=_curves(result),
        curves_lead=said("curves.lead.last" if result.sweep else "curves.lead"),
        sweep=sweep_section(result),
        scores=[_row(one) for one in result.proof if not one.group],
        groups=[_row(one) for one in result.proof if one.group],
        group_metric=next((_metric(one.metric) for one in result.proof if one.group), ""),
        compared=[_compared(one) for one in result.compared],
        chart=_chart(result),
        grid=_grid(result),
        settings=[*_settings(result)],
        source=result,
        rows=[(_named(f"part.{name}", name), count(n)) for name, n in result.rows.items()],
        environment=[
            (_named(f"environment.{name}", name), data(environment_fact(name, value)))
            for name, value in result.environment.items()
        ],
    )
    paths = [(data(name), data(path, "mono")) for name, path in result.paths.items()]
    body += render("reproduce", lead=said("training.reproduce"), command=result.command, paths=paths)
    return document(
        title=Both(lambda lang: say(lang, "training.page", model=one_line(result.model))),
        model=result.model,
        version=result.lighten,
        hero=_hero(result),
        contents=[name for name in CONTENTS if f'<section id="{name}">' in body],
        body=body,
        made=made(result.lighten, result.started, result.cost.seconds),
    )


def headline(result: TrainingResult, lang: str) -> str:
    """What the trained model is worth, in a sentence."""
    main = result.proof[0]
    return say(
        lang,
        "training.found",
        metric=capital(quantity(lang, main.metric)),
        value=amount(lang, main.value, main.unit),
        n=count(main.n),
        time=duration(lang, result.cost.seconds),
    )


def sureness(result: TrainingResult, lang: str) -> str:
    """How sure the headline is; empty where nobody knows."""
    main = result.proof[0]
    if main.lower is None or main.upper is None:
        return ""
    low, high = (amount(lang, value, main.unit) for value in (main.lower, main.upper))
    return say(lang, "training.between", low=low, high=high)


def worst(result: TrainingResult, lang: str) -> str:
    """The group with the worst score, in a sentence; empty without groups."""
    one = worst_group(result)
    if one is None:
        return ""
    value = amount(lang, one.value, one.unit)
    return say(lang, "training.worst", group=one_line(one.group), value=value, n=count(one.n))


def how(result: TrainingResult, lang: str) -> str:
    """How it was trained, in a sentence."""
    return say(
        lang,
        "training.how",
        model=one_line(result.model),
        data=one_line(result.data),
        epochs=number(result.epochs, 3),
        steps=count(result.steps),
        batch=f"{count(result.settings['batch'])} {_noun(result.noun, lang)}",
        precision=result.precision,
    )


def _hero(result: TrainingResult) -> Markup:
    return render(
        "training_hero",
        found=Both(partial(headline, result)),
        alarm=Both(partial(trained_sentence, result.constant)) if result.constant else "",
        also=Both(partial(sureness, result)),
        worst=Both(partial(worst, result)) if worst_group(result) else "",
        how=Both(partial(how, result)),
        searched=Both(partial(searched, result)),
        stopped=said("training.stopped", n=result.stopped) if result.stopped else "",
        tiles=[*_tiles(result)],
    )


def _tiles(result: TrainingResult) -> list[Mapping[str, Any]]:
    cost = result.cost
    sweep = result.sweep
    both = {
        "training.sweep": Both(lambda lang: duration(lang, sweep.seconds) if sweep else ""),
        "training.time": Both(lambda lang: duration(lang, cost.seconds)),
        "training.grid": Both(lambda lang: duration(lang, result.grid_seconds) if result.grid_seconds else ""),
        "training.cpu": Both(lambda lang: duration(lang, cost.cpu_seconds)),
        "training.memory": Both(lambda lang: amount(lang, cost.memory / 1e6, "MB")),
        "training.speed": Both(
            lambda lang: say(
                lang, "training.second", value=count(round(cost.rows_per_second)), noun=_noun(result.noun, lang)
            )
        ),
        "training.rate": Both(lambda lang: share(cost.rate) if cost.rate is not None else ""),
        "training.energy": Both(lambda lang: amount(lang, cost.joules, "J")),
        "training.money": Both(lambda lang: number(cost.money) if cost.money is not None else ""),
    }
    unread = "training.energy.resumed" if cost.resumed else "training.energy.unread"
    below = {"training.energy": unread} if cost.joules is None else {}
    below |= {"training.rate": "training.rate.of", "training.money": "training.priced", "training.time": "training.all"}
    below |= {"training.grid": "training.grid.of"}
    values: dict[str, dict[str, str]] = {"training.rate": {"precision": result.precision}}
    if sweep:
        below |= {"training.sweep": "training.sweep.of", "training.time": "training.last"}
        values["training.sweep"] = {"n": count(len(sweep.trials))}
    return [
        {"what": said(key), "big": big, "from": said(below[key], **values.get(key, {})) if key in below else ""}
        for key, big in both.items()
        if big
    ]


def _noun(noun: str, lang: str) -> str:
    key = f"unit.{noun}"
    return say(lang, key) if key in WORDS else noun


def _curves(result: TrainingResult) -> list[Markup]:
    learned = [(p.epoch, p.loss) for p in result.curve if p.loss is not None]
    judged = [(p.epoch, p.tune_loss) for p in result.curve if p.tune_loss is not None]
    # A score that is no share is minus the loss, which stands in the first figure.
    scores = [(p.epoch, p.score) for p in result.curve if p.score is not None and result.shares]
    rates = [(p.epoch, p.learning_rate) for p in result.curve if p.loss is not None]
    found = [
        curve(
            lambda lang: say(lang, "curves.loss"),
            [
                Line(learned, "learned", lambda lang: say(lang, "curves.loss.train")),
                Line(judged, "judged", lambda lang: say(lang, "curves.loss.tune"), dots=True),
            ],
        ),
        curve(
            lambda lang: capital(say(lang, "curves.score", metric=quantity(lang, result.measure))),
            [Line(scores, "judged", dots=True)],
            share=True,
        ),
        curve(lambda lang: say(lang, "curves.rate"), [Line(rates, "rate")]),
    ]
    return [one for one in found if one]


def _row(one: ProofScore) -> Mapping[str, Any]:
    return {
        "name": data(one.group) if one.group else _metric(one.metric),
        "n": count(one.n),
        "values": [
            Both(partial(_amount, value, one.unit)) if value is not None else ""
            for value in (one.value, one.lower, one.upper)
        ],
    }


def _chart(result: TrainingResult) -> Markup:
    """Everything that answered proof, on one scale."""
    if not result.compared:
        return Markup("")
    main = result.compared[0].score

    def name(one: Compared, lang: str) -> str:
        words = (say(lang, f"compared.{one.kind}"), one_line(one.name), "·", amount(lang, one.score.value, main.unit))
        return " ".join(filter(None, words))

    rows = [
        Interval(partial(name, one), one.score.value, one.score.lower, one.score.upper, strong=one.kind == "trained")
        for one in result.compared
    ]
    return intervals(
        lambda lang: capital(quantity(lang, main.metric)),
        rows,
        lambda value: f"{100 * value:.4g}%" if main.unit == "fraction" else tick(value),
    )


def _compared(one: Compared) -> Mapping[str, Any]:
    seconds = one.seconds
    took = Both(lambda lang: duration(lang, seconds)) if seconds is not None else ""
    return {
        "kind": said(f"compared.{one.kind}"),
        "name": data(one.name) if one.name else "",
        "n": count(one.score.n),
        "values": [*_row(one.score)["values"], took],
    }


def _grid(result: TrainingResult) -> Mapping[str, Any] | None:
    grid = grid_of(result)
    if grid is None:
        return None
    cells = {
        name: [Both(partial(_amount, row[of].value, row[of].unit)) if of in row else "" for of in grid.columns]
        for name, row in grid.rows.items()
    }
    named = [(data(name) if name else said("grid.all"), values) for name, values in cells.items()]
    return {"columns": [data(name) for name in grid.columns], "rows": named}


def _amount(value: float, unit: str, lang: str) -> str:
    return amount(lang, value, unit)


def _metric(name: str) -> Both:
    return Both(lambda lang: capital(quantity(lang, name)))


def _settings(result: TrainingResult) -> list[tuple[Both | Markup, Markup]]:
    every = {**result.settings, "parameters": count(result.parameters), "seed": result.seed, "threads": result.threads}
    every |= {"workers": result.workers} if result.workers > 1 else {}
    return [(_named(f"settings.{name}", name), data(setting_value(value))) for name, value in every.items()]


def _named(key: str, name: str) -> Both | Markup:
    key = key.replace(" ", "_")
    return said(key) if key in WORDS else data(name)
