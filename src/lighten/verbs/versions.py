"""versions: which version answers on a server that runs, and how that is changed without losing a request."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import quote, urlsplit

from lighten.core.errors import InputError
from lighten.serve.versions import ModelVersions
from lighten.store.decode import decode

AT = "http://127.0.0.1:8000"
KEY = "LIGHTEN_KEY"
"""Variable of the environment that holds the key: a command line can be read by others."""
SECONDS = 900.0
"""For which an answer is waited: a large model takes its time to open."""
NONE = "none"
KINDS: Mapping[str, type[HTTPConnection]] = {"http": HTTPConnection, "https": HTTPSConnection}


@dataclass(frozen=True, slots=True)
class Versions:
    """Of every model of a server, or of the one that was named."""

    models: tuple[ModelVersions, ...]

    def to_json(self) -> dict[str, Any]:
        """As a plain dictionary."""
        return asdict(self)


def versions(
    name: str = "",
    *,
    at: str = AT,
    serve: str | None = None,
    canary: str | None = None,
    shadow: str | None = None,
    rollback: bool = False,
    load: str | None = None,
    unload: str | None = None,
    key: str | None = None,
) -> Versions:
    """Say which versions answer on a server, after changing that where it is asked for.

    Args:
        name: of the model; empty for all of them, where nothing is changed.
        at: where the server listens.
        serve: version that answers from now on; it is opened where it is not open. The one before stays open.
        canary, shadow: ``VERSION=SHARE``, or ``none`` to take it away.
        rollback: have the version answer that did before.
        load: version to open, or to open anew from its files. unload: version to close once it has answered what it
            has, or ``all``.
        key: of an operator; ``LIGHTEN_KEY`` of the environment where it is None.

    Raises:
        InputError: nothing answers there, or the server refuses, with its own words.
    """
    change = _change(serve, canary, shadow)
    for option, version in (("serve", serve), ("load", load), ("unload", unload)):
        if version == "":
            raise InputError(f"--{option} names no version.", fix=f"--{option} 2")
    if (change or rollback or load or unload) and not name:
        raise InputError("No model was named.", fix="lighten versions NAME --serve VERSION")
    if rollback and change:
        raise InputError("--rollback says which version answers, and so do others.", fix="leave one of them out")
    server = _Server(at, key if key is not None else os.environ.get(KEY, ""))
    repository, mine = f"/v2/repository/models/{quote(name, safe='')}", f"/versions/{quote(name, safe='')}"
    if load:
        server.ask(f"{repository}/load", {"parameters": {"version": load}})
    if change or rollback:
        server.ask(mine, change or {"rollback": True})
    if unload:
        server.ask(f"{repository}/unload", {"parameters": {} if unload == "all" else {"version": unload}})
    found = server.ask(mine) if name else server.ask("/versions")
    problems: list[str] = []
    told = decode({"models": [found]} if name else found, Versions, "versions", problems)
    if told is None:
        raise InputError(f"{at} is another version of lighten: {problems[0]}.", fix="use the same one on both sides")
    return told


def _change(serve: str | None, canary: str | None, shadow: str | None) -> dict[str, Any]:
    """Raises InputError where a share is none."""
    found: dict[str, Any] = {"serve": serve} if serve is not None else {}
    for option, told in (("canary", canary), ("shadow", shadow)):
        if told is None:
            continue
        version, equals, share = told.rpartition("=")
        try:
            number = float(share) if equals and version else 0.0
        except ValueError:
            number = 0.0
        if told != NONE and not 0 < number <= 1:
            allowed = f"VERSION=SHARE with a share of more than 0 and at most 1, or {NONE}"
            raise InputError(f"--{option} is {told!r}.", allowed=allowed, fix=f"--{option} 2=0.05")
        found[option] = None if told == NONE else {"version": version, "share": number}
    return found


class _Server:
    """Raises InputError where there is no such address."""

    def __init__(self, at: str, key: str) -> None:
        self.at, self._key = at, key
        try:
            parts = urlsplit(at if "://" in at else f"http://{at}")
            port = parts.port
        except ValueError as error:
            raise InputError(f"{at!r} is no address: {error}.", fix=f"--at {AT}") from error
        if parts.scheme not in KINDS or not parts.hostname:
            raise InputError(f"{at!r} is no address of a server.", allowed="http or https", fix=f"--at {AT}")
        self._host, self._port, self._kind = parts.hostname, port, KINDS[parts.scheme]
        self._below = parts.path.rstrip("/")

    def ask(self, path: str, body: Any = None) -> Any:
        """The value of an answer. Raises InputError where there is none."""
        headers = {"Authorization": f"Bearer {self._key}"} if self._key else {}
        headers |= {"Content-Type": "application/json"} if body is not None else {}
        connection = self._kind(self._host, self._port, timeout=SECONDS)
        try:
            data = json.dumps(body) if body is not None else None
            connection.request("GET" if body is None else "POST", self._below + path, data, headers)
            reply = connection.getresponse()
            text, status = reply.read(), reply.status
        except (OSError, HTTPException) as error:
            fix = "start one: lighten serve MODELS; or say where it listens: --at URL"
            raise InputError(f"No server answers at {self.at} ({error or type(error).__name__}).", fix=fix) from error
        finally:
            connection.close()
        try:
            found = json.loads(text)
        except ValueError as error:
            raise InputError(f"{self.at} is no server of lighten's: it answers {status} without JSON.") from error
        if status >= 400:
            raise self._refused(status, found.get("error") if isinstance(found, dict) else None)
        return found

    def _refused(self, status: int, told: Any) -> InputError:
        key = f"put the key into the environment: {KEY}=..." if status == 401 else ""
        if not isinstance(told, Mapping):
            return InputError(str(told or f"{self.at} answers {status}."), fix=key)
        fix = key or told.get("fix", "")
        return InputError(told.get("message", f"{self.at} answers {status}."), allowed=told.get("allowed", ""), fix=fix)
