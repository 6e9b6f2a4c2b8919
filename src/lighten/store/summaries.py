"""The summary of a run as a file, and what may be wrong with one."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from lighten.core.errors import DataError
from lighten.core.outcome import BOUND_STATES, REASONS
from lighten.core.power import POWER_KINDS, POWER_OF
from lighten.core.result import HIGHER, LOWER
from lighten.core.summary import CANDIDATE_STATES, FLIP_KINDS, ROLES, RUNGS, STATES, VERSION, Summary
from lighten.store.decode import decode

DIRECTIONS = (LOWER, HIGHER)
SHOWN = 10
"""Problems that a message lists."""
RENAMED = {"roof": "roofline"}
"""Keys that older runs wrote, and what they are called now."""


def save_summary(summary: Summary, path: Path | str) -> None:
    """Write it as JSON, whole or not at all. Lone surrogates in the user's texts are kept as JSON escapes."""
    path = Path(path)
    text = json.dumps(summary.to_json(), indent=1, ensure_ascii=False, allow_nan=False)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_bytes(text.encode("utf-8", "backslashreplace") + b"\n")
    draft.replace(path)


def load_summary(path: Path | str) -> Summary:
    """Read what :func:`save_summary` wrote, or what ``--json`` printed.

    Raises:
        DataError: the file cannot be read, or as :func:`summary_from`.
    """
    try:
        record = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read as the summary of a run ({error}).") from error
    return summary_from(record)


def summary_from(record: Mapping[str, Any]) -> Summary:
    """A summary from its plain dictionary.

    Raises:
        DataError: another version; a key that is missing, unknown or of the wrong type; keys of candidates that do not
            exist. Lists every problem.
    """
    version = record.get("version") if isinstance(record, Mapping) else None
    if version != VERSION:
        raise DataError(f"This is no summary of a run: its version is {version!r}.", allowed=f"version {VERSION}")
    problems: list[str] = []
    kept = {RENAMED.get(name, name): value for name, value in record.items() if name not in ("version", "failed")}
    made = decode(kept, Summary, "", problems)
    problems += contradictions(made) if made is not None else []
    if problems or made is None:
        more = [f"... and {len(problems) - SHOWN} more"] if len(problems) > SHOWN else []
        lines = (f"  {line}" for line in [*problems[:SHOWN], *more])
        raise DataError("\n".join(["This summary of a run is damaged:", *lines]))
    return made


def contradictions(summary: Summary) -> list[str]:
    """What contradicts itself, one sentence each; empty for a sound summary."""
    found = _Check()
    keys = [c.key for c in summary.candidates]
    found.value("state", summary.state, STATES)
    if summary.constant is not None:
        found.value("constant.state", summary.constant.state, ("worse", "not_enough_data"))
    if len(set(keys)) < len(keys):
        found.append("candidates: a key appears twice")
    if summary.state == "winner" and summary.winner is None:
        found.append("winner is null, but state is 'winner'")
    if summary.state in ("nothing_met", "missed", "unproved") and summary.winner is not None:
        found.append(f"winner is given, but state is {summary.state!r}")
    _check_keys(summary, keys, found)
    for i, reason in enumerate(summary.reasons):
        found.value(f"reasons[{i}].kind", reason.kind, REASONS)
    for i, power in enumerate(summary.power):
        found.value(f"power[{i}].of", power.of, POWER_OF)
        found.value(f"power[{i}].kind", power.kind, POWER_KINDS)
    for i, flip in enumerate(summary.flips):
        found.value(f"flips[{i}].kind", flip.kind, FLIP_KINDS)
    for i, one in enumerate(summary.candidates):
        found.value(f"candidates[{i}].state", one.state, CANDIDATE_STATES)
        found.value(f"candidates[{i}].role", one.role, ROLES)
        for name, result in one.results.items():
            found.value(f"candidates[{i}].results.{name}.direction", result.direction, DIRECTIONS)
    _check_bounds(summary, found)
    _check_verdicts(summary, found)
    return found


class _Check(list[str]):
    """Problems that were found."""

    def value(self, path: str, value: object, allowed: Iterable[object]) -> None:
        """A problem where ``value`` is none of ``allowed``."""
        if value not in (choices := tuple(allowed)):
            self.append(f"{path} is {value!r}; allowed: {', '.join(map(str, choices)) or '(none)'}")


def _check_keys(summary: Summary, keys: list[int], found: _Check) -> None:
    """Every key is that of a candidate."""
    if keys:
        found.value("original", summary.original, keys)
    if summary.winner is not None:
        found.value("winner.key", summary.winner.key, keys)
    if summary.nearest is not None:
        found.value("nearest.key", summary.nearest.key, keys)
    for i, key in enumerate(summary.frontier):
        found.value(f"frontier[{i}]", key, keys)
    for i, rung in enumerate(summary.baseline):
        found.value(f"baseline[{i}].rung", rung.rung, RUNGS)
        found.value(f"baseline[{i}].key", rung.key, (None, *keys))
    for i, test in enumerate(summary.tested):
        found.value(f"tested[{i}].key", test.key, keys)
    found.value("cheaper", summary.cheaper, (None, *keys))
    for name in summary.roofline:
        found.value(f"roofline.{name}", name, map(str, keys))


def _check_bounds(summary: Summary, found: _Check) -> None:
    missed = summary.nearest.missed if summary.nearest is not None else ()
    for name, bounds in (("ceilings", summary.ceilings), ("nearest.missed", missed)):
        for i, bound in enumerate(bounds):
            found.value(f"{name}[{i}].state", bound.state, BOUND_STATES)
            found.value(f"{name}[{i}].kind", bound.kind, ("floor", "ceiling"))
            found.value(f"{name}[{i}].direction", bound.direction, DIRECTIONS)


def _check_verdicts(summary: Summary, found: _Check) -> None:
    from lighten.proof.verdict import Verdict

    tested = ((f"tested[{i}].verdicts", test.verdicts) for i, test in enumerate(summary.tested))
    for name, verdicts in (("verdicts", summary.verdicts), *tested):
        for i, verdict in enumerate(verdicts):
            decode(verdict, Verdict, f"{name}[{i}]", found)
