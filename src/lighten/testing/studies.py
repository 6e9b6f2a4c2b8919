"""What stands in a run's study while the run may still be writing it, or was killed at any moment."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path


def finished(out: Path) -> dict[int, str]:
    """Record of every finished candidate of the run in ``out``, by number; empty when there is no study yet."""
    if not (out / "study.db").is_file():
        return {}
    db = sqlite3.connect(f"file:{out / 'study.db'}?mode=ro", uri=True)
    try:
        found = db.execute("SELECT key, record FROM candidate").fetchall()
    except sqlite3.OperationalError:  # the table is not made yet
        return {}
    finally:
        db.close()
    return {key: record for key, record in found if json.loads(record)["state"] != "running"}
