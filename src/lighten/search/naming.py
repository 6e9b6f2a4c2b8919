"""Names that a report gives to the steps and engines of a run, and which candidates are cheap baselines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from lighten.core import catalog
from lighten.core.artifact import Artifact
from lighten.core.errors import LightenError
from lighten.core.matching import format_of
from lighten.core.result import Candidate
from lighten.core.summary import Link
from lighten.core.titles import title_of


def titles(candidates: Iterable[Candidate], lineage: Iterable[Link]) -> dict[str, tuple[str, str]]:
    """By catalog name, what each step does and each engine is called; see ``core.titles``.

    What is not here, because the original was made elsewhere, is left out.
    """
    steps = {str(step["use"]): None for one in candidates for step in one.recipe}
    steps |= {str(link.step["step"]): None for link in lineage if "step" in link.step}
    engines = {one.engine: None for one in candidates}
    found = {}
    for names, load in ((steps, catalog.load_step), (engines, lambda name: catalog.load("engines", name))):
        for name in names:
            try:
                found[name] = title_of(load(name))
            except LightenError:
                continue
    return found


def baselines(candidates: Sequence[Candidate], stored: Mapping[str, Artifact]) -> tuple[int, ...]:
    """Keys of candidates whose models are cheap baselines. stored: artifacts by id."""
    return tuple(c.key for c in candidates if c.artifact in stored and format_of(stored[c.artifact]).baseline)
