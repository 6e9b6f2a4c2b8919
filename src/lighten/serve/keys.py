"""Keys: who may ask. The file has their hashes only; a key is shown once, when it is made."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
import stat
from collections.abc import Mapping
from pathlib import Path

from lighten.core.errors import InputError
from lighten.core.home import expanded

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
PREFIX, HASH = "lighten-", "sha256:"
"""How a key begins, so that people who search for leaked secrets find it; how its hash is written."""
BYTES = 32
"""Random bytes of a key: with so many of them, one round of a fast hash is as safe as many of a slow one."""
LONGEST = 512
"""Bytes of a secret that is looked at; a longer one is none."""


class Keys:
    """Hashes of keys by the names of who has them.

    Args:
        digests: SHA-256 of each, 32 bytes.
    """

    def __init__(self, digests: Mapping[str, bytes]) -> None:
        self._digests = dict(digests)

    def __len__(self) -> int:
        return len(self._digests)

    @property
    def names(self) -> tuple[str, ...]:
        """Of who has a key."""
        return tuple(self._digests)

    def name_of(self, secret: bytes) -> str | None:
        """Who has a key; None for one that is not known. Takes as long for every key, known or not."""
        digest, found = hashlib.sha256(secret[:LONGEST]).digest(), None
        for name, known in self._digests.items():
            if hmac.compare_digest(digest, known) and len(secret) <= LONGEST:
                found = name
        return found


def read_keys(path: str | Path) -> Keys:
    """The keys of a file: a line for each, its name and its hash; empty lines and such as begin with ``#`` are none.

    Raises:
        InputError: it cannot be read, has no key, a line that is none, or others may change it.
    """
    found = _digests(path)
    if not found:
        raise InputError(f"There is no key in {path}, and nobody could ask anything.", fix=_fix(path))
    return Keys(found)


def _fix(path: str | Path) -> str:
    return f"make one: lighten serve --new-key NAME --keys {path}"


def _digests(path: str | Path) -> dict[str, bytes]:
    """Hashes of a file by their names; of one without keys, none. Raises what :func:`read_keys` does."""
    place, fix = expanded(path), _fix(path)
    try:
        lines = place.read_text(encoding="utf-8").splitlines()
        mode = place.stat().st_mode
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise InputError(f"The keys in {path} cannot be read: {reason}.", fix=fix) from error
    if mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise InputError(f"Others may change {path}, and let themselves in.", fix=f"chmod 600 {path}")
    found: dict[str, bytes] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        name, _, told = line.strip().partition(" ")
        digest = told.strip().removeprefix(HASH)
        if not NAME.fullmatch(name) or not re.fullmatch(r"[0-9a-f]{64}", digest):
            allowed = f"NAME {HASH}(64 hex digits)"
            raise InputError(f"Line {number} of {path} is no key.", allowed=allowed, fix=fix)
        if name in found:
            raise InputError(f"{path} has two keys named {name!r}.", fix="remove one")
        found[name] = bytes.fromhex(digest)
    return found


def make_key(path: str | Path, name: str) -> str:
    """A new key, whose hash is written to the end of a file that its owner alone can read. Returns the key.

    Raises:
        InputError: no such name, one that has a key, or a file that cannot be written.
    """
    if not NAME.fullmatch(name):
        raise InputError(f"{name!r:.80} is no name of a key.", allowed="1 to 64 letters, digits and . _ @ -")
    place = expanded(path)
    if place.is_file() and place.stat().st_size and name in _digests(path):
        raise InputError(f"{path} has a key named {name!r}.", fix="remove its line first, or take another name")
    key = PREFIX + secrets.token_urlsafe(BYTES)
    line = f"{name} {HASH}{hashlib.sha256(key.encode()).hexdigest()}\n"
    try:
        if place.is_file() and place.read_bytes()[-1:] not in (b"", b"\n"):
            line = f"\n{line}"  # the last line has no end of its own
        number = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        with os.fdopen(number, "w", encoding="utf-8") as file:
            file.write(line)
    except OSError as error:
        raise InputError(f"The key cannot be kept in {path}: {error.strerror}.") from error
    return key
