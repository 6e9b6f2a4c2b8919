"""Every error lighten raises on purpose.

The tree::

    LightenError                    anything lighten says no to; the command line prints it and exits with its code
    ├── InputError          exit 2  what the user gave cannot be used
    │   ├── UnknownName             a name that is not in the catalog; offers the nearest ones
    │   ├── DataError               the data file, its columns or its rows
    │   ├── ModelError              the model folder or file
    │   │   ├── TooLarge            it needs more memory than there is; said before anything is loaded
    │   │   └── TemplateRefusal     its chat template refuses a conversation
    │   ├── UnsafeFile              pickled weights, remote code, a link that leaves the folder, a hash that differs
    │   ├── BudgetError             floors and ceilings that cannot be parsed or contradict each other
    │   ├── PlanError               a recipe whose steps do not fit together; lists every problem
    │   ├── RunFolderError          --out cannot be written or holds another run
    │   ├── MissingExtra            a library that is not installed; names the extra to install
    │   └── MissingEnvironment      an engine's own environment that was not made; names the command that makes it
    ├── CandidateFailed             one candidate went wrong; the run goes on and the report shows the reason
    │   ├── StepFailed              a training, pruning, distilling or quantizing step raised
    │   ├── BuildFailed             an engine could not build or its output differs from the original's
    │   ├── SessionCrashed          the child process died (signal, abort)
    │   ├── SessionTimeout          the child process passed its deadline
    │   ├── OutOfMemory             the child process was killed for memory or could not allocate
    │   ├── PeerLost                another process of the same training has gone; its own error says why
    │   └── StoppedEarly            racing showed that it cannot win
    ├── Unexpected                  an error that nobody foresaw; names the file that holds its traceback
    ├── NothingMet          exit 3  the search ended and no candidate met the budget
    └── Interrupted         exit 130  Ctrl-C or SIGTERM; what was finished is kept
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence


class LightenError(Exception):
    """An error written for the person who reads it: what was seen, what is allowed, what to do.

    Args:
        seen: what lighten found, in one sentence.
        allowed: what it would have accepted.
        fix: the next thing to do, preferably a command.
    """

    exit_code = 1

    def __init__(self, seen: str, *, allowed: str = "", fix: str = "") -> None:
        super().__init__(seen)
        self.seen, self.allowed, self.fix = seen, allowed, fix

    def __str__(self) -> str:
        lines = [self.seen]
        if self.allowed:
            lines.append(f"  allowed: {self.allowed}")
        if self.fix:
            lines.append(f"  to do:   {self.fix}")
        return "\n".join(lines)


class InputError(LightenError):
    """What the user gave cannot be used. Nothing has been written."""

    exit_code = 2


class UnknownName(InputError):
    """A name that is not in a list of known names; the nearest known names are offered.

    Args:
        kind: what the name stands for, such as ``"engine"`` or ``"column"``.
        name: what was given.
        known: every name that would have been accepted.
    """

    def __init__(self, kind: str, name: str, known: Iterable[str], *, fix: str = "") -> None:
        choices = sorted(known)
        near = nearest(name, choices)
        self.kind, self.name, self.known = kind, name, tuple(choices)
        hint = f"did you mean {' or '.join(repr(n) for n in near)}?" if near else ""
        super().__init__(
            f"There is no {kind} named {name!r}.",
            allowed=", ".join(choices) or "(none)",
            fix=" ".join(part for part in (hint, fix) if part),
        )


class DataError(InputError):
    """The data cannot be used: the file, its columns, its labels or its rows."""


class ModelError(InputError):
    """The model cannot be used: missing tokenizer, truncated weights, a config that does not match."""


class TooLarge(ModelError):
    """A model that needs more memory than this machine has left, by its headers. Nothing has been loaded."""


class TemplateRefusal(ModelError):
    """A conversation that a model's chat template refuses in its own words, as where its roles do not alternate."""


class UnsafeFile(InputError):
    """A file that could run code or that is not what its artifact says it is."""


class BudgetError(InputError):
    """A floor, ceiling or quantity that cannot be parsed, or that contradicts another one."""


class PlanError(InputError):
    """A recipe whose steps do not fit together.

    Args:
        problems: every problem found, each one sentence.
    """

    def __init__(self, problems: Sequence[str], *, fix: str = "") -> None:
        self.problems = tuple(problems)
        count = len(self.problems)
        head = f"The recipe has {count} problem{'s' if count != 1 else ''}:"
        super().__init__("\n".join([head, *(f"  {i}. {p}" for i, p in enumerate(self.problems, 1))]), fix=fix)


class RunFolderError(InputError):
    """The folder of a run cannot be used: not writable, full, or it holds another run."""


class MissingExtra(InputError):
    """A library that is not installed. Names the extra that brings it.

    Args:
        what: what was asked for, such as ``"the engine ov"``.
        extra: name of the optional dependency group.
        reason: the import error's own words.
    """

    def __init__(self, what: str, extra: str, reason: str = "") -> None:
        self.extra = extra
        super().__init__(
            f"{what} needs a library that is not installed{f' ({reason})' if reason else ''}.",
            fix=f"pip install 'lighten[{extra}]'",
        )


class MissingEnvironment(InputError):
    """An environment that an engine or step lives in and that was not made here, or is out of date."""


class CandidateFailed(LightenError):
    """One candidate went wrong. The run goes on; the report shows the reason."""

    @property
    def kind(self) -> str:
        """Name of the class, stored with the result."""
        return type(self).__name__


class StepFailed(CandidateFailed):
    """A step raised while it changed the model."""


class BuildFailed(CandidateFailed):
    """An engine could not build the artifact, or the built file disagrees with the model it was built from."""


class SessionCrashed(CandidateFailed):
    """The child process that ran the candidate died."""


class SessionTimeout(CandidateFailed):
    """The child process that ran the candidate passed its deadline."""


class OutOfMemory(CandidateFailed):
    """The child process that ran the candidate could not get the memory it needed."""


class PeerLost(CandidateFailed):
    """The connection to another process of the same training broke off; why that one ended, its own error says."""


class StoppedEarly(CandidateFailed):
    """Racing showed that this candidate cannot win, so its training was stopped."""


class Unexpected(LightenError):
    """An error that nobody foresaw. Its traceback is in a file that the message names."""


class NothingMet(LightenError):
    """The search ended and no candidate met the budget."""

    exit_code = 3


class Interrupted(LightenError):
    """The run was interrupted. What was finished is kept and can be resumed."""

    exit_code = 130
    summary: object | None = None
    """What there is (a ``Summary``), when the run had begun to measure."""


def nearest(name: str, known: Iterable[str], most: int = 2) -> list[str]:
    """Known names closest to ``name``, best first, at most ``most``; empty when nothing is close.

    A known name that contains the given one counts as close (``int8`` finds ``quantize.int8_static``).
    """
    choices = list(known)
    lowered = {c.lower(): c for c in choices}
    close = [lowered[c] for c in difflib.get_close_matches(name.lower(), list(lowered), n=most, cutoff=0.6)]
    inside = [c for c in choices if len(name) >= 3 and name.lower() in c.lower() and c not in close]
    return (close + inside)[:most]
