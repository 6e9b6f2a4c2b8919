"""Text generation: documents, answers and choices, with a model by hand and with tiny networks."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from lighten.core import catalog
from lighten.core.artifact import Artifact
from lighten.core.data_options import DataOptions
from lighten.core.errors import BuildFailed, DataError, InputError
from lighten.core.language import GREEDY, LanguageSession, Sampling, Scores, Span, check_spans
from lighten.core.language_codes import BYTES, NATS, PROBED, PROBES, TOKENS, UNKNOWN, answer_code, code_of
from lighten.core.rows import PART_NAMES, Rows
from lighten.core.session import Session
from lighten.core.task import task_record, task_settings
from lighten.engines.eager import Eager
from lighten.nets.training.precision import using_threads
from lighten.tasks._language import ANSWERS, CHOICES, DOCUMENTS, PromptedSession, windows
from lighten.tasks.text_generation import SAMPLES, TextGeneration, beginnings
from lighten.testing.tiny_language import FAMILIES, tiny_language, tiny_texts

BEGIN = 256


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """What is compared with is computed in one thread: networks so small lose time by waiting for a second one."""
    with using_threads(1):
        yield


class Bytewise(LanguageSession):
    """Tokens are bytes; the next byte is the one before plus one with probability 1/2, else any other one.

    Args:
        start: whether texts begin with a token of their own.
    """

    def __init__(self, start: bool = True, context: int = 64) -> None:
        self.start, self.context, self.streams = start, context, 4
        self.asked: list[Span] = []

    def encode(self, text: str, *, begin: bool = True, special: bool = False) -> list[int]:
        return [BEGIN] * (begin and self.start) + list(text.encode())

    def pieces(self, tokens: Sequence[int]) -> list[bytes]:
        return [b"" if token == BEGIN else bytes([token]) for token in tokens]

    def ends(self, token: int) -> bool:
        return token == ord("!")

    def score(self, spans: Sequence[Span]) -> list[Scores]:
        check_spans(spans, self.context)
        self.asked += spans
        found = []
        for span in spans:
            before = np.array([span.context[-1], *span.targets[:-1]])
            likely = (before + 1) % 256
            right = likely == np.array(span.targets)
            found.append(Scores(np.where(right, math.log(0.5), math.log(0.5 / 255)), likely.astype(np.int32)))
        return found

    def generate(
        self,
        prompts: Sequence[Sequence[int]],
        most: int,
        *,
        sampling: Sampling = GREEDY,
        stop: bool = True,
        heard: Callable[[int, int], bool] | None = None,
    ) -> list[list[int]]:
        made: list[list[int]] = []
        for number, prompt in enumerate(prompts):
            answer: list[int] = []
            for _ in range(most):
                token = ((answer or prompt)[-1] + 1) % 256
                if stop and self.ends(token):
                    break
                answer.append(token)
                if heard is not None and heard(number, token):
                    break
            made.append(answer)
        return made

    def close(self) -> None:
        self.context = 0


def ask(task: TextGeneration, session: LanguageSession | None = None) -> PromptedSession:
    found = task.wrap(session or Bytewise())
    assert isinstance(found, PromptedSession)
    return found


def inside(session: Session) -> Any:
    """The session of eager torch, whose network and tokenizer are asked in the plain way."""
    return session


HALF, REST = math.log(2), math.log(2 * 255)
"""Nats of a byte that follows the one before, and of another one."""


def test_a_document_by_hand() -> None:
    """ "abc x": after the start token a (any), b and c follow, then a space and x (any); one word begins at byte 3."""
    row = ask(TextGeneration()).run(["abc x"])[0]
    assert row.shape == (PROBED + PROBES,) == (TextGeneration().columns(0),)
    assert row[NATS] == pytest.approx(2 * HALF + 3 * REST)
    assert (row[BYTES], row[TOKENS]) == (5, 5)
    assert row[PROBED] == code_of(b"d")  # what the model expects where the space is
    assert (row[PROBED + 1 :] == UNKNOWN).all()


def test_without_a_start_token_the_first_token_is_context_and_its_bytes_do_not_count() -> None:
    row = ask(TextGeneration(), Bytewise(start=False)).run(["abc x"])[0]
    assert row[NATS] == pytest.approx(2 * HALF + 2 * REST)
    assert (row[BYTES], row[TOKENS]) == (4, 4)


@pytest.mark.parametrize("start", [[], [9], [9, 9]])
@pytest.mark.parametrize("longest", [4, 5, 8, 13, 64])
def test_windows_score_each_token_once_after_half_a_window(start: list[int], longest: int) -> None:
    for count in (*range(2, 30), 63, 64, 65, 200):
        ids = list(range(100, 100 + count))
        spans = windows(start, ids, longest)
        scored = [token for span in spans for token in span.targets]
        assert scored == (ids if start else ids[1:])
        for number, span in enumerate(spans):
            whole = [*span.context, *span.targets]
            assert len(whole) <= longest
            assert whole[: len(start)] == start
            text = whole[len(start) :]
            assert text == list(range(text[0], text[0] + len(text)))  # nothing is skipped within a window
            assert number == 0 or len(span.context) >= longest // 2
        assert spans[0].context == tuple(start or ids[:1])


@pytest.mark.parametrize("start", [True, False])
def test_bits_per_byte_do_not_hang_on_the_windows(start: bool) -> None:
    """A model that looks back one byte says the same in windows of any length."""
    texts = ["abcdefgh " * 30, "xyz", "ß und 映画 " * 9]
    whole = ask(TextGeneration(longest=64), Bytewise(start)).run(texts)
    for longest in (4, 7, 16):
        session = Bytewise(start)
        np.testing.assert_allclose(ask(TextGeneration(longest=longest), session).run(texts), whole)
        assert max(len(span.context) + len(span.targets) for span in session.asked) <= longest
    np.testing.assert_allclose(ask(TextGeneration(longest=512), Bytewise(start, context=16)).run(texts), whole)


@pytest.mark.parametrize("family", FAMILIES)
def test_documents_together_are_documents_alone_and_count_their_bytes(tmp_path: Path, family: str) -> None:
    artifact = Artifact.seal(tiny_language(family, tmp_path), format="hf-causal")
    texts = [" ".join(tiny_texts(n, n)) for n in (1, 3, 9)] + ["Ünïcode 映画 😀 two  spaces\n\n"]
    with Eager().open(artifact, threads=1) as session:
        asked = TextGeneration(longest=32).wrap(session)
        assert isinstance(asked, PromptedSession)
        rows = asked.run(texts)
        assert asked.run([]).shape == (0, PROBED + PROBES)
        for text, row in zip(texts, rows, strict=True):
            np.testing.assert_allclose(asked.run([text])[0, :PROBED], row[:PROBED], rtol=1e-5)
            ids = asked.language.encode(text)
            left = 0 if ids[0] == inside(session)._net.config.bos_token_id else 1
            assert row[TOKENS] == len(asked.language.encode(text, begin=False)) - left
            first = len(asked.language.pieces(ids[:1])[0]) if left else 0
            assert row[BYTES] == len(text.encode()) - first
        assert (rows[2, PROBED:] != UNKNOWN).sum() > 8
        # The whole document in one window, by transformers itself.
        ids = asked.language.encode(texts[1])
        whole = TextGeneration(longest=512).wrap(session).run([texts[1]])[0]
        with torch.inference_mode():
            logits = inside(session)._net(torch.tensor([ids])).logits[0, :-1].log_softmax(-1)
        assert whole[NATS] == pytest.approx(-float(logits.gather(1, torch.tensor(ids[1:])[:, None]).sum()), rel=1e-4)


@pytest.mark.parametrize(("text", "start"), [("", True), ("", False), ("a", False)])
def test_documents_with_nothing_to_score_are_refused(text: str, start: bool) -> None:
    with pytest.raises(DataError, match=r"(.|\n)*allowed: documents of at least two tokens"):
        ask(TextGeneration(), Bytewise(start)).run(["abc", text])
    assert ask(TextGeneration(), Bytewise(True)).run(["a"])[0, TOKENS] == 1


def test_choices_by_hand() -> None:
    task = TextGeneration(CHOICES, choices=("cd", "x"), prefix="shots ")
    found = ask(task).run(["ab", "cd"])
    np.testing.assert_allclose(found, [[-2 * HALF, -REST], [-REST - HALF, -REST]])
    rows = Rows(("ab", "cd"), (0, 0))
    assert task.right(found, rows).tolist() == [True, False]
    assert ask(task).run([]).shape == (0, 2)
    assert ask(task).run(["ab"]).shape == (1, task.columns(0))


def test_choices_stand_behind_one_context() -> None:
    task = TextGeneration(CHOICES, choices=("yes", "yet"), prefix="p ")
    one, two = ask(task).spans("q")
    assert one.context == two.context == (BEGIN, *b"p q")
    assert (one.targets, two.targets) == (tuple(b"yes"), tuple(b"yet"))
    assert (ask(TextGeneration(CHOICES, choices=("", "x"))).spans("q")[0]) == Span((BEGIN,), (ord("q"),))
    with pytest.raises(DataError, match="prompt '' is empty"):
        ask(TextGeneration(CHOICES, choices=("a", "b")), Bytewise(start=False)).run([""])


@pytest.mark.parametrize("family", ["llama", "qwen2", "gemma3_text"])
def test_choices_are_as_likely_as_their_texts_behind_the_prompt(tmp_path: Path, family: str) -> None:
    """The plain loop: the whole text, all logits, no prefix reused; on every row."""
    artifact = Artifact.seal(tiny_language(family, tmp_path), format="hf-causal")
    task = TextGeneration(CHOICES, choices=(" ba", " ko lin", " stre"), prefix=" ".join(tiny_texts(3, 7)) + "\n")
    prompts = [text + "\nMood:" for text in tiny_texts(9, 8)]
    with Eager().open(artifact, threads=1) as session:
        found = task.wrap(session).run(prompts)
        net, tokens = inside(session)._net, inside(session)._tokens
        for row, prompt in zip(found, prompts, strict=True):
            wanted = []
            for choice in task.choices:
                ids, before = (tokens.begun(task.prefix + text) for text in (prompt + choice, prompt))
                assert ids[: len(before)] == before
                with torch.inference_mode():
                    logits = net(torch.tensor([ids])).logits[0, :-1].log_softmax(-1)
                logprobs = logits.gather(1, torch.tensor(ids[1:])[:, None])[:, 0]
                wanted.append(float(logprobs[len(before) - 1 :].sum()))
            np.testing.assert_allclose(row, wanted, atol=1e-4)


def test_a_prompt_that_grows_together_with_a_choice_is_scored_from_where_they_part(tmp_path: Path) -> None:
    """Where the end of the prompt and the choice are one token, all choices are scored from before that token on."""
    artifact = Artifact.seal(tiny_language("llama", tmp_path), format="hf-causal")
    with Eager().open(artifact, threads=1) as session:
        tokens = inside(session)._tokens
        names = [tokens.name(i) for i in range(tokens.size)]
        left, _, right = next(n for n in names if n.count("▁") == 2 and not n.endswith("▁"))[1:].partition("▁")
        task = TextGeneration(CHOICES, choices=(f" {right}", " qu"))
        asked = task.wrap(session)
        assert isinstance(asked, PromptedSession)
        one, two = asked.spans(left)
        assert one.context == two.context
        for span, choice in ((one, f" {right}"), (two, " qu")):
            assert [*span.context, *span.targets] == tokens.begun(left + choice)
        assert len(one.context) < len(tokens.begun(left))


def test_answers_by_hand() -> None:
    task = TextGeneration(ANSWERS, until="f", most=9)
    asked = ask(task)
    assert asked.replies(["a", "e", "x"]) == ["bcde", "", "yz{|}~\x7f" + b"\x80\x81".decode("utf-8", "replace")]
    found = asked.run(["a", "e"])
    assert found.shape == (2, 1) == (2, task.columns(0))
    assert found[:, 0].tolist() == [answer_code("bcde"), answer_code("")]
    assert task.right(found, Rows(("a", "e"), (0, 0), references=("BCDE.", "g"))).tolist() == [True, False]
    assert ask(TextGeneration(ANSWERS, until="", most=3)).replies(["a"]) == ["bcd"]
    assert ask(TextGeneration(ANSWERS, until="zz", most=30)).replies([" "]) == [""]  # "!" ends an answer
    assert ask(TextGeneration(ANSWERS, prefix="a", until="", most=1)).replies([""]) == ["b"]


def test_an_answer_does_not_end_at_a_line_break_before_it() -> None:
    class Broken(Bytewise):
        def generate(self, prompts: Sequence[Sequence[int]], most: int, **more: Any) -> list[list[int]]:
            said: list[int] = []
            for token in b"\n\n yes\nno":
                said.append(token)
                if more["heard"](0, token):
                    break
            return [said]

    assert ask(TextGeneration(ANSWERS), Broken()).replies(["q"]) == ["yes"]


def test_answers_of_a_network_are_its_greedy_tokens(tmp_path: Path) -> None:
    artifact = Artifact.seal(tiny_language("llama", tmp_path), format="hf-causal")
    with Eager().open(artifact, threads=1) as session:
        asked = TextGeneration(ANSWERS, most=6, until="").wrap(session)
        assert isinstance(asked, PromptedSession)
        prompts = list(tiny_texts(5, 2))
        said = asked.replies(prompts)
        for prompt, answer in zip(prompts, said, strict=True):
            ids = asked.language.encode(prompt)
            tokens = asked.language.generate([ids], 6)[0]
            assert b"".join(asked.language.pieces(tokens)).decode("utf-8", "replace").strip() == answer
        with pytest.raises(InputError, match="Prompt 0 has"):
            asked.replies(["ba ko " * 500])


def test_loss_and_distance_by_hand() -> None:
    task, logits = TextGeneration(), torch.tensor([[0.0, math.log(3.0)], [0.0, 0.0]])
    assert float(task.loss(logits, torch.tensor([1, 0]))) == pytest.approx((math.log(4 / 3) + math.log(2)) / 2)
    assert float(task.distance(logits, logits)) == pytest.approx(0.0)
    other = torch.zeros(2, 2)
    wanted = (math.log(0.5) - (math.log(0.25) + math.log(0.75)) / 2) / 2
    assert float(task.distance(logits, other)) == pytest.approx(wanted)


def test_what_the_task_says_of_itself() -> None:
    assert catalog.load("tasks", "text_generation") is TextGeneration
    for evidence, first, columns in (
        (DOCUMENTS, "bits_per_byte", PROBED + PROBES),
        (ANSWERS, "exact_match", 1),
        (CHOICES, "accuracy", 2),
    ):
        task = TextGeneration(evidence, choices=("a", "b"))
        assert (task.metrics[0], task.columns(7), task.settles_classes) == (first, columns, False)
        assert ("latency" in task.speeds) == (evidence != DOCUMENTS)
        assert TextGeneration(**task_settings(TextGeneration, {**task_record(task), "choices": ["a", "b"]})) == task
    with pytest.raises(ValueError, match="not right or wrong"):
        TextGeneration().right(np.zeros((1, 4)), Rows(("a",), (0,)))


def test_a_session_that_is_no_language_model_is_refused() -> None:
    class Other(Session):
        def run(self, inputs: Sequence[str]) -> Any:
            return None

        def close(self) -> None:
            """Nothing."""

    with pytest.raises(BuildFailed, match="no language model"):
        TextGeneration().wrap(Other())
    session = Bytewise()
    ask(TextGeneration(), session).close()
    assert session.context == 0


def rows_of(*texts: str) -> Rows:
    return Rows(texts, (0,) * len(texts))


def test_beginnings_are_spread_over_the_rows_and_leave_something_to_write() -> None:
    long = [f"{i} " + "word " * 20 for i in range(40)]
    found = beginnings(rows_of("short one", *long), whole=False)
    assert len(found) == SAMPLES
    assert [text.split()[0] for text in found] == ["0", "10", "20", "30"]
    assert all(len(text.split()) == 12 for text in found)
    assert beginnings(rows_of("short one", "", " "), whole=False) == ["short one"]
    assert beginnings(rows_of("这部电影的开头很慢，但是后来越来越精彩。"), whole=False) == ["这部电影的开头很慢，但是"]
    assert beginnings(rows_of("Q: why?", "Q: why?"), whole=True) == ["Q: why?"]
    assert beginnings(rows_of(), whole=True) == []


def test_samples_are_whole_prompts_with_the_examples_before_them_or_beginnings_of_documents() -> None:
    prompted = TextGeneration(ANSWERS, prefix="Q: a\nA: b\n\n", until="|").samples(rows_of("Q: why?"), ())
    assert prompted is not None
    assert (prompted.shown, prompted.prompts, prompted.until) == (("Q: why?",), ("Q: a\nA: b\n\nQ: why?",), "|")
    whole = TextGeneration().samples(rows_of("word " * 30), ())
    assert whole is not None and (len(whole.shown[0].split()), whole.until) == (12, "")


def test_a_prediction_is_what_was_asked() -> None:
    """The choice "cd" follows "ab" byte by byte, "x" does not; what is likely of a document are few bits per byte."""
    choices = TextGeneration(CHOICES, choices=("cd", "x"))
    (one,) = choices.predict(ask(choices), ["ab"], ("next", "other"))
    assert one.label == "next" and one.scores["next"] == pytest.approx(1 / (1 + math.exp(2 * HALF - REST)))
    documents = TextGeneration()
    (likely, strange) = documents.predict(ask(documents), ["abcd", "zzzz"], ())
    assert likely.measures["bits_per_byte"] == pytest.approx((3 * HALF + REST) / math.log(2) / 4)
    assert strange.measures["bits_per_byte"] > likely.measures["bits_per_byte"]


def test_models_are_given_time_and_few_requests_of_which_documents_are_the_fewest() -> None:
    documents, prompts = TextGeneration(), TextGeneration(ANSWERS)
    assert documents.requests.batch < prompts.requests.batch and not prompts.requests.fitted
    assert documents.priors.passes is not None and prompts.priors.passes is not None
    assert documents.priors.passes < prompts.priors.passes
    assert documents.priors.slow_answers and documents.cost(DataOptions()) == "tpot"
    assert documents.cost(DataOptions(choices=("a", "b"))) == "cpu"


def test_documents_are_read_in_four_parts_and_the_task_is_told_what_they_are(tmp_path: Path) -> None:
    path = tmp_path / "documents.jsonl"
    texts = [" ".join(f"Sentence {i} of document {k} says a little more." for i in range(12)) for k in range(300)]
    path.write_text("".join(json.dumps({"text": text, "mood": "good"}) + "\n" for text in texts), encoding="utf-8")
    found = TextGeneration(longest=64).read(path, DataOptions(text="text"), seed=0)
    assert found.task == TextGeneration(longest=64) and found.columns["text"] == "text"
    assert sum(len(found.parts[name]) for name in PART_NAMES) == 300
    asked = TextGeneration().read(path, DataOptions(text="text", answer="mood", prompt="{text} It was"), seed=0)
    assert asked.task == TextGeneration(ANSWERS) and asked.parts.proof.references[0] == "good"
    with pytest.raises(InputError, match="--drop-rare was given"):
        TextGeneration().read(path, DataOptions(drop_rare=2), seed=0)
