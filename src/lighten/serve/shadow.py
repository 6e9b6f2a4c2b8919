"""Shadow: another version is asked what requests asked, once these are answered, and it is counted where it disagrees.

It waits in a queue of its own, for moments in which no request is on its way; an answer that it is writing is given up
and begun anew where one comes. So it delays, refuses and fails nothing, and a server that is never idle compares
nothing; what is left out is counted. Compared are the labels, or the answers in words but for the blanks around them;
of answers that are drawn nothing is compared, since two of them differ by chance.
"""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, cast

from lighten.core.errors import LightenError
from lighten.core.prediction import Prediction
from lighten.serve.cases import VersionAnswer
from lighten.serve.limits import Limits
from lighten.serve.metrics import Family, labels_of
from lighten.serve.model import Again, ServedModel
from lighten.serve.models import Models
from lighten.serve.presence import Presence
from lighten.serve.refusals import ClientGone, Refusal
from lighten.serve.review import Review
from lighten.serve.writing_model import WritingModel

log = logging.getLogger("lighten.serve")

WAITING, WAITING_BYTES = 64, 32 << 20
"""Requests, and bytes of their inputs, that may wait for the shadow; more are left out."""
TOGETHER = 8
"""Inputs that it is asked at once: whoever comes meanwhile shares the processor with no more."""
LOOK_SECONDS = 0.01
"""How often it is looked whether a request is on its way."""
SHOWN = 8
"""Most flips of one request that people are asked about."""
CONFIDENCE = 0.95
FULL, FAILED, UNLIKE, CHANGED = "full", "failed", "unlike", "changed"
"""Why a request is left out: too many wait, the shadow did not answer, its answers are not of a kind that can be
compared, or the versions are others meanwhile."""

Said = tuple[str, float | None]
"""An answer, and how sure the model is of it."""


@dataclass(frozen=True, slots=True)
class Disagreement:
    """How often the shadow answers differently, since both versions are what they are.

    Attributes:
        serving, shadow: versions. requests, inputs: that were compared. flips: inputs that are answered differently.
        share: of the inputs of a request, on average; 0 before the first. lower, upper: bounds of it, of which each
            holds with ``confidence`` at all moments at once (see ``proof.confidence_sequence``).
        skipped: requests that were left out, by reason.
    """

    serving: str
    shadow: str
    requests: int
    inputs: int
    flips: int
    share: float
    lower: float
    upper: float
    confidence: float
    skipped: Mapping[str, int]


@dataclass
class Tally:
    """What is counted for it.

    Attributes:
        artifacts: of both versions. total: of the shares of each request's inputs that are answered differently.
    """

    serving: str
    shadow: str
    artifacts: tuple[str, ...] = ()
    requests: int = 0
    inputs: int = 0
    flips: int = 0
    total: float = 0.0
    skipped: Counter[str] = field(default_factory=Counter)

    def add(self, inputs: int, flips: int) -> None:
        """One request more."""
        self.requests += 1
        self.inputs += inputs
        self.flips += flips
        self.total = min(self.total + flips / inputs, float(self.requests))

    def summary(self) -> Disagreement:
        """What it comes to."""
        lower, upper = self._bounds()
        share = self.total / self.requests if self.requests else 0.0
        counted = (self.requests, self.inputs, self.flips, share, lower, upper, CONFIDENCE, dict(self.skipped))
        return Disagreement(self.serving, self.shadow, *counted)

    def _bounds(self) -> tuple[float, float]:
        if not self.requests:
            return 0.0, 1.0
        from lighten.proof.confidence_sequence import share_bounds  # there since the first of them, see Shadow._run

        return share_bounds(self.total, self.requests, CONFIDENCE)


class Job(ABC):
    """A request that waits for the shadow.

    Args:
        found: where it is counted. values: what the client asked, one for each answer. said: the answers that it got.
    """

    def __init__(self, name: str, found: Tally, values: Sequence[Any], said: Sequence[Said]) -> None:
        self.name, self.found, self.values, self.said = name, found, values, said
        self.size = sum(map(_bytes_of, values))

    @abstractmethod
    async def ask(self, shadow: ServedModel, quiet: Callable[[int], bool]) -> list[Said] | None:
        """Answers of the shadow; None where a request came in between.

        Args:
            quiet: whether no request is on its way but so many of the shadow's own.

        Raises:
            Refusal, LightenError: why there is none.
        """


class Predicted(Job):
    """Inputs with predictions."""

    async def ask(self, shadow: ServedModel, quiet: Callable[[int], bool]) -> list[Said] | None:
        """See :meth:`Job.ask`; a few inputs at a time."""
        found: list[Said] = []
        for begin in range(0, len(self.values), TOGETHER):
            while begin and not quiet(0):
                await asyncio.sleep(LOOK_SECONDS)
            part = self.values[begin : begin + TOGETHER]
            found += map(said_in, await shadow.predict(part, shadow.limits.deadline, Presence()))
        return found


class Completed(Job):
    """Texts that were continued, each by its most likely tokens. again: how it is asked the same."""

    def __init__(self, name: str, found: Tally, values: Sequence[Any], said: Sequence[Said], again: Again) -> None:
        super().__init__(name, found, values, said)
        self._again = again

    async def ask(self, shadow: ServedModel, quiet: Callable[[int], bool]) -> list[Said] | None:
        """See :meth:`Job.ask`."""
        writer = cast(WritingModel, shadow)
        with shadow.held():
            prompts = await self._again(writer)
            if not quiet(1):
                return None
            answers = writer.write(prompts, shadow.limits.write_deadline, Presence())
            texts = [""] * len(prompts)
            try:
                async for several in answers:
                    for place, one in several:
                        texts[place] += one.text
                    if not quiet(2) and not answers.over:
                        return None
            finally:
                answers.close()
            return [(text.strip(), None) for text in texts]


class Shadow:
    """Of all models of a server; hears of their answers (see ``Observer``). Lives on the event loop.

    Args:
        review: where flips are kept for people; None for nowhere.

    Attributes:
        found: by name of the model, of the versions that are compared now.
    """

    def __init__(self, models: Models, limits: Limits, review: Review | None = None) -> None:
        self.found: dict[str, Tally] = {}
        self._models, self._limits, self._review = models, limits, review
        self._jobs: deque[Job] = deque()
        self._size = 0
        self._task: asyncio.Task[None] | None = None

    def predicted(self, model: ServedModel, values: Sequence[Any], predictions: Sequence[Prediction]) -> None:
        """See ``Observer``."""
        traffic = self._models.traffic[model.name]
        if traffic.shadow is None or model.version != traffic.serving or not traffic.draw_shadow():
            return
        found = self._of(model.name)
        if found is None or any(one.measures or len(one.vector) for one in predictions):
            self._skip(found, UNLIKE)
        else:
            self._put(Predicted(model.name, found, values, [said_in(one) for one in predictions]))

    def wrote(self, model: ServedModel, values: Sequence[Any], texts: Sequence[str], again: Again) -> None:
        """See ``Observer``."""
        traffic = self._models.traffic[model.name]
        if traffic.shadow is None or model.version != traffic.serving or not traffic.draw_shadow():
            return
        found = self._of(model.name)
        if found is not None:
            self._put(Completed(model.name, found, values, [(text.strip(), None) for text in texts], again))

    def disagreement(self, name: str) -> Tally | None:
        """What came of the versions that are compared now; None where none are."""
        return self._of(name)

    def families(self) -> list[Family]:
        """What ``/metrics`` tells of it."""
        every = [(name, one) for name in self._models.names if (one := self._of(name)) is not None]
        marks = [f'{labels_of(name, one.serving)},shadow="{one.shadow}"' for name, one in every]
        bounds = [one.summary() for _, one in every]
        left = [(f'{mark},reason="{reason}"', float(n)) for mark, (_, one) in zip(marks, every, strict=True)
                for reason, n in one.skipped.items()]  # fmt: skip

        def family(name: str, kind: str, told: str, values: Sequence[float]) -> Family:
            return Family(f"lighten_shadow_{name}", kind, told, list(zip(marks, values, strict=True)))

        bound = "bound of the share that the shadow answers differently, at every moment at once"
        return [
            family("requests_total", "counter", "Requests that the shadow was asked, too.",
                   [one.requests for _, one in every]),
            family("inputs_total", "counter", "Their inputs.", [one.inputs for _, one in every]),
            family("flips_total", "counter", "Inputs that it answers differently.", [one.flips for _, one in every]),
            family("disagreement_lower", "gauge", f"Lower {bound}.", [one.lower for one in bounds]),
            family("disagreement_upper", "gauge", f"Upper {bound}.", [one.upper for one in bounds]),
            Family("lighten_shadow_skipped_total", "counter", "Requests that it was not asked, by reason.", left),
        ]  # fmt: skip

    def _of(self, name: str) -> Tally | None:
        traffic = self._models.traffic[name]
        if traffic.shadow is None:
            return None
        both, loaded = (traffic.serving, traffic.shadow.version), self._models.loaded(name)
        artifacts = tuple(loaded[one].source.artifact.id for one in both if one in loaded)
        known = self.found.get(name)
        if known is None or (known.serving, known.shadow, known.artifacts) != (*both, artifacts):
            known = self.found[name] = Tally(*both, artifacts)
        return known

    def _skip(self, found: Tally | None, reason: str) -> None:
        if found is not None:
            found.skipped[reason] += 1

    def _put(self, job: Job) -> None:
        if len(self._jobs) >= WAITING or self._size + job.size > WAITING_BYTES:
            self._skip(job.found, FULL)
            return
        self._jobs.append(job)
        self._size += job.size
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._run())

    async def _run(self) -> None:
        """Ask what waits, one after another."""
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(None, import_module, "lighten.proof.confidence_sequence")  # takes a second
        while self._jobs and not self._models.draining:
            if not self._quiet(0):
                await asyncio.sleep(LOOK_SECONDS)
                continue
            job = self._jobs[0]
            if await self._done_with(job):
                self._jobs.popleft()
                self._size -= job.size
        self._jobs.clear()
        self._size = 0

    async def _done_with(self, job: Job) -> bool:
        """Ask the shadow, and count. Returns False where a request came in between: it is to be asked again."""
        shadow = self._models.loaded(job.name).get(job.found.shadow)
        if job.found is not self.found.get(job.name) or self._of(job.name) is not job.found or shadow is None:
            self._skip(job.found, CHANGED)
            return True
        try:
            said = await job.ask(shadow, self._quiet)
            if said is None:
                return False
            self._count(job, said, shadow)
        except (Refusal, LightenError, ClientGone):
            self._skip(job.found, FAILED)
        except Exception:
            log.exception("the shadow of %s", job.name)
            self._skip(job.found, FAILED)
        return True

    def _count(self, job: Job, said: Sequence[Said], shadow: ServedModel) -> None:
        """The shadow has answered."""
        flips = [place for place, (one, other) in enumerate(zip(job.said, said, strict=True)) if one[0] != other[0]]
        job.found.add(len(job.said), len(flips))
        if self._review is None:
            return
        for place in flips[:SHOWN]:
            answers = [(job.found.serving, *job.said[place]), (job.found.shadow, *said[place])]
            value = shadow.intake.kept(job.values[place])
            self._review.add(job.name, "flip", value, [VersionAnswer(*one) for one in answers])

    def _quiet(self, own: int) -> bool:
        """Whether no request is on its way but so many of the shadow's own."""
        return not self._models.draining and self._models.open <= own


def said_in(prediction: Prediction) -> Said:
    """What is compared of a prediction: its label, or its answer without blanks around it."""
    if prediction.scores:
        return prediction.label, prediction.scores.get(prediction.label)
    return prediction.label.strip(), None


def _bytes_of(value: Any) -> int:
    """About as many as an input takes."""
    held: int | None = getattr(value, "nbytes", None)
    return held if held is not None else len(value) if isinstance(value, str | bytes) else len(str(value))
