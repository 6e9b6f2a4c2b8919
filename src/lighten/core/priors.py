"""Priors: what planning believes of one kind of job until a run has measured it itself; see ``search.planning``."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds that something takes: a fixed part, a part of what the original took, and one for each of several.

    Attributes:
        share: of the seconds in which the original was answered and measured.
    """

    fixed: float = 0.0
    share: float = 0.0
    each: float = 0.0

    def seconds(self, original: float, count: int = 0) -> float:
        """In all. original: seconds of the original. count: of the several.

        >>> Cost(60.0, 0.4).seconds(100.0)
        100.0
        """
        return self.fixed + self.share * original + self.each * count


@dataclass(frozen=True, slots=True)
class Priors:
    """What candidates of a task cost, about, and what of their training is worth its time.

    Attributes:
        variant: one more quantization of a network that is there: made, judged and measured.
        settings: other settings of the engine of one file, measured side by side; ``each`` is one of them.
        learning: how many times longer a row takes to learn from than to answer.
        proving: how many times the original's answers the proof takes, with those of its finalists.
        passes: most passes over the rows that recovery is given; None for what the step itself says.
        part: of a pass, in which passes are counted.
        least: passes below which a network that cannot do without recovery is not worth its time.
        first: share of the original's arithmetic that the first smaller network keeps: on 13,000 rows one of 0.44, its
            neurons chosen by reconstruction and recovered on hidden states, lost 0.4 points on tune and select together
            and changed 6.5 % of the answers.
        slow_answers: whether most of what a candidate costs is to judge and measure it, whatever made it. Settings of
            the engine are then tried on the best file alone, at the end; variants that recovery may save are not
            judged without it; and what cannot hold is measured in one round.
    """

    variant: Cost = Cost(20.0)
    settings: Cost = Cost(each=5.0)
    learning: float = 3.2
    proving: float = 1.6
    passes: float | None = None
    part: float = 1.0
    least: float = 1.0
    first: float = 0.4
    slow_answers: bool = False


@dataclass(frozen=True, slots=True)
class Requests:
    """What sessions of a task are timed with.

    Attributes:
        singles: inputs sent alone. batch: inputs handed over at once.
        fitted: whether both are fewer where the original is slow.
    """

    singles: int = 200
    batch: int = 512
    fitted: bool = True


USUAL = Requests()
"""Of a task that says nothing else."""
