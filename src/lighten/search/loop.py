"""The search: stock candidates, then engine settings, then bodies with recovery, until time or candidates are spent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from lighten.core.artifact import BASELINES, GGUF, OPENVINO_CAUSAL
from lighten.core.errors import CandidateFailed, MissingExtra, ModelError
from lighten.core.recipe import engine_from, record_of
from lighten.core.result import HIGHER, Candidate
from lighten.core.space import Dressing, Space
from lighten.core.step import Step
from lighten.core.task import asked_facts
from lighten.search import proposals
from lighten.search.chance import chance
from lighten.search.context import Run, quantities_of
from lighten.search.evaluate import evaluate, seconds_a_row
from lighten.search.proposals import Body
from lighten.search.racing import cost, promising, shortfall
from lighten.search.serving import served_best
from lighten.search.trials import Trials

LANGUAGE_DRESSING = (60.0, 0.4)
"""Seconds that calibrating, quantizing and measuring one of them takes, about, and what judging it adds as a part of
what the original took: 116 to 128 s where that was 197 s, on documents; 72 and 108 s where it was 56 s, on prompts."""
MOST_PASSES, LEAST_PASS = 2.0, 0.1
"""Passes over prompts that recovery of a language model takes at most and at least."""
MOST_READ = 1.0
"""The same, at most, for documents: a second pass over 399 of them did harm, and the time is another body's."""
LEAST_LEARNED = 0.3
"""Passes below which layers or neurons of a language model that went are not made up for: not worth the minutes."""
SERVING = (40.0, 0.5)
"""The same for the settings of a language model's engine: timing them, and judging the best ones."""
SLOW = 300.0
"""Seconds of the original from which its candidates take no longer for it."""
KEPT_DRESSINGS = 2
"""How many dressings every body is measured in: each on another engine, or quantizations of a language model."""
TRAINING_COSTS = 3.2
"""How many times longer a row takes to learn from than to answer, until a first body has shown it."""
LANGUAGE_COSTS = 1.15
"""The same for a language model on documents: most of what an answer costs is the output layer, which is cut before it
learns; 430 s a pass over rows that took 600 s to answer, with 0.47 of the bytes."""
PROMPT_COSTS = 3.2
"""The same on prompts, of which an answer reads few probabilities: 306 s a pass where the answers took 152 s."""
LIKELY = 0.5
"""Chance to hold on ``proof`` from which a body counts as a success."""
STOCK_SHARE = 0.35
"""Share of the time after which no more engine settings are tried on the original."""


class Search:
    """One search over one space. Every decision follows from the study, so that it can be killed and resumed."""

    def __init__(self, run: Run, reserve: float) -> None:
        self.run, self.reserve = run, reserve
        self.space = Space.compose(run.original.format, run.engines, run.facts)
        self.dressings = list(self._all_dressings())
        choices = proposals.choices(self.space, self.dressings)
        self.trials = Trials(run.folder.study.path, choices, run.options.seed)
        self.quantities = quantities_of(run.quality, run.speed)
        self.done = {c.key: c for c in run.folder.study.candidates() if c.state != "running"}
        self._repair()

    def _all_dressings(self) -> Iterator[Dressing]:
        for dressing in self.space.dressings:
            yield dressing
            engines = dressing.engine.ways()[1:] if self.run.task.language else proposals.one_at_a_time(dressing.engine)
            for engine in engines:
                yield replace(dressing, engine=engine)

    def _repair(self) -> None:
        """Finish what a killed run left: tell what was measured, measure again what was not."""
        for number, point in self.trials.unfinished():
            if set(point) != set(self.trials.choices):
                self.trials.tell(number, None, None, [])
            elif number + 1 in self.done:
                self._tell(self.done[number + 1])
            else:
                body, dressing = proposals.from_parameters(self.space, self.dressings, point)
                body = replace(body, epochs=self.run.folder.study.recall(f"epochs of {number + 1}"))
                stock = not body.exact and not body.reshaping and dressing in self._stock()
                self._evaluate(number, body, dressing, "stock" if stock else "search")

    @property
    def original(self) -> Candidate:
        """Candidate 0."""
        return self.done[0]

    def spent(self) -> bool:
        """Whether the time or the number of candidates is used up."""
        most = self.run.options.candidates
        return self.run.clock.left <= self.reserve or (most is not None and len(self.done) - 1 >= most)

    def go(self) -> None:
        """Search until time or candidates are spent, or nothing is left to try."""
        run = self.run
        run.listener.phase("stock", run.clock.left)
        self.run.notes += proposals.left_out(self.space.dressings, self._affordable_dressings())
        self.run.notes += proposals.not_convertible(self.space)
        for dressing in self._stock():
            self._try(proposals.Body(), dressing, "stock")
        for dressing in self._tuned():
            if run.clock.seconds is None or run.clock.spent < STOCK_SHARE * run.clock.seconds:
                self._try(proposals.Body(), dressing, "search")
        exact = self._exact()
        for dressing in self._kept("kept dressings", KEPT_DRESSINGS)[:1] if exact else []:
            self._try(Body(exact), dressing, "search")
        run.listener.phase("search", run.clock.left)
        bodies = proposals.bodies(self.space, exact)
        in_hand = run.folder.study.recall("body in hand")
        for known in bodies:
            if in_hand and known.name == in_hand[0]:  # a killed run had tried it in some of its dressings
                self._body(replace(known, epochs=in_hand[1]))
        while not self.spent():
            body = proposals.next_body(self._tried(), bodies)
            if body is None or not self._body(body):
                break
        if self.run.task.language and not self.spent():
            self._served()
        self._sampled()

    def _served(self) -> None:
        """Other settings of the engine, for the file that is best so far: nothing is made anew, and timing is quick."""
        good = [c for c in self.done.values() if c.key and c.state == "ok" and not self._missed_quality(c)]
        nearest = min(good, key=lambda c: (sum(m > 0 for m in self._missed(c)), self._cost_of(c)), default=None)
        best = self._leader() or nearest
        if best is None or self.run.clock.left <= self.reserve + self._takes(SERVING):
            return
        served = self.run.folder.study.recall("served")
        if served is None or self.done[served[0]].recipe != best.recipe:
            try:
                served = [best.key, record_of(served_best(self.run, best, self._takes(SERVING) / 2))]
            except (CandidateFailed, ModelError, MissingExtra) as error:
                self.run.notes.append(f"Other settings of its engine were not tried: {type(error).__name__}: {error}")
                return
            self.run.folder.study.remember("served", served)
        key, engine = served
        body, dressing = proposals.from_parameters(self.space, self.dressings, self.trials.point(key - 1))
        body = replace(body, epochs=self.run.folder.study.recall(f"epochs of {key}"))
        self._try(body, replace(dressing, engine=engine_from(engine)), "search")

    def _exact(self) -> tuple[Step, ...]:
        """Exact steps, where the budget asks for what they save: bytes. Words unseen in training cost quality."""
        asked = {self.run.budget.minimize, *(c.metric for c in self.run.budget.under)}
        return proposals.exact_steps(self.space) if asked & {"memory", "size", "load"} else ()

    def _stock(self) -> list[Dressing]:
        """Every combination of quantization and engine, at the first variant of each that the time allows.

        What is learned quickly comes first.
        """
        found = proposals.stock(self._affordable_dressings(), self.run.original.format, self.run.facts)
        return [d for d in found if not self._is_original(d)]

    def _affordable_dressings(self) -> list[Dressing]:
        characters = sum(map(len, self.run.parts.train.inputs))
        return proposals.affordable(self.space.dressings, characters, self.run.clock.seconds)

    def _is_original(self, dressing: Dressing) -> bool:
        first = self.original
        record = {"use": first.engine, **first.engine_settings}
        return not dressing.steps and record_of(dressing.engine) == record

    def _tuned(self) -> list[Dressing]:
        """Other settings of the quantization and the engine of the best stock dressing, one at a time."""
        best = self._kept("tuned dressing", 1)
        if not best or self.run.task.language:  # every one costs minutes on the whole vocabulary
            return []
        found = [replace(best[0], engine=engine) for engine in proposals.one_at_a_time(best[0].engine)]
        same = [d for d in self.space.dressings if [type(s) for s in d.steps] == [type(s) for s in best[0].steps]]
        return [*found, *(d for d in same if d != best[0] and d.engine == best[0].engine)]

    def _best_dressings(self, most: int) -> list[Dressing]:
        """The cheapest dressings of the float original that look good enough, at most one for each engine."""
        by_name = {proposals.dressing_name(d): d for d in self.dressings}
        plain = [c for c in self.done.values() if c.key and c.name in by_name]
        good = [c for c in plain if promising(c, self.original, self.run.budget, self.quantities)] or [
            c for c in plain if c.state == "ok" and not self._missed_quality(c)
        ]
        kept: dict[str, Dressing] = {}
        for candidate in sorted(good, key=self._cost_of):
            dressing = by_name[candidate.name]
            kept.setdefault(candidate.engine, dressing)
        return list(kept.values())[:most]

    def _kept(self, name: str, most: int) -> list[Dressing]:
        """The best dressings when this was first asked, kept in the study; the original's own when none is good."""
        if self.run.task.language:  # what does not hold on the original may hold after recovery, and bytes are known
            every = [d for d in self.space.dressings if d.steps and d.steps[-1].produces == GGUF]
            others = [d for d in self.space.dressings if d.steps and d.steps[-1].produces == OPENVINO_CAUSAL]
            return [*every[:most], *others[:1]]
        by_name = {proposals.dressing_name(d): d for d in self.dressings}
        names = self.run.folder.study.recall(name)
        if names is None:
            own = [d for d in self.dressings if self._is_original(d)]
            names = [proposals.dressing_name(d) for d in self._best_dressings(most) or own[:1]]
            self.run.folder.study.remember(name, names)
        return [by_name[one] for one in names]

    def _missed_quality(self, candidate: Candidate) -> bool:
        return any(m > 0 for m in self._missed(candidate)[: len(self.run.budget.keep)])

    def _cost_of(self, candidate: Candidate) -> float:
        found = cost(candidate, self.original, self.run.budget, self.quantities)
        return float("inf") if found is None else found

    def _missed(self, candidate: Candidate) -> list[float]:
        """By how much each floor, then each ceiling, is missed."""
        found = []
        for constraint in (*self.run.budget.keep, *self.run.budget.under):
            missed = shortfall(constraint, self.quantities[constraint.metric], candidate, self.original)
            found.append(1.0 if missed is None else missed)
        return found

    def _tried(self) -> dict[str, bool]:
        """Every body tried so far, and whether its best candidate is likely to hold."""
        tried: dict[str, bool] = {}
        for candidate in self.done.values():
            name = self.run.folder.study.recall(f"body of {candidate.key}")
            if name:
                tried[name] = tried.get(name, False) or self._chance(candidate) >= LIKELY
        return tried

    def _chance(self, candidate: Candidate) -> float:
        """Estimated chance that a candidate holds on ``proof``; 0 for one that failed."""
        return chance(self.run, candidate, self.original, self.quantities) if candidate.state == "ok" else 0.0

    def _body(self, body: Body) -> bool:
        """Try a body in the best dressings; False when there is no time for it."""
        study, dressings = self.run.folder.study, self._kept("kept dressings", KEPT_DRESSINGS)
        if study.recall("body in hand") is None:
            epochs = self._affordable(body)
            if epochs == 0 and not self._goes_untrained(body):
                return False
            body = replace(body, epochs=epochs)
        if not dressings:
            return False
        study.remember("body in hand", [body.name, body.epochs])
        for dressing in dressings:
            if not self._try(body, dressing, "search"):
                return False
            if any(
                c.state == "stopped" and study.recall(f"body of {key}") == body.name for key, c in self.done.items()
            ):
                break  # its training was hopeless: no dressing changes that
            if self.run.task.language and self._made_of(body) and self._far(body):
                break
        else:
            self._finer(body)
        study.remember("body in hand", None)
        return True

    def _finer(self, body: Body) -> None:
        """The body in the format that rounds least, where those that round more fail, but not by far."""
        made = self._made_of(body)
        if not self.run.task.language or any(self._chance(c) >= LIKELY for c in made) or self._far(body):
            return
        rounded = [d for d in self.space.dressings if d.steps and d.steps[-1].produces == GGUF]
        finest = max(rounded, key=lambda d: d.steps[-1].share(self.run.facts), default=None)
        if finest is not None and self.run.clock.left > self.reserve + self._takes(LANGUAGE_DRESSING):
            self._try(body, finest, "search")

    def _far(self, body: Body) -> bool:
        """Whether a body misses a floor by more than the floor allows: that is not for its quantization alone."""
        nearest = max(self._made_of(body), key=self._chance, default=None)
        if nearest is None:
            return True
        missed = zip(self.run.budget.keep, self._missed(nearest), strict=False)  # ceilings follow
        return any(
            by > floor.margin(self.original.value(floor.metric) or 0.0, self.quantities[floor.metric].direction)
            for floor, by in missed
        )

    def _made_of(self, body: Body) -> list[Candidate]:
        study = self.run.folder.study
        return [c for key, c in self.done.items() if c.state == "ok" and study.recall(f"body of {key}") == body.name]

    def _goes_untrained(self, body: Body) -> bool:
        """Whether a body for whose training there is no time is worth measuring as it is: of fewer words, say."""
        ready = self.reserve + self._takes(LANGUAGE_DRESSING)
        return self.run.task.language and not body.wants_recovery and self.run.clock.left > ready

    def _affordable(self, body: Body) -> float | None:
        """Epochs of recovery that the time left allows: None for the default, 0 when not even one fits.

        A language model learns most from the first part of its text, so parts of an epoch count there.
        """
        language = self.run.task.language
        usual = max((float(getattr(cls(), "epochs", 1)) for cls in self.space.recovery), default=1.0)
        past = self.run.folder.study.recall("seconds per epoch and share", [])
        if self.run.clock.seconds is None:
            return None
        # What comes after the training: a language model is quantized in several ways, each calibrated and measured.
        after = 40.0
        if language:
            dressings = self._kept("kept dressings", KEPT_DRESSINGS)
            after = len(dressings) * self._takes(LANGUAGE_DRESSING) + self._takes(SERVING)
        room = self.run.clock.left - self.reserve - after
        documents = asked_facts(self.run.task).get("evidence") == "documents"
        known = [seconds / (0.3 + 0.7 * share) for seconds, share in past]
        if not known or language:  # a training that ended early says too little of how long one takes
            answered = len(self.run.parts.train) * seconds_a_row(self.run, self.original)
            known.append((TRAINING_COSTS if not language else LANGUAGE_COSTS if documents else PROMPT_COSTS) * answered)
        slowest = max(known)
        each = slowest * (0.3 + 0.7 * body.share)
        if language:
            most = MOST_READ if documents else MOST_PASSES
            parts = round(max(int(min(room / each, most) / LEAST_PASS) * LEAST_PASS, 0.0), 2)
            return 0 if body.wants_recovery and parts < LEAST_LEARNED else parts
        fit = int(room / each)
        return None if fit >= usual else max(fit, 0)

    def _takes(self, seconds: tuple[float, float]) -> float:
        """Seconds that something takes: a fixed part, and a part of what the original took, within reason.

        What is made of a slow original, such as one in eager torch, is not as slow.
        """
        return seconds[0] + seconds[1] * min(self.original.seconds, SLOW)

    def _sampled(self) -> None:
        """What bisection left open: Optuna's sampler, until it only repeats itself."""
        repeats = 0
        while not self.spent() and repeats < 8 and self.space.reshaping:
            number, point = self.trials.ask()
            body, dressing = proposals.from_parameters(self.space, self.dressings, point)
            name = self._name(body, dressing)
            epochs = self._affordable(body) if body.reshaping else None
            idle = not any(replace(dressing, engine=d.engine) == d for d in self._affordable_dressings()) or (
                bool(body.reshaping) and set(dressing.engine.stores) <= set(BASELINES)  # it takes nothing of a model
            )
            if idle or epochs == 0 or any(c.name == name for c in self.done.values()):
                self.trials.tell(number, None, None, [])
                repeats += 1
                continue
            repeats = 0
            self._evaluate(number, replace(body, epochs=epochs), dressing, "search")

    def _name(self, body: Body, dressing: Dressing) -> str:
        return proposals.name_of((*body.recipe(self.space.recovery), *dressing.steps), dressing.engine)

    def _try(self, body: Body, dressing: Dressing, role: str) -> bool:
        """Measure a candidate unless it was measured before; False when the budget of trials or time is used up."""
        if any(c.name == self._name(body, dressing) for c in self.done.values()):
            return True
        if self.spent():
            return False
        number, _ = self.trials.ask(proposals.parameters(self.space, body, dressing))
        self._evaluate(number, body, dressing, role)
        return True

    def _evaluate(self, number: int, body: Body, dressing: Dressing, role: str) -> None:
        study = self.run.folder.study
        study.remember(f"epochs of {number + 1}", body.epochs)
        if body.reshaping:
            study.remember(f"body of {number + 1}", body.name)
        steps = (*body.recipe(self.space.recovery), *dressing.steps)
        candidate = evaluate(self.run, number + 1, steps, dressing.engine, role)
        known = study.recall("seconds per epoch and share", [])
        fresh = body.name not in {study.recall(f"body of {key}") for key in self.done}
        passes = [float(getattr(step, "epochs", 0)) for step in steps]
        if fresh and body.reshaping and body.back is None and any(passes) and candidate.state == "ok":
            trained = candidate.seconds
            if self.run.task.language:  # what comes after the training takes as long however little it was
                trained = max(trained - self._takes(LANGUAGE_DRESSING), 0.5 * trained)
            each = trained / max(passes)
            study.remember("seconds per epoch and share", [*known, [each, body.share]])
        self._tell(candidate)

    def _tell(self, candidate: Candidate) -> None:
        before = self._leader()
        self.done[candidate.key] = candidate
        price = cost(candidate, self.original, self.run.budget, self.quantities)
        if candidate.state != "ok" or price is None:
            self.trials.tell(candidate.key - 1, None, None, [])
            return
        self.trials.tell(candidate.key - 1, price, -self.gain(candidate), self._missed(candidate))
        leader = self._leader()
        if leader is not None and leader is not before:
            self.run.listener.best(leader)

    def _leader(self) -> Candidate | None:
        good = [
            c for c in self.done.values() if c.key and promising(c, self.original, self.run.budget, self.quantities)
        ]
        return min(good, key=self._cost_of, default=None)

    def gain(self, candidate: Candidate) -> float:
        """Change of the first floor's metric against the original on ``select``, positive when better."""
        first = self.run.budget.keep[0].metric
        value, before = candidate.value(first), self.original.value(first)
        change = (value or 0.0) - (before or 0.0)
        return change if self.quantities[first].direction == HIGHER else -change
