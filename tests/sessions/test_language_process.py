"""A language model in a child answers as it does in this process, also from an environment of its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lighten.core import catalog
from lighten.core.artifact import Artifact
from lighten.core.errors import InputError, MissingEnvironment
from lighten.core.language import Prompt, Sampling, Span, Written
from lighten.core.rows import Parts, Rows
from lighten.core.step import Needs
from lighten.pipeline.workshop import Workshop
from lighten.sessions.language_process import LanguageProcess, open_session
from lighten.sessions.process import SessionProcess
from lighten.store.folder import save_parts
from lighten.tasks.text_generation import TextGeneration
from lighten.testing.puppet import NAME, puppet, puppet_artifact
from lighten.testing.steps_contract import run
from lighten.verbs.chat import Chat
from lighten.verbs.engine import add

ROWS = Rows(("the cat sat on the mat. " * 6, "the dog sat on the log. " * 6), (0, 0))


@pytest.fixture(scope="module")
def counts(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    folder = tmp_path_factory.mktemp("counts")
    catalog.load_step("train.ngram")().run(None, Needs(TextGeneration(), train=ROWS, tune=ROWS)).save(folder)
    return Artifact.seal(folder, format="byte-lm", meta={"labels": []})


def test_it_answers_as_the_session_itself(counts: Artifact) -> None:
    engine = catalog.load("engines", "numpy")()
    with engine.open(counts, threads=1) as here, SessionProcess(counts, engine, threads=1) as process:
        there = LanguageProcess(process.child, **process.writing)
        assert (there.context, there.streams) == (here.context, here.streams)
        ids = here.encode("the cat 😀")
        assert there.encode("the cat 😀") == ids and there.encode("a", begin=False) == here.encode("a", begin=False)
        assert there.pieces(ids) == here.pieces(ids)
        assert [there.ends(token) for token in ids] == [here.ends(token) for token in ids]
        spans = [Span(tuple(ids[:3]), tuple(ids[3:])), Span(tuple(ids[:1]), tuple(ids[1:]))]
        for one, other in zip(here.score(spans), there.score(spans), strict=True):
            assert np.array_equal(one.logprobs, other.logprobs) and np.array_equal(one.greedy, other.greedy)
        drawn = Sampling(0.8, 0.9, 3)
        assert there.generate([ids, ids[:2]], 9, sampling=drawn) == here.generate([ids, ids[:2]], 9, sampling=drawn)
        with pytest.raises(InputError, match="has 0 tokens"):
            there.generate([[]], 3)


def test_every_token_is_heard_at_once_and_can_be_the_last(counts: Artifact) -> None:
    with SessionProcess(counts, catalog.load("engines", "numpy")(), threads=1) as process:
        session = LanguageProcess(process.child, **process.writing)
        prompt = session.encode("the ")
        heard: list[tuple[int, int]] = []

        def third(number: int, token: int) -> bool:
            heard.append((number, token))
            return len(heard) == 3

        made = session.generate([prompt], 40, stop=False, heard=third)
        assert heard == [(0, token) for token in made[0]] and len(heard) == 3
        assert len(session.generate([prompt], 5, stop=False)[0]) == 5  # it goes on working


def test_prompts_join_and_leave_there_as_here(counts: Artifact) -> None:
    engine = catalog.load("engines", "numpy")()
    with engine.open(counts, threads=1) as here, SessionProcess(counts, engine, threads=1) as process:
        there = LanguageProcess(process.child, **process.writing)
        prompts = [Prompt(tuple(here.encode(text)), 9, Sampling(0.9, 1.0, 5), likely=2) for text in ("the ", "cat")]
        told = []
        for session in (here, there):
            numbers, heard = [session.add(prompt) for prompt in prompts], dict[int, list[Written]]()
            assert session.encode("x") == here.encode("x")  # other things are asked meanwhile
            run(session, heard, 2)
            told.append([[replace(one, number=0) for one in heard[number]] for number in numbers])
            assert session.step() == []
        assert told[0] == told[1]
        gone = there.add(Prompt(prompts[0].tokens, 5000, stop=False))
        there.step()
        there.drop(gone)
        there.drop(gone)
        assert there.step() == [] and there.generate([[1, 2]], 3, stop=False) == here.generate([[1, 2]], 3, stop=False)
        with pytest.raises(InputError, match="0 tokens"):
            there.add(Prompt((), 3))
        there.add(Prompt((300,), 3))
        with pytest.raises(InputError, match="There is no token 300"):
            there.step()
        assert there.step() == []


@pytest.fixture(scope="module")
def strings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Artifact]:
    """A model of an engine that lives elsewhere; its environment is made."""
    folder = tmp_path_factory.mktemp("strings")
    with puppet(folder / "plugin"):
        model = puppet_artifact(folder / "model")
        with pytest.raises(MissingEnvironment):
            open_session(model, catalog.load("engines", NAME)(), threads=1)
        add(NAME)
        yield model


def test_an_engine_of_another_environment_is_measured_opened_and_talked_with(strings: Artifact) -> None:
    engine = catalog.load("engines", NAME)()
    with SessionProcess(strings, engine, threads=1) as process:
        assert process.version == "puppetstrings 1.0"
        assert process.replies(["told"]) == ["SO TOLD"]
    with open_session(strings, engine, threads=1) as session:
        assert isinstance(session, LanguageProcess)
        with Chat(session, None, most=6) as chat:
            assert "".join(chat.say("hello")) == "SO HEL"
            answer = chat.say("hello")
            assert next(answer) == "S"
            answer.close()
            assert chat.last is not None and chat.last.ended == "stopped"


def test_the_workshop_builds_for_it_there(strings: Artifact, tmp_path: Path) -> None:
    save_parts(Parts(ROWS, ROWS, ROWS, ROWS, ()), tmp_path / "parts.json")
    workshop = Workshop(tmp_path / "store", tmp_path / "parts.json", TextGeneration(), seed=0, threads=1)
    try:
        built = workshop.build(strings, catalog.load("engines", NAME)())
        assert (built.path / "said.txt").read_text() == "SO "
        assert workshop.build(strings, catalog.load("engines", NAME)()).path == built.path
    finally:
        workshop.close()
