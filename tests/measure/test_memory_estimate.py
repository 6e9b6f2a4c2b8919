"""A model that does not fit is refused by its headers, before anything is loaded, with figures and what to do."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import lighten
from lighten.core import catalog
from lighten.core.errors import ModelError, TooLarge
from lighten.measure import memory_estimate
from lighten.measure.memory_estimate import check_fits, facts_of_large, gigabytes, to_optimize, to_run
from lighten.testing.tiny import tiny_network_folder
from lighten.testing.tiny_language import tiny_gguf, tiny_language

SEVENTY: Mapping[str, Any] = {
    "model_type": "llama", "architectures": ["LlamaForCausalLM"], "hidden_size": 8192, "intermediate_size": 28672,
    "num_hidden_layers": 80, "num_attention_heads": 64, "num_key_value_heads": 8, "vocab_size": 128256,
    "max_position_embeddings": 131072, "tie_word_embeddings": False, "rms_norm_eps": 1e-5,
}  # fmt: skip


def seventy_billion(folder: Path) -> Path:
    """An HF folder whose headers say 70 billion weights; the file has holes in their place and takes no room."""
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(SEVENTY), encoding="utf-8")
    (folder / "tokenizer.json").write_text(json.dumps({"model": {"type": "BPE"}}), encoding="utf-8")
    size = 2 * 70_000_000_000
    header = json.dumps(
        {"model.all.weight": {"dtype": "BF16", "shape": [70_000, 1_000_000], "data_offsets": [0, size]}}
    ).encode()
    with (folder / "model.safetensors").open("wb") as file:
        file.write(len(header).to_bytes(8, "little") + header)
        file.truncate(8 + len(header) + size)
    return folder


def test_seventy_billion_are_refused_at_once(tmp_path: Path) -> None:
    try:
        folder = seventy_billion(tmp_path / "big")
    except OSError as error:
        pytest.skip(f"this file system has no files with holes ({error})")
    known = facts_of_large(folder)
    assert known is not None and known["parameters"] == 70_000_000_000
    data = tmp_path / "texts.jsonl"
    rows = ({"text": f"A document about the number {i}, and what follows it."} for i in range(400))
    data.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    for refused in (
        lambda: lighten.optimize(str(folder), data, task="text_generation", out=tmp_path / "run"),
        lambda: lighten.bench([str(folder)], data),
        lambda: lighten.chat(str(folder)),
    ):
        with pytest.raises(TooLarge, match=r"this machine has [\d.]+ GB left") as error:
            refused()
        assert " GB for " in error.value.seen and error.value.allowed and error.value.fix
    assert not (tmp_path / "run").exists()


def test_a_small_one_passes_and_the_figures_add_up(tmp_path: Path) -> None:
    tiny_language("llama", tmp_path / "hf")
    known, engine = facts_of_large(tmp_path / "hf"), catalog.load("engines", "eager")()
    assert known is not None
    needed = to_optimize(known, engine)
    check_fits("tiny", "To optimize", needed, fix="")
    assert sum(to_optimize(known, engine, whole=True).values()) > sum(needed.values())
    check_fits(
        "tiny", "To run", to_run([(known, engine)] * 2), fix="", available=3 * sum(engine.memory(known).values())
    )
    with pytest.raises(TooLarge, match=r"To run tiny takes about .* weights"):
        check_fits("tiny", "To run", to_run([(known, engine)] * 2), fix="", available=10**6)
    assert facts_of_large(tiny_network_folder(tmp_path / "bert")) is None
    assert issubclass(TooLarge, ModelError)


def test_a_file_is_measured_by_its_header(tmp_path: Path) -> None:
    artifact = tiny_gguf("gemma3_text", tmp_path)
    known, engine = facts_of_large(artifact.path / "model.gguf"), catalog.load("engines", "llama")
    assert known is not None and known == facts_of_large(artifact.path)
    assert known["cache"] == 2 * 6 * 2 * 32 and known["tied"]
    small, large = (sum(engine(cells=cells).memory(known).values()) for cells in (64, 2048))
    assert large - small >= 2 * known["cache"] * (2048 - 64)
    huge = {**known, "layers": 10**6, "cache": 10**12}
    with pytest.raises(TooLarge, match="keys and values of 2,048 tokens"):
        check_fits("a file that claims a million layers", "To run", engine().memory(huge), fix="fewer")


def test_a_large_file_is_not_optimized_in_little_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    artifact = tiny_gguf("llama", tmp_path)
    monkeypatch.setattr(memory_estimate, "available_memory", lambda: 1 << 20)
    with pytest.raises(TooLarge, match=r"this machine has 0\.00105 GB left"):
        lighten.chat(str(artifact.path / "model.gguf"))


def test_sizes_are_written_as_people_read_them() -> None:
    assert [gigabytes(size) for size in (1_234_567_890, 280_000_000_000, 1_120_000_000_000, 3_000_000)] == [
        "1.23 GB", "280 GB", "1,120 GB", "0.003 GB",
    ]  # fmt: skip
