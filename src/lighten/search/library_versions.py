"""Library versions: which ones a run was made and measured with each time it was started."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

from lighten.store.study import Study

SITTINGS = "sittings"
"""Under which the study remembers the versions of each start of the run."""


def note_versions(study: Study, versions: Mapping[str, str]) -> list[str]:
    """Remember the libraries of this start of the run, and say what earlier ones had.

    What was made by other versions is made again where it is needed anew (they are part of its key in the store); what
    was measured stays, and is said.

    Returns:
        One sentence for each change of versions so far.
    """
    known = study.recall(SITTINGS, [])
    if not known or known[-1]["versions"] != dict(versions):
        finished = [candidate.key for candidate in study.candidates() if candidate.state != "running"]
        known = [*known, {"versions": dict(versions), "finished": finished}]
        study.remember(SITTINGS, known)
    notes = []
    for before, after in pairwise(known):
        if not after["finished"]:
            continue
        changed = ", ".join(
            f"{name} {before['versions'].get(name, 'missing')} (then {after['versions'].get(name, 'missing')})"
            for name in sorted({*before["versions"], *after["versions"]})
            if before["versions"].get(name) != after["versions"].get(name)
        )
        keys = ", ".join(map(str, after["finished"]))
        notes.append(f"The run was taken up with other libraries: candidates {keys} were measured with {changed}.")
    return notes
