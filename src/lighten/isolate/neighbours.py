"""Neighbours: what other processes, and the host of a virtual machine, take of the cores meanwhile."""

from __future__ import annotations

from pathlib import Path
from time import perf_counter, process_time

from lighten.isolate.machine import allowed_cores, busy_seconds

TASKS = Path("/proc/self/task")
LEAST_SECONDS = 0.1
"""What is shorter than this is too short to say from ticks of 10 ms what others took."""


class Neighbours:
    """Watches from the moment it is made.

    Where all that runs on the cores can be counted, what this process did not use is theirs. Under a quota, which
    leaves open which cores count, it is the time that threads of this process were ready to run and had to wait.
    """

    def __init__(self) -> None:
        self._busy, self._waited = busy_seconds(), waited_seconds()
        self._own, self._since = process_time(), perf_counter()

    def share(self) -> float | None:
        """Share of the cores that others took so far; None when that is unknown, or the time too short to tell."""
        seconds, own = perf_counter() - self._since, process_time() - self._own
        if seconds < LEAST_SECONDS:
            return None
        busy, waited = busy_seconds(), waited_seconds()
        if self._busy is not None and busy is not None:
            taken = busy - self._busy - own
        elif self._waited is not None and waited is not None:
            taken = waited - self._waited
        else:
            return None
        return max(0.0, taken) / (seconds * allowed_cores())


def waited_seconds(tasks: Path = TASKS) -> float | None:
    """Seconds that the threads of this process were ready to run and waited for a core; None where nobody counts them.

    Source:
        Linux kernel documentation, "Scheduler Statistics": the second number of ``/proc/PID/schedstat``, in
        nanoseconds.
    """
    found = []
    try:
        threads = list(tasks.iterdir())
    except OSError:
        return None
    for thread in threads:
        try:
            found.append(int((thread / "schedstat").read_text().split()[1]))
        except (OSError, IndexError, ValueError):
            continue  # a thread that has ended meanwhile, or a kernel without this
    return sum(found) / 1e9 if found else None
