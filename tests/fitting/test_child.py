"""What the training process does: it trains, seals, tells how far it is, and goes on from a checkpoint."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import pytest
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from lighten.core.artifact import Artifact, is_whole
from lighten.core.errors import InputError, RunFolderError
from lighten.core.rows import Parts
from lighten.fitting import child
from lighten.measure.rates import Rate
from lighten.models.bring import bring
from lighten.nets.encoders.network import open_network
from lighten.nets.training.schedule import State
from lighten.store.folder import save_parts
from lighten.testing.tiny import tiny_network_folder, toy_rows
from lighten.testing.tiny_modules import allowing, tiny_code, tiny_module

COUNTING = """

class Counting(nn.Module):
    def __init__(self, vocabulary, classes):
        super().__init__()
        self.vocabulary, self.head = vocabulary, nn.Linear(vocabulary, classes)

    def forward(self, ids):
        return self.head(torch.nn.functional.one_hot(ids, self.vocabulary).float().mean(1))


def counting(vocabulary, classes):
    return Counting(vocabulary, classes)
"""
"""A network of texts that has no embedding."""


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    monkeypatch.setattr(child, "product_rate", lambda *_: Rate(100.0))
    base = bring(str(tiny_network_folder(tmp_path / "net", layers=2, labels=None)), tmp_path / "base")
    some = [replace(toy_rows(40, seed=n), ids=tuple(f"{100 * n + k:016x}" for k in range(40))) for n in range(4)]
    save_parts(Parts(*some, labels=("bad", "good")), tmp_path / "parts.json")
    return {
        "base": str(base.path), "parts": str(tmp_path / "parts.json"), "task": {"use": "text_classification"},
        "settings": {"epochs": 2.0, "precision": "fp32"}, "seconds": None, "seed": 0, "threads": 1,
        "folder": str(tmp_path), "model": "mine", "columns": {"text": "body"},
    }  # fmt: skip


def test_it_trains_and_seals(asked: dict[str, object], tmp_path: Path) -> None:
    found = child.fit(**asked)  # type: ignore[arg-type]
    made = Artifact.open(tmp_path / "model")
    assert is_whole(made.path) and made.meta["labels"] == ["bad", "good"] and made.meta["model"] == "mine"
    assert made.meta["data"] == {"text": "body"}, "by which other data are read"
    assert (found["learned"], found["steps"], found["epochs"]) == (80, 4, 2.0)
    assert found["cost"]["arithmetic"] > 0 and found["cost"]["rate"] > 0
    assert found["settings"]["batch"] == 32 and found["stopped"] == 0
    again = child.fit(**asked)  # type: ignore[arg-type]
    assert again["steps"] == 4 and "resumed" in again["cost"]["energy_note"]
    with pytest.raises(RunFolderError, match="of another training: seed was 0 and is now 1"):
        child.fit(**{**asked, "seed": 1})  # type: ignore[arg-type]


def test_a_full_disk_at_the_end_is_said_and_the_training_is_not_lost(
    asked: dict[str, object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> NoReturn:
        raise SafetensorError("I/O error: No space left on device (os error 28)")

    with monkeypatch.context() as patch:
        patch.setattr(child, "save_model", full)
        with pytest.raises(RunFolderError, match=r"is full(.|\n)*--resume"):
            child.fit(**asked)  # type: ignore[arg-type]
    steps: list[int] = []
    monkeypatch.setattr(child.Telling, "heard", lambda self, state: steps.append(state.updates))
    assert child.fit(**asked)["steps"] == 4 and not steps  # type: ignore[arg-type]
    assert is_whole(tmp_path / "model")


def test_changes_of_low_rank_are_merged_and_kept_as_an_adapter(asked: dict[str, object], tmp_path: Path) -> None:
    asked["settings"] = {"epochs": 2.0, "precision": "fp32", "freeze": "1", "lora": 4}
    found = child.fit(**asked)  # type: ignore[arg-type]
    assert found["settings"]["freeze"] == "1" and found["settings"]["lora"] == 4
    assert found["settings"]["learning_rate"] > 1e-3  # higher than where the weights learn themselves
    assert found["cost"]["arithmetic"] is None and any("computed once" in note for note in found["notes"])
    network = open_network(Artifact.open(tmp_path / "model"))
    base = open_network(Artifact.open(tmp_path / "base"), ("bad", "good"))
    state, before = network.net.state_dict(), base.net.state_dict()
    assert state.keys() == before.keys()
    changed = {name for name in state if not torch.equal(state[name], before[name])}
    assert changed and not any(".layer.0." in name or ".embeddings." in name for name in changed)
    held = load_file(tmp_path / "adapter" / "adapter_model.safetensors")
    name = "bert.encoder.layer.1.attention.self.query"
    down, up = (held[f"base_model.model.{name}.lora_{one}.weight"] for one in "AB")
    torch.testing.assert_close(state[f"{name}.weight"], before[f"{name}.weight"] + 32.0 / 4 * up @ down)
    for name in ("classifier.weight", "bert.pooler.dense.weight"):
        assert torch.equal(held[f"base_model.model.{name}"], state[name])


def test_what_cannot_be_frozen_is_refused_before_anything_is_written(asked: dict[str, object]) -> None:
    few = {name: asked[name] for name in ("base", "parts", "task")}
    child.check(**few, settings={"freeze": "2", "lora": 0})  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"--freeze is 3, and BertFor\w+ has 2 blocks"):
        child.check(**few, settings={"freeze": "3"})  # type: ignore[arg-type]


def test_a_search_of_nothing_is_refused_before_anything_is_written(asked: dict[str, object]) -> None:
    few = {name: asked[name] for name in ("base", "parts", "task", "settings")}
    given = {"learning_rate": 1e-3, "batch_rows": 8, "epochs": 2.0, "weight_decay": 0.0, "label_smoothing": 0.0}
    child.check(**few, given=given)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="--search has nothing left to search"):
        child.check(**few, given={**given, "dropout": 0.0})  # type: ignore[arg-type]


def test_inputs_that_cannot_be_moved_are_refused_before_anything_is_written(
    asked: dict[str, object], tmp_path: Path
) -> None:
    code = tiny_code(tmp_path / "code")
    with (code / "mynets.py").open("a") as stream:
        stream.write(COUNTING)
    made = tiny_module(code, "counting", tmp_path / "counting", toy_rows(20).inputs, ("bad", "good"))
    few = {"base": str(made.path), "parts": asked["parts"], "task": asked["task"]}
    with allowing(code):
        child.check(**few, settings={})  # type: ignore[arg-type]
        with pytest.raises(InputError, match="--harden was given, and the network has no embedding"):
            child.check(**few, settings={"harden": 0.1})  # type: ignore[arg-type]


def test_machines_together_reach_what_their_workers_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    known = {"fp32": 100.0, "bf16": 300.0}
    monkeypatch.setattr(child, "product_rate", lambda name, threads: Rate(known[name] * threads))
    assert child.roof_of(None, 1, 4) == 400.0 and child.roof_of(torch.bfloat16, 2, 1) == 600.0
    monkeypatch.setattr(child, "product_rate", lambda *_: Rate(100.0, disturbed="others were busy"))
    assert child.roof_of(None, 1, 4) == 0.0


def test_how_far_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[dict[str, object]] = []
    monkeypatch.setattr(child, "emit", told.append)
    asked: list[float] = []
    telling = child.Telling(operations=2e9, roof=lambda: asked.append(1.0) or 100.0)  # type: ignore[func-returns-value]
    assert telling.rate is None and not asked, "the precision is chosen later"
    telling.heard(State(rows=20, seconds=2.0))
    telling.heard(State(rows=50, seconds=2.0))
    assert telling.rate == pytest.approx(0.5) and len(asked) == 1
    telling.progress(10, 100, "epoch 1/2")
    telling.progress(100, 100, "epoch 2/2")
    assert [one["done"] for one in told] == [10, 100]
    assert "50% of this machine's arithmetic" in str(told[0]["message"]) and "0:00 left" in str(told[1]["message"])
    still = child.Telling(0.0, lambda: asked.append(1.0) or 100.0)  # type: ignore[func-returns-value]
    still.heard(State(rows=50, seconds=2.0))
    assert still.rate is None and len(asked) == 1, "where nothing is counted, nothing is measured"
    assert telling.seconds_left() == float("inf")


def test_the_time_between_checkpoints(monkeypatch: pytest.MonkeyPatch) -> None:
    assert child.seconds_between() == 30.0
    monkeypatch.setenv(child.SWITCH, "0")
    assert child.seconds_between() == 0.0
    monkeypatch.setenv(child.SWITCH, "often")
    with pytest.raises(InputError, match="LIGHTEN_CHECKPOINT_SECONDS is 'often'"):
        child.seconds_between()
