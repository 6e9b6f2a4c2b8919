"""The engine of baselines answers as any language model does: text goes in and out whole, scores and continuations
agree; and a linear model ranks choices."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from lighten.core.artifact import Artifact
from lighten.core.errors import BuildFailed, InputError, ModelError
from lighten.core.language import Prompt, Sampling, Span
from lighten.core.language_codes import BYTES, NATS, PROBED, code_of
from lighten.engines.numpy import ByteSession, LinearSession, NumPy
from lighten.nets.baselines.byte_model import BOUNDARY, ByteModel
from lighten.nets.baselines.counts import fit_ngram
from lighten.nets.baselines.hmm import fit_hmm
from lighten.nets.baselines.linear_fit import fit_linear
from lighten.nets.baselines.lstm_loop import LstmSchedule, fit_lstm
from lighten.tasks.text_generation import TextGeneration
from lighten.testing.engine_contract import check_declaration
from lighten.testing.steps_contract import check_steps

TEXTS = ["the film is good", "the film is long", "the day is long", "naïve 電影 🎬"] * 4
SCHEDULE = LstmSchedule(width=24, epochs=40, rate=2e-2, rows=4)
MODELS = {
    "ngram": lambda: fit_ngram(TEXTS, 5),
    "hmm": lambda: fit_hmm(TEXTS, 24, iterations=12),
    "lstm": cache(lambda: fit_lstm(TEXTS, [], SCHEDULE, seed=0)),
}


@pytest.fixture(params=sorted(MODELS))
def artifact(request: pytest.FixtureRequest, tmp_path: Path) -> Artifact:
    (tmp_path / "model").mkdir()
    model: ByteModel = MODELS[request.param]()
    model.save(tmp_path / "model")
    return Artifact.seal(tmp_path / "model", format="byte-lm")


@pytest.fixture
def session(artifact: Artifact, tmp_path: Path) -> ByteSession:
    (tmp_path / "built").mkdir()
    format = NumPy().build(artifact, tmp_path / "built")
    Artifact.seal(tmp_path / "built", format=format)
    return NumPy().open(Artifact.open(tmp_path / "built"), threads=1)


def test_declaration() -> None:
    check_declaration(NumPy())
    assert NumPy().version().startswith("numpy ")


def test_prompts_join_and_leave_while_others_run(session: ByteSession) -> None:
    check_steps(session, [session.encode(text) for text in ("the ", "a film", "nai")])
    with pytest.raises(InputError, match="There is no token 300"):
        session.add(Prompt((300,), 3))


def test_text_goes_in_and_comes_out_whole(session: ByteSession) -> None:
    for text in ("", "plain", "naïve 電影 🎬", "<eos>\x00\n", "half \ud83c"):
        ids = session.encode(text, special=True)
        assert ids == [BOUNDARY, *session.encode(text, begin=False)]
        assert b"".join(session.pieces(ids)).decode("utf-8", "surrogatepass") == text
    assert session.ends(BOUNDARY)
    assert not session.ends(10)


def test_the_built_file_says_what_the_model_says(artifact: Artifact, session: ByteSession) -> None:
    spans = [Span((BOUNDARY,), tuple(session.encode(text, begin=False))) for text in TEXTS[:4]]
    with NumPy().open(artifact, threads=2) as original:
        for one, two in zip(original.score(spans), session.score(spans), strict=True):  # type: ignore[attr-defined]
            assert np.array_equal(one.logprobs, two.logprobs)
            assert one.greedy.dtype == two.greedy.dtype == np.int32
            assert one.logprobs.shape == one.greedy.shape


def test_greedy_continuation_follows_the_most_likely_tokens(session: ByteSession) -> None:
    prompts = [session.encode(text) for text in ("the f", "the d", "n", "")]
    alone = [session.generate([prompt], 12)[0] for prompt in prompts]
    assert session.generate(prompts, 12) == alone
    for prompt, answer in zip(prompts, alone, strict=True):
        targets = (*answer, BOUNDARY)
        greedy = session.score([Span(tuple(prompt), targets)])[0].greedy.tolist()
        assert greedy[: len(answer)] == answer
        assert len(answer) == 12 or session.ends(greedy[-1])


def test_it_ends_where_it_is_told() -> None:
    session = ByteSession(fit_ngram(TEXTS, 6))
    prompt = session.encode("the film is g")
    assert b"".join(session.pieces(session.generate([prompt], 99)[0])) == b"ood"
    assert len(session.generate([prompt], 40, stop=False)[0]) == 40
    assert session.generate([prompt, prompt], 2) == [list(b"oo")] * 2
    assert session.generate([prompt], 0) == [[]]
    assert session.generate([prompt] * 9, 2, sampling=Sampling(1.0, 1e-9)) == [list(b"oo")] * 9
    heard: list[tuple[int, int]] = []

    def hear(number: int, token: int) -> bool:
        heard.append((number, token))
        return number == 1

    assert session.generate([prompt, prompt], 9, heard=hear) == [list(b"ood"), list(b"o")]
    assert heard == [(0, ord("o")), (1, ord("o")), (0, ord("o")), (0, ord("d"))]


def test_draws_follow_the_seed_and_the_probabilities(session: ByteSession) -> None:
    prompt = session.encode("the ")
    one, two = (session.generate([prompt] * 400, 1, sampling=Sampling(1.0, 1.0, seed), stop=False) for seed in (1, 2))
    assert one == session.generate([prompt] * 400, 1, sampling=Sampling(1.0, 1.0, 1), stop=False) != two
    share = sum(tokens == [ord("f")] for tokens in one + two) / 800
    wanted = float(np.exp(session.score([Span(tuple(prompt), (ord("f"),))])[0].logprobs[0]))
    assert share == pytest.approx(wanted, abs=0.08)


def test_the_task_can_ask_it_for_bits_per_byte(session: ByteSession) -> None:
    asked = TextGeneration(longest=8).wrap(session)
    found = asked.run(["the film is good", "電影 is long"])
    assert found[:, BYTES].tolist() == [16, 14]
    assert 0 < found[0, NATS] < 16 * np.log(257)
    assert found[0, PROBED] == code_of(b" ")


def test_what_cannot_be_asked_is_refused(session: ByteSession) -> None:
    for bad in (257, -1, 10**6):
        with pytest.raises(InputError, match=f"no token {bad}"):
            session.score([Span((BOUNDARY,), (1, bad))])
        with pytest.raises(InputError, match=f"no token {bad}"):
            session.generate([[bad]], 3)
    with pytest.raises(InputError, match="no context or nothing"):
        session.score([Span((), (1,))])
    with pytest.raises(InputError, match="has 0 tokens"):
        session.generate([[]], 3)
    with pytest.raises(InputError, match="without a task"):
        session.run(["text"])
    session.close()
    session.close()
    with pytest.raises(InputError, match="closed"):
        session.score([Span((BOUNDARY,), (1,))])


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "notes.txt").write_text("nothing")
    artifact = Artifact.seal(tmp_path / "model", format="byte-lm")
    with pytest.raises(ModelError, match="lacks the file"):
        NumPy().build(artifact, tmp_path)


LABELLED = ("a dull film:", "a fine film:", "so dull:", "so fine:") * 5
TASK = TextGeneration(evidence="choices", choices=(" good", " bad"), prefix="Film: good\n\n")


@pytest.fixture
def ranking(tmp_path: Path) -> LinearSession:
    (tmp_path / "linear").mkdir()
    (tmp_path / "built").mkdir()
    fit_linear(LABELLED, [0, 1] * 10, (" bad", " good"), characters=3, most=500).save(tmp_path / "linear")
    artifact = Artifact.seal(tmp_path / "linear", format="linear")
    built = Artifact.seal(tmp_path / "built", format=NumPy().build(artifact, tmp_path / "built"))
    session = NumPy().open(built, threads=1)
    assert isinstance(session, LinearSession)
    return session


def test_a_linear_model_answers_in_the_order_of_the_task_s_choices(ranking: LinearSession) -> None:
    asked = TASK.wrap(ranking)
    found = asked.run(["dull:", "fine:", "dull day:"] * 100)
    assert found.shape == (300, 2) and found.dtype == np.float64
    assert found.argmax(axis=1).tolist() == [1, 0, 1] * 100
    assert np.exp(found).sum(axis=1) == pytest.approx(np.ones(300))
    assert asked.run([]).shape == (0, 2)
    asked.close()
    asked.close()
    with pytest.raises(InputError, match="closed"):
        ranking.run(["dull:"])


def test_a_linear_model_is_asked_for_nothing_else(ranking: LinearSession) -> None:
    with pytest.raises(BuildFailed, match="asked for documents"):
        TextGeneration().wrap(ranking)
    with pytest.raises(BuildFailed, match="asked for choices ' good', ' so so'"):
        TextGeneration(evidence="choices", choices=(" good", " so so")).wrap(ranking)
