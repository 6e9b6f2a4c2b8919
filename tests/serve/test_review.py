"""People judge what two versions disagree about, blind; a disk that is full costs cases and no request."""

from __future__ import annotations

import asyncio
import json
from contextlib import closing
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from lighten.serve.app import App
from lighten.serve.cases import VersionAnswer
from lighten.serve.health import routes as health_routes
from lighten.serve.keys import make_key, read_keys
from lighten.serve.limits import Limits
from lighten.serve.metrics import exposition
from lighten.serve.models import Models
from lighten.serve.refusals import Refusal
from lighten.serve.review import WAITING, Review, routes, verdict_in
from lighten.testing.asgi import ask

ANSWERS = [VersionAnswer("1", "good", 0.75), VersionAnswer("2", "bad", 0.5)]


def app_of(review: Review | None, keys: Any = None) -> App:
    def metrics() -> str:
        return exposition([], {}, True, review.families() if review is not None else [])

    every = [*routes(review), *health_routes(Models([]), metrics)]
    return App(every, Limits(), keys, local=keys is None, operators=["anna"])


def asked(review: Review, *asking: tuple[Any, ...], keys: Any = None, **more: Any) -> list[Any]:
    """What is answered, one after another, by status and value."""

    async def body() -> list[Any]:
        app = app_of(review, keys)
        found = [await ask(app, *one, **more) for one in asking]
        return [(one.status, one.json if one.headers["content-type"] == "application/json" else one.body.decode())
                for one in found]  # fmt: skip

    return asyncio.run(body())


@pytest.fixture
def review(tmp_path: Path) -> Any:
    with closing(Review(tmp_path / "review.db", Limits())) as made:
        yield made


def test_a_case_is_shown_blind_judged_and_becomes_a_row(review: Review) -> None:
    review.add("m", "flip", "fine, really", ANSWERS)
    ((status, told),) = asked(review, ("/review?model=m&state=open&limit=5",))
    assert status == 200 and (told["open"], told["judged"]) == (1, 0)
    (case,) = told["cases"]
    assert case["input"] == "fine, really" and case["state"] == "open"
    assert {frozenset(one) for one in case["answers"].values()} == {frozenset({"answer"})}
    assert "version" not in json.dumps(case) and "score" not in json.dumps(case)
    right = next(key for key, one in case["answers"].items() if one["answer"] == "good")
    (judged, rows, left) = asked(
        review, (f"/review/{case['id']}", {"verdict": right}), ("/review/rows?model=m",), ("/review?state=judged",)
    )
    assert judged[0] == 200 and judged[1]["answers"][right] == {"answer": "good", "version": "1", "score": 0.75}
    assert (judged[1]["label"], judged[1]["blind"]) == ("good", True)
    assert rows == (200, 'text,label\n"fine, really",good\n')
    assert (left[1]["open"], left[1]["judged"], left[1]["cases"][0]["verdict"]) == (0, 1, right)


def test_the_judge_is_the_name_of_the_key(review: Review, tmp_path: Path) -> None:
    key = make_key(tmp_path / "keys", "anna")
    review.add("m", "guard", {"q": "x"}, [], note="a rule")
    keys = read_keys(tmp_path / "keys")
    ((status, _),) = asked(review, ("/review",), keys=keys)
    assert status == 401
    headers = {"authorization": f"Bearer {key}"}
    ((_, told),) = asked(review, ("/review",), keys=keys, headers=headers)
    path = f"/review/{told['cases'][0]['id']}"
    ((status, told),) = asked(review, (path, {"label": " fine "}), keys=keys, headers=headers)
    assert (status, told["judge"], told["label"], told["note"]) == (200, "anna", "fine", "a rule")


def test_what_others_asked_is_for_operators(review: Review, tmp_path: Path) -> None:
    key = make_key(tmp_path / "keys", "ci")
    review.add("m", "flip", "a secret", ANSWERS)
    asking = ("/review",), ("/review/1", {"verdict": "A"}), ("/review/rows?model=m",)
    found = asked(review, *asking, keys=read_keys(tmp_path / "keys"), headers={"authorization": f"Bearer {key}"})
    assert [status for status, _ in found] == [403] * 3 and "a secret" not in repr(found)
    everybody = App(routes(review), Limits(), None, local=False)  # without keys, by name, or listening elsewhere
    assert asyncio.run(ask(everybody, "/review")).status == 403


def test_a_page_of_another_site_judges_nothing(review: Review) -> None:
    review.add("m", "flip", "x", ANSWERS)
    headers = {"origin": "http://evil.example", "host": "localhost:8000"}
    ((status, told),) = asked(review, ("/review/x", {"verdict": "A"}), headers=headers)
    assert (status, told["error"]["code"]) == (403, "other_site")
    headers["origin"] = "http://localhost:8000"
    ((status, told),) = asked(review, ("/review/x", {"verdict": "A"}), headers=headers)
    assert status == 404


@pytest.mark.parametrize(
    ("path", "seen"),
    [
        ("/review?kind=flop", "no kind 'flop'"),
        ("/review?state=x", "no state 'x'"),
        ("/review?limit=0", "limit is '0'"),
        ("/review?limit=9999", "limit is '9999'"),
        ("/review?limit=²", "limit is"),
        ("/review?mode=m", "has 'mode'"),
        ("/review?model=a&model=b", "'model' twice"),
        ("/review/rows", "No model is named"),
    ],
)
def test_what_is_asked_wrongly_is_named(review: Review, path: str, seen: str) -> None:
    ((status, told),) = asked(review, (path,))
    assert status in (404, 422) and seen in told["error"]["message"]


@pytest.mark.parametrize("body", [{}, [], None, {"verdict": ""}, {"verdict": 1}, {"label": " "}, {"label": "x" * 9},
                                  {"label": "a", "verdict": "A"}, {"verdikt": "A"}])  # fmt: skip
def test_another_verdict_is_refused(body: Any) -> None:
    with pytest.raises(Refusal) as refusal:
        verdict_in(body, Limits(size=8))
    assert refusal.value.status == 422


def test_a_verdict_that_the_case_cannot_have_is_refused(review: Review) -> None:
    review.add("m", "guard", "x", ANSWERS[:1])
    ((_, told),) = asked(review, ("/review",))
    ((status, found),) = asked(review, (f"/review/{told['cases'][0]['id']}", {"verdict": "both"}))
    assert status == 422 and found["error"]["allowed"] == "A, neither, or a label"


def test_a_file_is_kept_so_that_it_can_be_shown_and_sent_again(review: Review) -> None:
    review.add("m", "flip", b"\x89PNG\r\n", ANSWERS)
    ((_, told),) = asked(review, ("/review",))
    assert told["cases"][0]["input"] == "data:image/png;base64,iVBORw0K"


def test_without_a_file_every_path_says_what_to_do() -> None:
    async def body() -> None:
        for path, given in (("/review", None), ("/review/rows?model=m", None), ("/review/x", {"verdict": "A"})):
            found = await ask(app_of(None), path, given)
            assert found.status == 404 and "--review" in found.json["error"]["fix"]

    asyncio.run(body())


def test_a_full_disk_is_counted_said_once_and_harms_nobody(review: Review, caplog: pytest.LogCaptureFixture) -> None:
    review.add("m", "flip", "before", ANSWERS)
    asked(review, ("/review",))  # it is written
    pages = review._store._db.execute("PRAGMA page_count").fetchone()[0]
    review._store._db.execute(f"PRAGMA max_page_count={pages}")
    for number in range(3):
        review.add("m", "flip", f"{number}" * 50_000, ANSWERS)
    (found, metrics) = asked(review, ("/review",), ("/metrics",))
    assert found[0] == 200 and found[1]["open"] == 1
    assert 'lighten_review_lost_total{reason="disk"} 3' in metrics[1]
    assert 'lighten_review_cases{state="open"} 1' in metrics[1]
    assert sum("are lost" in one.message for one in caplog.records) == 1
    review._store._db.execute("PRAGMA max_page_count=100000")
    review.add("m", "flip", "after", ANSWERS)
    ((_, told),) = asked(review, ("/review",))
    assert told["open"] == 2


def test_what_waits_for_the_disk_is_bounded_and_written_at_the_end(tmp_path: Path) -> None:
    review = Review(tmp_path / "a.db", Limits())
    gate = Event()
    review._thread.submit(gate.wait, 30)
    for number in range(WAITING + 5):
        review.add("m", "flip", str(number), ANSWERS)
    assert review.lost == {"busy": 5}
    gate.set()
    review.close()
    with closing(Review(tmp_path / "a.db", Limits())) as again:
        assert again.open == WAITING
