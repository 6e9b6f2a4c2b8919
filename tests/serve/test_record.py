"""What is noted of a request: ids that are sane, times that came, and nothing that does not apply."""

from __future__ import annotations

import re

import pytest

from lighten.serve.record import begun


@pytest.mark.parametrize("told", ["abc-123", "a" * 128, "4bf92f35.0/x:y=z@w+v_u"])
def test_a_sane_id_is_taken_over(told: str) -> None:
    assert begun("GET", {b"x-request-id": told.encode()}).id == told


@pytest.mark.parametrize("told", ["", "a" * 129, "a b", 'a"b', "a\nb", "{}", "é", "<script>"])
def test_any_other_is_replaced_by_a_new_one(told: str) -> None:
    found = [begun("GET", {b"x-request-id": told.encode("latin-1")}).id for _ in range(2)]
    assert all(re.fullmatch(r"[0-9a-f]{32}", one) for one in found) and found[0] != found[1]


def test_times_are_told_between_what_came() -> None:
    record = begun("POST", {})
    record.arrived = 10.0
    record.queued, record.began, record.answered, record.ended = 11.0, 13.0, 16.0, 20.0
    record.clock = 1000.0
    fields = record.fields()
    assert (fields["seconds"], fields["queue_seconds"], fields["compute_seconds"]) == (10.0, 2.0, 3.0)
    assert record.at(13.0) == 1003.0 and "first_token_seconds" not in fields
    record.first = 14.0
    assert record.fields()["first_token_seconds"] == 3.0


def test_what_waited_and_was_never_begun_waited_until_its_end() -> None:
    record = begun("POST", {})
    record.arrived, record.queued, record.ended = 10.0, 11.0, 15.0
    fields = record.fields()
    assert fields["queue_seconds"] == 4.0 and "compute_seconds" not in fields


def test_what_does_not_apply_is_left_out() -> None:
    record = begun("GET", {})
    record.ended, record.status = record.arrived, 200
    assert set(record.fields()) == {"time", "id", "method", "seconds", "status"}
