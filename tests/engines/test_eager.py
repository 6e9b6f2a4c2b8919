"""torch eager keeps the contract of engines and answers as transformers does, classifiers and language models."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from lighten.core.artifact import Artifact
from lighten.core.errors import InputError, LightenError, ModelError
from lighten.core.language import LanguageSession, Sampling, Span
from lighten.engines.eager import Eager
from lighten.nets.training.precision import using_threads
from lighten.testing.engine_contract import check_engine, texts
from lighten.testing.steps_contract import check_steps
from lighten.testing.tiny_artifacts import META, tiny_artifact
from lighten.testing.tiny_language import FAMILIES as LANGUAGE_FAMILIES
from lighten.testing.tiny_language import POSITIONS, span_cases, tiny_language, tiny_texts


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """What is compared with is computed in one thread: networks so small lose time by waiting for a second one."""
    with using_threads(1):
        yield


def test_contract(tmp_path: Path) -> None:
    check_engine(Eager(rows=7), tiny_artifact("hf"), tmp_path / "built")


def test_it_answers_as_transformers_does() -> None:
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    path = tiny_artifact("hf").path
    net, tokenizer = (
        AutoModelForSequenceClassification.from_pretrained(path).eval(),
        AutoTokenizer.from_pretrained(path),
    )
    with torch.inference_mode():
        wanted = [net(**tokenizer(text, truncation=True, return_tensors="pt")).logits[0].numpy() for text in texts()]
    with Eager().open(tiny_artifact("hf"), threads=2) as session:
        assert np.abs(session.run(texts()) - np.array(wanted)).max() < 1e-4


def test_bfloat16_is_near_and_not_the_same() -> None:
    with (
        Eager().open(tiny_artifact("hf"), threads=1) as full,
        Eager(dtype="bfloat16").open(tiny_artifact("hf"), threads=1) as half,
    ):
        apart = np.abs(full.run(texts()) - half.run(texts())).max()
    assert 1e-4 < apart < 0.5


def test_threads_are_left_as_they_were() -> None:
    before = torch.get_num_threads()
    with Eager().open(tiny_artifact("hf"), threads=before + 1) as session:
        session.run(["good"])
    assert torch.get_num_threads() == before


def test_a_folder_without_a_network_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(LightenError):
        Eager().build(Artifact.seal(tmp_path, format="hf", meta=META), tmp_path / "built")
    assert "onnx" not in Eager.consumes


@pytest.fixture(scope="module", params=LANGUAGE_FAMILIES)
def language(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    folder = tiny_language(request.param, tmp_path_factory.mktemp(request.param))
    return Artifact.seal(folder, format="hf-causal")


def opened(artifact: Artifact, **settings: object) -> LanguageSession:
    session = Eager(**settings).open(artifact, threads=1)  # type: ignore[arg-type]
    assert isinstance(session, LanguageSession)
    return session


def test_a_language_model_scores_and_goes_on_as_in_transformers(language: Artifact) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    net, tokenizer = (cls.from_pretrained(language.path) for cls in (AutoModelForCausalLM, AutoTokenizer))
    with opened(language) as session, torch.inference_mode():
        for text in tiny_texts(3, 4, words=40):
            ids = session.encode(text)
            assert ids == tokenizer(text).input_ids
            logits = net(torch.tensor([ids])).logits[0, :-1].log_softmax(-1)
            found = session.score([Span(tuple(ids[:3]), tuple(ids[3:]))])[0]
            wanted = logits.gather(1, torch.tensor(ids[1:])[:, None])[2:, 0]
            assert np.abs(found.logprobs - wanted.numpy()).max() < 1e-4
            assert (found.greedy == logits.argmax(-1)[2:].numpy()).all()
            answer = net.generate(torch.tensor([ids[:9]]), max_new_tokens=12, do_sample=False, eos_token_id=-1)
            assert session.generate([ids[:9]], 12, stop=False) == [answer[0, 9:].tolist()]


@pytest.mark.parametrize("rows", [3, 32])
def test_spans_together_get_the_scores_of_spans_alone(language: Artifact, rows: int) -> None:
    with opened(language, rows=rows) as session:
        for name, spans in span_cases().items():
            together = session.score(spans)
            assert len(together) == len(spans)
            for span, found in zip(spans, together, strict=True):
                alone = session.score([span])[0]
                assert np.abs(found.logprobs - alone.logprobs).max() < 1e-4, name
                assert (found.greedy == alone.greedy).all(), name


def test_what_rows_began_with_is_kept_for_the_next_rows(language: Artifact, monkeypatch: pytest.MonkeyPatch) -> None:
    shots = tuple(range(40, 70))
    rows = [Span((*shots, *row), (20, 21)) for row in ((5, 6, 7), (5, 8), (9, 6))]
    longer = [Span((*shots, *range(9), *row), (20,)) for row in ((5, 6), (7, 8, 9))]
    other = [Span((11, 12, 13), (14, 15))]
    computed = []
    with opened(language, rows=3) as session:
        body = session._net.model  # type: ignore[attr-defined]
        body.register_forward_pre_hook(
            lambda _, given, named: computed.append(named["input_ids"].numel()), with_kwargs=True
        )
        for asked, again in ((rows, rows[:1]), (rows, longer), (longer, longer[1:]), (rows, other), (other, rows)):
            session.forget()
            fresh = session.score(again)
            session.forget()
            session.score(asked)
            kept, computed[:] = session._kept, []  # type: ignore[attr-defined]
            for one, same in zip(fresh, session.score(again), strict=True):
                assert np.abs(one.logprobs - same.logprobs).max() < 1e-4
            if again is not other and asked is not other:
                assert kept is not None and kept[0][: len(shots)] == shots
                assert max(computed) <= 3 * (len(longer[1].context) - len(shots) + 1)


def test_prompts_together_are_continued_as_prompts_alone(language: Artifact) -> None:
    prompts = [list(span.context) for spans in span_cases().values() for span in spans][::4]
    with opened(language, rows=3) as session:
        assert len({len(prompt) for prompt in prompts}) > 3
        assert session.generate(prompts, 9, stop=False) == [session.generate([p], 9, stop=False)[0] for p in prompts]


def test_prompts_join_and_leave_while_others_run(language: Artifact) -> None:
    with opened(language, rows=3) as session:
        check_steps(session, [[*range(40, 52)], [*range(40, 50), 7], [11, 12, 13], [*range(40, 90)]])


def test_pieces_of_a_text_are_its_bytes(language: Artifact) -> None:
    with opened(language) as session:
        for text in (*tiny_texts(20, 8), "🦊 naïve  \n\n\tЯ", "<s></s><|im_end|><eos>"):
            said = b"".join(session.pieces(session.encode(text))).decode()
            assert said in (text, " " + text)
            whole = session.encode(text, begin=False)
            assert session.encode(text)[-len(whole) :] == whole


def test_an_answer_ends_at_an_ending_token_a_listener_or_the_context(language: Artifact) -> None:
    with opened(language) as session:
        prompt = session.encode("ba ko lin um")
        whole = session.generate([prompt], 8, stop=False)[0]
        assert session.generate([prompt], 0) == [[]]
        assert session.generate([], 3) == []
        heard = session.generate([prompt], 8, stop=False, heard=lambda number, token: token == whole[2])[0]
        assert heard == whole[: whole.index(whole[2]) + 1]
        session.ends = lambda token: token == whole[3]  # type: ignore[method-assign]
        assert session.generate([prompt], 8)[0] == whole[: whole.index(whole[3])]
        assert len(session.generate([[7] * (POSITIONS - 3)], 50, stop=False)[0]) == 3
        drawn = [session.generate([prompt], 9, sampling=Sampling(1.0, 0.9, s), stop=False) for s in (1, 1, 2)]
        assert drawn[0] == drawn[1] != drawn[2]
        for bad in ([], [7] * POSITIONS):
            with pytest.raises(InputError, match=f"Prompt 1 has {len(bad)} tokens"):
                session.generate([[7], bad], 3)
        for span, seen in ((Span((7,), ()), "nothing to score"), (Span((7,), (7,) * POSITIONS), "257 tokens")):
            with pytest.raises(InputError, match=seen):
                session.score([span])


def test_a_language_model_is_built_and_computes_in_bfloat16_too(language: Artifact, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    assert Eager().build(language, tmp_path / "one") == "hf-causal"
    built = Artifact.seal(tmp_path / "one", format="hf-causal")
    assert built.id == language.id
    ids = tuple(range(20, 60))
    with opened(built) as full, opened(built, dtype="bfloat16") as half:
        one, two = (session.score([Span(ids[:5], ids[5:])])[0].logprobs for session in (full, half))
    assert 1e-4 < np.abs(one - two).max() < 1.0
    (tmp_path / "one" / "config.json").write_text('{"model_type": "mamba"}')
    with pytest.raises(ModelError, match=r"'mamba'.*\n *allowed: llama, "):
        Eager().build(Artifact.seal(tmp_path / "one", format="hf-causal"), tmp_path / "two")
