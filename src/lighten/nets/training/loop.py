"""Loop: the one loop that trains every kind of network, in the time there is, and leaves it with the best weights seen.

What a kind does differently is a method of its :class:`Trainable`. The order of the data is a pure function of seed and
epoch, and whatever else a training depends on stands in a checkpoint: killed at any moment and taken up, it ends with
the weights that it would have had, bit for bit.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import astuple

from torch import Tensor

from lighten.core.errors import StepFailed
from lighten.core.progress import as_clock
from lighten.core.step import Watch
from lighten.nets.training.attention import quick_attention
from lighten.nets.training.checkpoint import KEPT, Checkpoints, Snapshot
from lighten.nets.training.convolution import quick_convolution
from lighten.nets.training.group import Group
from lighten.nets.training.kept import Kept, put_into
from lighten.nets.training.pacing import CURVE, LEAST_TRIED, TRIED, TRYING, end_by_clock, end_in_time, is_late
from lighten.nets.training.pieces import Pieces
from lighten.nets.training.precision import NAMED, using_threads
from lighten.nets.training.randomness import generators, put_back, seed_all, untouched
from lighten.nets.training.schedule import LAST, TAKE_BACK, Point, Score, State, Trained
from lighten.nets.training.setback import BACK, SETBACKS, came_apart
from lighten.nets.training.trainable import Trainable

AHEAD = 0.25
"""Share of the time that there is which may be spent on what frozen blocks put out, before anything is learned."""

Heard = Callable[[State, float, float], None]
"""Told after each update how far the training is, the loss and the share of the peak rate."""


def train(
    work: Trainable,
    *,
    seed: int,
    threads: int,
    watch: Watch,
    seconds: float | None = None,
    checkpoints: Checkpoints | None = None,
    heard: Heard | None = None,
    note: Callable[[str], None] | None = None,
    group: Group | None = None,
    deaths: int = 0,
) -> Trained:
    """Train in place; the weights that did best on ``tune``, or the last, are kept (``Schedule.keep``).

    The training ends within the time that ``watch`` leaves, where it bounds that: then the plan moves with the clock.

    Args:
        seconds: that it may take; the plan is made once, by timing the first updates, and stays. Where it has taken far
            longer (``pacing.is_late``), it ends.
        checkpoints: where it goes on from what it finds there, and writes how far it is; None for nowhere.
        heard: told of every update. note: told, in a sentence, what goes otherwise than planned.
        group: processes that train together, a batch of ``work`` at a time; None for this one alone. Checkpoints are
            rank 0's.
        deaths: how often a sitting of it was ended for want of memory: pieces of batches are halved for each.

    Raises:
        DataError: rows that the network cannot learn from.
        StepFailed: the loss became infinite or NaN, again and again.
        StoppedEarly: ``watch`` says that it cannot win.
        RunFolderError: a checkpoint is of another training, or cannot be written.
        PeerLost: one of the group has gone.
    """
    with ExitStack() as stack:
        for one in (using_threads(threads), quick_attention(), quick_convolution(), untouched(), work.prepared()):
            stack.enter_context(one)
        seed_all(seed)
        loop = _Loop(work, seed, threads, watch, checkpoints, heard, note, group or Group())
        stack.callback(loop.close)
        return loop.run(seconds, deaths)


class _Loop:
    """State of one call of :func:`train`."""

    def __init__(
        self, work: Trainable, seed: int, threads: int, watch: Watch, checkpoints: Checkpoints | None,
        heard: Heard | None, note: Callable[[str], None] | None, group: Group,
    ) -> None:  # fmt: skip
        self.group = group
        self.work, self.schedule, self.seed, self.threads, self.watch = work, work.schedule, seed, threads, watch
        self.checkpoints, self.heard, self.tell = checkpoints, heard, note
        self.planned = work.planned()
        self.state = State(end=self.planned)
        self.descent = work.optimizer()
        self.kept = Kept(lambda: self.weights, None if checkpoints is None else checkpoints.folder / KEPT)
        self.begun, self.before = time.perf_counter(), 0.0
        self.first = (0, 0.0)
        self.judge_seconds = 0.0
        self.stands = False
        """Whether the live weights are those that are kept."""
        self.pieces = Pieces(work, group, self._note)

    @property
    def weights(self) -> dict[str, Tensor]:
        """All that training changes: a module may have put a new tensor in the place of one that counts."""
        return self.work.weights()

    @property
    def spent(self) -> float:
        """Seconds by the clock, all sittings together."""
        return self.before + time.perf_counter() - self.begun

    @property
    def precision(self) -> str:
        """What is computed with, as the checkpoint has it."""
        return next(name for name, dtype in NAMED.items() if dtype is self.work.dtype)

    def close(self) -> None:
        """Leave nothing behind."""
        self.pieces.close()
        self.descent.close()
        self.kept.close()

    def run(self, seconds: float | None, deaths: int = 0) -> Trained:
        """Train until the plan, the time or the patience ends."""
        self.group.check(lambda: f"{self.schedule} {self.seed} {self.work.batches(0, self.seed)} {[*self.weights]}")
        fresh = not self._taken_up()
        if fresh:
            self.group.spread(self.weights)
            self.work.dtype = NAMED[self.group.decide(self._choose_precision)]
        self._keep_prefix(fresh, seconds)
        self._spend(fresh)
        self.pieces.fit(self.state, self.seed, fresh=fresh)
        self.pieces.cut_after(self.state, self.seed, deaths)
        self.pieces.recompute(self.state, self.state.recompute)
        if fresh:
            self._begin(seconds)
        self._save(now=True)
        while not self._ended():
            batches = self.work.batches(self.state.epoch, self.seed)
            for number in range(self.state.batch, len(batches)):
                last = number + 1 == len(batches)
                self.state.epoch, self.state.batch = self.state.epoch + last, 0 if last else number + 1
                self._update(batches[number], number)
                self._replan()
                self._end_late(seconds)
                if self._evaluated() or self._ended():
                    break
                self._save()
        return self._finish()

    def _ended(self) -> bool:
        state = self.state
        return state.over or state.rows >= state.end or state.epoch >= self.schedule.epochs

    def _begin(self, seconds: float | None) -> None:
        """Judge what is there, and plan."""
        if self.state.prefix:
            self._note("What the frozen part makes of a row was computed once; every pass begins from there.")
        self.state.interval = self.work.interval(self.state.end)
        if self.work.judged_first and self.schedule.holds_out:
            self._judge(0.0)
        else:
            self._keep()
        self._spend()
        if seconds is not None:
            self._plan_by_time(seconds)
        self.state.due = self.state.interval

    def _choose_precision(self) -> str:
        self.work.choose_precision(self.threads)
        return self.precision

    def _keep_prefix(self, fresh: bool, seconds: float | None) -> None:
        """Compute what no update changes, where there is room and time, or as an earlier sitting did."""
        left = min(math.inf if seconds is None else max(seconds - self.spent, 0.0), self.watch.seconds_left())
        decided, left = (None, AHEAD * left) if fresh else (self.state.prefix, math.inf)
        kept = self.work.keep_prefix(decided, left, self.group.here)
        self.state.prefix = all(self.group.gather(float(kept)))
        if kept and not self.state.prefix:
            self.work.keep_prefix(False)

    def _plan_by_time(self, seconds: float) -> None:
        """Time some updates, undo them, and decide once and for all how much is learned in the time."""
        drawn, state = generators(), self.state
        heard, self.heard = self.heard, None
        self.state = State(end=self.planned, piece=state.piece, recompute=state.recompute, notes=state.notes)
        times: list[tuple[int, float]] = []
        for number, batch in enumerate(self.work.batches(0, self.seed)[:TRIED]):
            start = time.perf_counter()
            self._update(batch, number)
            times.append((self.work.size(batch), time.perf_counter() - start))
            self._spend()
            if self.group.decide(
                lambda: len(times) >= LEAST_TRIED and time.perf_counter() - self.begun > TRYING * seconds
            ):
                break
        for name in ("piece", "recompute", "setbacks", "factor"):
            setattr(state, name, getattr(self.state, name))
        self.state, self.heard, self.first = state, heard, (0, 0.0)
        if not self.judge_seconds and self.schedule.holds_out:
            start = time.perf_counter()
            self._score()
            self.judge_seconds = time.perf_counter() - start
        self.kept.give_back()
        self.descent.forget()
        self.stands = True
        put_back(*drawn)
        left = seconds - self.spent
        end = end_in_time(times, left, self.judge_seconds, state.interval, self.planned)
        state.end = self.group.decide(lambda: end)
        state.interval = min(self.work.interval(state.end), state.end / CURVE)

    def _update(self, batch: list[int], number: int) -> None:
        start = time.perf_counter()
        state, learned = self.state, self.work.size(batch)
        share = state.rate(self.schedule, learned)
        self.stands = False
        self.group.draw(self.seed, state.updates)
        loss = self.pieces.gradients_of_all(state, batch)
        norm = self.descent.step(share)
        state.advance(self.schedule, learned)
        state.seconds += time.perf_counter() - start
        if not self.first[0]:
            self.first = (state.rows, state.seconds)  # the first update also fills caches; rates leave it out
        if not math.isfinite(norm) or not math.isfinite(loss):
            self._go_back(batch, number, loss, norm)
        elif self.heard is not None:
            self.heard(state, loss, share)
        self._report(loss)

    def _go_back(self, batch: list[int], number: int, loss: float, norm: float) -> None:
        """Take the last good weights and a lower rate, after an update that came apart.

        Raises:
            StepFailed: that was done before, and did not help.
        """
        state = self.state
        self.kept.give_back()
        where = came_apart(self.work, state, batch, number, loss, norm)
        if state.setbacks >= SETBACKS or not self.kept.version:
            raise StepFailed(
                f"The training came apart at {where}. Going back to the last good weights at a lower rate was tried "
                f"{state.setbacks} times.",
                fix="lower learning_rate, or look at these rows",
            )
        state.setbacks += 1
        state.factor *= BACK
        self.descent.forget()
        self.stands = True
        self._note(
            f"The training came apart at {where}. It goes on from the last good weights at {state.factor:.2g} of the "
            "learning rate."
        )

    def _evaluated(self) -> bool:
        """Judge where that is due, or keep what nobody judges; whether the training is over by it."""
        state = self.state
        if state.rows < state.due or state.rows >= state.end or state.epoch >= self.schedule.epochs:
            return False
        while state.due <= state.rows:
            state.due += state.interval
        if not self.schedule.holds_out:
            self._keep()
            return False
        self._judge(state.fraction)
        state.over = state.idle >= self.schedule.patience
        return state.over

    def _judge(self, fraction: float) -> None:
        """Judge the weights on ``tune``; keep them when they are the best so far, or take back what made them worse."""
        start, state = time.perf_counter(), self.state
        score = self._score()
        state.points.append(Point(fraction, state.updates, state.rows, score))
        state.idle += 1
        if self.schedule.keep == LAST or score.beats(state.best):
            state.idle, state.best = 0, score
            self._keep()
        elif self.schedule.keep == TAKE_BACK:
            self.kept.give_back()
            self.stands = True
            state.factor *= BACK
        self.judge_seconds = time.perf_counter() - start
        if self.work.raced:
            self.watch.score(fraction, score.quality)

    def _score(self) -> Score:
        """What rank 0 finds, with the cores of all that are on its machine and wait for it."""
        with using_threads(self.threads * self.group.here):
            return Score(*self.group.decide(lambda: astuple(self.work.judge())))

    def _keep(self) -> None:
        self.kept.keep()
        self.stands = True

    def _replan(self) -> None:
        """Move the end to what the time left allows, counting the evaluations to come."""
        left, state = self.watch.seconds_left(), self.state
        if math.isinf(left):
            return
        rows, seconds = state.rows - self.first[0], state.seconds - self.first[1]
        if not rows:
            rows, seconds = state.rows, state.seconds
        each = seconds / rows
        # An answer costs a third of an update; that stands in until an evaluation was timed.
        judging = (self.judge_seconds or each * self.work.judged / 3) if self.schedule.holds_out else 0.0
        end = end_by_clock(state.rows, left, each, judging, state.interval, self.planned)
        state.end = self.group.decide(lambda: end)

    def _end_late(self, seconds: float | None) -> None:
        """End where the machine has become so slow that the plan takes far longer than it was to take."""
        state = self.state
        if seconds is None or state.rows >= state.end or not self.group.decide(lambda: is_late(self.spent, seconds)):
            return
        self._note(
            f"It was ended after {as_clock(self.spent)}, at {state.rows:,} of {state.end:,} {self.work.noun} that were "
            f"planned for {as_clock(seconds)}: this machine has become slower than it was when that was planned."
        )
        state.end = state.rows

    def _finish(self) -> Trained:
        state = self.state
        if not state.over:
            if self.schedule.holds_out:
                self._judge(1.0)
            else:
                self._keep()
            state.over = True
        self._save(now=True)
        if not self.stands:
            self.kept.give_back()
        self.work.finished()
        self._report(math.nan)
        return Trained(
            state.rows, state.seconds, state.updates, state.end, state.points, state.best, self.precision, state.notes
        )

    def _report(self, loss: float) -> None:
        state = self.state
        done, planned = (self.schedule.epochs * rows / max(self.planned, 1) for rows in (state.rows, state.end))
        rate = state.rows / state.seconds if state.seconds else 0.0
        parts = [f"pass {done:.2f} of {planned:.2f}, {rate:,.0f} {self.work.noun}/s"]
        parts += [] if math.isnan(loss) else [f"loss {loss:.3f}"]
        parts += [self.work.told(state.points[-1].score)] if state.points else []
        self.watch.progress(state.rows, max(state.end, state.rows), ", ".join(parts))

    def _note(self, text: str) -> None:
        self.state.notes.append(text)
        if self.tell is not None:
            self.tell(text)

    def _taken_up(self) -> bool:
        """Go on from a checkpoint, where there is one."""
        found = self.checkpoints.load() if self.checkpoints is not None else None
        found = self.group.hand_out(found)
        if found is not None:
            self.state = State.from_json(found.state)
            self.before = self.state.spent
        for text in self.checkpoints.notes if self.checkpoints is not None else ():
            self._note(text)
        if found is None:
            self.before = 0.0 if self.checkpoints is None else self.checkpoints.spent
            return False
        if left := put_into(self.weights, found.weights, found.weights.__getitem__):
            self._note(
                f"The network has no place now for {', '.join(left)} of the checkpoint: not the same weights, then."
            )
        if found.best:
            self.kept.put(found.best)
            self.kept.version = found.kept
        self.descent.restore(found.moments, found.counts)
        self.work.dtype = NAMED[found.precision]
        return True

    def _spend(self, fresh: bool = True) -> None:
        """Remember the time of a sitting that has no checkpoint yet: killed, it does not get that again."""
        if fresh and self.checkpoints is not None:
            self.checkpoints.spend(self.spent)

    def _save(self, *, now: bool = False) -> None:
        """Write a checkpoint, where one is due."""
        if self.checkpoints is None or not (now or self.checkpoints.due()):
            return
        self.state.spent = self.spent
        moments, counts = self.descent.state()
        self.checkpoints.save(
            Snapshot(
                state=self.state.to_json(),
                weights=self.weights,
                best=self.kept.values(),
                moments=moments,
                counts=counts,
                precision=self.precision,
                number=self.state.updates,
                kept=self.kept.version,
            ),
            self.kept.file,
        )
