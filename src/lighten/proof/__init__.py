"""Pure statistics that prove whether quality held: paired intervals, exact tests, bootstrap, flips, power."""

from lighten.proof.absolute import judge_level, judge_rate
from lighten.proof.bootstrap import BootstrapInterval, judge_bootstrap, judge_clustered, paired_bootstrap
from lighten.proof.flips import FlippedRows, find_flips
from lighten.proof.groups import judge_groups
from lighten.proof.paired import binomial_interval, mcnemar_exact, paired_interval, tango_interval, tango_score
from lighten.proof.power import items_to_settle, needed_items, provable_margin
from lighten.proof.scores import Statistic, macro_f1, mean, ratio_of_sums
from lighten.proof.sequence import SequenceResult, Tested, fixed_sequence
from lighten.proof.verdict import Direction, State, Verdict, judge_counts, judge_paired

__all__ = [
    "BootstrapInterval",
    "Direction",
    "FlippedRows",
    "SequenceResult",
    "State",
    "Statistic",
    "Tested",
    "Verdict",
    "binomial_interval",
    "find_flips",
    "fixed_sequence",
    "items_to_settle",
    "judge_bootstrap",
    "judge_clustered",
    "judge_counts",
    "judge_groups",
    "judge_level",
    "judge_paired",
    "judge_rate",
    "macro_f1",
    "mcnemar_exact",
    "mean",
    "needed_items",
    "paired_bootstrap",
    "paired_interval",
    "provable_margin",
    "ratio_of_sums",
    "tango_interval",
    "tango_score",
]
