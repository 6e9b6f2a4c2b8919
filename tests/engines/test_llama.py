"""llama.cpp: the answers of transformers, and of many sequences at once those of one at a time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from lighten.core.artifact import Artifact
from lighten.core.errors import BuildFailed, InputError, LightenError, MissingExtra, ModelError
from lighten.core.language import END, LanguageSession, Prompt, Sampling, Span, Written
from lighten.engines import _llama
from lighten.engines.eager import Eager
from lighten.engines.llama import Llama
from lighten.nets.gguf.file import FILE
from lighten.nets.training.precision import using_threads
from lighten.testing.engine_contract import check_declaration
from lighten.testing.require import require
from lighten.testing.steps_contract import check_steps, run, take, tokens_of
from lighten.testing.tiny_language import (
    FAMILIES,
    LINEAR,
    LLAMA31,
    POSITIONS,
    span_cases,
    tiny_gguf,
    tiny_language,
    tiny_texts,
)

STRANGE = ("", " ", "  ba  ko\n\n\nlin\t", "🦊 zebra 12345 naïve", "<s></s><|im_end|><eos>", "it's 'Tis IT'S", "\n\n")
SMALL = {"cells": POSITIONS, "batch": 32, "streams": 3}
"""Less room than the work needs: packs, batches and waiting prompts."""
ERRORS = {"gemma3_text": 5e-3}
"""Nats; llama.cpp looks GELU up in a table of half precision. All others compute in single precision here."""


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """What is compared with is computed in one thread: networks so small lose time by waiting for a second one."""
    with using_threads(1):
        yield


@pytest.fixture(scope="module", autouse=True)
def libraries() -> None:
    require(find_spec("xllamacpp") and find_spec("gguf"), "llama.cpp (pip install 'lighten[llama]')")


@dataclass
class Pair:
    """A model as it was made, and as GGUF."""

    family: str
    gguf: Artifact
    hf: Artifact


def make(folder: Path, family: str, **more: Any) -> Pair:
    gguf = tiny_gguf(family, folder, **more)
    return Pair(family, gguf, Artifact.seal(folder / "hf", format="hf-causal"))


@pytest.fixture(scope="module", params=FAMILIES)
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Pair:
    return make(tmp_path_factory.mktemp(request.param), request.param)


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    return make(tmp_path_factory.mktemp("llama"), "llama")


@pytest.fixture
def single(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys and values in single precision, so that what is left of a difference is a mistake."""
    monkeypatch.setitem(_llama.CACHES, "f16", 0)


@pytest.fixture
def session(llama: Pair, single: None) -> Iterator[LanguageSession]:
    with Llama(flash="off", **SMALL).open(llama.gguf, threads=1) as opened:
        yield opened


def reference(folder: Path, ids: list[int]) -> tuple[torch.Tensor, torch.Tensor]:
    """Log-probability of each token after the first, and the most likely one there, as transformers has them."""
    from transformers import AutoModelForCausalLM

    net = AutoModelForCausalLM.from_pretrained(folder, dtype="float32").eval()
    with torch.inference_mode():
        logits = net(torch.tensor([ids])).logits[0, :-1].log_softmax(-1)
    return logits.gather(1, torch.tensor(ids[1:])[:, None])[:, 0], logits.argmax(-1)


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("family", FAMILIES)
def test_it_computes_what_transformers_computes(tmp_path: Path, family: str, tied: bool, single: None) -> None:
    model = make(tmp_path, family, tied=tied, seed=1)
    with Llama(flash="off").open(model.gguf, threads=1) as session:
        ids = session.encode(" ".join(tiny_texts(4, 3)))  # longer than the window of the tiny Gemma
        found = session.score([Span(tuple(ids[:1]), tuple(ids[1:]))])[0]
    logprobs, greedy = reference(model.hf.path, ids)
    assert len(ids) > 20
    assert np.abs(found.logprobs - logprobs.numpy()).max() < ERRORS.get(family, 1e-4)
    assert found.logprobs.std() > 0.5  # the network is sure of something
    if family not in ERRORS:
        assert (found.greedy == greedy.numpy()).all()


@pytest.mark.parametrize(("family", "rope"), [("llama", LLAMA31), *LINEAR.items()])
def test_a_scaled_rotary_embedding_is_that_of_transformers(
    tmp_path: Path, family: str, rope: dict[str, Any], single: None
) -> None:
    model, plain = make(tmp_path / "scaled", family, rope=rope), make(tmp_path / "plain", family)
    with Llama(flash="off").open(model.gguf, threads=1) as session:
        ids = session.encode(" ".join(tiny_texts(20, 3)))
        found = session.score([Span(tuple(ids[:1]), tuple(ids[1:]))])[0]
    assert len(ids) > 64
    assert np.abs(found.logprobs - reference(model.hf.path, ids)[0].numpy()).max() < ERRORS.get(family, 1e-4)
    assert np.abs(found.logprobs - reference(plain.hf.path, ids)[0].numpy()).max() > 0.05  # it matters


@pytest.mark.parametrize("family", FAMILIES)
def test_half_precision_with_the_default_settings_is_near(tmp_path: Path, family: str) -> None:
    model = make(tmp_path, family, format="F16")
    with Llama().open(model.gguf, threads=2) as session:
        ids = session.encode(" ".join(tiny_texts(4, 3)))
        found = session.score([Span(tuple(ids[:1]), tuple(ids[1:]))])[0]
    logprobs, _ = reference(model.hf.path, ids)
    assert np.abs(found.logprobs - logprobs.numpy()).max() < 3e-2


def test_text_goes_in_and_out_as_with_the_tokenizer_it_came_with(pair: Pair) -> None:
    with Llama().open(pair.gguf, threads=1) as ours, Eager().open(pair.hf, threads=1) as theirs:
        assert isinstance(theirs, LanguageSession)
        for text in (*tiny_texts(40, 9), *STRANGE):
            for begin in (True, False):
                for special in (True, False):
                    ids = ours.encode(text, begin=begin, special=special)
                    assert ids == theirs.encode(text, begin=begin, special=special), (text, begin, special)
            ids = ours.encode(text, begin=False)
            assert b"".join(ours.pieces(ids)).decode() in (text, " " + text)
        every = range(theirs._tokens.size)  # type: ignore[attr-defined]
        assert ours.pieces(every) == theirs.pieces(every)
        assert [t for t in every if ours.ends(t)] == [t for t in every if theirs.ends(t)] != []


def test_the_end_token_is_not_put_behind_a_text_that_may_go_on(tmp_path: Path) -> None:
    folder = tiny_language("llama", tmp_path / "hf")
    source = json.loads((folder / "tokenizer.json").read_text())
    source["post_processor"]["single"].append({"SpecialToken": {"id": "</s>", "type_id": 0}})
    source["post_processor"]["special_tokens"]["</s>"] = {"id": "</s>", "ids": [2], "tokens": ["</s>"]}
    (folder / "tokenizer.json").write_text(json.dumps(source))
    hf = Artifact.seal(folder, format="hf-causal")
    gguf = exported(hf, tmp_path / "gguf")
    with Llama().open(gguf, threads=1) as ours, Eager().open(hf, threads=1) as theirs:
        assert isinstance(theirs, LanguageSession)
        for session in (ours, theirs):
            ids, plain = session.encode("ba ko"), session.encode("ba ko", begin=False)
            assert ids == [1, *plain] and 2 not in plain
            assert session.encode("ba</s>", special=True)[-1] == 2


def exported(hf: Artifact, folder: Path) -> Artifact:
    from lighten.core.step import Needs
    from lighten.export.gguf import Gguf
    from lighten.nets.gguf.network import save_gguf
    from lighten.nets.language.network import open_language
    from lighten.tasks.text_generation import TextGeneration

    folder.mkdir()
    made = Gguf().run(open_language(hf), Needs(TextGeneration()))
    save_gguf(made, folder)
    return Artifact.seal(folder, format="gguf", meta=made.record)


@pytest.mark.parametrize("settings", [SMALL, {}], ids=["small", "default"])
def test_spans_together_get_the_scores_of_spans_alone(pair: Pair, settings: dict[str, Any], single: None) -> None:
    tolerance = ERRORS.get(pair.family, 1e-4)
    with Llama(flash="off", **settings).open(pair.gguf, threads=1) as session:
        for name, spans in span_cases().items():
            together = session.score(spans)
            assert len(together) == len(spans)
            for span, found in zip(spans, together, strict=True):
                alone = session.score([span])[0]
                assert found.logprobs.shape == found.greedy.shape == (len(span.targets),)
                assert np.abs(found.logprobs - alone.logprobs).max() < tolerance, name
                assert (found.greedy == alone.greedy).mean() > 0.99 - (tolerance > 1e-3) * 0.1, name


def test_prompts_together_are_continued_as_prompts_alone(pair: Pair, single: None) -> None:
    prompts = [list(span.context) for spans in span_cases().values() for span in spans if len(span.context) < 90]
    alike = [prompt for prompt in prompts if prompt[:20] == prompts[0][:20]]
    with Llama(flash="off", **SMALL).open(pair.gguf, threads=1) as session:
        for chosen in (prompts[::3], alike[:9], [alike[0]] * 4):
            together = session.generate(chosen, 9, stop=False)
            assert together == [session.generate([prompt], 9, stop=False)[0] for prompt in chosen]
            assert {len(answer) for answer in together} == {9}


class Counting:
    """How many tokens a session has computed since it was last asked."""

    def __init__(self, session: LanguageSession, monkeypatch: pytest.MonkeyPatch) -> None:
        self.tokens = 0
        fill = session._fill  # type: ignore[attr-defined]

        def counted(piece: list[Any]) -> None:
            self.tokens += len(piece)
            fill(piece)

        monkeypatch.setattr(session, "_fill", counted)

    def taken(self) -> int:
        taken, self.tokens = self.tokens, 0
        return taken


def test_what_the_last_call_began_with_is_not_computed_again(
    pair: Pair, single: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    shots, rows = tuple(range(40, 100)), [(5, 6, 7), (5, 8), (9, 6, 7, 11)]
    spans = [[Span((*shots, *row), targets) for targets in ((20, 21), (22,))] for row in rows]
    tolerance = ERRORS.get(pair.family, 1e-4)
    with Llama(flash="off", **SMALL).open(pair.gguf, threads=1) as session:
        counting = Counting(session, monkeypatch)
        for asked in ([*spans[0], *spans[1], *spans[2]], spans[0], spans[2]):
            session.forget()
            fresh = session.score(asked)
            everything = counting.taken()
            session.score(spans[1])
            counting.taken()
            again = session.score(asked)
            assert counting.taken() <= everything - len(shots)
            for one, other in zip(fresh, again, strict=True):
                assert np.abs(one.logprobs - other.logprobs).max() < tolerance


def test_a_conversation_goes_on_from_where_it_was(pair: Pair, single: None, monkeypatch: pytest.MonkeyPatch) -> None:
    with Llama(flash="off", **SMALL).open(pair.gguf, threads=1) as session:
        counting = Counting(session, monkeypatch)
        said = [*range(40, 60)]
        answer = session.generate([said], 10, stop=False)[0]
        longer = [*said, *answer, 70, 71, 72]
        counting.taken()
        going_on = session.generate([longer], 10, stop=False)
        assert counting.taken() == 1 + 3 + 9  # the last token of the answer, what was added, and the new answer
        other = session.generate([[*said, 70, 71, 72]], 10, stop=False)
        assert counting.taken() == 3 + 9
        session.forget()
        assert session.generate([longer], 10, stop=False) == going_on
        assert counting.taken() == len(longer) + 9
        session.forget()
        assert session.generate([[*said, 70, 71, 72]], 10, stop=False) == other


def test_what_a_sliding_window_has_lost_is_not_gone_on_from(tmp_path: Path, single: None) -> None:
    pair = make(tmp_path, "gemma3_text")  # its window is 16 tokens
    shots, own, lengths = tuple(range(40, 88)), (26, 10, 3), (47, 11, 29)
    with Llama(flash="off", cells=256, batch=32, streams=3).open(pair.gguf, threads=1) as session:
        spans = [Span((*shots[:kept], 7, 8), (20, 21, 22)) for kept in (40, 20, 30)]
        fresh = []
        for span in spans:
            session.forget()
            fresh += session.score([span])
        session.forget()
        said = [0] * len(lengths)

        def ends(number: int, token: int) -> bool:
            said[number] += 1
            return said[number] >= lengths[number]

        # While the answers grow, llama.cpp takes the cells of what is behind their windows for other tokens.
        prompts = [[*shots, 5 + number, *range(9, 8 + own[number])] for number in range(len(lengths))]
        session.generate(prompts, 50, stop=False, heard=ends)
        for span, wanted in zip(spans, fresh, strict=True):
            assert np.abs(session.score([span])[0].logprobs - wanted.logprobs).max() < ERRORS["gemma3_text"]


@pytest.mark.parametrize("ahead", [0, 4])
def test_prompts_join_and_leave_while_others_run(pair: Pair, single: None, ahead: int) -> None:
    prompts = [
        [*range(40, 52)],
        [*range(40, 50), 7],
        [11, 12, 13],
        [*range(40, 90)],
    ]  # longer than a batch, one of them
    with Llama(flash="off", ahead=ahead, **SMALL).open(pair.gguf, threads=1) as session:
        check_steps(session, prompts)
        session.forget()
        check_steps(session, prompts[::-1])


def test_a_long_prompt_is_read_in_portions_while_others_go_on(session: LanguageSession) -> None:
    first, second = tuple(range(40, 46)), tuple(range(5, 105))
    alone = [session.generate([list(prompt)], 12, stop=False)[0] for prompt in (first, second)]
    session.forget()
    one = session.add(Prompt(first, 12, stop=False))
    heard: dict[int, list[Written]] = {}
    take(heard, session.step())
    other = session.add(Prompt(second, 12, stop=False))
    steps = 0
    while other not in heard:
        before = len(heard[one])
        take(heard, session.step())
        assert len(heard[one]) == before + 1  # a portion of the prompt costs it one step each
        steps += 1
    assert steps == 4  # 100 tokens beside one, in batches of 32
    run(session, heard, 2)
    assert [tokens_of(heard[number]) for number in (one, other)] == alone


def test_prompts_that_wait_for_cells_begin_when_there_is_room(session: LanguageSession) -> None:
    prompt = tuple(range(40, 60))
    numbers = [session.add(Prompt((*prompt, 5 + n), 130, stop=False)) for n in range(3)]  # 151 of 256 cells each
    heard: dict[int, list[Written]] = {}
    take(heard, session.step())
    assert set(heard) == {numbers[0]}
    run(session, heard, 3)
    assert [len(tokens_of(heard[number])) for number in numbers] == [130] * 3
    alone = [session.generate([[*prompt, 5 + n]], 130, stop=False)[0] for n in range(3)]
    assert [tokens_of(heard[number]) for number in numbers] == alone


def test_the_same_prompt_asked_several_times_is_read_once(
    session: LanguageSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    counting, prompt = Counting(session, monkeypatch), tuple(range(40, 70))
    for draw in range(3):
        session.add(Prompt(prompt, 5, Sampling(1.0, 1.0, 3, draw), stop=False))
    heard: dict[int, list[Written]] = {}
    run(session, heard, 3)
    assert counting.taken() == len(prompt) - 1 + 3 + 3 * 4


def test_what_is_to_be_repeated_goes_on_from_nothing_that_is_kept(
    session: LanguageSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    counting, prompt, heard = Counting(session, monkeypatch), tuple(range(40, 70)), dict[int, list[Written]]()
    asked = Prompt(prompt, 5, Sampling(1.5, 1.0, 3, repeatable=True), stop=False, likely=0)
    numbers = []
    for before in (prompt, (*prompt[:20], 7), None):
        if before is not None:
            session.add(Prompt(before, 3, stop=False))
            run(session, heard, len(heard) + 1)
        counting.taken()
        numbers.append(session.add(asked))
        run(session, heard, len(heard) + 1)
        assert counting.taken() == len(prompt) + 4
    chosen = [[(one.token, one.chosen) for one in heard[number]] for number in numbers]
    assert chosen[0] == chosen[1] == chosen[2]  # to the last bit: the same was computed in the same way


def test_what_a_prompt_began_with_is_kept_for_the_next_while_others_run(
    session: LanguageSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    counting, begin, heard = Counting(session, monkeypatch), tuple(range(40, 60)), dict[int, list[Written]]()
    alone = session.generate([[*begin, 9, 8]], 4, stop=False)[0]
    session.forget()
    long = session.add(Prompt((11, 12, 13), 60, stop=False))
    session.add(Prompt((*begin, 5), 2, stop=False))
    run(session, heard, 1)
    counting.taken()
    number = session.add(Prompt((*begin, 9, 8), 4, stop=False))
    run(session, heard, 2)
    assert counting.taken() == 2 + 3 + 4  # its own two tokens, three of its answer, and those of the other meanwhile
    assert tokens_of(heard[number]) == alone
    run(session, heard, 3)
    assert len(tokens_of(heard[long])) == 60


def test_beside_what_runs_nothing_else_is_asked(session: LanguageSession) -> None:
    number = session.add(Prompt((40, 41), 5))
    for asked in (lambda: session.generate([[1, 2]], 3), lambda: session.score([Span((1,), (2,))])):
        with pytest.raises(InputError, match="is continuing 1 prompts"):
            asked()
    session.drop(number)
    assert session.step() == [] and session.generate([[1, 2]], 3, stop=False)


def test_a_step_that_fails_ends_all_and_keeps_nothing(
    session: LanguageSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = session.generate([[40, 41, 42]], 6, stop=False)
    session.add(Prompt((40, 41, 42), 9, stop=False))
    session.step()
    with monkeypatch.context() as patch:
        patch.setattr(session, "_fill", lambda piece: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            session.step()
    assert session.step() == [] and session.generate([[40, 41, 42]], 6, stop=False) == plain


@pytest.mark.parametrize("failing", ["_branch", "_keep"])
def test_what_fails_while_prompts_join_or_leave_costs_no_stream(
    session: LanguageSession, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    for _ in range(session.streams):
        session.add(Prompt((40, 41, 42), 1, stop=False))
        with monkeypatch.context() as patch:
            patch.setattr(session, failing, lambda *_: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                session.step()
        assert session.step() == []
    numbers = {session.add(Prompt((40 + i,), 3, stop=False)) for i in range(session.streams)}
    assert {one.number for one in session.step()} == numbers


def test_a_schema_is_kept(session: LanguageSession) -> None:
    require(find_spec("llguidance"), "llguidance (pip install 'lighten[serve]')")
    schema = {"type": "object", "properties": {"a": {"enum": ["ba", "ko"]}}, "required": ["a"],
              "additionalProperties": False}  # fmt: skip
    prompt = tuple(session.encode("ba ko"))
    plain = session.add(Prompt(prompt, 9, stop=False))
    kept = [session.add(Prompt(prompt, 100, Sampling(heat, 1.0, 3), schema=json.dumps(schema))) for heat in (0.0, 1.5)]
    heard: dict[int, list[Written]] = {}
    run(session, heard, 3)
    for number in kept:
        value = json.loads("".join(one.text for one in heard[number]))
        assert value["a"] in ("ba", "ko") and heard[number][-1].ended == END
    assert len(tokens_of(heard[plain])) == 9


def test_nothing_is_kept_of_a_call_that_failed(session: LanguageSession, monkeypatch: pytest.MonkeyPatch) -> None:
    prompt = [*range(40, 60)]
    plain = session.generate([prompt], 6, stop=False)

    def fails(number: int, token: int) -> bool:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        session.generate([[*prompt, 8]], 6, stop=False, heard=fails)
    counting = Counting(session, monkeypatch)
    assert session.generate([prompt], 6, stop=False) == plain
    assert counting.taken() == len(prompt) + 5


def test_greedy_answers_are_the_most_likely_tokens(session: LanguageSession) -> None:
    prompt = session.encode("ba ko lin")
    answer = session.generate([prompt], 12, stop=False)[0]
    found = session.score([Span(tuple(prompt), tuple(answer))])[0]
    assert list(found.greedy) == answer


def test_an_answer_ends_where_it_is_told_to(session: LanguageSession) -> None:
    prompts = [session.encode("ba ko lin"), session.encode("um")]
    whole = session.generate(prompts, 8, stop=False)
    assert session.generate(prompts, 0) == [[], []]
    assert session.generate([], 5) == []
    said: list[tuple[int, int]] = []

    def hear(number: int, token: int) -> bool:
        said.append((number, token))
        return number == 0 and token == whole[0][2]

    cut = session.generate(prompts, 8, stop=False, heard=hear)
    assert cut == [whole[0][: whole[0].index(whole[0][2]) + 1], whole[1]]
    assert [token for number, token in said if number == 1] == whole[1]
    session.ends = lambda token: token == whole[1][3]  # type: ignore[method-assign]
    ended = session.generate(prompts[1:], 8)[0]
    assert ended == whole[1][: whole[1].index(whole[1][3])]
    assert session.generate(prompts[1:], 8, stop=False)[0] == whole[1]


def test_draws_follow_their_seed(session: LanguageSession) -> None:
    prompt = session.encode("ba")
    drawn = [session.generate([prompt] * 2, 12, sampling=Sampling(1.0, 0.95, seed), stop=False) for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1] != drawn[2]
    assert drawn[0][0] != drawn[0][1]
    narrow = session.generate([prompt], 12, sampling=Sampling(1.0, 1e-9), stop=False)
    assert narrow == session.generate([prompt], 12, stop=False)


def test_what_does_not_fit_into_the_context_is_refused(session: LanguageSession) -> None:
    assert session.context == POSITIONS
    full = [7] * (POSITIONS - 3)
    assert len(session.generate([full], 50, stop=False)[0]) == 3
    assert len(session.score([Span((7,), (8,) * (POSITIONS - 1))])[0].logprobs) == POSITIONS - 1
    with pytest.raises(InputError, match=r"Prompt 1 has 256 tokens.\n *allowed: 1 to 255 tokens"):
        session.generate([[7], [7] * POSITIONS], 5)
    with pytest.raises(InputError, match="Prompt 0 has 0 tokens"):
        session.generate([[]], 5)
    with pytest.raises(InputError, match=r"Span 1 has 257 tokens.\n *allowed: at most 256"):
        session.score([Span((7,), (8,)), Span((7,), (8,) * POSITIONS)])
    for empty in (Span((), (8,)), Span((7,), ())):
        with pytest.raises(InputError, match="Span 0 has no context or nothing to score"):
            session.score([empty])


def test_the_cells_of_the_engine_bound_the_context(llama: Pair) -> None:
    with Llama(cells=64).open(llama.gguf, threads=1) as session:
        assert session.context == 64
        with pytest.raises(InputError, match="at most 64"):
            session.score([Span((7,), (8,) * 64)])


def test_it_is_built_opened_and_closed(llama: Pair, tmp_path: Path) -> None:
    check_declaration(Llama())
    assert Llama().build(llama.gguf, tmp_path) == "gguf"
    assert (tmp_path / FILE).read_bytes() == (llama.gguf.path / FILE).read_bytes()
    session = Llama().open(Artifact.seal(tmp_path, format="gguf"), threads=1)
    with pytest.raises(InputError, match="without a task"):
        session.run(["ba"])
    session.close()
    session.close()


def test_files_that_it_cannot_run_are_refused(llama: Pair, tmp_path: Path) -> None:
    raw = (llama.gguf.path / FILE).read_bytes()
    for number, bad in enumerate(
        (b"GGML" + raw[4:], raw[:2000], raw.replace(b"\x05\0\0\0\0\0\0\0llama", b"\x05\0\0\0\0\0\0\0lamma", 1))
    ):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / FILE).write_bytes(bad)
        (folder / "built").mkdir()
        with pytest.raises(ModelError):
            Llama().build(Artifact(folder, "", "gguf", {}), folder / "built")


def test_settings_that_llama_cpp_refuses_are_a_failed_build(tmp_path: Path) -> None:
    wide = tiny_gguf("mistral", tmp_path)  # its heads fill the blocks of q8_0
    with pytest.raises(BuildFailed, match="flash attention off, cache q8_0"):
        Llama(flash="off", cache="q8_0").open(wide, threads=1)
    spans = span_cases()["choices behind contexts that begin alike"]
    with (
        Llama(flash="on", cache="q8_0").open(wide, threads=1) as eight,
        Llama(flash="on").open(wide, threads=1) as sixteen,
    ):
        pairs = zip(eight.score(spans), sixteen.score(spans), strict=True)
        apart = max(np.abs(a.logprobs - b.logprobs).max() for a, b in pairs)
    assert 1e-4 < apart < 0.3


def test_a_build_that_is_not_there_is_named() -> None:
    if find_spec("llama_cpp") is None:
        with pytest.raises(MissingExtra, match="llama-cpp-python is not installed"):
            Llama(library="llama-cpp-python").version()
    with pytest.raises(LightenError, match="other is unknown"):
        Llama(library="other").version()


def test_guesses_change_no_greedy_answer(pair: Pair, single: None) -> None:
    prompts = [[5, 6, 7, 8, 9] * 4, [11, 12, 13] * 5]
    with Llama(flash="off", **SMALL).open(pair.gguf, threads=1) as session:
        plain = [session.generate([prompt], 40, stop=False)[0] for prompt in prompts]
        assert session.generate(prompts, 40, stop=False) == plain
    with Llama(flash="off", ahead=4, **SMALL).open(pair.gguf, threads=1) as session:
        assert [session.generate([prompt], 40, stop=False)[0] for prompt in prompts] == plain
        assert session.generate(prompts, 40, stop=False) == plain
        heard: list[int] = []
        cut = session.generate(
            prompts[:1], 40, stop=False, heard=lambda n, token: bool(heard.append(token)) or len(heard) == 7
        )
        assert cut == [plain[0][:7]] == [heard]
        drawn = session.generate(prompts[:1], 12, sampling=Sampling(1.0, 1e-9), stop=False)
        assert drawn == [plain[0][:12]]


def test_right_guesses_are_taken_and_wrong_ones_taken_back(
    llama: Pair, single: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    prompt = [5, 6, 7, 8, 9]
    with Llama(flash="off", **SMALL).open(llama.gguf, threads=1) as session:
        plain = session.generate([prompt], 24, stop=False)[0]
    whole, taken = [*prompt, *plain], {"right": 0, "wrong": 0}

    class Oracle:
        """Guesses what will come, and every other time something else at its end."""

        def __init__(self, tokens: list[int]) -> None:
            self.known, self.asked = len(tokens), 0

        def add(self, token: int) -> None:
            assert token == whole[self.known]
            self.known += 1

        def guess(self, most: int) -> list[int]:
            coming = whole[self.known : self.known + most]
            self.asked += 1
            if self.asked % 2 and coming:
                taken["wrong"] += 1
                return [*coming[:-1], coming[-1] ^ 1]
            taken["right"] += len(coming)
            return coming

    monkeypatch.setattr(_llama, "Lookup", Oracle)
    with Llama(flash="off", ahead=3, **SMALL).open(llama.gguf, threads=1) as session:
        assert session.generate([prompt], 24, stop=False)[0] == plain
    assert taken["right"] > 0
    assert taken["wrong"] > 0
