"""Training on texts: the loss and gradients of the plain way, batches, windows, and what is left behind."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch.nn.functional import cross_entropy

from lighten.core.errors import StepFailed
from lighten.core.rows import Rows
from lighten.core.step import Needs, Silent
from lighten.nets.language import loop as language_loop
from lighten.nets.language.loop import (
    USUAL,
    LanguageSchedule,
    fit_language,
    hidden_at_targets,
    learn,
    nats_per_token,
    of_needs,
    texts_of,
    windows,
)
from lighten.nets.language.network import LanguageNetwork, Tokens, open_language
from lighten.nets.training.schedule import LAST, Hyperparameters
from lighten.tasks.text_generation import ANSWERS, CHOICES, TextGeneration
from lighten.testing.tiny_language import FAMILIES, tiny_documents, tiny_language, tiny_texts

TEXTS = tiny_texts(24, 4)
SCHEDULE = LanguageSchedule(passes=1.0, rate=1e-3, tokens=64, longest=32)


class Heard(Silent):
    """What was reported."""

    def __init__(self) -> None:
        self.updates: list[tuple[float, float, str]] = []

    def progress(self, done: float, total: float, message: str = "") -> None:
        self.updates.append((done, total, message))


def network(folder: Path, family: str = "llama", **more: bool) -> LanguageNetwork:
    return open_language(tiny_language(family, folder, **more))


def fit(
    model: LanguageNetwork, schedule: LanguageSchedule = SCHEDULE, texts: tuple[str, ...] = TEXTS, **more: object
) -> list[float]:
    given = {"seed": 0, "threads": 1, "watch": Silent()} | more
    return fit_language(model, texts, TEXTS[:4], schedule, **given)  # type: ignore[arg-type]


@pytest.mark.parametrize("family", FAMILIES)
def test_loss_and_gradients_are_those_of_the_plain_way(tmp_path: Path, family: str) -> None:
    """Rows padded together and a head computed in pieces, against one row at a time and all logits at once."""
    model = network(tmp_path, family)
    batch = windows(model, TEXTS, 40)[:5]
    assert len({len(row) for row in batch}) > 2
    language_loop.PIECE, before = 7, language_loop.PIECE
    try:
        loss = language_loop.next_token(model.net, batch)
    finally:
        language_loop.PIECE = before
    found = {name: parameter.grad.clone() for name, parameter in model.net.named_parameters()}
    model.net.zero_grad()
    total, count = torch.zeros(()), sum(len(row) - 1 for row in batch)
    for row in batch:
        logits = model.net(torch.tensor([row])).logits[0, :-1]
        total = total + cross_entropy(logits, torch.tensor(row[1:]), reduction="sum") / count
    total.backward()
    assert loss == pytest.approx(total.item(), abs=1e-5)
    assert nats_per_token(model.net, batch) == pytest.approx(total.item(), abs=1e-5)
    for name, parameter in model.net.named_parameters():
        torch.testing.assert_close(found[name], parameter.grad, atol=1e-5, rtol=1e-3)


def test_the_head_reads_every_place_that_has_a_next_token(tmp_path: Path) -> None:
    model = network(tmp_path)
    hidden, targets = hidden_at_targets(model.net, [[1, 8, 9], [1, 7]])
    assert hidden.shape == (3, 64)
    assert targets.tolist() == [8, 9, 7]


def test_windows_hold_every_token_once_behind_a_start_token(tmp_path: Path) -> None:
    model, text = network(tmp_path), " ".join(tiny_texts(8))
    whole = model.tokens([text])[0]
    rows = windows(model, ["", text, "ba"], 16)
    assert all(row[0] == 1 and 2 <= len(row) <= 16 for row in rows)
    assert [token for row in rows[:-1] for token in row[1:]] == whole[1:]
    assert rows[-1] == model.tokens(["ba"])[0]
    other = network(tmp_path / "q", "qwen2")  # no start token
    whole = other.tokens([text])[0]
    assert [token for row in windows(other, [text], 16) for token in row] == whole


def test_a_tokenizer_that_only_ends_texts_has_no_start_token(tmp_path: Path) -> None:
    import json

    model = network(tmp_path, "qwen2")
    source, end = json.loads(model.tokens.source), "<|endoftext|>"
    source["post_processor"] = {
        "type": "TemplateProcessing",
        "single": [{"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": end, "type_id": 0}}],
        "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 0}}],
        "special_tokens": {end: {"id": end, "ids": [0], "tokens": [end]}},
    }
    model.tokens = Tokens(json.dumps(source), {})
    whole = model.tokens([TEXTS[0] * 3])[0]
    assert whole[-1] == 0
    longest = len(whole) - 2
    assert windows(model, [TEXTS[0] * 3], longest) == [whole[:longest], whole[longest:]]


def test_batches_hold_rows_of_similar_length_and_every_row_once_a_pass() -> None:
    rng = random.Random(0)
    rows = [[number] * rng.randint(2, 30) for number in range(50)]
    updates = language_loop.planned(rows, LanguageSchedule(2.5, 1e-3, tokens=64), seed=1)
    seen = [row[0] for batch in updates for row in batch]
    assert len(seen) == 50 + 50 + 25
    assert all(2 <= seen.count(number) <= 3 for number in range(50))
    assert all(len(batch) * max(map(len, batch)) <= 64 for batch in updates)
    padded = sum(len(batch) * max(map(len, batch)) for batch in updates)
    assert padded < 1.25 * sum(len(row) for batch in updates for row in batch)
    assert updates == language_loop.planned(rows, LanguageSchedule(2.5, 1e-3, tokens=64), seed=1)
    assert updates != language_loop.planned(rows, LanguageSchedule(2.5, 1e-3, tokens=64), seed=2)
    assert language_loop.planned([[1] * 90], LanguageSchedule(1.0, 1e-3, tokens=64), seed=0) == [[[1] * 90]]


def test_training_lowers_the_loss_and_leaves_nothing_behind(tmp_path: Path) -> None:
    model, heard = network(tmp_path), Heard()
    seen = fit(model, LanguageSchedule(4.0, 3e-3, tokens=64, longest=32), watch=heard)
    assert len(seen) == 1 + language_loop.MOST_CHECKS
    assert seen == sorted(seen, reverse=True) and seen[-1] < seen[0] - 0.5
    assert seen[-1] == pytest.approx(nats_per_token(model.net, windows(model, TEXTS[:4], 32)))
    assert all(parameter.grad is None and parameter.requires_grad for parameter in model.net.parameters())
    assert not model.net.training
    done = [done for done, _, _ in heard.updates]
    assert done == sorted(done) and done[-1] >= 0.99 * heard.updates[0][1]
    assert "held-out" in heard.updates[0][2]


def test_what_makes_held_out_text_worse_is_taken_back(tmp_path: Path) -> None:
    model = network(tmp_path)
    before = {name: value.clone() for name, value in model.net.state_dict().items()}
    heard = Heard()
    others = tuple(text[::-1] for text in TEXTS)  # nothing that helps with the texts held out
    seen = fit(model, LanguageSchedule(16.0, 3.0, tokens=64, longest=32), texts=others, watch=heard)
    assert seen[0] < min(seen[1:])
    assert len(seen) == 1 + language_loop.PATIENCE  # and it ends there
    done, planned, _ = heard.updates[-1]
    assert done == heard.updates[-2][0] < planned  # how far it came is told, not how far it was to come
    for name, value in model.net.state_dict().items():
        assert torch.equal(value, before[name]), name


def test_a_rate_that_is_too_high_falls_until_something_is_gained(tmp_path: Path) -> None:
    model = network(tmp_path)
    held = windows(model, TEXTS[:4], 32)
    seen = fit(
        model, LanguageSchedule(16.0, 1.0, tokens=64, longest=32)
    )  # whatever rounds how: four times worse at first
    assert seen[1] > seen[0] > min(seen)
    assert nats_per_token(model.net, held) == pytest.approx(min(seen))


def test_the_same_seed_gives_the_same_network(tmp_path: Path) -> None:
    tiny_language("llama", tmp_path)
    states = []
    for seed in (3, 3, 4):
        model = open_language(tmp_path)
        fit(model, seed=seed)
        states.append(model.net.state_dict()["model.layers.1.mlp.up_proj.weight"])
    assert torch.equal(states[0], states[1])
    assert not torch.equal(states[0], states[2])


def test_only_what_is_named_is_trained(tmp_path: Path) -> None:
    model = network(tmp_path, tied=False)
    before = {name: value.clone() for name, value in model.net.state_dict().items()}
    fit(model, parameters=[model.net.model.norm.weight])
    changed = {name for name, value in model.net.state_dict().items() if not torch.equal(value, before[name])}
    assert changed == {"model.norm.weight"}
    assert all(parameter.grad is None for parameter in model.net.parameters())


def test_what_cannot_be_learnt_from_is_refused(tmp_path: Path) -> None:
    model = network(tmp_path)
    with pytest.raises(StepFailed, match=r"nothing to learn from(.|\n)*two tokens"):
        fit(model, texts=("", ""))
    with torch.no_grad():
        model.net.model.norm.weight.fill_(torch.nan)
    with pytest.raises(StepFailed, match=r"came apart at update .* rows .*: loss nan"):
        fit(model)


def test_what_is_learnt_from() -> None:
    rows = Rows(("a:", "b: "), (1, 0), references=("x", "y"))
    assert texts_of(rows, TextGeneration(ANSWERS)) == ["a: x\n", "b: y\n"]
    assert texts_of(rows, TextGeneration(CHOICES, choices=(" no", " yes"))) == ["a: yes", "b:  no"]
    three = Rows(("a:", "b: ", "c:"), (1, 0, 1), references=("x", "y", "z"))
    asked = TextGeneration(CHOICES, choices=(" no", " yes"), prefix="d: no\n\n")
    assert texts_of(three, asked) == ["a: yes\n\nb:  no", "c: yes"]
    assert texts_of(three, TextGeneration(ANSWERS, prefix="d: w\n\n")) == ["a: x\n\nb: y\n", "c: z\n"]
    assert texts_of(tiny_documents(2), TextGeneration()) == list(tiny_documents(2).inputs)


def test_train_is_learnt_and_tune_is_only_scored(tmp_path: Path) -> None:
    model = network(tmp_path)
    needs = Needs(TextGeneration(), train=tiny_documents(6), tune=tiny_documents(2, 9))
    held = windows(model, needs.tune.inputs, 32)  # type: ignore[union-attr]
    before = nats_per_token(model.net, held)
    seen = learn(model, needs, SCHEDULE)
    assert (seen[0], seen[-1]) == (pytest.approx(before), pytest.approx(nats_per_token(model.net, held)))


def test_again_it_is_trained_otherwise_on_the_windows_that_were_read(tmp_path: Path) -> None:
    model = network(tmp_path)
    rows = Rows(TEXTS, (0,) * len(TEXTS))
    first = of_needs(model, Needs(TextGeneration(), train=rows, tune=rows), Hyperparameters(batch_rows=2))
    known = first.hyperparameters
    assert (known.batch_rows, known.epochs, known.learning_rate) == (2, USUAL, first.peak)
    other = first.again(replace(known, learning_rate=3e-5, batch_rows=1, weight_decay=0.1, dropout=0.1))
    assert other.windows is first.windows and other.peak == pytest.approx(3e-5)
    assert (first.batch, other.batch) == (1024, 512) and other.schedule.weight_decay == 0.1
    assert first.again(replace(known, holds_out=False)).schedule.keep == LAST != first.schedule.keep
