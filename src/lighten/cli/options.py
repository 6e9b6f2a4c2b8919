"""Options that several verbs share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

Text = Annotated[
    str | None, typer.Option(help="Column with the inputs (texts, paths of pictures); found by itself when it can be.")
]
Label = Annotated[str | None, typer.Option(help="Column with the label; found by itself when it can be.")]
Labels = Annotated[
    list[str] | None,
    typer.Option(
        help="Which class of the model a label of the data is, where names do not say it: 0=negative,1=positive; "
        "the class by its name or its number from 0."
    ),
]
Choices = Annotated[
    list[str] | None,
    typer.Option(
        help="Language models: texts to choose from by likelihood, with commas in between; repeat it, or put texts in "
        "double quotes, where they hold commas."
    ),
]
Group = Annotated[
    str | None, typer.Option(help="Column with the group (domain, language) to report by; none: no column.")
]
Unit = Annotated[
    str | None,
    typer.Option(help="Column with the independent unit (user, document) of each row; none: rows are independent."),
]
SplitColumn = Annotated[
    str | None,
    typer.Option(
        help="Column with train, validation, test; found by itself, also from file names. 'none' mixes them on purpose."
    ),
]
MergeLabels = Annotated[
    bool | None,
    typer.Option(
        "--merge-labels/--no-merge-labels",
        help="Whether labels that differ in case or spacing only are one class; asked when there are such labels.",
        show_default=False,
    ),
]
DropRare = Annotated[int, typer.Option(help="Leave out classes with fewer rows than this.", min=0)]
Prompt = Annotated[
    str | None,
    typer.Option(help='Language models: template such as "Review: {text}\\nSentiment:", where they do not say it.'),
]
DropEmpty = Annotated[
    bool,
    typer.Option(
        "--drop-empty",
        help="Leave out rows without input or label, or whose file cannot be opened, instead of refusing the data.",
    ),
]
Longest = Annotated[
    int | None,
    typer.Option(
        help="Most tokens of a text that a classifier reads, special tokens included. Default: all that it can.",
        min=1,
        show_default=False,
    ),
]
Keep = Annotated[
    list[str] | None,
    typer.Option(help='Quality floor to prove, such as "accuracy>=-1pt" (at most 1 point below the original).'),
]
Under = Annotated[list[str] | None, typer.Option(help='Ceiling, such as "p95<=5ms", "memory<=400MB", "size<=50%".')]
Minimize = Annotated[
    str | None,
    typer.Option(
        help="What to make as good as possible: cpu, p50, p95, throughput, memory, size; for language models also "
        "tpot, decode, ttft, prefill. Default: tpot where a model writes, else cpu.",
        show_default=False,
    ),
]
TaskName = Annotated[
    str | None,
    typer.Option(
        "--task", help="What the model is to do (see lighten catalog). Default: what it is for.", show_default=False
    ),
]
Template = Annotated[str | None, typer.Option(help='Language models: template such as "Review: {text}\\nSentiment:".')]
Answer = Annotated[str | None, typer.Option(help="Language models: column with the right answer.")]
Shots = Annotated[int, typer.Option(help="Language models: examples put before every prompt.", min=0)]
Time = Annotated[str, typer.Option(help="Time of the search, such as 15m. Fine-tuning comes before it.")]
Candidates = Annotated[int | None, typer.Option(help="The most candidates to try.", min=1)]
Engines = Annotated[
    list[str] | None, typer.Option(help="Engine to use; repeat for several. Default: all that work here.")
]
Out = Annotated[str | None, typer.Option(help="Folder of the run; a new one below runs/ by default.")]
Resume = Annotated[bool, typer.Option("--resume", help="Take up the run in --out where it stopped.")]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Only say what would be tried, what the data can prove, what it takes.")
]
Margin = Annotated[
    str | None,
    typer.Option(help="The loss that is allowed, such as 1pt of the rows or 1% of bits_per_byte; these by default."),
]
Metric = Annotated[
    str | None,
    typer.Option(
        help="What to compare: accuracy, macro_f1, worst_group, log_loss, brier, bits_per_byte, exact_match, ... "
        "Default: the first that fits the models.",
        show_default=False,
    ),
]
Flips = Annotated[int, typer.Option(help="How many rows with another answer to show.", min=0)]
LeaveOutLearned = Annotated[
    bool, typer.Option("--leave-out-learned", help="Go on without the rows that a model learned from, though most are.")
]
Threads = Annotated[int, typer.Option(help="Cores to use; 0 for all that this process may use.", min=0)]
Seed = Annotated[int, typer.Option(help="Seed of every random choice.", min=0)]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout; everything else goes to stderr.")]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Print only the result.")]


def one_or_many(values: Sequence[str] | None) -> Sequence[str] | str:
    """A list as it was given: in one text with commas in between, or with the option repeated, each text as it is."""
    return values[0] if values and len(values) == 1 else values or ()


WRITTEN, REPEATED = ("choices", "labels", "engines"), ("keep", "under", "teacher")
"""Options that are lists: in one text with commas in between, or repeated only."""


def arguments(given: Mapping[str, Any], *apart: str) -> dict[str, Any]:
    """What a command was given, as the arguments of its verb. apart: what is none of them."""
    found = {name: value for name, value in given.items() if name not in apart}
    found |= {name: one_or_many(found[name]) for name in WRITTEN if name in found}
    return found | {name: found[name] or () for name in REPEATED if name in found}
