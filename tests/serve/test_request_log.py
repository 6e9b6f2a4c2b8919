"""Lines of the log: whole, in both formats, through rotation and full disks, and never in the way of a request."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lighten.core.errors import InputError
from lighten.serve import request_log
from lighten.serve.record import Record, begun
from lighten.serve.request_log import RequestLog, as_text

FULL = Path("/dev/full")


def until(true: Callable[[], object]) -> None:
    """Wait for something that comes soon."""
    end = time.monotonic() + 30
    while not true():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.01)


def over(name: str = "x", status: int = 200) -> Record:
    record = begun("POST", {b"x-request-id": name.encode()})
    record.route, record.model, record.status, record.ended = "/predict/{name}", "m", status, record.arrived + 0.25
    return record


def test_each_request_is_a_line_of_json(tmp_path: Path) -> None:
    log = RequestLog(tmp_path / "log")
    for number in range(3):
        log(over(f"r{number}"))
    log.close()
    lines = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert [line["id"] for line in lines] == ["r0", "r1", "r2"] and log.written == 3
    assert lines[0]["seconds"] == 0.25 and lines[0]["time"].endswith("Z") and lines[0]["status"] == 200
    assert (tmp_path / "log").stat().st_mode & 0o007 == 0


def test_as_text_nothing_breaks_out_of_its_line() -> None:
    line = as_text(
        {"time": 0.0, "status": 404, "method": "GET", "route": "/x", "key": "a b\n200 GET /y", "seconds": 0.5}
    )
    assert line == r'1970-01-01T00:00:00.000Z 404 GET /x key="a b\n200 GET /y" seconds=0.5'


def test_a_file_that_was_moved_is_opened_anew(tmp_path: Path) -> None:
    path = tmp_path / "log"
    log = RequestLog(path, "text")
    log(over("one"))
    until(lambda: log.written == 1)
    path.rename(tmp_path / "log.1")
    log(over("two"))
    until(lambda: log.written == 2)
    path.unlink()
    log(over("three"))
    log.close()
    assert "id=one" in (tmp_path / "log.1").read_text() and "id=two" not in (tmp_path / "log.1").read_text()
    assert "id=three" in path.read_text() and "id=two" not in path.read_text()


@pytest.mark.skipif(not FULL.exists(), reason="no /dev/full on this system")
def test_a_full_disk_is_counted_and_said_once(caplog: pytest.LogCaptureFixture) -> None:
    log = RequestLog(FULL)
    for number in range(3):
        log(over())
        until(lambda number=number: log.dropped == number + 1)
    log.close()
    assert log.written == 0 and caplog.text.count("No space left") == 1
    told = {one.name: one.values[0][1] for one in log.families()}
    assert told == {"lighten_log_lines_total": 0, "lighten_log_dropped_total": 3}


def test_a_line_that_was_cut_off_stands_alone_and_the_next_ones_are_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, write, room = tmp_path / "log", os.write, [10]

    def take(file: int, data: bytes) -> int:
        if not room[0]:
            raise OSError(28, "No space left on device")
        count = write(file, data[: room[0]])
        room[0] -= count
        return count

    log = RequestLog(path)
    monkeypatch.setattr(os, "write", take)
    log(over("lost"))
    until(lambda: log.dropped == 1)
    room[0] = 1 << 20
    log(over("kept"))
    log.close()
    cut, whole = path.read_text().splitlines()
    assert len(cut) == 10 and json.loads(whole)["id"] == "kept" and (log.written, log.dropped) == (1, 1)


def test_a_pipe_that_nobody_reads_keeps_no_request_waiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_log, "MOST", 100)
    monkeypatch.setattr(request_log, "CLOSING", 0.2)
    fifo = tmp_path / "pipe"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    try:
        log = RequestLog(fifo)
        for _ in range(100):
            log(over())
        until(lambda: log.written == 100 or log.dropped)
        for _ in range(5000):  # some of which are in hand, some wait, and the others are counted
            log(over())
        assert log.dropped > 0
        log.close()
    finally:
        os.close(reader)


def test_what_cannot_be_written_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Is a directory"):
        RequestLog(tmp_path)
    with pytest.raises(InputError, match="xml") as error:
        RequestLog(tmp_path / "log", "xml")
    assert error.value.allowed == "json, text"


def test_a_server_writes_its_log_and_counts_it(serving: Callable[..., Any], tmp_path: Path) -> None:
    path = tmp_path / "log"
    with serving("--log", str(path), "--log-format", "text") as running:
        assert running.ask("/predict/m", {"inputs": ["a"]}, **{"x-request-id": "told"})[1]["x-request-id"] == "told"
        until(lambda: path.read_text().count("\n") == 1)
        assert b"lighten_log_lines_total 1" in running.ask("/metrics")[2]
    first, second = path.read_text().splitlines()
    assert " 200 POST /predict/{name} " in first and "id=told" in first and "model=m" in first
    assert " 200 GET /metrics " in second
