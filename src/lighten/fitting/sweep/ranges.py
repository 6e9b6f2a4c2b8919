"""Ranges: what of a training is searched, and between which values, around what suits the network."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from lighten.core.errors import InputError
from lighten.core.sweep import Range
from lighten.nets.training.schedule import Hyperparameters

OPTIONS: Mapping[str, str] = {
    "learning_rate": "lr",
    "batch_rows": "batch_rows",
    "epochs": "epochs",
    "weight_decay": "weight_decay",
    "dropout": "dropout",
    "label_smoothing": "label_smoothing",
}
"""Hyperparameters that are searched, and the options that fix them."""
NEAR, FAR = 5.0, 10.0
"""How many times less or more than usual the learning rate may be, of weights that have learned and of random ones."""
BATCHES = (0.25, 0.5, 1.0, 2.0, 4.0)
"""How many times the usual batch a batch may be."""
DECAYS = (0.0, 0.01, 0.05, 0.1)
DROPOUT, SMOOTHING, STEP = 0.3, 0.2, 0.05


def ranges_of(known: Hyperparameters, tunable: Collection[str], given: Collection[str]) -> dict[str, Range]:
    """What is searched, by the names of hyperparameters. What suits the network lies in each range.

    Where time bounds a training the number of passes is not searched: the time decides it.

    Args:
        known: what suits the network, nothing being None. tunable: names of what changes what it learns.
        given: names of what the user fixed.

    Raises:
        InputError: nothing is left to search.
    """
    rate, batch, passes, decay = known.learning_rate, known.batch_rows, known.epochs, known.weight_decay
    assert rate is not None and batch is not None and passes is not None and decay is not None
    far = FAR if known.from_scratch else NEAR
    every = {
        "learning_rate": Range(rate / far, rate * far, log=True),
        "batch_rows": Range(choices=tuple(sorted({max(round(batch * times), 1) for times in BATCHES}))),
        "epochs": Range(max(round(passes / 3), 1), max(round(2 * passes), 2), whole=True),
        "weight_decay": Range(choices=tuple(sorted({*DECAYS, decay}))),
        "dropout": Range(0.0, DROPOUT, step=STEP),
        "label_smoothing": Range(0.0, SMOOTHING, step=STEP),
    }
    fixed = {*given, *(["epochs"] if known.timed else [])}
    found = {name: one for name, one in every.items() if name in tunable and name not in fixed}
    if not found:
        raise nothing_left(given)
    return found


def nothing_left(given: Collection[str]) -> InputError:
    """The error of a search in which everything is fixed. given: names of hyperparameters."""
    named = ", ".join(f"--{OPTIONS[name].replace('_', '-')}" for name in OPTIONS if name in given)
    return InputError(
        f"--search has nothing left to search: {named} {'is' if len(given) == 1 else 'are'} given, and nothing else "
        "changes what this model learns.",
        fix="leave one of them out, or --search",
    )
