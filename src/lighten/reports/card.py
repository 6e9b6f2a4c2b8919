"""The model card: what the winner is, how it was made, what was measured and proved, its limits, how to use it."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable, Sequence
from pathlib import Path

from lighten.core.summary import Summary, Winner
from lighten.proof import Verdict
from lighten.reports.describe import capital, environment_fact, headline, step_text, unit_of
from lighten.reports.markup import one_line
from lighten.reports.numbers import amount, change, count, loss, ratio
from lighten.reports.words import WORDS, quantity, say

_SPECIAL = re.compile(r"([\\`*_\[\]<>#|~$&])")


def write_card(summary: Summary, path: Path | str) -> None:
    """Write the model card of the winner, usually as ``README.md`` of its folder.

    Raises:
        ValueError: the run has no winner.
    """
    text = model_card(summary)
    Path(path).write_text(text, encoding="utf-8")


def model_card(summary: Summary) -> str:
    """The model card as Markdown with a YAML head. Texts from data are escaped.

    Raises:
        ValueError: the run has no winner.
    """
    winner = summary.winner
    if winner is None:
        raise ValueError("a run without a winner has no model card")
    parts = [
        _head(summary),
        f"# {plain(summary.model)}, lightened",
        plain(headline(summary, "en")),
        "## What it is",
        _what(summary, winner),
        "## How it was made",
        _made(summary, winner),
        "## Measured",
        _measured(summary, winner),
        "## Proof",
        _proof(summary),
        "## Limits",
        _limits(summary),
        "## Use",
        _use(winner),
        "## Licence",
        "As the base model. lighten changes the weights and adds no terms of its own; check the licence of "
        f"{plain(summary.model)} before you share this model.",
    ]
    return "\n\n".join(parts) + "\n"


def plain(text: object) -> str:
    """Text that Markdown shows as it is: on one line, nothing in it acts as markup or HTML."""
    return _SPECIAL.sub(r"\\\1", one_line(text))


def fenced(text: str, language: str = "") -> str:
    """A code block whose fence is longer than any run of backticks in ``text``."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def code(text: object) -> str:
    """Inline code, whatever backticks the text holds."""
    line = one_line(text).replace("|", "\\|")
    ticks = "`" * (max((len(run) for run in re.findall("`+", line)), default=0) + 1)
    gap = " " if "`" in line else ""
    return f"{ticks}{gap}{line}{gap}{ticks}"


def _head(summary: Summary) -> str:
    tags = ["lighten", *dict.fromkeys(_kinds(summary))]
    lines = ["---", f"base_model: {_yaml(summary.model)}", "library_name: lighten"]
    lines += [f"pipeline_tag: {_yaml(summary.task.replace('_', '-'))}", "tags:", *(f"- {_yaml(tag)}" for tag in tags)]
    return "\n".join([*lines, "---"])


def _kinds(summary: Summary) -> Iterable[str]:
    """``prune``, ``distill``, ``quantize``: the kinds of steps in the recipe."""
    for step in summary.winner.recipe if summary.winner else ():
        yield step_text(step).partition(" ")[0].partition(".")[0]


def _yaml(text: str) -> str:
    return json.dumps(one_line(text), ensure_ascii=False)


def _what(summary: Summary, winner: Winner) -> str:
    labels = ", ".join(plain(label) for label in summary.data.labels)
    answers = f" It answers with one of: {labels}." if labels else ""
    return (
        f"A cheaper version of {code(summary.model)} for the task {code(summary.task)}, run by the engine "
        f"{code(winner.engine)}.{answers}"
    )


def _made(summary: Summary, winner: Winner) -> str:
    steps = [f"{i}. {code(step_text(step))}" for i, step in enumerate(winner.recipe, 1)]
    recipe = "\n".join(steps) if steps else "No step changed the weights; only the engine was chosen."
    rows = ", ".join(f"{plain(name)} {count(n)}" for name, n in summary.data.rows.items())
    source = f"Data: {code(summary.data.source)} ({rows} rows)." if rows else f"Data: {code(summary.data.source)}."
    made = f"Made by lighten {plain(summary.lighten)} with:"
    return "\n\n".join([recipe, source, made, fenced(one_line(summary.command), "bash")])


def _measured(summary: Summary, winner: Winner) -> str:
    original = summary.candidate(summary.original)
    rows = []
    for name, reading in winner.meters.items():
        first = original.results.get(name) if original else None
        before = amount("en", first.value, first.unit) if first else ""
        spread = amount("en", reading.spread, reading.unit) if reading.spread is not None else ""
        gain = ratio(winner.ratio[name]) if name in winner.ratio else ""
        value = amount("en", reading.value, reading.unit)
        note = f" ({plain(reading.note)})" if reading.note else ""
        title = plain(capital(quantity("en", name)))
        rows.append([title, before, f"{value}{note}", spread, gain, count(reading.n), f"{reading.direction} is better"])
    table = _table(["quantity", "original", "this model", "spread", "ratio", "n", "direction"], rows)
    facts = {name: environment_fact(name, value) for name, value in summary.environment.items()}
    lines = [f"- {plain(_fact(name))}: {plain(fact)}" for name, fact in facts.items()]
    about = (
        "Measured on the select rows, the original and this model in turns. The ratio is above 1 when this model is "
        "better. Absolute numbers belong to this machine:"
    )
    return "\n\n".join([table, about, *(["\n".join(lines)] if lines else [])])


def _fact(name: str) -> str:
    key = f"environment.{name}"
    return say("en", key) if key in WORDS else name


def _proof(summary: Summary) -> str:
    rows = []
    for verdict in (Verdict.from_json(v) for v in summary.verdicts):
        unit = unit_of(summary, verdict.metric)
        flips = [count(n) if n is not None else "" for n in (verdict.b, verdict.c)]
        difference, lower = change("en", verdict.difference, unit), change("en", verdict.lower, unit, "down")
        state = say("en", f"verdict.{verdict.state}")
        name = plain(quantity("en", verdict.metric))
        rows.append([name, state, difference, lower, loss("en", verdict.margin, unit), count(verdict.n), *flips])
    heads = ["metric", "verdict", "difference", "lower bound (95%, one-sided)", "allowed loss", "n", "b", "c"]
    about = (
        "Judged once, on rows that nothing before had seen. b: rows that only the original had right; c: rows that "
        "only this model had right."
    )
    return f"{about}\n\n{_table(heads, rows)}"


def _limits(summary: Summary) -> str:
    lines = [
        "The proof speaks for data like the proof rows; on other data, compare again: "
        f"{code('lighten compare ORIGINAL WINNER --data new.csv')}.",
        "Answers that changed can hide behind equal accuracy; the report lists them.",
        "Speed and memory belong to the machine and engine above.",
        *(plain(note) for note in summary.data.notes),
    ]
    return "\n".join(f"- {line}" for line in lines)


def _use(winner: Winner) -> str:
    path = one_line(winner.path)
    shell = f"echo 'a text to classify' | lighten predict {shlex.quote(path)}"
    python = "\n".join(
        [
            "import lighten",
            "",
            f"with lighten.load({json.dumps(path, ensure_ascii=False)}) as model:",
            '    print(model.predict(["a text to classify"])[0].label)',
        ]
    )
    return f"{fenced(shell, 'bash')}\n\n{fenced(python, 'python')}"


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
