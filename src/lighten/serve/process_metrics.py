"""What ``/metrics`` has of the server's own process, by the names that Prometheus' clients give it."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from time import time

from lighten.serve.metrics import Family

BEGAN = time()
"""When this process had read this module: the server's start, to within its imports."""
PROC = Path("/proc/self")


def families() -> Iterator[Family]:
    """Processor time, memory and open files of this process, without those of replicas; and which lighten it is."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = used.ru_utime + used.ru_stime
    yield Family("process_cpu_seconds_total", "counter", "Seconds of processor time of the server.", [("", seconds)])
    yield Family("process_start_time_seconds", "gauge", "When the server was started.", [("", BEGAN)])
    if (PROC / "statm").is_file():
        pages = int((PROC / "statm").read_text().split()[1])
        memory = float(pages * os.sysconf("SC_PAGE_SIZE"))
        files = float(len(list((PROC / "fd").iterdir())))
        yield Family("process_resident_memory_bytes", "gauge", "Memory of the server.", [("", memory)])
        yield Family("process_open_fds", "gauge", "Files and connections that are open.", [("", files)])
    labels = f'version="{version("lighten")}"'
    yield Family("lighten_build_info", "gauge", "Always 1; the label says which lighten it is.", [(labels, 1.0)])
