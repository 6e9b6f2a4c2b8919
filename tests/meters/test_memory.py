"""The peak of the process, not what it holds now."""

import subprocess
import sys
from pathlib import Path

from lighten.core import catalog
from lighten.core.meter import Workload
from lighten.meters import memory
from lighten.tasks.text_generation import TextGeneration
from lighten.testing.fake import FakeLanguageSession
from lighten.testing.sessions import RecordingSession


def test_memory_is_the_peak_not_what_is_held_now() -> None:
    program = (
        "from lighten.core import catalog\n"
        "from lighten.core.meter import Workload\n"
        "from lighten.testing.sessions import RecordingSession\n"
        "meter, work = catalog.load('meters', 'memory')(), Workload(('a',), ('b',))\n"
        "before = meter.turn(RecordingSession(), work, 0)['bytes']\n"
        "held = b'x' * 300_000_000\n"
        "del held\n"
        "print(meter.turn(RecordingSession(), work, 0)['bytes'] - before)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert 250_000_000 < int(done.stdout) < 350_000_000


def test_every_session_does_the_same_before_its_peak_is_read() -> None:
    work = Workload(("short", "the longest of them", "middling"), ("one", "two", "three"))
    session = RecordingSession()
    turn = memory.Memory().turn(session, work, 0)
    assert session.asked == [("one", "two", "three"), ("the longest of them",)]
    assert memory.Memory.fresh and "answered 3 rows at once" in memory.Memory().reduce([turn])["memory"].note


def test_a_language_model_writes_too() -> None:
    language = FakeLanguageSession(context=512)
    work = Workload(tuple(f"text {i} " + "word " * 100 for i in range(20)), ("a row of text",))
    memory.Memory().turn(TextGeneration().wrap(language), work, 0)
    long, short = language.asked
    assert [len(prompt) for prompt in long] == [512 - memory.TOKENS] and len(short) == memory.STREAMS


def test_memory_from_the_kernels_file_or_else_from_getrusage(tmp_path: Path) -> None:
    status = tmp_path / "status"
    status.write_text("Name:\tpython\nVmPeak:\t  999 kB\nVmHWM:\t    2048 kB\nVmRSS:\t  10 kB\n")
    assert memory.peak_bytes(status) == 2048 * 1024
    assert memory.peak_bytes(tmp_path / "none") > 1_000_000
    assert catalog.load("meters", "memory")().reduce([{"bytes": 3_000_000, "rows": 2}])["memory"].value == 3.0
