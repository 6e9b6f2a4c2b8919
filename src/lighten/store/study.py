"""The study in SQLite: candidates, their answers, and the clock. Survives kill -9; loses only what was in flight."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lighten.core.errors import RunFolderError
from lighten.core.result import Candidate
from lighten.store.decode import decode

if TYPE_CHECKING:
    from numpy.typing import NDArray

SHOWN = 5
"""Problems that a message lists."""
SCHEMA = """
CREATE TABLE IF NOT EXISTS fact (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS candidate (key INTEGER PRIMARY KEY, record TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS answers (
  candidate INTEGER NOT NULL, part TEXT NOT NULL, rows INTEGER NOT NULL, classes INTEGER NOT NULL, logits BLOB NOT NULL,
  PRIMARY KEY (candidate, part));
"""


class Study:
    """One run's memory.

    Args:
        path: of the SQLite file; made when it does not exist. Write-ahead logging, so that readers never wait.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._db = sqlite3.connect(path, isolation_level=None, timeout=30)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=FULL")  # which proof was opened must survive the loss of power
            self._db.executescript(SCHEMA)
        except sqlite3.DatabaseError as error:
            raise RunFolderError(f"{path} cannot be used as a study ({error}).", fix="give another --out") from error

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def save(self, candidate: Candidate) -> None:
        """Add or replace a candidate."""
        record = json.dumps(candidate.to_json())
        self._write("INSERT OR REPLACE INTO candidate VALUES (?, ?)", (candidate.key, record))

    def candidates(self) -> list[Candidate]:
        """Every candidate, by key."""
        rows = self._db.execute("SELECT record FROM candidate ORDER BY key").fetchall()
        return [self.candidate_from(json.loads(record)) for (record,) in rows]

    def candidate_from(self, record: object) -> Candidate:
        """A candidate from its plain dictionary, as :meth:`candidates` and what was remembered have it.

        Raises:
            RunFolderError: it is damaged, or another lighten wrote it. Lists every problem.
        """
        problems: list[str] = []
        made = decode(record, Candidate, "candidate", problems)
        if made is None:
            listed = "; ".join(problems[:SHOWN])
            raise RunFolderError(f"{self.path} holds a damaged candidate: {listed}.", fix="give another --out")
        return made

    def save_answers(self, key: int, part: str, logits: NDArray[Any]) -> None:
        """Keep a candidate's answers on a part. logits: [n, columns]; float64 stays so, all else becomes float32."""
        import numpy as np

        data = np.ascontiguousarray(logits, dtype="<f8" if logits.dtype == np.float64 else "<f4")
        row = (key, part, data.shape[0], data.shape[1], data.tobytes())
        self._write("INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?, ?)", row)

    def answers(self, key: int, part: str) -> NDArray[Any] | None:
        """A candidate's answers on a part, [n, columns]; None when it has none."""
        query = "SELECT rows, classes, logits FROM answers WHERE candidate = ? AND part = ?"
        found = self._db.execute(query, (key, part)).fetchone()
        if found is None:
            return None
        rows, classes, data = found
        wide = len(data) == rows * classes * 8 and rows > 0
        import numpy as np

        return np.frombuffer(data, dtype="<f8" if wide else "<f4").reshape(rows, classes)

    def remember(self, name: str, value: Any) -> None:
        """Keep a plain value under a name."""
        self._write("INSERT OR REPLACE INTO fact VALUES (?, ?)", (name, json.dumps(value)))

    def recall(self, name: str, default: Any = None) -> Any:
        """The value under a name."""
        found = self._db.execute("SELECT value FROM fact WHERE name = ?", (name,)).fetchone()
        return default if found is None else json.loads(found[0])

    def _write(self, statement: str, values: Sequence[Any]) -> None:
        try:
            self._db.execute(statement, values)
        except sqlite3.OperationalError as error:
            raise RunFolderError(
                f"{self.path} cannot be written ({error}). What was finished is kept.",
                fix="free some space if the disk is full, then run the same command with --resume",
            ) from error
