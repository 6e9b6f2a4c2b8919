"""Hosts: what is this machine alone, of addresses and of the names that requests ask for."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from functools import lru_cache

from lighten.serve.refusals import other_site


def is_loopback(host: str) -> bool:
    """Whether nobody but this machine reaches an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@lru_cache(maxsize=64)
def asks_for_here(header: bytes) -> bool:
    """Whether a ``Host`` header names this machine by a name of its own.

    A page of another site can have its name lead to 127.0.0.1 and then read what a server there answers, as though it
    were its own (DNS rebinding); its requests ask for that site's name. What sends no header is no browser.
    """
    if not header:
        return True
    host = header.decode("latin-1").strip().lower()
    if host.startswith("["):
        return is_loopback(host[1:].partition("]")[0])
    return is_loopback(host.partition(":")[0])


def check_same_site(headers: Mapping[bytes, bytes]) -> None:
    """Refuse what a page of another site asks for, in whose reader's name: it can change things without seeing them.

    Browsers say in ``Origin`` whose page asks; what sends none is no browser.

    Raises:
        Refusal: another site than the one that the request asks for.
    """
    origin = headers.get(b"origin")
    if origin is not None and origin.partition(b"://")[2].lower() != headers.get(b"host", b"").strip().lower():
        raise other_site(origin.decode("latin-1"))
