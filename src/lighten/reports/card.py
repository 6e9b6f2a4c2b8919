"""The model card: what the winner is, how it was made, what was measured and proved, its limits, how to use it."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable, Sequence
from pathlib import Path

from lighten.core.summary import Summary, Winner
from lighten.proof import Verdict
from lighten.reports.baselines import ratio_of, told_alike
from lighten.reports.constant import constant_sentence
from lighten.reports.coverage import coverage_sentences
from lighten.reports.describe import environment_fact, headline, opened_sentence, unit_of
from lighten.reports.markup import one_line
from lighten.reports.numbers import amount, count, share
from lighten.reports.recipes import step_text, step_words
from lighten.reports.told import Told
from lighten.reports.words import LANGS, WORDS, capital, quantity, say

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
        *([f"**{plain(constant_sentence(summary.constant, 'en'))}**"] if summary.constant else []),
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
        _use(summary, winner),
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
    said = [step_words(summary, step, "en") for step in winner.recipe]
    steps = [
        f"{i}. {code(step_text(step))}{f' ({plain(words)})' if words else ''}"
        for i, (step, words) in enumerate(zip(winner.recipe, said, strict=True), 1)
    ]
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
        gain = ratio_of(winner, name, "en") if told_alike(summary, name, reading.unit) else ""
        value, reached = amount("en", reading.value, reading.unit), summary.roofline.get(str(winner.key), {}).get(name)
        notes = [
            reading.note.removeprefix("unknown: "),
            say("en", "roofline.share", share=share(reached)) if reached is not None else "",
        ]
        note = "".join(f" ({plain(text)})" for text in notes if text)
        title = plain(capital(quantity("en", name)))
        rows.append([title, before, f"{value}{note}", spread, gain, count(reading.n), f"{reading.direction} is better"])
    table = _table(["quantity", "original", "this model", "spread", "ratio", "n", "direction"], rows)
    facts = {name: environment_fact(name, value) for name, value in summary.environment.items()}
    lines = [f"- {plain(_fact(name))}: {plain(fact)}" for name, fact in facts.items()]
    about = (
        "Measured on the select rows, the original and this model in turns. The ratio is above 1 when this model is "
        "better. Absolute numbers belong to this machine:"
    )
    more = [say("en", "roofline.lead")] if summary.roofline.get(str(winner.key)) else []
    known = {name: found.unit for name, found in winner.meters.items() if found.value is not None}
    by_text = any(result.ratio_unit for c in summary.candidates for result in c.results.values())
    more += [say("en", "ratio.bytes")] if by_text else []
    in_bytes = not all(told_alike(summary, name, unit) for name, unit in known.items())
    more += [say("en", "baseline.bytes")] if in_bytes else []
    return "\n\n".join([table, *map(plain, more), about, *(["\n".join(lines)] if lines else [])])


def _fact(name: str) -> str:
    key = f"environment.{name.replace(' ', '_')}"
    return say("en", key) if key in WORDS else name


def _proof(summary: Summary) -> str:
    verdicts = [Verdict.from_json(v) for v in summary.verdicts]
    counted = any(verdict.b is not None for verdict in verdicts)
    rows = []
    for verdict in verdicts:
        told = Told.of(verdict, unit_of(summary, verdict.metric))
        flips = [count(n) if n is not None else "" for n in (verdict.b, verdict.c)] if counted else []
        state, name = say("en", f"verdict.{verdict.state}"), plain(quantity("en", verdict.metric))
        name += f" ({plain(verdict.group)})" if verdict.group else ""
        rows.append([name, state, told.changed("en"), told.bound("en"), told.allowed("en"), count(verdict.n), *flips])
    heads = ["metric", "verdict", "difference", "bound (95%, one-sided)", "allowed loss", "n", *(["b", "c"] * counted)]
    about = "Judged once, on rows that nothing in this run had seen. The bound is that on the side of loss."
    if any(verdict.kind == "absolute" for verdict in verdicts):
        about += " Where a value was asked for, it stands in place of the allowed loss, and the value in place of the"
        about += " difference."
    if any(verdict.group for verdict in verdicts):
        about += " Where every group was judged, the row is about the one that decides."
    if counted:
        about += " b: rows that only the original had right; c: rows that only this model had right."
    before = opened_sentence(summary, "en")
    return f"{about}{f' {before}' if before else ''}\n\n{_table(heads, rows)}"


def _limits(summary: Summary) -> str:
    lines = [
        "The proof speaks for data like the proof rows; on other data, compare again: "
        f"{code('lighten compare ORIGINAL WINNER --data new.csv')}.",
        (
            "Other words can hide behind equal numbers; the report shows samples of both models side by side."
            if summary.writes
            else "Answers that changed can hide behind equal accuracy; the report lists them."
        ),
        "Speed and memory belong to the machine and engine above.",
        *(plain(text) for lang in LANGS for text in coverage_sentences(lang, summary)),
        *(plain(note) for note in summary.data.notes),
    ]
    return "\n".join(f"- {line}" for line in lines)


def _use(summary: Summary, winner: Winner) -> str:
    path = one_line(winner.path)
    given, python = shlex.quote(path), json.dumps(path, ensure_ascii=False)
    if summary.writes:
        shell = f"lighten chat {given}"
        lines = [f"with lighten.chat({python}) as chat:", '    print("".join(chat.say("Once upon a time")))']
    else:
        example = one_line(summary.example) or "..."
        shell = f"echo {shlex.quote(example)} | lighten predict {given}"
        if summary.files:
            shell = f"lighten predict {given} {shlex.quote(example)}"
        asked = json.dumps(example, ensure_ascii=False)
        lines = [f"with lighten.load({python}) as model:", f"    print(model.predict([{asked}])[0].label)"]
    return f"{fenced(shell, 'bash')}\n\n{fenced(chr(10).join(['import lighten', '', *lines]), 'python')}"


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
