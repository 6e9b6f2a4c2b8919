"""The server's own process, by the names that Prometheus' clients give it."""

from __future__ import annotations

import time

from lighten.serve.process_metrics import families


def test_they_are_of_this_process() -> None:
    found = {one.name: one.values[0][1] for one in families()}
    assert 0 < found["process_cpu_seconds_total"] <= time.process_time() + 1
    assert 0 < found["process_start_time_seconds"] <= time.time()
    assert found["lighten_build_info"] == 1
    if "process_open_fds" in found:
        assert found["process_open_fds"] >= 3 and found["process_resident_memory_bytes"] > 1 << 20
