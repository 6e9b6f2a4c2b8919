"""schema: what the verbs print with ``--json``, as types and as JSON Schema."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lighten.core.errors import UnknownName
from lighten.core.outcome import Constant
from lighten.core.result import Result
from lighten.core.summary import VERSION, Flip, Group, Summary
from lighten.core.training import TrainingResult
from lighten.proof.verdict import Verdict
from lighten.store.decode import json_schema

OUTPUTS: Mapping[str, str] = {
    "optimize": "lighten optimize and lighten resume of a search, and summary.json in the folder of a run",
    "train": "lighten train and lighten resume of a training, and result.json in the folder of a training",
    "plan": "lighten optimize --dry-run",
    "compare": "lighten compare",
    "bench": "lighten bench",
    "predict": "each line of lighten predict",
    "chat": "lighten chat --once",
    "serve": "the first line of lighten serve, once every model answers",
    "versions": "lighten versions",
    "export": "lighten export",
    "clean": "lighten clean",
    "doctor": "lighten doctor",
    "engines": "lighten engine list",
    "catalog": "lighten catalog",
    "settings": "lighten catalog NAME",
}
"""Names of what is printed, and by whom."""


def schema(output: str) -> dict[str, Any]:
    """The JSON Schema of what a verb prints with ``--json``.

    Args:
        output: one of ``OUTPUTS``.

    Raises:
        UnknownName: there is no such output.
    """
    if output not in OUTPUTS:
        raise UnknownName("output", output, OUTPUTS)
    return json_schema(kind_of(output))


@dataclass(frozen=True, slots=True)
class Failed:
    """A candidate that did not finish, and why."""

    key: int
    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Tests:
    """One test of the fixed sequence: the candidate and its verdict for every gate."""

    key: int
    verdicts: tuple[Verdict, ...]


@dataclass(frozen=True, slots=True)
class SearchOutcome(Summary):
    """What a search found; ``Summary`` says what each key means. failed: the candidates that did not finish."""

    verdicts: tuple[Verdict, ...] = ()  # type: ignore[assignment]  # the same, as an object with its keys
    tested: tuple[Tests, ...] = ()  # type: ignore[assignment]
    version: int = VERSION
    failed: tuple[Failed, ...] = ()


@dataclass(frozen=True, slots=True)
class QualityPair:
    """One quality of both models."""

    unit: str
    direction: str
    original: float | None
    candidate: float | None


@dataclass(frozen=True, slots=True)
class Compared:
    """What a comparison found."""

    original: str
    candidate: str
    n: int
    verdicts: tuple[Verdict, ...]
    quality: Mapping[str, QualityPair]
    flips: tuple[Flip, ...]
    groups: tuple[Group, ...]
    notes: tuple[str, ...]
    constant: Constant | None


@dataclass(frozen=True, slots=True)
class Benched:
    """What was measured: results by model, the reason of each model that failed, the record of the machine; what was
    noticed of the data."""

    results: Mapping[str, tuple[Result, ...]]
    failed: Mapping[str, str]
    environment: Mapping[str, Any]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """The class or choice with the highest score, and the probability of each; ``file`` only where inputs are files."""

    label: str
    scores: Mapping[str, float]
    file: str = ""


@dataclass(frozen=True, slots=True)
class WrittenAnswer:
    """What a model that was made for answers writes."""

    answer: str
    file: str = ""


@dataclass(frozen=True, slots=True)
class Likelihood:
    """What a language model needs for a document."""

    bits_per_byte: float
    file: str = ""


@dataclass(frozen=True, slots=True)
class Embedded:
    """The vector of a text."""

    embedding: Sequence[float]
    file: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer of a chat, with its numbers."""

    model: str
    answer: str
    ended: str
    prompt_tokens: int
    tokens: int
    tokens_per_second: float | None
    first_token_seconds: float | None
    seconds: float
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Health:
    """What the doctor found."""

    environment: Mapping[str, Any]
    engines: tuple[Mapping[str, Any], ...]
    broken: tuple[Mapping[str, str], ...]
    missing: Mapping[str, tuple[str, ...]]
    hints: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EngineHome:
    """How it stands with the environment of one engine."""

    engine: str
    state: str
    requirements: tuple[str, ...]
    versions: Mapping[str, str]
    bytes: int
    seconds: float
    folders: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SettingRow:
    """One setting of a step or engine."""

    name: str
    type: str
    default: bool | int | float | str
    unit: str
    low: float | None
    high: float | None
    choices: tuple[bool | int | float | str, ...]
    search: tuple[bool | int | float | str, ...]
    doc: str


@dataclass(frozen=True, slots=True)
class Listed:
    """One entry of the catalogue; ``environment`` only of engines."""

    name: str
    kind: str
    module: str
    doc: str
    source: str
    environment: str = ""


def kind_of(output: str) -> Any:
    """The type of an output: a dataclass, a tuple of one, or several of which it is one."""
    from lighten.search.plan import Plan
    from lighten.verbs.clean import Cleaned
    from lighten.verbs.export import Exported
    from lighten.verbs.serve import Serving
    from lighten.verbs.versions import Versions

    kinds: Mapping[str, Any] = {
        "optimize": SearchOutcome, "train": TrainingResult, "plan": Plan, "compare": Compared, "bench": Benched,
        "predict": Choice | WrittenAnswer | Likelihood | Embedded, "chat": Reply, "export": Exported,
        "clean": Cleaned, "doctor": Health,
        "engines": tuple[EngineHome, ...], "catalog": tuple[Listed, ...], "settings": tuple[SettingRow, ...],
        "serve": Serving, "versions": Versions,
    }  # fmt: skip
    return kinds[output]
