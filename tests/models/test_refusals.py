"""What is no model is called by its name, and what lies beside it that is one is named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lighten.core.errors import ModelError, UnsafeFile
from lighten.core.format import Location
from lighten.models.refusals import holds_files_of_model, refusal_of_file, refusal_of_folder, refuse_weights


def location(folder: Path) -> Location:
    """A folder as formats look at it."""
    names = sorted(one.name + ("/" if one.is_dir() else "") for one in folder.iterdir())
    return Location(str(folder), tuple(names), lambda name: {}, folder)


def test_data_in_the_place_of_a_model_is_sent_to_its_option(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("text,label")
    assert "--data" in refusal_of_file(tmp_path / "rows.csv").fix
    (tmp_path / "weights.bin").write_bytes(b"x")
    with pytest.raises(UnsafeFile, match="run code when opened"):
        refusal_of_file(tmp_path / "weights.bin")


def test_folders_inside_that_are_models_are_named_by_whoever_knows_them(tmp_path: Path) -> None:
    for name in ("one", "two", "notes"):
        (tmp_path / name).mkdir()
    with pytest.raises(ModelError, match="there are 2 in it: one, two") as refused:
        refusal_of_folder(location(tmp_path), lambda inside: inside.name != "notes")
    assert refused.value.fix == f"give {tmp_path / 'two'}"
    with pytest.raises(ModelError, match="has no weights"):
        refusal_of_folder(location(tmp_path), lambda inside: False)


def test_what_looks_like_a_model_is_no_folder_of_models(tmp_path: Path) -> None:
    assert not holds_files_of_model(tmp_path / "gone") and not holds_files_of_model(tmp_path)
    (tmp_path / "config.json").write_text("{}")
    assert holds_files_of_model(tmp_path)


@pytest.mark.parametrize(
    ("config", "loader"),
    [
        ({"architectures": ["LlamaForCausalLM"], "model_type": "llama"}, "AutoModelForCausalLM"),
        ({"architectures": "BertForSequenceClassification"}, "AutoModelForSequenceClassification"),
        ({"architectures": ["BertForMaskedLM"]}, "AutoModelForMaskedLM"),
        ({"architectures": ["BertModel"], "model_type": "bert"}, "AutoModel"),
        ({"architectures": ["ResNetForImageClassification"]}, "AutoModelForImageClassification"),
        ({"architectures": ["Gemma3ForConditionalGeneration"]}, "AutoModelForImageTextToText"),
        ({"model_type": "qwen3"}, "AutoModelForCausalLM"),
        ({"model_type": "bert", "id2label": {"0": "no", "1": "yes"}}, "AutoModelForSequenceClassification"),
    ],
)
def test_pickled_weights_are_written_once_more_by_what_opens_them_whole_and_elsewhere(
    config: dict[str, Any], loader: str, tmp_path: Path
) -> None:
    for where, new in ((str(tmp_path), f"{tmp_path}-safetensors"), ("org/name", "name-safetensors")):
        with pytest.raises(UnsafeFile) as refused:
            refuse_weights(where, ["config.json", "pytorch_model.bin"], config)
        assert f"import {loader} as M; " in refused.value.fix
        assert f"M.from_pretrained('{where}').save_pretrained('{new}')" in refused.value.fix


def test_pickled_weights_of_an_adapter_are_opened_by_peft_and_others_by_whatever_wrote_them() -> None:
    with pytest.raises(UnsafeFile, match=r"adapter_model\.bin only") as refused:
        refuse_weights("org/name", ["adapter_config.json", "adapter_model.bin"], adapter="CAUSAL_LM")
    assert "from peft import AutoPeftModelForCausalLM as M" in refused.value.fix
    assert refused.value.allowed == "adapter_model.safetensors"
    with pytest.raises(UnsafeFile) as refused:
        refuse_weights("org/name", ["config.json", "model.joblib"], {"architectures": ["BertModel"]})
    assert "python -c" not in refused.value.fix


def test_a_pickled_file_is_told_by_the_config_beside_it(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2"}')
    (tmp_path / "pytorch_model.bin").write_bytes(b"x")
    with pytest.raises(UnsafeFile) as refused:
        refusal_of_file(tmp_path / "pytorch_model.bin")
    assert "AutoModelForCausalLM" in refused.value.fix
    (tmp_path / "model.safetensors").write_bytes(b"x")
    assert refusal_of_file(tmp_path / "pytorch_model.bin").fix == f"give {tmp_path}"
