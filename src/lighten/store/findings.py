"""What readers found in files, kept between commands by the hash of the content: nothing is decoded a second time.

One SQLite file in ``$LIGHTEN_HOME``. It only saves time: whatever is missing, damaged or cannot be written is found
again, and who deletes the file starts anew.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from zlib import crc32

from lighten.core.errors import LightenError
from lighten.core.home import lighten_home

FILE = "findings.db"
MOST = 1_000_000
"""Entries that are kept, some 80 bytes each; the oldest go first."""
PATIENCE = 5.0
"""Seconds to wait for another process that writes."""
_SCHEMA = "CREATE TABLE IF NOT EXISTS finding (id INTEGER PRIMARY KEY, key BLOB UNIQUE NOT NULL, value BLOB NOT NULL)"
_ASKED = 500
"""Keys of one question; SQLite takes 999 at least."""
_CHECK = 4
"""Bytes of the checksum behind a value."""


class Findings:
    """What one finder found.

    Args:
        finder: who found it and in which version; another version knows nothing of this one's.
    """

    def __init__(self, finder: str) -> None:
        self.finder = finder

    def known(self, hashes: Sequence[str]) -> dict[str, bytes]:
        """What was kept of contents, by their hash; without those of which nothing is."""
        keys = {self._key(one): one for one in hashes}
        every, found = list(keys), {}
        with _opened() as db:
            for begin in range(0, len(every) if db is not None else 0, _ASKED):
                asked = every[begin : begin + _ASKED]
                marks = ",".join("?" * len(asked))
                for key, value in db.execute(f"SELECT key, value FROM finding WHERE key IN ({marks})", asked):  # type: ignore[union-attr]
                    if len(value) >= _CHECK and value[-_CHECK:] == _checksum(key, value[:-_CHECK]):
                        found[keys[key]] = value[:-_CHECK]
        return found

    def keep(self, found: Mapping[str, bytes]) -> None:
        """Keep what was found of contents, by their hash."""
        keyed = [(self._key(one), value) for one, value in found.items()]
        rows = [(key, value + _checksum(key, value)) for key, value in keyed]
        with _opened() as db:
            if db is not None and rows:
                db.execute("BEGIN IMMEDIATE")
                db.executemany("INSERT OR REPLACE INTO finding (key, value) VALUES (?, ?)", rows)
                db.execute("DELETE FROM finding WHERE id <= (SELECT MAX(id) FROM finding) - ?", (MOST,))
                db.execute("COMMIT")

    def _key(self, content: str) -> bytes:
        return blake2b(f"{self.finder}\0{content}".encode(), digest_size=16).digest()


@contextlib.contextmanager
def _opened() -> Iterator[sqlite3.Connection | None]:
    """The file, open; None where there is no place for it. A failure ends what is done inside.

    A file that is damaged goes.
    """
    db = _connected()
    try:
        yield db
    except sqlite3.OperationalError:  # another process writes for long, or the disk is full or cannot be written
        return
    except sqlite3.DatabaseError:
        _discard(lighten_home() / FILE)
    finally:
        if db is not None:
            db.close()


def _connected() -> sqlite3.Connection | None:
    try:
        path = lighten_home() / FILE
        path.parent.mkdir(parents=True, exist_ok=True)
        for _ in range(2):
            db = sqlite3.connect(path, isolation_level=None, timeout=PATIENCE)
            db.text_factory = bytes  # of a value that is damaged, too
            try:
                db.execute(_SCHEMA)
            except sqlite3.OperationalError:
                db.close()
                return None
            except sqlite3.DatabaseError:  # no database: begun anew
                db.close()
                _discard(path)
            else:
                return db
    except (OSError, sqlite3.Error, LightenError):
        return None
    return None


def _discard(path: Path) -> None:
    for name in (path, path.with_name(f"{path.name}-journal")):
        with contextlib.suppress(OSError):
            name.unlink(missing_ok=True)


def _checksum(key: bytes, value: bytes) -> bytes:
    return crc32(key + value).to_bytes(_CHECK, "big")
