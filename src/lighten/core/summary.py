"""Summary: everything a finished or interrupted run knows. It is the ``--json`` object and the report's only input."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from lighten.core.budget import Budget
from lighten.core.coverage import Coverage
from lighten.core.outcome import Bound, Constant, Nearest, Reason
from lighten.core.power import Power
from lighten.core.result import Candidate

VERSION = 1
STATES = ("winner", "nothing_met", "missed", "unproved", "interrupted")
"""A winner; nothing met the budget; quality is proved, but what holds missed a ceiling in the last measurement; the
original could not be asked on the proof rows, so nothing is proved; stopped before the end."""
EXIT_CODES: Mapping[str, int] = {"winner": 0, "nothing_met": 3, "missed": 4, "unproved": 5, "interrupted": 130}
"""Of the command line, by state."""
CANDIDATE_STATES = ("ok", "failed", "stopped", "running")
ROLES = ("original", "stock", "search")
RUNGS = ("naive", "tuned", "stock", "ours")
"""The baseline ladder: eager float as most scripts run it, float tuned, int8 as a vendor's tool makes it, ours."""
FLIP_KINDS = ("broke", "fixed", "moved")
"""Only the original was right; only the winner was right; both wrong, with different answers."""


@dataclass(frozen=True, slots=True)
class WinnerValue:
    """One number of the winner; fields as in ``Result``."""

    value: float | None
    unit: str
    direction: str
    n: int
    spread: float | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Winner:
    """The cheapest candidate whose verdicts hold within the budget.

    Attributes:
        key: of the candidate.
        path: folder of its artifact.
        recipe: as in ``Candidate``.
        meters: by quantity name.
        ratio: by quantity name: original / winner when lower is better, winner / original when higher is; above 1 is
            better.
        ratio_spread: by quantity name: half the interquartile range of the ratios of the rounds.
        unsure: quantities whose ratio may be wrong, because the machine was disturbed; the note of each says how.
    """

    key: int
    path: str
    engine: str
    recipe: tuple[Mapping[str, Any], ...]
    meters: Mapping[str, WinnerValue]
    ratio: Mapping[str, float]
    ratio_spread: Mapping[str, float] = field(default_factory=dict)
    unsure: tuple[str, ...] = ()

    @classmethod
    def of(cls, candidate: Candidate, path: str) -> Winner:
        """The winner's entry, from the candidate that won."""
        meters = {
            name: WinnerValue(r.value, r.unit, r.direction, r.n, r.spread, r.note)
            for name, r in candidate.results.items()
        }
        ratio = {name: r.ratio for name, r in candidate.results.items() if r.ratio is not None}
        spread = {n: r.ratio_spread for n, r in candidate.results.items() if n in ratio and r.ratio_spread is not None}
        unsure = tuple(name for name, r in candidate.results.items() if r.unsure)
        return cls(candidate.key, path, candidate.engine, candidate.recipe, meters, ratio, spread, unsure)


@dataclass(frozen=True, slots=True)
class Rung:
    """One rung of the baseline ladder: which candidate stands on it, or why none does.

    Attributes:
        rung: one of ``RUNGS``; a run without a winner has no ``ours``.
        key: of the candidate; None when it could not be measured.
        note: why it could not.
    """

    rung: str
    key: int | None
    note: str = ""


@dataclass(frozen=True, slots=True)
class TestedRecord:
    """One test of the fixed sequence: the candidate and its verdict for every gate, as ``Verdict.to_json`` has it."""

    key: int
    verdicts: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Flip:
    """One row of the proof part that the winner answers differently. All texts are the user's data: never trusted.

    Attributes:
        text: the input, or the name of its file.
        label, original, winner: names of the true class, the original's answer and the winner's.
        group: its group; empty when the data has no group column.
        kind: one of ``FLIP_KINDS``.
        preview: a ``data:`` address of a small picture of the input; empty where there is none.
    """

    text: str
    label: str
    original: str
    winner: str
    group: str
    kind: str
    preview: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """Accuracy of both models in one group of the proof part, proportions."""

    name: str
    n: int
    original: float
    winner: float


@dataclass(frozen=True, slots=True)
class Continuation:
    """What two language models write after the same beginning. The user's data and models' words: never trusted.

    Attributes:
        prompt: the beginning of a text of the proof part, or a prompt.
        original, winner: how each goes on, the most likely token at each place.
    """

    prompt: str
    original: str
    winner: str


@dataclass(frozen=True, slots=True)
class Link:
    """One artifact on the way from the original to the winner, in order.

    Attributes:
        id, parent, format: of the artifact.
        step: what made it, as in ``Artifact``: catalog name and settings; empty for the original.
        seconds: wall-clock seconds that the step took.
    """

    id: str
    step: Mapping[str, Any]
    parent: str
    format: str
    seconds: float


@dataclass(frozen=True, slots=True)
class DataFacts:
    """The user's data.

    Attributes:
        source: as given.
        rows: number of rows by part.
        labels: name of each class.
        notes: what was noticed while splitting, one sentence each.
        coverage: by part, how much of its texts a classifier reads.
    """

    source: str
    rows: Mapping[str, int]
    labels: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    coverage: Mapping[str, Coverage] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Opened:
    """Earlier openings of the proof rows on this machine (see ``store.ledger``).

    Attributes:
        rows: how many of the proof rows were opened before. runs: by how many runs or comparisons.
    """

    rows: int
    runs: int


@dataclass(frozen=True, slots=True)
class Summary:
    """Everything a run knows. Plain data; the sentences about it are made by ``report``.

    Attributes:
        state: one of ``STATES``.
        model: what the user gave: a folder, a hub id, ``sample:NAME``.
        original: key of the original among the candidates.
        winner: None when nothing met the budget, or when the run ended before the proof.
        verdicts: of the winner; without a winner, of the candidate tested last.
        frontier: keys of the candidates that no other beats on ``select``.
        tested: the fixed sequence of tests on ``proof``, in order.
        opened: earlier openings of the proof rows; None when there was none, or the proof was not opened.
        constant: an answer without a model that the original is no better than; None where it is better.
        ceilings: how the winner stands against each ceiling in the last measurement.
        nearest: without a winner, the candidate that came nearest and what it misses; None where there is none.
        reasons: why no candidate can be named as the nearest.
        reason: why there is no proof (state ``unproved``).
        cheaper: key of a candidate that was measured clearly cheaper than the winner at last and never proved.
        continuations: of a language model and its winner, side by side; samples, no measure.
        roofline: by key of a candidate (as text), then by quantity: its share of what this machine could do at most;
            see ``search.roofline``.
        titles: by catalog name, what each step of the run does and what each engine is called, in English and Chinese;
            settings stand in braces.
        baselines: keys of candidates that are cheap baselines, learned from nothing but the user's rows.
        writes: whether the models write texts: what changed is shown by samples of both.
        example: an input as a user gives one; empty where nobody says. files: whether inputs are files, and it is the
            name of one.
        packed: whether the original was brought with its weights rounded, and is judged as it is.
        environment: what the numbers depend on: CPU, flags, cores, bandwidth, versions. Nested plain values.
        paths: what the run left, by name: ``run``, ``winner``, ``report``, ...
        command: reproduces the run.
        lighten: version. started: ISO 8601 with zone. seconds: wall clock of the whole run.
    """

    state: str
    model: str
    budget: Budget
    data: DataFacts
    candidates: tuple[Candidate, ...]
    original: int = 0
    winner: Winner | None = None
    verdicts: tuple[Mapping[str, Any], ...] = ()
    frontier: tuple[int, ...] = ()
    baseline: tuple[Rung, ...] = ()
    power: tuple[Power, ...] = ()
    tested: tuple[TestedRecord, ...] = ()
    opened: Opened | None = None
    constant: Constant | None = None
    ceilings: tuple[Bound, ...] = ()
    nearest: Nearest | None = None
    reasons: tuple[Reason, ...] = ()
    reason: str = ""
    cheaper: int | None = None
    flips: tuple[Flip, ...] = ()
    groups: tuple[Group, ...] = ()
    lineage: tuple[Link, ...] = ()
    continuations: tuple[Continuation, ...] = ()
    roofline: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    titles: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    baselines: tuple[int, ...] = ()
    writes: bool = False
    example: str = "a text to classify"
    files: bool = False
    packed: bool = False
    environment: Mapping[str, Any] = field(default_factory=dict)
    paths: Mapping[str, str] = field(default_factory=dict)
    command: str = ""
    task: str = "text_classification"
    lighten: str = ""
    started: str = ""
    seconds: float = 0.0

    def candidate(self, key: int | None) -> Candidate | None:
        """The candidate with this key; None when there is none."""
        return next((c for c in self.candidates if c.key == key), None)

    def to_json(self) -> dict[str, Any]:
        """As a plain dictionary, with ``failed`` (key, name, reason of what did not finish) for who reads the JSON."""
        failed = [
            {"key": c.key, "name": c.name, "reason": c.reason}
            for c in self.candidates
            if c.state in ("failed", "stopped")
        ]
        return {"version": VERSION, **asdict(self), "failed": failed}
