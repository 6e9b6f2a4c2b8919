"""The rules of a server, and what each of its models gets of them."""

from __future__ import annotations

import asyncio
import io
import json
import logging
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from lighten.core.errors import InputError
from lighten.core.guard import Guard, TextGuard
from lighten.guards.answers import Answers
from lighten.guards.classifier import Classifier
from lighten.guards.normalised import Normalised
from lighten.guards.personal import Personal
from lighten.guards.words import Words
from lighten.serve.cases import CaseStore, VersionAnswer
from lighten.serve.guarding import Covering, Guarding
from lighten.serve.limits import Limits
from lighten.serve.model import ServedModel
from lighten.serve.presence import Presence
from lighten.serve.record import Record
from lighten.serve.refusals import ClientGone
from lighten.serve.review import Review
from lighten.serve.rules import Rule
from lighten.tasks.image_classification import ImageClassification
from lighten.tasks.text_generation import TextGeneration
from lighten.testing.asgi import ask

ServableOf = Callable[..., Any]
Opened = Callable[..., Any]


def rules(*guards: Guard) -> list[Rule]:
    return [
        Rule(f"{n}", one, f"rules.toml, line {n}", one.finder(Path()) if isinstance(one, TextGuard) else None)
        for n, one in enumerate(guards)
    ]


def words(*on: str, action: str = "refuse", models: tuple[str, ...] = ()) -> Words:
    return Words(action=action, on=on, words=("bad",), models=models)


def test_each_model_gets_the_rules_that_fit_it(servable_of: ServableOf) -> None:
    texts, pictures = servable_of("texts"), servable_of("pictures", task=ImageClassification())
    every = rules(words("input"), words("output"), words("input", models=("other",)), Answers("refuse", floor=0.5),
                  Normalised(), words("review", action="redact"))  # fmt: skip
    guarding = Guarding(every, {})

    def names(source: Any) -> list[str]:
        chain = guarding.chain(source)
        return [rule.name for rule in chain.rules] if chain is not None else []

    assert names(texts) == ["0", "3", "4"] and names(pictures) == ["3"]
    assert Guarding(rules(words("input"), words("review", action="redact")), {}).chain(pictures) is None
    with pytest.raises(InputError, match="line 0: The guard 0 cannot look at 'pictures': its inputs are files"):
        Guarding(rules(words("input", models=("pictures",))), {}).chain(pictures)


def test_rules_that_guard_nothing_are_refused(servable_of: ServableOf) -> None:
    texts = servable_of("texts")
    Guarding(rules(words("input"), words("review", action="redact")), {}).check([texts], ["texts"])
    with pytest.raises(InputError, match="line 0: There is no model named 'text'") as caught:
        Guarding(rules(words("input", models=("text",))), {}).check([texts], ["texts"])
    assert caught.value.allowed == "texts"
    with pytest.raises(InputError, match="fits no model: its answers are no texts"):
        Guarding(rules(words("output")), {}).check([texts], ["texts"])
    writes = servable_of("writes", task=TextGeneration())
    object.__setattr__(writes, "labels", ())
    Guarding(rules(words("output")), {}).check([texts, writes], ["texts", "writes"])
    with pytest.raises(InputError, match="it chooses no label"):
        Guarding(rules(Answers("refuse", floor=0.5)), {}).check([writes], ["writes"])


def test_labels_are_those_of_the_model_that_answers_or_judges(servable_of: ServableOf, opened: Opened) -> None:
    odd = rules(Answers("refuse", labels=("odd", "strange")))
    with pytest.raises(InputError, match="no label of this model named 'strange'") as caught:
        Guarding(odd, {}).chain(servable_of())
    assert caught.value.allowed == "even, odd"

    async def body() -> None:
        async with opened(load=False) as stage:
            toxic = rules(Classifier("refuse", on=("input",), model="toxic", label="toxic"))
            with pytest.raises(InputError, match="no label of toxic named 'toxic'"):
                Guarding(toxic, {"0": stage.model})

    asyncio.run(body())


def test_a_model_judges_inputs_of_another_one_in_its_own_batches(servable_of: ServableOf, opened: Opened) -> None:
    async def body() -> None:
        async with opened(None, servable_of("m"), servable_of("judge")) as stage:
            model, judge = stage.models
            guarding = Guarding(
                rules(Classifier("refuse", on=("input",), model="x", label="odd", threshold=0.6)), {"0": judge}
            )
            model.guards = guarding.chain(model.source)
            told = [(await ask(stage.app, "/predict/m", {"inputs": [text]})).status for text in ("ab", "abc")]
            assert told == [200, 403] and judge.counts.answered == 2
            assert model.counts.refused == {"guarded_input": 1} and model.counts.answered == 1
            assert model.open == 0 and judge.open == 0

    asyncio.run(body())


def test_who_goes_away_is_not_judged_any_more(servable_of: ServableOf, opened: Opened) -> None:
    async def body() -> None:
        async with opened(None, servable_of("m"), servable_of("judge", milliseconds=200.0)) as stage:
            model, judge = stage.models
            guard = Classifier("refuse", on=("input",), model="x", label="odd")
            model.guards = Guarding(rules(guard), {"0": judge}).chain(model.source)
            client = Presence()
            client.record = record = Record("1", "POST", {}, 0.0, 0.0)
            asking = asyncio.ensure_future(model.predict(["ab"], 20, client))
            while not judge.open:
                await asyncio.sleep(0)
            client.leave()
            with pytest.raises(ClientGone):
                await asking
            assert judge.open == model.open == 0 and model.counts.cancelled == judge.counts.cancelled == 1
            assert record.model == "m"  # what is noted of a request is not of what guards asked for it

    asyncio.run(body())


def test_every_protocol_is_guarded_and_limits_come_first(opened: Opened) -> None:
    async def body() -> None:
        async with opened() as stage:
            model: ServedModel = stage.model
            model.guards = Guarding(rules(words("input")), {}).chain(model.source)
            tensor = {"name": "input", "shape": [1], "datatype": "BYTES", "data": ["so bad"]}
            for path, body in (
                ("/predict/m", {"inputs": ["so bad"]}),
                ("/predict/m", b"so bad"),
                ("/v2/models/m/infer", {"inputs": [tensor]}),
            ):
                octets = {"content-type": "application/octet-stream"} if isinstance(body, bytes) else {}
                found = await ask(stage.app, path, body, headers=octets)
                assert found.status == 403 and b"bad" not in found.body, path
            assert (await ask(stage.app, "/predict/m", {"inputs": ["bad"] * 2000})).status == 413
            assert (await ask(stage.app, "/predict/m", {"inputs": [7]})).status == 422
            assert (await ask(stage.app, "/predict/m", {"inputs": ["fine"]})).status == 200

    asyncio.run(body())


def test_cases_are_covered_before_they_are_kept(tmp_path: Path) -> None:
    pytest.importorskip("re2", reason="pip install 'lighten[serve]'")
    guards = [
        Personal(action="redact", on=("review",)),
        Words(action="redact", on=("review",), words=("bad",), models=("other",)),
    ]
    with pytest.raises(InputError, match="line 0: The guard 0 stands before the review queue, and there is none"):
        Guarding(rules(*guards), {}).cover_cases(None)
    with closing(Review(tmp_path / "cases.db", Limits())) as review:
        Guarding(rules(words("input")), {}).cover_cases(review)
        assert review.cover is None
        Guarding(rules(*guards), {}).cover_cases(review)
        value = {"text": "bad ann@example.org", "n": 4111111111111111, "ok": True, "deep": [{"x": "10.0.0.1"}]}
        review.add("m", "guard", value, [VersionAnswer("1", "to ann@example.org", 0.5)])
        review.add("m", "guard", b"bad 10.0.0.1")
        review.add("m", "guard", b"\xff\xd8\xff ann@example.org")  # a picture
        review.add("other", "guard", "bad 10.0.0.1")
    with closing(CaseStore(tmp_path / "cases.db", 10, 1 << 20)) as store:
        kept = {json.dumps(one.input): one for one in store.find("", "", "", 10)}
    covered = {"text": "bad [email]", "n": "[card]", "ok": True, "deep": [{"x": "[ip]"}]}
    assert kept[json.dumps(covered)].answers == (VersionAnswer("1", "to [email]", 0.5),)
    assert {'"bad [ip]"', '"[removed] [ip]"'} < set(kept) and any("image/jpeg" in one for one in kept)


def test_the_log_is_covered_tracebacks_too() -> None:
    stream = io.StringIO()
    log = logging.Logger("covered")
    log.addHandler(logging.StreamHandler(stream))
    finder = words("input").finder(Path())
    log.addFilter(Covering([finder]))
    log.warning("it is %s", "bad")
    try:
        raise ValueError("so bad")
    except ValueError:
        log.exception("failed: %d", 3)
    told = stream.getvalue()
    assert told.startswith("it is [removed]\nfailed: 3\nTraceback") and "so [removed]" in told and "bad" not in told


def test_only_rules_before_the_log_cover_it() -> None:
    log = logging.getLogger("lighten.serve")
    before = list(log.filters)
    try:
        Guarding(rules(words("input")), {}).cover_logs()
        assert log.filters == before
        Guarding(rules(words("logs", action="redact")), {}).cover_logs()
        assert len(log.filters) == len(before) + 1
    finally:
        for name in ("lighten.serve", "uvicorn.error", "asyncio"):
            one = logging.getLogger(name)
            for covering in [held for held in one.filters if isinstance(held, Covering)]:
                one.removeFilter(covering)


RULES = """
[[guard]]
use = "words"
on = ["input"]
action = "refuse"
files = ["words.txt"]

[[guard]]
use = "classifier"
name = "odd"
on = ["input"]
action = "flag"
model = "judge"
label = "odd"
"""


def test_a_server_reads_its_rules_and_counts_what_they_do(
    serving: Callable[..., Any], model_of: Callable[[Path, Any], Path], fake_engine: type, tmp_path: Path
) -> None:
    model_of(tmp_path / "judge", fake_engine())
    (tmp_path / "rules.toml").write_text(RULES, encoding="utf-8")
    (tmp_path / "words.txt").write_text("bad\n", encoding="utf-8")
    cases = str(tmp_path / "cases.db")
    with serving("--guards", str(tmp_path / "rules.toml"), "--review", cases) as running:
        told = [running.ask("/predict/m", {"inputs": [text]})[0] for text in ("a bad one", "even", "odd")]
        assert told == [403, 200, 200]
        refused, flagged = (
            f'lighten_guarded_total{{model="m",version="1",guard="{guard}",action="{action}"}} 1\n'
            for guard, action in (("words", "refuse"), ("odd", "flag"))
        )
        until = monotonic() + 30
        while flagged not in (metrics := running.ask("/metrics")[2].decode()):  # it is judged after the answer
            assert monotonic() < until
        assert refused in metrics
        assert 'lighten_refused_total{model="m",version="1",code="guarded_input"} 1\n' in metrics
        assert 'nv_inference_request_success{model="guard:odd",version="1"} 2\n' in metrics
        assert running.ask("/predict/guard:odd", {"inputs": ["x"]})[0] == 404
    with closing(CaseStore(cases, 10, 1 << 20)) as store:
        kept = store.find("m", "", "", 10)
    assert sorted((case.kind, case.input) for case in kept) == [("guard", "a bad one"), ("suspicious", "odd")]
