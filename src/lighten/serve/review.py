"""Review: cases that people judge, blind to which version said what. Nothing here delays or harms a request.

``GET /review`` shows cases, ``POST /review/ID`` takes a verdict, ``GET /review/rows`` gives what was judged as rows for
the next run. All that touches the disk is done by one thread; a disk that is full costs cases, which are counted.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar

from lighten.serve.case_rows import Export, as_address, rows_of
from lighten.serve.cases import KINDS, LABEL, Case, CaseStore, NoRoom, VersionAnswer, case_of
from lighten.serve.hosts import check_same_site
from lighten.serve.http import Reply, Request, Route, json_reply
from lighten.serve.intake import type_name
from lighten.serve.limits import Limits
from lighten.serve.metrics import Family
from lighten.serve.refusals import Refusal, no_such, unavailable, unusable

log = logging.getLogger("lighten.serve")
Found = TypeVar("Found")

WAITING, WAITING_BYTES = 256, 64 << 20
"""Cases, and bytes of them, that may wait for the disk; more of them are lost, and counted."""
SHOWN, MOST_SHOWN = 50, 500
"""Cases of one answer where none, and most, are asked for."""
STATES = ("open", "judged")
VERDICT: Mapping[str, Any] = {
    "type": "object",
    "minProperties": 1,
    "maxProperties": 1,
    "additionalProperties": False,
    "properties": {
        "verdict": {"type": "string", "description": "The key of the answer that is right, both, or neither."},
        "label": {"type": "string", "minLength": 1, "description": "What would be right instead."},
    },
}
"""JSON Schema of a verdict."""


class Review:
    """Cases of a server. Lives on the event loop; one thread of its own reads and writes.

    Args:
        path: of the file (see :class:`CaseStore`).

    Attributes:
        added: new cases by kind. lost: cases that are not kept, by reason. open, judged: cases as of the last writing.
        cover: takes out of a case what is not to be kept; called by the thread. None for nothing.

    Raises:
        InputError: the file cannot be used.
    """

    def __init__(self, path: str | Path, limits: Limits) -> None:
        self.limits = limits
        self.cover: Callable[[Case], Case] | None = None
        self.added: Counter[str] = Counter()
        self.lost: Counter[str] = Counter()
        self._store = CaseStore(path, limits.cases, limits.case_bytes)
        self.open, self.judged = self._store.counts()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="review")
        self._lock, self._waiting, self._waiting_bytes = Lock(), 0, 0
        self._failing = False

    def add(self, model: str, kind: str, input: Any, answers: Sequence[VersionAnswer] = (), note: str = "") -> None:
        """Have a case kept. Waits for nothing and raises nothing.

        Args:
            kind: one of ``cases.KINDS``. input: as the client sent it: a text, an object, or the bytes of a file.
            answers: of each version. note: why it is here, in words that name no version.
        """
        size = _size(input)
        with self._lock:
            if self._waiting >= WAITING or self._waiting_bytes + size > WAITING_BYTES:
                self.lost["busy"] += 1
                return
            self._waiting += 1
            self._waiting_bytes += size
        self._thread.submit(self._add, case_of(model, kind, input, answers, note), size)

    async def find(self, model: str, kind: str, state: str, limit: int) -> tuple[list[Case], int, int]:
        """Cases, see :meth:`CaseStore.find`; of that model and kind, how many are open and how many were judged.

        Raises:
            Refusal: the file cannot be read.
        """

        def found() -> tuple[list[Case], int, int]:
            return (self._store.find(model, kind, state, limit), *self._store.counts(model, kind))

        return await self._asked(found)

    async def judge(self, id: str, verdict: str, label: str | None, judge: str) -> Case:
        """Keep a person's verdict.

        Args:
            verdict: see ``Case``. label: what would be right, where the verdict is ``label``. judge: who says so.

        Raises:
            Refusal: there is no such case, or it cannot have this verdict, or the verdict cannot be kept.
        """

        def judged() -> Case:
            case = self._store.get(id)
            if case is None:
                raise Refusal(404, "not_found", f"There is no case {id!r:.60}.", fix="GET /review lists them")
            if verdict != LABEL and verdict not in case.verdicts:
                raise unusable(f"The verdict is {verdict!r:.40}.", allowed=f"{', '.join(case.verdicts)}, or a label")
            told = case.judged_as(verdict, label, judge)
            self._store.judge(told)
            self.open, self.judged = self._store.counts()
            return told

        return await self._asked(judged)

    async def rows(self, model: str) -> Export:
        """What was judged of a model, see :func:`rows_of`.

        Raises:
            Refusal: they make no data; why.
        """

        def rows() -> Export:
            try:
                return rows_of(self._store.labelled(model))
            except ValueError as error:
                raise unusable(
                    f"What was judged of {model!r} makes no data: {error}.", fix="GET /review has it"
                ) from error

        return await self._asked(rows)

    def close(self) -> None:
        """Write what waits, and close the file."""
        self._thread.shutdown(wait=True)
        self._store.close()

    def families(self) -> list[Family]:
        """What ``/metrics`` tells of it."""
        added = [(f'kind="{kind}"', float(self.added[kind])) for kind in KINDS]
        lost = [(f'reason="{reason}"', float(self.lost[reason])) for reason in ("busy", "disk", "no_room")]
        cases = [('state="open"', float(self.open)), ('state="judged"', float(self.judged))]
        return [
            Family("lighten_review_added_total", "counter", "Cases that people are to judge, by kind.", added),
            Family("lighten_review_lost_total", "counter", "Cases that could not be kept, by reason.", lost),
            Family("lighten_review_cases", "gauge", "Cases that are kept, by state.", cases),
        ]

    def _add(self, case: Case, size: int) -> None:
        """Called by the thread."""
        try:
            case = self.cover(case) if self.cover is not None else case
            shown = replace(case, input=as_address(case.input)) if isinstance(case.input, bytes) else case
            if self._store.add(shown):
                self.added[case.kind] += 1
            self.open, self.judged = self._store.counts()
            self._failing = False
        except NoRoom:
            why = "there is no room for it beside what people have judged"
            self._lose("no_room", f"{why}; raise --limit cases=N or case_bytes=N")
        except sqlite3.Error as error:
            self._lose("disk", str(error))
        except Exception:
            self.lost["disk"] += 1
            log.exception("a case for review")
        finally:
            with self._lock:
                self._waiting -= 1
                self._waiting_bytes -= size

    def _lose(self, reason: str, told: str) -> None:
        """Said once, until a case can be kept again."""
        self.lost[reason] += 1
        if not self._failing:
            log.error("cases for review are lost: %s", told)
        self._failing = True

    async def _asked(self, function: Callable[[], Found]) -> Found:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, function)
        except sqlite3.Error as error:
            log.error("cases for review: %s", error)
            raise unavailable("The cases cannot be read or written.", code="review_failed") from error


def routes(review: Review | None) -> list[Route]:
    """Routes of the review, for operators: cases are what other people asked, and verdicts become labels.

    Args:
        review: None where no file was given; then each of them says so.
    """

    def opened() -> Review:
        if review is None:
            seen = "This server keeps no cases for review."
            raise Refusal(404, "no_review", seen, fix="start it with --review FILE")
        return review

    async def every(request: Request) -> Reply:
        queue, asked = opened(), request.query("model", "kind", "state", "limit")
        kind, state = _one_of(asked, "kind", KINDS), _one_of(asked, "state", STATES)
        cases, waiting, judged = await queue.find(asked.get("model", ""), kind, state, _limit(asked))
        return json_reply({"cases": [told(case) for case in cases], "open": waiting, "judged": judged})

    async def judge(request: Request) -> Reply:
        queue = opened()
        check_same_site(request.headers)
        verdict, label = verdict_in(await request.json(), queue.limits)
        return json_reply(told(await queue.judge(request.params["id"], verdict, label, request.caller)))

    async def rows(request: Request) -> Reply:
        queue, model = opened(), request.query("model").get("model", "")
        if not model:
            raise unusable("No model is named.", allowed="the name of one", fix="ask for /review/rows?model=NAME")
        found = await queue.rows(model)
        name = f'attachment; filename="{found.name}"'.encode()
        return Reply(found.content, kind=found.kind.encode(), headers=[(b"content-disposition", name)])

    def parameter(name: str, *choices: str) -> dict[str, Any]:
        schema = {"type": "string", **({"enum": list(choices)} if choices else {})}
        return {"name": name, "in": "query", "schema": schema}

    listing = {
        "parameters": [
            parameter("model"), parameter("kind", *KINDS), parameter("state", *STATES),
            {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": MOST_SHOWN}},
        ],
        "responses": {"200": {"description": "Cases, blind until they are judged, and how many there are"}},
    }  # fmt: skip
    judging = {
        "requestBody": {"required": True, "content": {"application/json": {"schema": VERDICT}}},
        "responses": {"200": {"description": "The case, with which version said what"}},
    }
    content = {"text/csv": {"schema": {"type": "string"}}, "application/zip": {}}
    named = {
        "parameters": [
            {"name": "model", "in": "query", "required": True, "schema": {"type": "string", "minLength": 1}}
        ],
        "responses": {"200": {"description": "Rows with labels, or files in folders", "content": content}},
    }
    return [
        Route("GET", "/review", every, "Cases for people to judge", listing, operates=True),
        Route("POST", "/review/{id}", judge, "A person's verdict on a case", judging, operates=True),
        Route(
            "GET", "/review/rows", rows, "What was judged, as rows for lighten optimize --data", named, operates=True
        ),
    ]


def told(case: Case) -> dict[str, Any]:
    """A case as people see it: which version said what, and how sure it was, only once it is judged."""
    open_ = case.judged is None
    answers = {
        key: {"answer": one.answer, **({} if open_ else {"version": one.version, "score": one.score})}
        for key, one in case.keys.items()
    }
    found = {
        "id": case.id,
        "time": _time(case.time),
        "model": case.model,
        "kind": case.kind,
        "input": case.input,
        "answers": answers,
        "verdicts": case.verdicts,
        "note": case.note,
        "seen": case.seen,
        "state": "open" if open_ else "judged",
    }
    if case.judged is None:
        return found
    verdict = {"verdict": case.verdict, "label": case.label, "judge": case.judge, "blind": case.blind}
    return found | verdict | {"judged": _time(case.judged)}


def verdict_in(body: Any, limits: Limits) -> tuple[str, str | None]:
    """The verdict of a body, and the label where it says one.

    Raises:
        Refusal: it says none, or something else.
    """
    allowed = '{"verdict": "A"}, with the key of an answer, "both" or "neither"; or {"label": "..."}'
    if not isinstance(body, dict) or len(body) != 1 or next(iter(body)) not in ("verdict", LABEL):
        shown = ", ".join(body) if isinstance(body, dict) else type_name(body)
        raise unusable(f"The body has {shown or 'nothing'!s:.60}.", allowed=allowed)
    name, value = next(iter(body.items()))
    if not isinstance(value, str) or not value.strip():
        raise unusable(f"The {name} is {type_name(value) if not isinstance(value, str) else 'empty'}.", allowed=allowed)
    if name == "verdict":
        return value, None
    if len(value) > limits.size:
        raise unusable(f"The label has {len(value):,} characters.", allowed=f"at most {limits.size:,}")
    return LABEL, value.strip()


def _one_of(asked: Mapping[str, str], name: str, known: Sequence[str]) -> str:
    value = asked.get(name, "")
    if value and value not in known:
        raise no_such(name, value, known)
    return value


def _limit(asked: Mapping[str, str]) -> int:
    value = asked.get("limit", str(SHOWN))
    if not (value.isascii() and value.isdigit() and len(value) < 9 and 1 <= int(value) <= MOST_SHOWN):
        raise unusable(f"The limit is {value!r:.40}.", allowed=f"1 to {MOST_SHOWN}")
    return int(value)


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")


def _size(input: Any) -> int:
    """About as many bytes as an input takes."""
    return len(input) if isinstance(input, bytes | str) else len(str(input))
