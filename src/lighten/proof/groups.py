"""Every group against its floor: a candidate is proved when it is proved in all of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from lighten.proof.verdict import Verdict


def judge_groups(
    groups: npt.ArrayLike,
    judge: Callable[[npt.NDArray[np.bool_], float], Verdict],
    confidence: float = 0.95,
) -> Verdict:
    """One verdict on all groups, named after the group that decides.

    *holds* when every group holds, each at the full ``confidence``: no correction is needed, since a candidate that is
    too bad in some group must pass that group's own test. *worse* when one is, at a confidence corrected for the
    number of groups, since any of them may look worse by chance. Else *not enough data*.

    Args:
        groups: [n] the group of each row, any labels.
        judge: the verdict on the rows of a mask [n], at a confidence.

    Returns:
        The verdict on the group whose lower bound leaves the least room, with its name and numbers; its lower bound is
        one for every group as well.

    Raises:
        ValueError: no rows, or as ``judge``.

    Source:
        The intersection-union test of Berger, Technometrics 24 (1982). Correction: Bonferroni.
    """
    names = np.asarray(groups)
    if names.ndim != 1 or not names.size:
        raise ValueError(f"groups must be a non-empty list, one per row; got shape {names.shape}")
    masks = {str(name): names == name for name in np.unique(names)}
    found = {name: replace(judge(mask, confidence), group=name) for name, mask in masks.items()}
    strict = 1.0 - (1.0 - confidence) / len(masks)
    suspects = [name for name, one in found.items() if one.state == "worse"]
    worse = [name for name in suspects if judge(masks[name], strict).state == "worse"]
    open_ones = [name for name, one in found.items() if not one.holds]
    room = {name: found[name].lower + found[name].margin for name in worse or open_ones or found}
    decides = found[min(room, key=lambda name: room[name])]
    if decides.state == "worse" and not worse:
        return replace(decides, state="not_enough_data")
    return decides
