"""Cases that people are to judge, in SQLite, bounded in number and size.

Nothing is thrown away that a person has judged. Where there is no room, the oldest case that nobody has judged goes.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from random import Random
from time import time
from typing import Any
from uuid import uuid4

from lighten.core.errors import InputError
from lighten.core.home import expanded

KINDS = ("flip", "guard", "suspicious")
"""Two versions disagree; a guard stopped it; it was flagged."""
BOTH, NEITHER, LABEL = "both", "neither", "label"
"""Verdicts beside the key of one answer: all are right, none is, or none is and this label would be."""
MARK, FORMAT = 0x6C69_6768, 1
"""What says in an SQLite file that it is one of ours, and how its tables are laid out."""
PATIENCE = 5.0
"""Seconds for which another process that writes is waited for."""
SCHEMA = """
CREATE TABLE IF NOT EXISTS review_case (
  id TEXT PRIMARY KEY, key BLOB NOT NULL UNIQUE, time REAL NOT NULL, model TEXT NOT NULL, kind TEXT NOT NULL,
  input TEXT NOT NULL, answers TEXT NOT NULL, note TEXT NOT NULL, seen INTEGER NOT NULL, size INTEGER NOT NULL,
  verdict TEXT NOT NULL DEFAULT '', label TEXT, judge TEXT NOT NULL DEFAULT '', judged REAL, blind INTEGER);
CREATE INDEX IF NOT EXISTS review_order ON review_case (judged, time, size);
"""
COLUMNS = "id, time, model, kind, input, answers, note, seen, verdict, label, judge, judged, blind"


@dataclass(frozen=True, slots=True)
class VersionAnswer:
    """What one version said. score: how sure it was of it, 0 to 1; None where that says nothing."""

    version: str
    answer: str
    score: float | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """What a person is to judge.

    Attributes:
        id: drawn at random. time: when it was first seen, in seconds since 1970. seen: how often it was.
        kind: one of ``KINDS``. input: a JSON value, such as ``POST /predict/NAME`` takes it.
        answers: of each version, at most 26. note: why it is here, in words that name no version.
        verdict: the key of an answer (see :attr:`keys`), ``both``, ``neither`` or ``label``; empty until it is judged.
        label: what would be right by the verdict; None where it says of nothing that it is.
        judge: name of the key of who judged it. judged: when; None until it is. blind: whether who judged it did not
            know which version had said what.
    """

    id: str
    time: float
    model: str
    kind: str
    input: Any
    answers: tuple[VersionAnswer, ...]
    note: str = ""
    seen: int = 1
    verdict: str = ""
    label: str | None = None
    judge: str = ""
    judged: float | None = None
    blind: bool = True

    @property
    def keys(self) -> dict[str, VersionAnswer]:
        """The answers by the letters that people see, in an order that is drawn from the id."""
        order = list(range(len(self.answers)))
        Random(self.id).shuffle(order)
        return {chr(ord("A") + place): self.answers[index] for place, index in enumerate(order)}

    @property
    def verdicts(self) -> list[str]:
        """What may be said of it beside a label."""
        return [*self.keys, *([BOTH] if len(self.answers) > 1 else []), NEITHER]

    def judged_as(self, verdict: str, label: str | None, judge: str) -> Case:
        """With a verdict that it may have. label: only where the verdict is ``label``.

        A case that was judged before is no longer blind: whoever judged it has seen which version said what.
        """
        right = self.keys[verdict].answer if verdict in self.keys else label
        blind = self.judged is None
        return replace(self, verdict=verdict, label=right, judge=judge, judged=time(), blind=blind)


def case_of(model: str, kind: str, input: Any, answers: Sequence[VersionAnswer], note: str = "") -> Case:
    """A new case."""
    assert kind in KINDS and len(answers) <= 26
    return Case(uuid4().hex, time(), model, kind, input, tuple(answers), note)


class NoRoom(Exception):
    """A case is not kept: there is no room for it beside those that people have judged."""


class CaseStore:
    """Cases in a file, which its owner alone can read. To be used by one thread at a time.

    Args:
        path: made where there is none. cases, size: most cases, and most bytes of all their inputs and answers.

    Raises:
        InputError: the file cannot be used, or holds something else.
    """

    def __init__(self, path: str | Path, cases: int, size: int) -> None:
        self.path, self._cases, self._size = expanded(str(path)), cases, size
        try:
            self._db = self._opened()
        except (OSError, sqlite3.Error) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            raise InputError(
                f"Cases for review cannot be kept in {path}: {reason}.",
                allowed="a new file, or one that lighten serve --review has made",
                fix="give --review another FILE",
            ) from error

    def _opened(self) -> sqlite3.Connection:
        os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        db = sqlite3.connect(self.path, isolation_level=None, timeout=PATIENCE, check_same_thread=False)
        try:
            mark, layout = (db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version"))
            empty = db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0
            if not empty and (mark, layout) != (MARK, FORMAT):
                other = "another version of lighten" if mark == MARK else "another program"
                raise sqlite3.DatabaseError(f"it is a database of {other}")
            db.execute("PRAGMA journal_mode=WAL")
            db.execute("PRAGMA synchronous=NORMAL")
            db.executescript(f"PRAGMA application_id={MARK}; PRAGMA user_version={FORMAT}; {SCHEMA}")
        except BaseException:
            db.close()
            raise
        return db

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def add(self, case: Case) -> bool:
        """Keep a case; one that is there already is counted instead. Returns whether it is new.

        Raises:
            NoRoom: see there. sqlite3.Error: it cannot be written.
        """
        asked = json.dumps(case.input, ensure_ascii=False)
        answers = json.dumps([[one.version, one.answer, one.score] for one in case.answers], ensure_ascii=False)
        said = sorted([one.version, one.answer] for one in case.answers)
        key = sha256(json.dumps([case.model, case.kind, case.note, asked, said]).encode()).digest()
        size = len(asked.encode("utf-8", "replace")) + len(answers.encode("utf-8", "replace"))
        with self._writing():
            if self._db.execute("UPDATE review_case SET seen = seen + 1 WHERE key = ?", (key,)).rowcount:
                return False
            self._make_room(size)
            row = (case.id, key, case.time, case.model, case.kind, asked, answers, case.note, 1, size)
            self._db.execute(
                "INSERT INTO review_case (id, key, time, model, kind, input, answers, note, seen, size)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                tuple(_storable(one) for one in row),
            )
        return True

    def find(self, model: str = "", kind: str = "", state: str = "", limit: int = 100) -> list[Case]:
        """Cases, those that wait the oldest first, those that were judged the latest first.

        Args:
            model, kind: only such; all where empty. state: ``open`` or ``judged``; both where empty.
        """
        where, values = _where(model, kind, state)
        order = "judged IS NOT NULL, judged DESC, time"
        query = f"SELECT {COLUMNS} FROM review_case {where} ORDER BY {order} LIMIT ?"
        return [_case(row) for row in self._db.execute(query, (*values, limit))]

    def counts(self, model: str = "", kind: str = "") -> tuple[int, int]:
        """How many cases are open, and how many were judged."""
        where, values = _where(model, kind, "")
        query = f"SELECT count(*) - count(judged), count(judged) FROM review_case {where}"
        waiting, judged = self._db.execute(query, values).fetchone()
        return waiting, judged

    def get(self, id: str) -> Case | None:
        """A case by its id."""
        row = self._db.execute(f"SELECT {COLUMNS} FROM review_case WHERE id = ?", (id,)).fetchone()
        return _case(row) if row is not None else None

    def judge(self, case: Case) -> None:
        """Keep what was said of a case (see :meth:`Case.judged_as`)."""
        values = (case.verdict, case.label, case.judge, case.judged, case.blind, case.id)
        with self._writing():
            self._db.execute(
                "UPDATE review_case SET verdict = ?, label = ?, judge = ?, judged = ?, blind = ? WHERE id = ?",
                tuple(_storable(one) for one in values),
            )

    def labelled(self, model: str) -> list[Case]:
        """Cases of which people said what would be right, the first judged first."""
        query = f"SELECT {COLUMNS} FROM review_case WHERE model = ? AND label IS NOT NULL ORDER BY judged"
        return [_case(row) for row in self._db.execute(query, (model,))]

    def _make_room(self, size: int) -> None:
        """Raises NoRoom where the open cases that could go are not enough."""
        count, held = self._db.execute("SELECT count(*), coalesce(sum(size), 0) FROM review_case").fetchone()
        count, held = count + 1 - self._cases, held + size - self._size
        if count <= 0 and held <= 0:
            return
        gone = []
        for id, freed in self._db.execute("SELECT id, size FROM review_case WHERE judged IS NULL ORDER BY time"):
            gone.append((id,))
            count, held = count - 1, held - freed
            if count <= 0 and held <= 0:
                self._db.executemany("DELETE FROM review_case WHERE id = ?", gone)
                return
        raise NoRoom

    @contextmanager
    def _writing(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):  # a full disk has ended it already
                self._db.execute("ROLLBACK")
            raise


def _where(model: str, kind: str, state: str) -> tuple[str, list[str]]:
    asked = {"model = ?": model, "kind = ?": kind}
    parts = [part for part, value in asked.items() if value]
    parts += [f"judged IS {'NULL' if state == 'open' else 'NOT NULL'}"] if state else []
    return f"WHERE {' AND '.join(parts)}" if parts else "", [value for value in asked.values() if value]


def _storable(value: Any) -> Any:
    """Half characters, which SQLite takes none of, become question marks."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) and not value.isascii() else value


def _case(row: Sequence[Any]) -> Case:
    id, when, model, kind, asked, answers, note, seen, verdict, label, judge, judged, blind = row
    said = tuple(VersionAnswer(*one) for one in json.loads(answers))
    unblinded = blind is not None and not blind
    return Case(
        id, when, model, kind, json.loads(asked), said, note, seen, verdict, label, judge, judged, not unblinded
    )
