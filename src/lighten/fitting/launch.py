"""Launch: how the processes of a training are started: by lighten, or by torchrun and the like, across machines."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from lighten.core.errors import InputError
from lighten.isolate.machine import allowed_cores

LAUNCHER = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
"""Environment variables that a launcher sets for each process that it starts."""
HERE = "LOCAL_WORLD_SIZE"
"""Another one: how many of them are on this machine."""


@dataclass(frozen=True, slots=True)
class Launch:
    """The processes that train together, and what this one has to do with them.

    Attributes:
        size: workers in all. here: of them on this machine.
        rank: of the one that this process starts, where a launcher started it; else it starts all of them.
        outside: whether a launcher did.
    """

    size: int = 1
    here: int = 1
    rank: int = 0
    outside: bool = False

    @classmethod
    def found(cls, workers: int, threads: int, environment: Mapping[str, str] = os.environ) -> Launch:
        """What was asked, or what a launcher says.

        Args:
            workers: that the user asked for. threads: cores that may be used on this machine; 0 for all.

        Raises:
            InputError: more workers than cores, another number than the launcher's, or a launcher that says too little
                or what cannot be.
        """
        told = {name: environment[name] for name in LAUNCHER if environment.get(name)}
        made = cls(workers, workers)
        if told.get("WORLD_SIZE", "1") != "1":
            missing = [name for name in LAUNCHER if name not in told]
            if missing:
                raise InputError(
                    f"WORLD_SIZE is {told['WORLD_SIZE']}, but there is no {', '.join(missing)} in the environment.",
                    allowed=f"all of {', '.join(LAUNCHER)}, as torchrun sets them",
                    fix="start it with torchrun, or unset WORLD_SIZE and give --workers",
                )
            size = _number("WORLD_SIZE", environment, 1)
            made = cls(size, _number(HERE, environment, 1, size), _number("RANK", environment, 0, size - 1), True)
        if workers not in (1, made.size):
            raise InputError(
                f"--workers is {workers}, but the launcher started {made.size}.", fix="leave --workers out"
            )
        cores = threads or allowed_cores()
        if made.here > cores:
            raise InputError(
                f"There are {made.here} workers for {cores} core{'s' if cores > 1 else ''}.",
                allowed="a worker for each core at the most",
                fix="start fewer of them on this machine"
                if made.outside
                else f"give --workers {cores}"
                if cores > 1
                else "leave --workers out",
            )
        return made

    def check(self, **several: bool) -> None:
        """Refuse options that take several trainings: processes that a launcher started meet only once.

        Args:
            several: whether each such option was given, by its name.

        Raises:
            InputError: names one.
        """
        for name, given in several.items():
            if given and self.outside:
                raise InputError(
                    f"--{name} takes several trainings, and a launcher started this one among {self.size} processes.",
                    allowed="one training, or --workers on one machine",
                    fix=f"leave --{name} out, or start it without the launcher",
                )

    @property
    def own(self) -> list[int]:
        """Ranks of the workers that this process starts."""
        return [self.rank] if self.outside else list(range(self.size))

    @property
    def leads(self) -> bool:
        """Whether rank 0 is among them, which writes and shows; the others read the same and work."""
        return not self.outside or self.rank == 0

    @property
    def words(self) -> list[str]:
        """What the command line begins with that starts them again; the dots stand for where they meet."""
        if not self.outside:
            return ["lighten"]
        machines = -(-self.size // self.here)
        return [
            "torchrun", "--nnodes", str(machines), "--nproc-per-node", str(self.here), "...", "-m", "lighten",
        ]  # fmt: skip


def _number(name: str, environment: Mapping[str, str], low: int, high: int | None = None) -> int:
    """A whole number of the environment; the lowest that there can be where it says nothing."""
    told = environment.get(name) or str(low)
    if not (told.isascii() and told.isdecimal()) or int(told) < low or (high is not None and int(told) > high):
        bounds = f"{low} or more" if high is None else f"{low} to {high}"
        raise InputError(f"{name} is {told!r}.", allowed=f"{bounds}, as torchrun sets it")
    return int(told)
