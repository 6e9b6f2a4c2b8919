"""Parameters of requests: times are kept, what is not done is refused, and what is a client's own changes nothing."""

from typing import Any

import pytest

from lighten.serve.limits import Limits
from lighten.serve.parameters import check_parameters, deadline_in, parameters_of
from lighten.serve.refusals import Refusal

LIMITS = Limits(deadline=10.0)


@pytest.mark.parametrize(
    ("told", "seconds"),
    [({}, 10.0), ({"timeout": None}, 10.0), ({"timeout": 0}, 10.0), ({"timeout": 500_000}, 0.5),
     ({"timeout": 10**400}, 10.0), ({"timeout": 2.5e6}, 2.5)],
)  # fmt: skip
def test_a_timeout_is_in_microseconds_and_at_most_the_servers(told: dict[str, Any], seconds: float) -> None:
    assert deadline_in(told, LIMITS) == seconds


@pytest.mark.parametrize("timeout", [-1, -(10**400), "1", True, [1]])
def test_what_is_no_time_is_refused(timeout: Any) -> None:
    with pytest.raises(Refusal, match="timeout"):
        deadline_in({"timeout": timeout}, LIMITS)


@pytest.mark.parametrize("name", ["classification", "shared_memory_region", "sequence_id"])
def test_what_would_change_an_answer_and_is_not_done_is_refused(name: str) -> None:
    with pytest.raises(Refusal, match=name):
        check_parameters({"own": 1, name: 2})
    check_parameters({name: 0, "own": "x", "priority": 3})  # nothing, which is what some clients send of it


def test_parameters_are_an_object_or_left_open() -> None:
    assert parameters_of({}) == parameters_of({"parameters": None}) == {}
    assert parameters_of({"parameters": {"a": 1}}) == {"a": 1}
    for other in ([], "a", 1, {"sequence_id": 7}):
        with pytest.raises(Refusal):
            parameters_of({"parameters": other})
