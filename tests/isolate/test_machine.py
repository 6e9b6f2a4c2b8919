"""What may be used of the machine, read from files as kernels write them."""

import math
from pathlib import Path

import pytest

from lighten.isolate import machine

GB = 1 << 30


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@pytest.mark.parametrize(
    ("own", "files", "cores"),
    [
        ("0::/app\n", {"app/cpu.max": "150000 100000\n"}, 1.5),
        ("0::/app\n", {"app/cpu.max": "max 100000\n"}, math.inf),
        ("0::/pod/app\n", {"pod/cpu.max": "200000 100000\n", "pod/app/cpu.max": "max 100000\n"}, 2.0),
        ("0::/the/path/of/the/host\n", {"cpu.max": "300000 100000\n"}, 3.0),
        ("3:cpu:/app\n", {"cpu/app/cpu.cfs_quota_us": "50000\n", "cpu/app/cpu.cfs_period_us": "100000\n"}, 0.5),
        ("3:cpu,cpuacct:/\n", {"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, math.inf),
        ("", {}, math.inf),
    ],
)
def test_cpu_quota(tmp_path: Path, own: str, files: dict[str, str], cores: float) -> None:
    root = tmp_path / "cgroup"
    root.mkdir()
    write(root, files)
    write(tmp_path, {"own": own})
    assert machine.cpu_quota(root, tmp_path / "own") == cores


@pytest.mark.parametrize(
    ("own", "files", "limit"),
    [
        ("0::/app\n", {"app/memory.max": f"{2 * GB}\n", "memory.max": f"{3 * GB}\n"}, 2 * GB),
        ("0::/app\n", {"app/memory.max": "max\n", "memory.max": f"{3 * GB}\n"}, 3 * GB),
        ("4:memory:/app\n", {"memory/app/memory.limit_in_bytes": f"{GB}\n"}, GB),
        ("4:memory:/\n", {"memory/memory.limit_in_bytes": "9223372036854771712\n"}, math.inf),
    ],
)
def test_memory_limit(tmp_path: Path, own: str, files: dict[str, str], limit: float) -> None:
    root = tmp_path / "cgroup"
    write(root, files)
    write(tmp_path, {"own": own})
    assert machine.memory_limit(root, tmp_path / "own") == limit


@pytest.mark.parametrize(("quota", "cores"), [(0.5, 1), (1.5, 2), (64.0, 3), (math.inf, 3)])
def test_allowed_cores_are_the_least_of_affinity_and_quota(
    monkeypatch: pytest.MonkeyPatch, quota: float, cores: int
) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda pid: {0, 1, 2}, raising=False)
    monkeypatch.setattr(machine, "cpu_quota", lambda: quota)
    assert machine.allowed_cores() == cores


def test_a_path_that_climbs_out_of_the_root_is_not_followed(tmp_path: Path) -> None:
    write(tmp_path, {"own": "0::/../../..\n", "cgroup/cpu.max": "max 100000\n", "cpu.max": "100000 100000\n"})
    assert machine.cpu_quota(tmp_path / "cgroup", tmp_path / "own") == math.inf


def test_processor_from_cpuinfo(tmp_path: Path) -> None:
    path = tmp_path / "cpuinfo"
    path.write_text(
        "processor\t: 0\nmodel name\t: Some CPU @ 2 GHz\nflags\t: fpu avx2 avx512f amx_int8\n\nprocessor : 1\n"
    )
    assert machine.cpu_model(path) == "Some CPU @ 2 GHz"
    assert machine.cpu_flags(path) == ("avx2", "avx512f", "amx_int8")
    assert machine.cpu_model(tmp_path / "none") == "" and machine.cpu_flags(tmp_path / "none") == ()
    path.write_text("processor : 0\nFeatures : fp asimd asimddp i8mm\n")
    assert machine.cpu_flags(path) == ("asimddp", "i8mm")


def test_busy_seconds_are_those_of_the_cores_of_this_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine.os, "sched_getaffinity", lambda _: {0, 2}, raising=False)
    monkeypatch.setattr(machine, "cpu_quota", lambda: math.inf)
    tick = machine.os.sysconf("SC_CLK_TCK")
    stat = tmp_path / "stat"
    stat.write_text(
        "cpu  9 9 9 9 9 9 9 9 9 9\n"
        f"cpu0 {tick} 0 0 {50 * tick} {tick} 0 0 {2 * tick} {tick} 0\n"
        f"cpu1 {100 * tick} 0 0 0 0 0 0 0 0 0\n"
        f"cpu2 0 {tick} {tick} 0 0 {tick} {tick} 0 0 0\nintr 1 2 3\n"
    )
    assert machine.busy_seconds(stat) == pytest.approx(7.0)  # idle and waiting do not count, nor guests twice
    assert machine.busy_seconds(tmp_path / "missing") is None
    monkeypatch.setattr(machine, "cpu_quota", lambda: 1.5)
    assert machine.busy_seconds(stat) is None


@pytest.mark.parametrize(
    ("files", "left"),
    [
        ({}, 4096 * 1024),
        ({"memory.max": "max", "memory.current": "9"}, 4096 * 1024),
        (
            {
                "memory.max": "3000",
                "memory.current": "2500",
                "memory.stat": "anon 5\nactive_file 300\ninactive_file 200",
            },
            1000,
        ),
        ({"memory.max": "3000", "memory.current": "4000", "memory.stat": "anon 5"}, 0),
        ({"memory/memory.limit_in_bytes": "5000", "memory/memory.usage_in_bytes": "1000"}, 4000),
    ],
)
def test_available_memory_is_what_machine_and_groups_leave(tmp_path: Path, files: dict[str, str], left: int) -> None:
    write(tmp_path / "cgroup", files)
    own = "4:memory:/\n" if any("/" in name for name in files) else "0::/\n"
    write(tmp_path, {"own": own, "meminfo": "MemTotal: 9999 kB\nMemAvailable:    4096 kB\n"})
    (tmp_path / "cgroup").mkdir(exist_ok=True)
    assert machine.available_memory(tmp_path / "cgroup", tmp_path / "own", tmp_path / "meminfo") == left
