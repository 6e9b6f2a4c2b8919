"""How often the rows that a run judges by were opened before, as far as this machine's ledger knows."""

from __future__ import annotations

from uuid import uuid4

from lighten.core.rows import Rows
from lighten.core.summary import Opened
from lighten.search.context import Run
from lighten.search.listener import Listener
from lighten.store.ledger import earlier_openings, record_opening
from lighten.store.study import Study

NAME, BEFORE = "opening of the proof", "opened before"


def tell_openings(proof: Rows, listener: Listener) -> None:
    """Say before any time is spent that earlier runs opened these rows, or that the ledger cannot be read."""
    found = earlier_openings(proof.ids)
    if found.problem:
        listener.note(found.problem)
    elif found.runs:
        listener.note(opened_before(found.rows, len(proof), found.runs))


def opened_before(rows: int, n: int, runs: int) -> str:
    """The sentence about rows that were opened before."""
    by = f"{runs:,} earlier runs or comparisons" if runs > 1 else "an earlier run or comparison"
    return (
        f"{rows:,} of these {n:,} rows were opened by {by} on this machine: a verdict on them is a little optimistic "
        "if anything was chosen after looking."
    )


def open_once(run: Run) -> None:
    """Record in the ledger that this run opens its proof part now, and remember how often that happened before."""
    study, proof = run.folder.study, run.parts.proof
    name = study.recall(NAME)
    if name is None:
        name = uuid4().hex
        study.remember(NAME, name)
    if study.recall(BEFORE) is None:
        found = earlier_openings(proof.ids, name)
        study.remember(BEFORE, [found.rows, found.runs])
        if found.problem:
            run.notes.append(found.problem)
    problem = record_opening(name, proof.ids, run=str(run.folder.path.resolve()), data=run.options.data)
    if problem:
        run.notes.append(problem)


def opened_of(study: Study) -> Opened | None:
    """What a run that opened its proof part knows of earlier openings; None when there was none."""
    rows, runs = study.recall(BEFORE) or (0, 0)
    return Opened(rows, runs) if runs else None
