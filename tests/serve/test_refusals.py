"""A refusal has a status, a code, and words that say what to do."""

import pytest

from lighten.serve import refusals


def test_a_missing_name_is_answered_with_those_there_are() -> None:
    found = refusals.no_such("model", "reviws", ["reviews", "chat"])
    assert found.status == 404 and found.allowed == "chat, reviews" and "did you mean 'reviews'" in found.fix
    assert found.line == "There is no model 'reviws'. Allowed: chat, reviews. To do: did you mean 'reviews'?"
    long = refusals.no_such("model", "x" * (1 << 24), ["x" * 79, "chat"])
    assert len(long.seen) < 200 and not long.fix  # a likeness of so many characters would take minutes


@pytest.mark.parametrize(
    ("seconds", "whole", "exact"),
    [(0.0001, b"1", b"1"), (0.25, b"1", b"250"), (1.0, b"1", b"1000"), (2.1, b"3", b"2100")],
)
def test_retry_after_is_never_too_early(seconds: float, whole: bytes, exact: bytes) -> None:
    assert refusals.overloaded("full", seconds).headers == [(b"retry-after", whole), (b"retry-after-ms", exact)]


def test_headers_say_what_clients_have_to_do() -> None:
    assert refusals.unauthorized().headers == [(b"www-authenticate", b"Bearer")]
    assert (b"connection", b"close") in refusals.too_slow(3.0).headers
    assert refusals.wrong_method("PUT", "GET, POST").headers == [(b"allow", b"GET, POST")]
    assert refusals.unusable("x").headers == []
