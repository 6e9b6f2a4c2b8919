"""Rows in time: fewer rows of ``select`` and ``proof``, where the original answers them too slowly for the time asked.

How many is decided by the clock and by what they can prove, before any answer is compared; which of them, by the seed.
"""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from dataclasses import replace
from math import ceil, inf

from lighten.core.rows import Rows
from lighten.measure.quality import meter_of
from lighten.search.context import Run
from lighten.sessions.process import SessionProcess

SHARES: Mapping[str, float] = {"select": 0.1, "proof": 0.3}
"""Part of the search's time that the original may take to answer ``select``, and that the proof may take."""
LEAST: Mapping[str, int] = {"select": 30, "proof": 60}
"""Rows that are used in any case, where there are as many."""
TIMED, PART = 1.0, 0.01
"""Seconds of answers, and share of the search's time, from which the rate counts as known: few rows fill no batch, and
an original that answers 9 rows a second took a second for three."""
KEPT = "rows in time"
"""Under which the study remembers how many rows of each part are used."""


def use_rows_in_time(run: Run, session: SessionProcess | None = None) -> None:
    """Use no more rows of ``select`` and ``proof`` than the search's time has room for; a resumed run keeps the number.

    Args:
        session: of the original, which is timed; None to take what the study remembers, if anything.
    """
    study, seconds = run.folder.study, run.clock.seconds
    known: Mapping[str, int] | None = study.recall(KEPT)
    if known is None and session is not None and seconds is not None:
        rate = seconds_a_row(run, session, max(TIMED, PART * seconds))
        known = {part: affordable(run, part, rate, seconds) for part in SHARES}
        study.remember(KEPT, known)
        fewer = [part for part in SHARES if known[part] < len(run.parts[part])]
        if fewer:
            run.notes.append(_sentence(run, known, fewer, rate))
            run.listener.note(run.notes[-1])
    if known is not None:
        select, proof = (drawn(run.parts[part], known[part], run.options.seed) for part in ("select", "proof"))
        run.parts = replace(run.parts, select=select, proof=proof)


def seconds_a_row(run: Run, session: SessionProcess, enough: float) -> float:
    """How long the original takes for a row of ``select``, timed on more and more of them after a first one.

    Args:
        enough: seconds from which on it is known.
    """
    inputs = run.parts.select.inputs
    session.answers(inputs[:1])  # the first answer also fills caches
    count = 1
    while True:
        count = min(4 * count, len(inputs))
        began = time.monotonic()
        session.answers(inputs[:count])
        took = time.monotonic() - began
        if took >= enough or count >= len(inputs):
            return took / max(count, 1)


def affordable(run: Run, part: str, rate: float, seconds: float) -> int:
    """How many rows of a part are used: those that there is time for, and as many as the floors want.

    Args:
        rate: seconds that the original takes for a row. seconds: of the search.
    """
    rows = run.parts[part]
    most = max(int(SHARES[part] * seconds / (rate * _answered(run, part))), LEAST[part]) if rate > 0 else len(rows)
    while most < len(rows) and not can_prove(run, drawn(rows, most, run.options.seed), rows):
        most *= 2
    return min(most, len(rows))


def can_prove(run: Run, some: Rows, every: Rows) -> bool:
    """Whether some rows can prove every floor that all of them can."""
    for floor in run.budget.keep:
        meter, _ = meter_of(run.quality, floor.metric)
        few, all_ = (meter.power(rows, floor, run.parts.labels) for rows in (some, every))
        if few is None or all_ is None:
            continue
        if all_.enough is not None and all_.n >= all_.enough and (few.enough is None or few.n < few.enough):
            return False
        proved = all_.provable is not None and all_.provable <= all_.margin
        if proved and (few.provable is None or few.provable > few.margin):
            return False
    return True


def drawn(rows: Rows, count: int, seed: int) -> Rows:
    """``count`` rows at random, in their order; all of them where there are no more."""
    if count >= len(rows):
        return rows
    return rows.take(sorted(random.Random(seed).sample(range(len(rows)), count)))


def _answered(run: Run, part: str) -> float:
    """How many times the original's answers a part takes: the proof's with those of its finalists."""
    return run.task.priors.proving if part == "proof" else 1.0


def _sentence(run: Run, known: Mapping[str, int], fewer: list[str], rate: float) -> str:
    used = " and ".join(f"{known[part]:,} of {len(run.parts[part]):,} rows of {part}" for part in fewer)
    whole = max(len(run.parts[part]) * rate * _answered(run, part) / SHARES[part] for part in fewer)
    proof, seconds = known["proof"] * rate * _answered(run, "proof"), run.clock.seconds or inf
    late = f" The floors want as many for the proof, which takes about {ceil(proof / 60)} min."
    return (
        f"The original takes {rate:.2g} s for a row here, so that {used} are used; --time {ceil(whole / 60)}m has room "
        f"for all.{late if proof > 2 * SHARES['proof'] * seconds else ''}"
    )
