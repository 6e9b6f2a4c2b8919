"""The peak of the process, not what it holds now."""

import subprocess
import sys
from pathlib import Path

from lighten.core import catalog
from lighten.meters import memory


def test_memory_is_the_peak_not_what_is_held_now() -> None:
    program = (
        "from lighten.core import catalog\n"
        "meter = catalog.load('meters', 'memory')()\n"
        "before = meter.turn(None, None, 0)['bytes']\n"
        "held = b'x' * 300_000_000\n"
        "del held\n"
        "print(meter.turn(None, None, 0)['bytes'] - before)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert 250_000_000 < int(done.stdout) < 350_000_000


def test_memory_from_the_kernels_file_or_else_from_getrusage(tmp_path: Path) -> None:
    status = tmp_path / "status"
    status.write_text("Name:\tpython\nVmPeak:\t  999 kB\nVmHWM:\t    2048 kB\nVmRSS:\t  10 kB\n")
    assert memory.peak_bytes(status) == 2048 * 1024
    assert memory.peak_bytes(tmp_path / "none") > 1_000_000
    assert (
        catalog.load("meters", "memory")().reduce([{"bytes": 1_000_000}, {"bytes": 3_000_000}])["memory"].value == 3.0
    )
