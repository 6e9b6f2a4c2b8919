"""What is this machine alone."""

import pytest

from lighten.serve.hosts import asks_for_here, check_same_site, is_loopback
from lighten.serve.refusals import Refusal


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.0.3", "::1", "localhost"])
def test_nobody_else_reaches_loopback(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "10.0.0.1", "::", "example.org", ""])
def test_others_reach_the_rest(host: str) -> None:
    assert not is_loopback(host)


@pytest.mark.parametrize("header", [b"", b"localhost", b"LOCALHOST:8000", b"127.0.0.1:1", b"[::1]:8000", b"[::1]"])
def test_requests_for_this_machine_name_it(header: bytes) -> None:
    assert asks_for_here(header)


@pytest.mark.parametrize(
    "header", [b"evil.example", b"evil.example:8000", b"localhost.evil.example", b"[::]:1", b"\xff"]
)
def test_requests_for_another_site_name_that(header: bytes) -> None:
    assert not asks_for_here(header)


@pytest.mark.parametrize("origin", [None, b"http://localhost:8000", b"https://LOCALHOST:8000"])
def test_pages_of_this_server_and_programs_may_change_things(origin: bytes | None) -> None:
    check_same_site({b"host": b"localhost:8000", **({b"origin": origin} if origin is not None else {})})


@pytest.mark.parametrize("origin", [b"", b"null", b"http://evil.example", b"http://localhost", b"localhost:8000"])
def test_pages_of_other_sites_may_not(origin: bytes) -> None:
    with pytest.raises(Refusal) as refusal:
        check_same_site({b"host": b"localhost:8000", b"origin": origin})
    assert refusal.value.status == 403
