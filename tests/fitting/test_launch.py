"""How the processes of a training are started: by us, or as a launcher says."""

from __future__ import annotations

import pytest

from lighten.core.errors import InputError
from lighten.fitting.launch import Launch

TOLD = {"RANK": "1", "WORLD_SIZE": "4", "MASTER_ADDR": "here", "MASTER_PORT": "29500", "LOCAL_WORLD_SIZE": "2"}


def test_without_a_launcher_all_are_started_here() -> None:
    found = Launch.found(3, 4, {})
    assert (found.size, found.here, found.own, found.leads, found.outside) == (3, 3, [0, 1, 2], True, False)
    assert Launch.found(1, 4, {**TOLD, "WORLD_SIZE": "1"}) == Launch()


def test_no_workers_are_told_from_here() -> None:
    assert Launch.found(0, 4, {}).leads  # what they are is refused where options are


def test_a_launcher_says_which_this_one_is() -> None:
    found = Launch.found(1, 4, TOLD)
    assert (found.size, found.here, found.own, found.leads, found.outside) == (4, 2, [1], False, True)
    assert Launch.found(4, 4, {**TOLD, "RANK": "0"}).leads
    assert found.words == ["torchrun", "--nnodes", "2", "--nproc-per-node", "2", "...", "-m", "lighten"]
    assert Launch.found(4, 4, {}).words == ["lighten"]


@pytest.mark.parametrize(
    ("workers", "threads", "environment", "words"),
    [
        (3, 2, {}, r"3 workers for 2 cores(.|\n)*--workers 2"),
        (1, 1, TOLD, "2 workers for 1 core\\."),
        (2, 4, TOLD, "--workers is 2, but the launcher started 4"),
        (1, 4, {"WORLD_SIZE": "2", "RANK": "0"}, "no MASTER_ADDR, MASTER_PORT in the environment"),
        (1, 4, {**TOLD, "RANK": "first"}, "RANK is 'first'"),
        (1, 4, {**TOLD, "RANK": "4"}, r"RANK is '4'(.|\n)*0 to 3"),
        (1, 4, {**TOLD, "LOCAL_WORLD_SIZE": "0"}, r"LOCAL_WORLD_SIZE is '0'(.|\n)*1 to 4"),
        (1, 4, {**TOLD, "LOCAL_WORLD_SIZE": "5"}, "LOCAL_WORLD_SIZE is '5'"),
        (1, 4, {**TOLD, "WORLD_SIZE": "0"}, r"WORLD_SIZE is '0'(.|\n)*1 or more"),
    ],
)
def test_what_cannot_be_is_refused(workers: int, threads: int, environment: dict[str, str], words: str) -> None:
    with pytest.raises(InputError, match=words):
        Launch.found(workers, threads, environment)
