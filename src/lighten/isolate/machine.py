"""What this process may use of the machine: cores and memory, as affinity and cgroups allow. Imports nothing heavy."""

from __future__ import annotations

import math
import os
import resource
import sys
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")
OWN_GROUP = Path("/proc/self/cgroup")
CPUINFO = Path("/proc/cpuinfo")
STAT = Path("/proc/stat")
MEMINFO = Path("/proc/meminfo")
STATUS = Path("/proc/self/status")

FLAGS = ("avx2", "avx_vnni", "avx512f", "avx512_vnni", "avx512_bf16", "avx512_fp16", "amx_tile", "amx_int8", "amx_bf16")
ARM_FLAGS = ("asimddp", "i8mm", "bf16", "sve", "sve2")
"""Processor features that decide which kernels a runtime picks."""


def allowed_cores() -> int:
    """Cores that can really be used: the least of affinity and the cgroup's quota (rounded up), at least 1."""
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, math.ceil(min(affinity, cpu_quota())))


def cpu_quota(root: Path = CGROUPS, own: Path = OWN_GROUP) -> float:
    """Cores that the cgroups of this process allow, version 1 or 2, the strictest level; infinite without a quota."""
    strictest = math.inf
    for folder in _levels(root, own, "cpu"):
        words = _words(folder / "cpu.max")  # version 2: "200000 100000" or "max 100000"
        if len(words) == 2 and words[0] != "max":
            strictest = min(strictest, int(words[0]) / int(words[1]))
        quota, period = _words(folder / "cpu.cfs_quota_us"), _words(folder / "cpu.cfs_period_us")
        if quota and period and int(quota[0]) > 0:
            strictest = min(strictest, int(quota[0]) / int(period[0]))
    return strictest


def busy_seconds(stat: Path = STAT) -> float | None:
    """CPU-seconds that everybody, and the host of a virtual machine, took of the cores of this process since the start.

    None where this cannot be told: no such file, or a quota, which leaves open which cores count.
    """
    if not hasattr(os, "sched_getaffinity") or cpu_quota() < len(os.sched_getaffinity(0)):
        return None
    try:
        rows = [line.split() for line in stat.read_text().splitlines() if line.startswith("cpu")]
    except OSError:
        return None
    cores = {f"cpu{number}" for number in os.sched_getaffinity(0)}
    # user, nice, system, idle, iowait, irq, softirq, steal; guests are counted in user already
    ticks = [sum(map(int, row[1:9])) - sum(map(int, row[4:6])) for row in rows if row[0] in cores and len(row) > 8]
    return sum(ticks) / os.sysconf("SC_CLK_TCK") if len(ticks) == len(cores) else None


def allowed_memory() -> int:
    """Bytes of memory that can be used: the least of what is present and the cgroup's limit."""
    return int(min(present_memory(), memory_limit()))


def memory_limit(root: Path = CGROUPS, own: Path = OWN_GROUP) -> float:
    """Bytes that the cgroups of this process allow, version 1 or 2, the strictest level; infinite without a limit."""
    strictest = math.inf
    for folder in _levels(root, own, "memory"):
        for name in ("memory.max", "memory.limit_in_bytes"):
            words = _words(folder / name)
            if words and words[0] != "max" and int(words[0]) < 1 << 60:  # version 1 writes a huge number for no limit
                strictest = min(strictest, int(words[0]))
    return strictest


def available_memory(root: Path = CGROUPS, own: Path = OWN_GROUP, meminfo: Path = MEMINFO) -> int:
    """Bytes that can still be had: what the machine has free or can free, and what the cgroups' limits leave of it.

    Files that a group has read stay in memory and count against its limit, but are given up when it is needed.
    """
    words = _field(meminfo, "MemAvailable").split()
    left = float(words[0]) * 1024 if words else float(present_memory())
    for folder in _levels(root, own, "memory"):
        for most, used, cached in (
            ("memory.max", "memory.current", ("active_file", "inactive_file")),
            ("memory.limit_in_bytes", "memory.usage_in_bytes", ("total_active_file", "total_inactive_file")),
        ):
            limit, current = _words(folder / most), _words(folder / used)
            if limit and current and limit[0] != "max" and int(limit[0]) < 1 << 60:
                stat = _words(folder / "memory.stat")
                files = sum(int(value) for name, value in zip(stat[::2], stat[1::2], strict=False) if name in cached)
                left = min(left, int(limit[0]) - max(int(current[0]) - files, 0))
    return max(int(left), 0)


def peak_bytes(status: Path = STATUS) -> int:
    """Most bytes that a process has held in memory: ``VmHWM`` of its ``/proc/PID/status``.

    Where there is none, what ``getrusage`` says of this process. It comes second because on Linux it starts
    from the memory of the process that forked this one.
    """
    try:
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def cpu_seconds() -> float:
    """Seconds that this process has used so far, on all cores."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def resident_bytes(pid: int) -> int:
    """Resident memory of a process; 0 where ``/proc`` does not say."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError):
        return 0


def present_memory() -> int:
    """Bytes of memory in the machine."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def cpu_model(cpuinfo: Path = CPUINFO) -> str:
    """The processor's name; empty where the machine does not say."""
    return _field(cpuinfo, "model name") or _field(cpuinfo, "Model")


def cpu_flags(cpuinfo: Path = CPUINFO) -> tuple[str, ...]:
    """Those of ``FLAGS`` and ``ARM_FLAGS`` that the processor has."""
    have = (_field(cpuinfo, "flags") or _field(cpuinfo, "Features")).split()
    return tuple(flag for flag in (*FLAGS, *ARM_FLAGS) if flag in have)


def _levels(root: Path, own: Path, controller: str) -> list[Path]:
    """Folders of the cgroups of this process for one controller, from its own up to the root; existing ones only.

    In a container the path that ``/proc/self/cgroup`` names may be the host's; the mounted root then is its own.
    """
    try:
        lines = [line.split(":", 2) for line in own.read_text().splitlines()]
    except OSError:
        lines = []
    folders = [root, root / controller]
    for _, controllers, path in (parts for parts in lines if len(parts) == 3):
        if (controllers and controller not in controllers.split(",")) or ".." in Path(path).parts:
            continue
        top = root if not controllers else root / controller
        inside = top / path.lstrip("/")
        while inside != top and top in inside.parents:
            folders.append(inside)
            inside = inside.parent
    return [folder for folder in folders if folder.is_dir()]


def _words(path: Path) -> list[str]:
    try:
        return path.read_text().split()
    except OSError:
        return []


def _field(cpuinfo: Path, name: str) -> str:
    """Value of the first line ``name : value``."""
    try:
        lines = cpuinfo.read_text().splitlines()
    except OSError:
        return ""
    return next((value.strip() for key, _, value in (x.partition(":") for x in lines) if key.strip() == name), "")
