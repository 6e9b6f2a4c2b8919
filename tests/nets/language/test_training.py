"""Training on texts: what is learned, what is taken back, and what is left behind."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from lighten.core.errors import StepFailed
from lighten.core.rows import Rows
from lighten.core.step import Needs, Silent
from lighten.nets.language.network import LanguageNetwork, open_language
from lighten.nets.language.next_token import nats_per_token
from lighten.nets.language.schedule import USUAL, LanguageSchedule
from lighten.nets.language.training import MOST_CHECKS, PATIENCE, fit_language, learn, of_needs
from lighten.nets.language.windows import windows
from lighten.nets.training.schedule import LAST, Hyperparameters
from lighten.tasks.text_generation import TextGeneration
from lighten.testing.tiny_language import tiny_documents, tiny_language, tiny_texts

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


def test_training_lowers_the_loss_and_leaves_nothing_behind(tmp_path: Path) -> None:
    model, heard = network(tmp_path), Heard()
    seen = fit(model, LanguageSchedule(4.0, 3e-3, tokens=64, longest=32), watch=heard)
    assert len(seen) == 1 + MOST_CHECKS
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
    assert len(seen) == 1 + PATIENCE  # and it ends there
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
