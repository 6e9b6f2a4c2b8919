"""OpenVINO on language models: the answers of transformers, and of many sequences at once those of one at a time."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from lighten.core.artifact import Artifact
from lighten.core.errors import InputError, MissingEnvironment, ModelError
from lighten.core.language import LanguageSession, Sampling, Span
from lighten.core.rows import Parts, Rows
from lighten.engines.eager import Eager
from lighten.engines.ov_genai import OvGenai
from lighten.isolate.environments import find
from lighten.nets.training.precision import using_threads
from lighten.pipeline.workshop import Workshop
from lighten.sessions.language_process import open_session
from lighten.store.folder import save_parts
from lighten.tasks.text_generation import TextGeneration
from lighten.testing.engine_contract import check_declaration
from lighten.testing.require import require
from lighten.testing.steps_contract import check_steps
from lighten.testing.tiny_language import FAMILIES, span_cases, tiny_language, tiny_texts

EXACT = {"cache": "f32", "group": 0}
SMALL = {"batch": 32, "streams": 3}
"""Less room than the work needs: several batches, and columns computed some at a time."""


@pytest.fixture(scope="module", autouse=True)
def libraries() -> Iterator[None]:
    require(find_spec("openvino"), "OpenVINO (pip install 'lighten[ov]')")
    with using_threads(1):
        yield


@pytest.fixture(scope="module")
def there() -> None:
    """The environment is made: it takes more than a gigabyte, so that no test makes it."""
    require(find(OvGenai.environment), "the environment of ov_genai (lighten engine add ov-genai)")


@pytest.fixture(scope="module", params=FAMILIES)
def pair(request: pytest.FixtureRequest, there: None, tmp_path_factory: pytest.TempPathFactory) -> list[Artifact]:
    """A model as transformers has it, and as the engine's own environment exported it."""
    folder = tmp_path_factory.mktemp(request.param)
    tiny_language(request.param, folder / "hf")
    model = Artifact.seal(folder / "hf", format="hf-causal", meta={"labels": []})
    rows = Rows(("a",), (0,))
    save_parts(Parts(rows, rows, rows, rows, ()), folder / "parts.json")
    workshop = Workshop(folder / "store", folder / "parts.json", TextGeneration(), seed=0, threads=1)
    try:
        return [model, workshop.build(model, OvGenai())]
    finally:
        workshop.close()


@pytest.fixture
def sessions(pair: list[Artifact]) -> Iterator[list[LanguageSession]]:
    model, built = pair
    with Eager().open(model, threads=1) as theirs, OvGenai(**EXACT, **SMALL).open(built, threads=1) as ours:
        assert isinstance(theirs, LanguageSession) and isinstance(ours, LanguageSession)
        yield [theirs, ours]


def test_it_scores_as_transformers_does_however_spans_come_together(sessions: list[LanguageSession]) -> None:
    theirs, ours = sessions
    for name, spans in span_cases().items():
        for one, other in zip(theirs.score(spans), ours.score(spans), strict=True):
            assert np.abs(one.logprobs - other.logprobs).max() < 1e-4, name
            assert np.array_equal(one.greedy, other.greedy), name


def test_it_writes_as_transformers_does_however_many_prompts(sessions: list[LanguageSession]) -> None:
    theirs, ours = sessions
    prompts = [ours.encode(text) for text in tiny_texts(7, 3)]
    shared = [prompts[0] + prompts[1] + prompt for prompt in prompts]
    for asked in (prompts, shared):
        wanted = theirs.generate(asked, 20)
        assert ours.generate(asked, 20) == wanted
        assert [ours.generate([prompt], 20)[0] for prompt in asked] == wanted
    assert len(ours.generate(prompts[:1], 1000, stop=False)[0]) == ours.context - len(prompts[0])
    drawn = Sampling(0.9, 0.9, 3)
    assert ours.generate(prompts, 9, sampling=drawn) == ours.generate(prompts, 9, sampling=drawn)


def test_prompts_join_and_leave_while_others_run(sessions: list[LanguageSession]) -> None:
    check_steps(sessions[1], [[*range(40, 52)], [*range(40, 50), 7], [11, 12, 13], [*range(40, 90)]])


def test_text_goes_in_and_out_as_with_the_tokenizer_it_came_with(sessions: list[LanguageSession]) -> None:
    theirs, ours = sessions
    for text in (*tiny_texts(9, 9), "", "  ba  ko\n\n\nlin\t", "🦊 naïve", "<s></s><|im_end|><eos>"):
        ids = ours.encode(text)
        assert ids == theirs.encode(text)
        assert ours.encode(text, special=True) == theirs.encode(text, special=True)
        assert ours.pieces(ids) == theirs.pieces(ids)
        assert [ours.ends(token) for token in ids] == [theirs.ends(token) for token in ids]


def test_what_is_too_long_is_refused_and_a_closed_session_says_so(sessions: list[LanguageSession]) -> None:
    ours = sessions[1]
    with pytest.raises(InputError):
        ours.score([Span((1,), (2,) * ours.context)])
    with pytest.raises(InputError):
        ours.generate([[]], 3)
    ours.close()
    ours.close()
    with pytest.raises(InputError, match="closed"):
        ours.score([Span((1,), (2,))])


def test_in_its_own_environment_it_answers_as_here(pair: list[Artifact]) -> None:
    spans = span_cases()["choices behind contexts that begin alike"]
    engine = OvGenai(**EXACT)
    with engine.open(pair[1], threads=1) as here, open_session(pair[1], engine, threads=1) as process:
        assert isinstance(process, LanguageSession)
        for one, other in zip(here.score(spans), process.score(spans), strict=True):
            assert np.abs(one.logprobs - other.logprobs).max() < 1e-4
        prompt = process.encode(tiny_texts(1, 5)[0])
        assert process.generate([prompt], 12) == here.generate([prompt], 12)


def test_it_declares_what_it_is() -> None:
    check_declaration(OvGenai())


def test_without_its_environment_it_says_which_command_makes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = Artifact.seal(tiny_language("llama", tmp_path / "hf"), format="hf-causal", meta={"labels": []})
    monkeypatch.setenv("LIGHTEN_HOME", str(tmp_path / "home"))
    with pytest.raises(MissingEnvironment) as caught:
        open_session(model, OvGenai(), threads=1)
    assert caught.value.fix == "lighten engine add ov-genai"
    if find_spec("optimum") is None:  # asked past the workshop, in an environment without the exporter
        with pytest.raises(MissingEnvironment, match="exporter"):
            OvGenai().build(model, tmp_path)


def test_a_graph_without_a_state_is_refused(tmp_path: Path) -> None:
    import openvino as ov

    ops = ov.opset13
    given = ops.parameter([-1, -1], np.float32, name="input_ids")
    given.output(0).set_names({"input_ids"})
    ov.save_model(ov.Model([ops.relu(given)], [given]), str(tmp_path / "openvino_model.xml"))
    tiny_language("llama", tmp_path / "hf")
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json"):
        (tmp_path / "hf" / name).rename(tmp_path / name)
    (tmp_path / "hf" / "model.safetensors").unlink()
    with pytest.raises(ModelError, match="attention_mask"):
        OvGenai().open(Artifact(tmp_path, "", "openvino-causal", {}), threads=1)
