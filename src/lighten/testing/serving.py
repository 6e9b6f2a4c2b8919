"""``lighten serve`` in a process of its own, for the length of a test."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from importlib.util import find_spec
from typing import Any

import pytest

from lighten.testing.require import require

ENDING_SECONDS = 20.0
"""Seconds in which a server has to end."""


@dataclass(frozen=True)
class Running:
    """A server that answers.

    Attributes:
        told: what it said with ``--json`` once it did.
    """

    process: subprocess.Popen[str]
    told: dict[str, Any]

    @property
    def address(self) -> str:
        """Where it listens."""
        found: str = self.told["address"]
        return found

    @property
    def port(self) -> int:
        """At which it listens."""
        return int(self.address.rpartition(":")[2])

    def ask(self, path: str, body: Any = None, **headers: str) -> tuple[int, dict[str, str], bytes]:
        """One request over a connection of its own: status, headers, body."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        data = body if isinstance(body, bytes) or body is None else json.dumps(body)
        connection.request("GET" if body is None else "POST", path, data, headers)
        reply = connection.getresponse()
        found = reply.status, {name.lower(): value for name, value in reply.getheaders()}, reply.read()
        connection.close()
        return found


@contextmanager
def running(*words: str) -> Iterator[Running]:
    """``lighten serve WORDS`` at a port that is free, until the end of the block."""
    require(find_spec("uvicorn"), "uvicorn (pip install 'lighten[serve]')")
    command = [sys.executable, "-m", "lighten", "serve", *words, "--port", "0", "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stderr is not None
    try:
        line = process.stdout.readline()
        if not line:
            pytest.fail(process.stderr.read())
        yield Running(process, json.loads(line))
    finally:
        process.terminate()
        try:
            process.communicate(timeout=ENDING_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
