"""A model that does not fit where it is to be copied is refused before a byte of it is written."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import save_file

from lighten.core.errors import RunFolderError
from lighten.models.bring import bring, bring_resolved
from lighten.models.recognize import recognize
from lighten.models.room import LEAST_SECONDS, SPARE, check_room, seconds_to_bring, size_of_model
from lighten.testing.tiny import tiny_network_folder
from lighten.testing.tiny_language import tiny_gguf


def files(folder: Path, *names: str) -> int:
    return sum((folder / name).stat().st_size for name in names)


def test_what_is_copied_of_a_model_counts_and_nothing_beside_it(tmp_path: Path) -> None:
    folder = tiny_network_folder(tmp_path / "net", layers=1)
    whole = size_of_model(recognize(folder))
    assert whole == files(folder, "config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json")
    (folder / "pytorch_model.bin").write_bytes(b"x" * 1000)
    (folder / "checkpoint-1").mkdir()
    (folder / "checkpoint-1" / "optimizer.safetensors").write_bytes(b"x" * 1000)
    assert size_of_model(recognize(folder)) == whole
    made = bring(str(folder), tmp_path / "made")
    assert size_of_model(recognize(made.path)) == made.size >= whole
    gguf = tiny_gguf("llama", tmp_path / "gguf").path / "model.gguf"
    assert size_of_model(recognize(gguf)) == gguf.stat().st_size


def test_an_adapter_takes_what_its_base_takes_too(tmp_path: Path) -> None:
    base, lora = tiny_network_folder(tmp_path / "net", layers=1), tmp_path / "lora"
    lora.mkdir()
    told = {"peft_type": "LORA", "task_type": "SEQ_CLS", "base_model_name_or_path": str(base), "r": 2, "lora_alpha": 2}
    (lora / "adapter_config.json").write_text(json.dumps(told))
    save_file({"base_model.model.classifier.weight": torch.ones(2, 2)}, lora / "adapter_model.safetensors")
    own = files(lora, "adapter_config.json", "adapter_model.safetensors")
    assert size_of_model(recognize(lora)) == own + size_of_model(recognize(base))


def test_a_disk_without_room_is_named_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda place: SimpleNamespace(free=SPARE + 10**9))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    check_room(tmp_path / "tmp" / "new", 10**9, "mine")
    with pytest.raises(RunFolderError, match=r"mine takes 5\.0 GB, and the disk of .*tmp has 1\.0 GB left") as caught:
        check_room(tmp_path / "tmp" / "new" / "model", 5 * 10**9, "mine")
    assert "TMPDIR" in caught.value.fix
    with pytest.raises(RunFolderError) as elsewhere:
        check_room(tmp_path / "out" / "model", 5 * 10**9, "mine")
    assert "TMPDIR" not in elsewhere.value.fix and "free some space" in elsewhere.value.fix


def test_nothing_is_written_where_there_is_no_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tiny_network_folder(tmp_path / "net", layers=1)
    monkeypatch.setattr(shutil, "disk_usage", lambda place: SimpleNamespace(free=1000))
    for do in (
        lambda: bring(str(folder), tmp_path / "out"),
        lambda: bring_resolved(str(folder), str(tmp_path / "out")),
    ):
        with pytest.raises(RunFolderError, match="left for a copy of it"):
            do()
    assert not (tmp_path / "out").exists()


def test_large_models_may_take_longer() -> None:
    assert seconds_to_bring(0) == LEAST_SECONDS
    assert seconds_to_bring(40 * 10**9) == LEAST_SECONDS + 2000
