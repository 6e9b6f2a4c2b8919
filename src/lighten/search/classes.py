"""Which class of the model each label of the data is, found and checked before anything is written."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from scipy.stats import binom

from lighten.core.errors import DataError
from lighten.core.item import Item
from lighten.core.matching import format_of
from lighten.core.rows import PART_NAMES, Parts, Rows
from lighten.core.task import Task
from lighten.data.classes import (
    DECIDED,
    GUESSES,
    NAMED,
    NUMBERED,
    SPELLED,
    TOLD,
    Classes,
    as_places,
    described,
    match_classes,
)
from lighten.data.labels import is_unnamed
from lighten.data.told_labels import option_text
from lighten.proof.assignment import CLEAR, Assignment, judge_assignment

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lighten.core.artifact import Artifact
    from lighten.core.engine import Engine

Answer = Callable[[Sequence[Item]], "NDArray[Any]"]
"""Answers of the model to texts: [n, classes]."""
ROWS, ROWS_OF_A_CLASS, MOST_ROWS = 500, 40, 4_000
"""Rows of train that a guess is checked on, beside tune: at least, for each class, and at most."""
FEW = 100
"""Rows of train that say whether labels which are numbers are places in a list of many more classes."""
PATIENCE = 3_600.0
"""Seconds that one request of the model as it came may take."""


@dataclass(frozen=True, slots=True)
class Settled:
    """Data whose targets are outputs of the model.

    Attributes:
        parts: with targets that index into the model's classes, whose names are ``parts.labels``.
        classes: which of them each label of the data is.
        tune_right: share of ``tune`` that the model answers right.
        warning: what speaks against what the user said; empty when nothing does.
    """

    parts: Parts
    classes: Classes
    tune_right: float
    warning: str = ""


def settle_classes(
    parts: Parts, names: Sequence[str], told: Sequence[str], answer: Answer, task: Task, *, model: str, seed: int
) -> Settled:
    """Decide which class each label is, and check that labelled rows agree; proof and select stay unopened.

    What only a convention says is checked: numbers as places, and the order of a model without names. There the rows
    decide, when they can.

    Args:
        names: of the model's classes, by output. told: what the user says; see ``data.classes``.
        task: judges the answers.

    Raises:
        DataError: a label that is no class, labels that can be read in several ways, outputs in another order where
            the task wants that of the data, rows that clearly say otherwise,
            or rows that cannot decide where nothing else does.
    """
    classes = match_classes(names, parts.labels, told, model=model)
    if task.ordered and classes.places != tuple(range(len(names))):
        raise DataError(
            f"The outputs of {model} stand in another order than the tasks of the data, and their classes.",
            allowed=", ".join(parts.labels),
            fix="give one that lighten trained on such data",
        )
    more = sampled(parts.train, classes, seed) if classes.how in GUESSES else Rows((), ())
    inputs, targets = (*parts.tune.inputs, *more.inputs), (*parts.tune.targets, *more.targets)
    outputs = task.judged(answer(inputs), Rows(inputs, targets)).argmax(axis=1).tolist()
    warning = ""
    if len(set(classes.places)) == len(classes.places):
        found = judge_assignment(outputs, targets, classes.places, len(names))
        classes, warning = checked(classes, found, outputs, targets, model)
    right = [classes.places[label] == said for label, said in zip(parts.tune.targets, outputs, strict=False)]
    settled = aligned(parts, classes)
    return Settled(settled, classes, sum(right) / max(len(right), 1), warning)


def suit(
    brought: Artifact, parts: Parts, model: str, note: Callable[[str], None], answer: Answer, *, seed: int
) -> Artifact:
    """A model that was just brought, without its head where that knows none of the data's labels and may be replaced.

    Labels that are numbers may be places in the list of its classes, or mean something else: labelled rows say which.

    Args:
        model: what the user called it. note: told of it. answer: the model's; asked only where it must be.

    Raises:
        CandidateFailed: the model does not run.
    """
    own, format = tuple(map(str, brought.meta.get("labels", ()))), format_of(brought)
    numbered = as_places(own, parts.labels) if format.replaces_heads else []
    about = f"None of the {len(own):,} classes of {model} is a label of the data"
    if numbered:
        rows = parts.train.take(sorted(random.Random(seed).sample(range(len(parts.train)), min(FEW, len(parts.train)))))
        said = answer(rows.inputs).argmax(axis=1).tolist()
        right, agrees = max(agreement(said, rows.targets, places) for places in numbered)
        taken = (
            f"The labels of the data are numbers. As places in the list of the {len(own):,} classes of {model}, "
            f"{right:.1%} of {len(rows):,} labelled rows are right"
        )
        if agrees:
            note(f"{taken}, which is what they are taken for.")
            return brought
        about = f"{taken}, so they are something else"
    found = format.suit(brought, parts, seed)
    if told := found.meta.get("told"):
        note(told)
    if found.id != brought.id and own:
        note(f"{about}: a new head is trained for your labels.")
    return found


def agreement(said: Sequence[int], targets: Sequence[int], places: Sequence[int]) -> tuple[float, bool]:
    """Share of rows that are right where labels are so many outputs, and whether that is clearly more than chance: than
    answers and labels would meet that know nothing of each other, as often as both occur."""
    answers, labels = Counter(said), Counter(targets)
    right = sum(one == places[target] for one, target in zip(said, targets, strict=True))
    chance = sum(many * answers[places[label]] for label, many in labels.items()) / len(targets) ** 2
    return right / len(targets), bool(binom.sf(right - 1, len(targets), chance) < CLEAR)


def asking(artifact: Artifact, engine: Engine, threads: int, progress: Callable[[float, float, str], None]) -> Answer:
    """A function that answers texts with the model as it came, in a process that ends afterwards.

    Raises:
        CandidateFailed: when it is called; the model does not run.
    """
    from lighten.sessions.process import SessionProcess

    def answer(texts: Sequence[Item]) -> NDArray[Any]:
        with SessionProcess(artifact, engine, threads=threads, deadline=PATIENCE) as session:
            return session.answers(texts, lambda done: progress(done, len(texts), "asking which class is which"))

    return answer


def sampled(rows: Rows, classes: Classes, seed: int) -> Rows:
    """A sample of rows to check a guess on, enough of every class."""
    most = min(len(rows), MOST_ROWS, max(ROWS, ROWS_OF_A_CLASS * len(classes.labels)))
    return rows.take(sorted(random.Random(seed).sample(range(len(rows)), most)))


def checked(
    classes: Classes, found: Assignment, outputs: Sequence[int], targets: Sequence[int], model: str
) -> tuple[Classes, str]:
    """The classes once labelled rows were consulted, and a warning where they contradict what the user said.

    Args:
        found: what the rows say. outputs, targets: of those rows: the model's answers and the labels.

    Raises:
        DataError: the rows clearly say otherwise, or cannot decide where nothing else does.
    """
    if classes.how == TOLD:
        return classes, contradiction(classes, found) if found.beaten else ""
    if classes.how in (NAMED, SPELLED):
        if found.beaten and below_constant(classes, outputs, targets):
            raise contradicted(classes, found, model)
        return classes, ""
    if classes.how == NUMBERED:
        if found.beaten:
            raise contradicted(classes, found, model)
        return classes, ""
    if not found.beaten and found.confirmed:
        agreed = f"{classes.note[:-1]}; {found.right:.1%} of {found.n:,} labelled rows agree."
        return replace(classes, note=agreed), ""
    if found.beaten and found.settled and is_unnamed(classes.own):
        decided = classes.moved(found.best, DECIDED, "")
        note = (
            f"The classes of {model} have no names, and labelled rows decide which is which: {described(decided)} "
            f"({found.right_best:.1%} of {found.n:,} rows are right so; in the order of the data {found.right:.1%})."
        )
        return replace(decided, note=note), ""
    raise DataError(
        f"Nothing says which class of {model} each label is, and {found.n:,} labelled rows cannot decide it: "
        f"{found.right:.1%} of them are right as {described(classes)}; in another order {found.right_best:.1%}.",
        allowed="a model whose classes have names, or one that answers labelled rows better than by chance",
        fix=f"say it, if you know: {option_text(classes.saying(classes.places))}; or bring the model without its head, "
        "which is fine-tuned first",
    )


def contradiction(classes: Classes, found: Assignment) -> str:
    """One sentence, with both numbers: labelled rows contradict how the labels were read."""
    other = "with the labels exchanged" if len(classes.labels) == 2 else "with the labels in another order"
    return (
        f"Labelled rows speak against what the labels were taken for ({described(classes)}): as given, "
        f"{found.right:.1%} of {found.n:,} rows are right, {other} {found.right_best:.1%}."
    )


def contradicted(classes: Classes, found: Assignment, model: str) -> DataError:
    """The error that says so, with both ways forward; a third one where no order says of every class which it is."""
    others = (
        "; if they are classes of another kind, give them their names in the data (a digit is not the class of that "
        "number): a new head is trained where the model has none of them"
        if classes.how == NUMBERED and not found.settled
        else ""
    )
    return DataError(
        contradiction(classes, found),
        allowed=f"labels that mean what {model} answers",
        fix=f"if the other way is right: {option_text(classes.saying(found.best))}; to go on as it is: "
        f"{option_text(classes.saying(classes.places))}{others}",
    )


def below_constant(classes: Classes, outputs: Sequence[int], targets: Sequence[int]) -> bool:
    """Whether the model is clearly right less often than it would be by always giving its most frequent label."""
    constant = Counter(targets).most_common(1)[0][0]
    pairs = list(zip(outputs, targets, strict=True))
    lost = sum(target == constant and said != classes.places[target] for said, target in pairs)
    won = sum(target != constant and said == classes.places[target] for said, target in pairs)
    return bool(binom.sf(lost - 1, won + lost, 0.5) < CLEAR)


def aligned(parts: Parts, classes: Classes) -> Parts:
    """The parts with targets that index into the model's classes, and a note where these are not the labels' names."""

    def moved(rows: Rows) -> Rows:
        return replace(rows, targets=tuple(classes.places[target] for target in rows.targets))

    train, tune, select, proof = (moved(parts[name]) for name in PART_NAMES)
    notes = (*parts.notes, classes.note) if classes.note else parts.notes
    return Parts(train, tune, select, proof, classes.names, notes)
