"""Hosts: what is this machine alone, of addresses and of the names that requests ask for."""

from __future__ import annotations

import ipaddress


def is_loopback(host: str) -> bool:
    """Whether nobody but this machine reaches an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


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
