"""What a model is: every kind of folder and file that people bring is told by its right name, before it is opened."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lighten.core.artifact import Artifact
from lighten.core.errors import InputError, ModelError, UnsafeFile
from lighten.core.format import Recognized
from lighten.models.bring import bring
from lighten.models.recognize import check_task, recognize, recognize_listing
from lighten.nets.encoders.network import open_network
from lighten.nets.vision.facts import vision_facts
from lighten.nets.vision.folder import leave_head_out
from lighten.testing.tiny import tiny_network_folder
from lighten.testing.tiny_language import tiny_gguf, tiny_judge, tiny_language
from lighten.testing.tiny_pictures import LABELS, tiny_vision_folder


def listed(names: list[str], config: dict[str, Any] | None = None, adapter: dict[str, Any] | None = None) -> Recognized:
    """What a folder on the hub with these files is."""
    files = {"config.json": config or {}, "adapter_config.json": adapter or {}}
    return recognize_listing("org/name", names, lambda name: files[name])


def of(name: str, type_: str = "", **more: Any) -> Recognized:
    """What a folder with weights and this architecture is."""
    config = {"architectures": [name] if name else None, "model_type": type_, **more}
    return listed(["config.json", "model.safetensors", "tokenizer.json"], config)


@pytest.mark.parametrize(
    ("name", "type_", "kind", "task"),
    [
        ("BertForSequenceClassification", "bert", "classifier", "text_classification"),
        ("Qwen2ForSequenceClassification", "qwen2", "classifier", "text_classification"),
        ("LlamaForSequenceClassification", "llama", "classifier", "text_classification"),
        ("Gemma2ForSequenceClassification", "gemma2", "classifier", "text_classification"),
        ("BertForMaskedLM", "bert", "encoder", "text_classification"),
        ("BertLMHeadModel", "bert", "encoder", "text_classification"),
        ("XLMRobertaModel", "xlm-roberta", "encoder", "text_classification"),
        ("", "modernbert", "encoder", "text_classification"),
        ("Qwen3Model", "qwen3", "encoder", "text_classification"),
        ("Qwen3ForCausalLM", "qwen3", "causal", "text_generation"),
        ("", "llama", "causal", "text_generation"),
    ],
)
def test_kinds_follow_from_the_architecture(name: str, type_: str, kind: str, task: str) -> None:
    found = of(name, type_)
    assert (found.kind, found.task) == (kind, task)


@pytest.mark.parametrize(
    ("name", "type_", "more", "seen"),
    [
        ("T5ForConditionalGeneration", "t5", {"is_encoder_decoder": True}, "sequence-to-sequence model"),
        ("BartForSequenceClassification", "bart", {"is_encoder_decoder": True}, "sequence-to-sequence model"),
        ("ViTForImageClassification", "vit", {}, "it has no preprocessor_config"),
        ("CLIPModel", "clip", {"vision_config": {}}, "model of images"),
        ("WhisperForConditionalGeneration", "whisper", {"is_encoder_decoder": True}, "speech or sound"),
        ("Wav2Vec2ForCTC", "wav2vec2", {}, "speech or sound"),
        ("Phi3ForCausalLM", "phi3", {}, "language model of an architecture that lighten does not open"),
        ("GPT2LMHeadModel", "gpt2", {}, "language model of an architecture that lighten does not open"),
        ("ConvBertForSequenceClassification", "convbert", {}, "text classifier of an architecture"),
        ("Qwen2VLForConditionalGeneration", "qwen2_vl", {"text_config": {"model_type": "qwen2_vl_text"}}, "and images"),
        ("BertForSequenceClassification", "bert", {"id2label": {"0": "score"}}, "one number for a text"),
        ("BertForSequenceClassification", "bert", {"problem_type": "multi_label_classification"}, "yes or no to each"),
        ("LlamaForCausalLM", "llama", {"quantization_config": {"quant_method": "gptq"}}, "with GPTQ"),
        ("LlamaForCausalLM", "llama", {"quantization_config": {"load_in_4bit": True}}, "with bitsandbytes"),
        ("LlamaForCausalLM", "llama", {"quantization": {"bits": 4}}, "with MLX"),
        ("MyModel", "mine", {}, "'MyModel', which lighten does not know"),
    ],
)
def test_what_cannot_be_used_is_called_by_its_name(name: str, type_: str, more: dict[str, Any], seen: str) -> None:
    with pytest.raises(ModelError, match=seen) as caught:
        of(name, type_, **more)
    assert caught.value.allowed


@pytest.mark.parametrize(
    ("names", "kind", "seen"),
    [
        ([], ModelError, "has no weights"),
        (["pytorch_model.bin"], UnsafeFile, "run code when opened"),
        (["pipeline.joblib"], UnsafeFile, "run code when opened"),
        (["tf_model.h5"], UnsafeFile, "for TensorFlow only"),
        (["flax_model.msgpack"], UnsafeFile, "for Flax only"),
        (["model.onnx"], ModelError, "exported already: an ONNX file"),
        (["onnx/"], ModelError, "exported already: an ONNX file"),
        (["openvino_model.xml", "openvino_model.bin"], ModelError, "exported already: OpenVINO IR"),
        (["global_step150/", "zero_to_fp32.py"], ModelError, "DeepSpeed or FSDP"),
        (["model_index.json"], ModelError, "diffusers"),
    ],
)
def test_folders_without_weights_are_called_by_what_they_hold(
    names: list[str], kind: type[InputError], seen: str
) -> None:
    config = {"architectures": ["BertForSequenceClassification"], "model_type": "bert"}
    for more in ([], ["config.json"]):
        if names == [] and not more:
            continue
        with pytest.raises(kind, match=seen):
            listed([*names, *more], config)


def test_adapters_say_what_they_are_for() -> None:
    names = ["adapter_config.json", "adapter_model.safetensors"]
    told = {"peft_type": "LORA", "task_type": "SEQ_CLS", "base_model_name_or_path": "org/base"}
    found = listed(names, adapter=told)
    assert (found.kind, found.base, found.format) == ("adapter", "org/base", "hf")
    assert listed(names, adapter={**told, "task_type": "CAUSAL_LM"}).task == "text_generation"
    for change, seen in (
        ({"peft_type": "PROMPT_TUNING"}, "adapter of the kind PROMPT_TUNING"),
        ({"task_type": "TOKEN_CLS"}, "for the task TOKEN_CLS"),
        ({"base_model_name_or_path": None}, "does not name its base"),
    ):
        with pytest.raises(ModelError, match=seen):
            listed(names, adapter={**told, **change})
    with pytest.raises(UnsafeFile, match=r"adapter_model\.bin only"):
        listed(["adapter_config.json", "adapter_model.bin"], adapter=told)


def test_a_folder_with_one_gguf_is_that_file_and_of_several_it_asks(tmp_path: Path) -> None:
    file = tiny_gguf("qwen2", tmp_path / "made").path / "model.gguf"
    folder = tmp_path / "folder"
    folder.mkdir()
    file.rename(folder / "qwen2-0.5b-q8_0.gguf")
    (folder / "README.md").write_text("x")
    (folder / "mmproj-f16.gguf").write_bytes(b"GGUF")
    found = recognize(folder)
    assert (found.path, found.format, found.name) == (folder / "qwen2-0.5b-q8_0.gguf", "gguf", "qwen2")
    (folder / "qwen2-0.5b-q4_0.gguf").write_bytes((folder / "qwen2-0.5b-q8_0.gguf").read_bytes())
    with pytest.raises(ModelError, match="holds 2 GGUF models") as caught:
        recognize(folder)
    assert "qwen2-0.5b-q4_0.gguf" in caught.value.fix


def test_files_and_folders_on_disk(tmp_path: Path) -> None:
    model = tiny_network_folder(tmp_path / "out" / "checkpoint-150")
    for name in ("optimizer.pt", "scheduler.pt", "rng_state.pth", "training_args.bin"):
        (model / name).write_bytes(b"\x80\x02")
    assert recognize(model).kind == "classifier"
    assert recognize(tiny_judge("qwen2", tmp_path / "judge")).described == (
        "a text classifier (Qwen2ForSequenceClassification)"
    )
    assert recognize(tiny_language("llama", tmp_path / "llama")).task == "text_generation"
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").write_text("a text")
    (tmp_path / "data.csv").write_text("text,label")
    (tmp_path / "m.zip").write_bytes(b"PK")
    (tmp_path / "m.onnx").write_bytes(b"x")
    (tmp_path / "alone").mkdir()
    (tmp_path / "alone" / "model.safetensors").write_bytes(b"x")
    for path, seen in (
        ("empty", "is an empty folder"),
        ("out", r"holds no model itself; there is one in it: checkpoint-150"),
        ("out/checkpoint-150/model.safetensors", "is a file of a model"),
        ("out/checkpoint-150/config.json", "is a file of a model"),
        ("alone/model.safetensors", "weights alone"),
        ("notes.txt", "is a file that holds no model"),
        ("data.csv", "is a file that holds no model"),
        ("m.zip", "is an archive"),
        ("m.onnx", "exported already"),
        ("gone", "There is no file or folder"),
    ):
        with pytest.raises(ModelError, match=seen):
            recognize(tmp_path / path)


def test_our_own_artifacts_and_runs(tmp_path: Path) -> None:
    Artifact.seal(tiny_network_folder(tmp_path / "run" / "winner"), format="hf")
    found = recognize(tmp_path / "run" / "winner")
    assert (found.path, found.format, found.sealed) == (tmp_path / "run" / "winner", "hf", True)
    with pytest.raises(ModelError, match="is the folder of a run"):
        recognize(tmp_path / "run")


def test_no_task_sends_to_a_task_that_sends_back(tmp_path: Path) -> None:
    """A model is for one task: what is said of the other one never names an option that would be refused again."""
    classifier, language = (
        recognize(made) for made in (tiny_network_folder(tmp_path / "a"), tiny_language("llama", tmp_path / "b"))
    )
    check_task("a", classifier, "text_classification")
    check_task("b", language, "text_generation")
    for found, task in ((classifier, "text_generation"), (language, "text_classification")):
        with pytest.raises(ModelError, match="and the task is") as caught:
            check_task("m", found, task)
        assert "leave --task" in caught.value.fix


def test_a_config_that_is_a_link_elsewhere_is_not_read(tmp_path: Path) -> None:
    folder = tiny_network_folder(tmp_path / "model")
    (folder / "config.json").rename(tmp_path / "outside.json")
    (folder / "config.json").symlink_to(tmp_path / "outside.json")
    with pytest.raises(UnsafeFile, match="is a link to"):
        recognize(folder)
    assert json.loads((tmp_path / "outside.json").read_text())["model_type"] == "bert"


@pytest.mark.parametrize("told", [None, "one"])
def test_a_head_is_kept_that_a_config_does_not_name_or_names_alone(tmp_path: Path, told: str | None) -> None:
    """``architectures`` may be missing, and one name instead of a list: transformers opens both."""
    for number, folder in enumerate((tiny_network_folder(tmp_path / "bert"), tiny_judge("qwen2", tmp_path / "judge"))):
        named = bring(str(folder), tmp_path / f"named{number}")
        config = json.loads((folder / "config.json").read_text())
        config["architectures"] = config["architectures"][0] if told else None
        (folder / "config.json").write_text(json.dumps(config))
        assert recognize(folder).kind == "classifier"
        brought = bring(str(folder), tmp_path / f"brought{number}")
        assert brought.meta["labels"] == named.meta["labels"]
        states = [open_network(one).net.state_dict() for one in (named, brought)]
        assert all(value.equal(states[1][name]) for name, value in states[0].items())


def test_a_head_for_pictures_is_kept_that_a_config_does_not_name(tmp_path: Path) -> None:
    folder = tiny_vision_folder(tmp_path / "resnet", "resnet")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "architectures": None}))
    assert recognize(folder).described == "a classifier of pictures (resnet)"
    brought = bring(str(folder), tmp_path / "brought")
    assert tuple(brought.meta["labels"]) == LABELS
    leave_head_out(brought.path)
    assert recognize(folder) and not vision_facts(brought.path)["has_head"]


def test_a_base_on_the_hub_is_looked_at_without_its_head() -> None:
    files = {"config.json": {"architectures": ["Gemma2ForCausalLM"], "model_type": "gemma2"}}
    names = ["config.json", "model.safetensors", "tokenizer.json"]
    with pytest.raises(ModelError, match="language model of an architecture that lighten does not open"):
        recognize_listing("org/name", names, lambda name: files[name])
    assert recognize_listing("org/name", names, lambda name: files[name], headless=True).kind == "encoder"


def test_in_a_repository_of_the_hub_an_index_tells_of_a_head_that_a_config_does_not_name() -> None:
    index = {"weight_map": {"model.norm.weight": "model-1.safetensors", "score.weight": "model-2.safetensors"}}
    files = {"config.json": {"model_type": "qwen3"}, "model.safetensors.index.json": index}
    names = ["model-1.safetensors", "model-2.safetensors", "tokenizer.json", *files]
    assert recognize_listing("org/name", names, lambda name: files[name]).kind == "classifier"
