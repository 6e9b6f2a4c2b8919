"""Child processes: typed failures with useful reasons, and nothing left behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from lighten.core.errors import (
    InputError,
    LightenError,
    MissingExtra,
    SessionCrashed,
    StepFailed,
)
from lighten.isolate.child import emit
from lighten.isolate.process import ChildProcess, call, variables


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def wait_gone(pid: int, seconds: float = 10.0) -> bool:
    until = time.monotonic() + seconds
    while is_running(pid) and time.monotonic() < until:
        time.sleep(0.02)
    return not is_running(pid)


# Functions below with a leading name of what they do run in the child.
def environment_of_child() -> dict[str, str]:
    return dict(os.environ)


def add(a: int, b: int) -> int:
    return a + b


def refuse() -> None:
    raise MissingExtra("the engine x", "ov", "No module named 'x'")


def fail() -> None:
    raise ZeroDivisionError("deep inside")


def tell(times: int) -> str:
    for number in range(times):
        emit({"done": number})
    return "told"


def import_openvino_telemetry() -> str:
    try:
        import openvino_telemetry  # noqa: F401
    except ImportError:
        return "silent"
    return "talks"


def unplain() -> object:
    return {1, 2}


@pytest.fixture(autouse=True)
def on_path(monkeypatch: pytest.MonkeyPatch) -> None:
    here = str(Path(__file__).parent)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([here, os.environ.get("PYTHONPATH", "")]))


HERE = "test_process:"


def test_a_function_is_called_with_its_arguments_in_another_process() -> None:
    assert call(f"{HERE}add", a=1, b=2) == 3
    found = call(f"{HERE}environment_of_child", threads=3)
    assert found["OMP_NUM_THREADS"] == found["RAYON_NUM_THREADS"] == "3"
    assert found["ORT_DISABLE_TELEMETRY"] == found["HF_HUB_OFFLINE"] == "1"
    assert int(found["GOMP_SPINCOUNT"]) <= 1000  # threads that spin for each other cost a busy machine seconds


def test_errors_of_lighten_keep_their_class_and_words_others_become_step_failed() -> None:
    with pytest.raises(InputError, match="No module named 'x'") as refused:
        call(f"{HERE}refuse")
    assert "pip install 'lighten[ov]'" in refused.value.fix
    with pytest.raises(StepFailed, match="ZeroDivisionError: deep inside"):
        call(f"{HERE}fail")
    with pytest.raises(LightenError, match="not JSON serializable"):
        call(f"{HERE}unplain")


def test_events_arrive_in_order_before_the_answer() -> None:
    seen: list[Any] = []
    child = ChildProcess(threads=1)
    child.start()
    try:
        arguments = {"times": 300}
        reply = child.ask("call", 20, on_event=seen.append, function=f"{HERE}tell", arguments=arguments)
        again = child.ask("call", 20, function=f"{HERE}tell", arguments=arguments)
    finally:
        child.close()
    assert reply["value"] == again["value"] == "told"
    assert [event["done"] for event in seen] == list(range(300))
    heard: list[Any] = []
    assert call(f"{HERE}tell", on_event=heard.append, times=3) == "told"
    assert [event["done"] for event in heard] == [0, 1, 2]


def test_packages_that_send_usage_data_cannot_be_imported() -> None:
    assert call(f"{HERE}import_openvino_telemetry") == "silent"


def test_a_child_that_cannot_start_says_why(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "lighten").mkdir()
    (tmp_path / "lighten" / "__init__.py").write_text("raise ImportError('a broken installation')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(SessionCrashed, match=r"exit code 1 .*a broken installation"):
        call(f"{HERE}add", a=1, b=2)


def test_an_ended_child_is_not_asked_again() -> None:
    child = ChildProcess(threads=1)
    child.start()
    pid = child.pid
    os.kill(pid, signal.SIGTERM)
    for _ in range(2):
        with pytest.raises(SessionCrashed, match="SIGTERM"):
            child.ask("call", 20, function=f"{HERE}add", arguments={"a": 1, "b": 2})
    assert child.pid == 0 and not is_running(pid)
    child.close()
    child.close()


def test_a_busy_child_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    program = (
        "from lighten.isolate.process import ChildProcess\n"
        "child = ChildProcess(threads=1)\n"
        "child.start()\n"
        "print(child.pid, flush=True)\n"
        "child.ask('call', 600, function='time:sleep', arguments={})\n"
    ).replace("function='time:sleep', arguments={}", "function='subprocess:call', arguments={'args': ['sleep', '60']}")
    parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    time.sleep(0.5)
    assert is_running(pid)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    assert wait_gone(pid)


def test_one_thread_turns_parallel_tokenizing_off() -> None:
    assert variables(1)["TOKENIZERS_PARALLELISM"] == "false"
    assert variables(4)["TOKENIZERS_PARALLELISM"] == "true"


def test_a_child_has_a_home_where_the_user_has_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Libraries look for one as they are imported: nncf cannot be without."""
    assert "HOME" not in variables(1)  # it has the user's
    monkeypatch.setattr(Path, "home", nobodys_home)
    monkeypatch.setenv("LIGHTEN_HOME", str(tmp_path / "ours"))
    assert variables(1)["HOME"] == str(tmp_path / "ours") and (tmp_path / "ours").is_dir()
    monkeypatch.delenv("LIGHTEN_HOME")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert Path(variables(1)["HOME"]).parent == tmp_path and Path(variables(1)["HOME"]).is_dir()


def nobodys_home() -> Path:
    """What ``Path.home`` does for a user id that the system has no name for."""
    raise RuntimeError("Could not determine home directory.")
