"""Bringing a model: what is copied, and every refusal before anything is opened."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from lighten.core.artifact import Artifact
from lighten.core.errors import ModelError, RunFolderError, UnsafeFile
from lighten.core.matching import facts_of
from lighten.models.bring import bring, bring_resolved
from lighten.nets.encoders.network import open_network
from lighten.nets.facts import FAMILIES
from lighten.testing.tiny import tiny_network_folder


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return tiny_network_folder(tmp_path / "model", layers=2)


def edit(path: Path, **values: object) -> None:
    record = json.loads(path.read_text())
    path.write_text(json.dumps({**record, **values}))


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_comes_in_with_and_without_a_head(tmp_path: Path, family: str) -> None:
    for labels in (2, None):
        source = tiny_network_folder(tmp_path / f"source{labels}", family, layers=2, labels=labels)
        artifact = bring(str(source), tmp_path / f"out{labels}")
        known = facts_of(artifact)
        assert (known["family"], known["layers"], known["has_head"]) == (family, 2, labels == 2)
        assert open_network(artifact, ("negative", "positive")).labels == ("negative", "positive")


def test_only_wanted_files_are_copied(model: Path, tmp_path: Path) -> None:
    (model / "README.md").write_text("read me")
    (model / "run.py").write_text("print('never')")
    (model / "training_args.bin").write_bytes(b"pickle")
    (model / "pytorch_model.bin").write_bytes(b"pickle")
    (model / "1_Pooling").mkdir()
    artifact = bring(str(model), tmp_path / "out")
    assert set(artifact.files) == {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"}
    assert Artifact.open(tmp_path / "out").id == artifact.id
    assert artifact.meta["labels"] == ["negative", "positive"]


def test_weights_in_parts(model: Path, tmp_path: Path) -> None:
    whole = load_file(model / "model.safetensors")
    (model / "model.safetensors").unlink()
    names, table = sorted(whole), {}
    for number, part in enumerate((names[::2], names[1::2]), 1):
        name = f"model-0000{number}-of-00002.safetensors"
        save_file({n: whole[n] for n in part}, model / name)
        table |= dict.fromkeys(part, name)
    with pytest.raises(ModelError, match=r"no model\.safetensors\.index\.json"):
        bring(str(model), tmp_path / "no-index")
    (model / "model.safetensors.index.json").write_text(json.dumps({"weight_map": table}))
    opened = open_network(bring(str(model), tmp_path / "out"))
    assert all(torch.equal(opened.net.state_dict()[name], tensor) for name, tensor in whole.items())
    (model / "model-00002-of-00002.safetensors").unlink()
    with pytest.raises(ModelError, match="lacks model-00002-of-00002"):
        bring(str(model), tmp_path / "lacking")


def test_a_slow_tokenizer_is_converted(model: Path, tmp_path: Path) -> None:
    for path in model.glob("tokenizer*"):
        path.unlink()
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "good", "film", "##s"]
    (model / "vocab.txt").write_text("\n".join(words) + "\n")
    network = open_network(bring(str(model), tmp_path / "out"))
    assert network.reader(["Good films"]) == [[2, 5, 6, 7, 3]]


def test_an_artifact_is_copied_as_it_is(model: Path, tmp_path: Path) -> None:
    first = bring(str(model), tmp_path / "first")
    again = bring(str(tmp_path / "first"), tmp_path / "again")
    assert (again.id, again.format, again.meta) == (first.id, "hf", first.meta)
    (tmp_path / "first" / "config.json").write_text("{}")
    with pytest.raises(UnsafeFile, match="SHA-256 differs"):
        bring(str(tmp_path / "first"), tmp_path / "changed")


def test_bring_resolved_takes_and_gives_plain_values(model: Path, tmp_path: Path) -> None:
    assert bring_resolved(str(model), str(tmp_path / "out")) == {"path": str(tmp_path / "out")}


def test_the_hubs_cache_may_link_into_its_blobs(model: Path, tmp_path: Path) -> None:
    cache = tmp_path / "models--me--tiny"
    snapshot, blobs = cache / "snapshots" / "abc", cache / "blobs"
    snapshot.mkdir(parents=True)
    blobs.mkdir()
    for number, path in enumerate(sorted(model.iterdir())):
        path.rename(blobs / f"{number}")
        (snapshot / path.name).symlink_to(Path("../../blobs") / f"{number}")
    artifact = bring(str(snapshot), tmp_path / "out")
    assert not any(path.is_symlink() for path in artifact.path.iterdir())
    (snapshot / "config.json").unlink()
    (tmp_path / "outside.json").write_text("{}")
    (snapshot / "config.json").symlink_to(tmp_path / "outside.json")
    with pytest.raises(UnsafeFile, match="is a link to"):
        bring(str(snapshot), tmp_path / "out2")


def test_refuses_a_link_outside_the_hubs_cache(model: Path, tmp_path: Path) -> None:
    (model / "vocab.txt").symlink_to("/etc/hostname")
    with pytest.raises(UnsafeFile, match="is a link to"):
        bring(str(model), tmp_path / "out")


@pytest.mark.parametrize(
    ("name", "seen"),
    [
        ("pytorch_model.bin", "run code when opened"),
        ("model.pt", "run code when opened"),
        ("tf_model.h5", "for TensorFlow only"),
        ("flax_model.msgpack", "for Flax only"),
    ],
)
def test_refuses_pickled_weights_and_says_how_to_convert_them(
    model: Path, tmp_path: Path, name: str, seen: str
) -> None:
    (model / "model.safetensors").rename(model / name)
    with pytest.raises(UnsafeFile, match=seen) as caught:
        bring(str(model), tmp_path / "out")
    assert "save_pretrained" in caught.value.fix


@pytest.mark.parametrize("name", ["config.json", "tokenizer_config.json"])
def test_refuses_remote_code(model: Path, tmp_path: Path, name: str) -> None:
    edit(model / name, auto_map={"AutoConfig": "evil.Config"})
    with pytest.raises(UnsafeFile, match="auto_map"):
        bring(str(model), tmp_path / "out")
    assert not (tmp_path / "out" / "lighten.json").exists()


def test_refuses_truncated_weights(model: Path, tmp_path: Path) -> None:
    raw = (model / "model.safetensors").read_bytes()
    (model / "model.safetensors").write_bytes(raw[:-100])
    with pytest.raises(ModelError, match="cut off"):
        bring(str(model), tmp_path / "out")


def test_refuses_quantized_weights(model: Path, tmp_path: Path) -> None:
    state = load_file(model / "model.safetensors")
    state["bert.pooler.dense.weight"] = state["bert.pooler.dense.weight"].to(torch.int8)
    save_file(state, model / "model.safetensors")
    with pytest.raises(ModelError, match=r"bert\.pooler\.dense\.weight is I8"):
        bring(str(model), tmp_path / "out")


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"num_hidden_layers": 3}, r"bert\.encoder\.layer\.2\.\S+ \[.*\] is missing from the weights"),
        ({"num_hidden_layers": 1}, r"bert\.encoder\.layer\.1\.\S+ \[.*\] has no place"),
        ({"intermediate_size": 64}, r"is \[128\] in the weights and \[64\] by the config"),
        ({"vocab_size": 30}, r"word_embeddings.weight is \[31, 32\] in the weights and \[30, 32\]"),
        ({"num_attention_heads": 0}, "num_attention_heads is 0"),
        ({"hidden_size": "wide"}, "hidden_size is 'wide'"),
        ({"num_attention_heads": 5}, "describes no network that can be built"),
        ({"model_type": "gpt2"}, "BertForSequenceClassification, model_type 'gpt2'"),
        ({"model_type": None}, "model_type None"),
        ({"lighten_shapes": {"heads": [4, 9], "ff": [128, 128]}}, "lighten_shapes"),
        ({"lighten_shapes": {"heads": [4], "ff": [128]}}, "lighten_shapes"),
        ({"lighten_shapes": [1]}, "lighten_shapes"),
        ({"lighten_shapes": {"heads": [2, 2]}}, r"is \[32, 32\] in the weights and \[16, 32\] by the config"),
    ],
)
def test_refuses_a_config_that_does_not_describe_the_weights(
    model: Path, tmp_path: Path, values: dict[str, object], why: str
) -> None:
    edit(model / "config.json", **values)
    with pytest.raises(ModelError, match=why):
        bring(str(model), tmp_path / "out")


def test_refuses_a_model_without_a_tokenizer(model: Path, tmp_path: Path) -> None:
    (model / "tokenizer.json").unlink()
    with pytest.raises(ModelError, match="has no tokenizer") as caught:
        bring(str(model), tmp_path / "out")
    assert "vocab.txt" in caught.value.allowed


def test_refuses_what_is_no_model(model: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="is a file"):
        bring(str(model / "config.json"), tmp_path / "out")
    with pytest.raises(ModelError, match="There is no folder"):
        bring("./nowhere/at/all", tmp_path / "out")
    with pytest.raises(RunFolderError, match="not empty"):
        bring(str(model), model)
    (model / "config.json").unlink()
    with pytest.raises(ModelError, match=r"has no config\.json"):
        bring(str(model), tmp_path / "out")
    (model / "model.safetensors").unlink()
    with pytest.raises(ModelError, match="has no weights"):
        bring(str(model), tmp_path / "out2")


@pytest.mark.parametrize("family", ["xlnet", "convbert"])
def test_refuses_other_families_by_name_before_anything_is_written(family: str, model: Path, tmp_path: Path) -> None:
    edit(model / "config.json", model_type=family)
    with pytest.raises(ModelError, match=family) as caught:
        bring(str(model), tmp_path / "out")
    assert "mobilebert" in str(caught.value)
    assert not (tmp_path / "out").exists()
