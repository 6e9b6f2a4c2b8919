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
            InputError: more workers than cores, another number than the launcher's, or one that does not say all.
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
            made = cls(_number("WORLD_SIZE", told), _number(HERE, environment, 1), _number("RANK", told), True)
        if workers not in (1, made.size):
            raise InputError(
                f"--workers is {workers}, but the launcher started {made.size}.", fix="leave --workers out"
            )
        cores = threads or allowed_cores()
        if made.here > cores:
            raise InputError(
                f"There are {made.here} workers for {cores} cores.",
                allowed="a worker for each core at the most",
                fix="start fewer of them on this machine" if made.outside else f"give --workers {cores}",
            )
        return made

    def check(self, **several: bool) -> None:
        """Refuse what takes several trainings, which processes of a launcher, that meet once, do not make.

        Args:
            several: options of that kind, and whether they were given.

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
        return self.own[0] == 0


def _number(name: str, environment: Mapping[str, str], otherwise: int = 0) -> int:
    told = environment.get(name, str(otherwise))
    if not told.isdecimal():
        raise InputError(f"{name} is {told!r}.", allowed="a number, as torchrun sets it")
    return int(told)
