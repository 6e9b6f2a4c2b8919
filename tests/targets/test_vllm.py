"""A folder for vLLM: networks of architectures that it runs, read by transformers with the model's answers."""

from __future__ import annotations

import json
from pathlib import Path

from lighten.core.artifact import Artifact
from lighten.isolate.plain import plain_answers
from lighten.sessions.process import SessionProcess
from lighten.targets.vllm import Vllm
from lighten.testing.engine_contract import texts
from lighten.testing.target_contract import check_target, source_of
from lighten.testing.tiny import tiny_network_folder
from lighten.testing.tiny_artifacts import META, tiny_artifact
from lighten.testing.tiny_language import tiny_language, tiny_texts
from lighten.verbs.agreement import difference
from lighten.verbs.load import engine_of


def test_a_classifier(tmp_path: Path) -> None:
    source = source_of(tiny_artifact("hf"))
    check_target(Vllm(), source, tmp_path, ["", "good", *texts(3)])
    assert not Vllm().writes(source) and not (tmp_path / "lighten.json").exists()
    assert any("--runner pooling" in way.code for way in Vllm().ways(source))


def test_a_language_model(tmp_path: Path) -> None:
    artifact = Artifact.seal(tiny_language("qwen3", tmp_path / "net"), format="hf-causal", meta={"labels": []})
    source = source_of(artifact)
    check_target(Vllm(), source, tmp_path / "out")
    assert Vllm().writes(source)
    prompts = list(tiny_texts(3))
    found = plain_answers(tmp_path / "out", Vllm().asking(source), prompts, threads=1, deadline=120.0)
    with SessionProcess(artifact, engine_of(artifact), threads=1) as session:
        for prompt, one, wanted in zip(prompts, found, session.replies(prompts, 24), strict=True):
            difference(prompt, {"answer": wanted}, one)


def test_what_vllm_does_not_run_is_refused(tmp_path: Path) -> None:
    other = Artifact.seal(tiny_network_folder(tmp_path / "mpnet", "mpnet", 1), format="hf", meta=META)
    assert "MPNetForSequenceClassification" in Vllm().check(source_of(other))
    folder = tiny_network_folder(tmp_path / "bert", "bert", 1)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "lighten_shapes": {"heads": [2], "ff": [64]}}))
    cut = Artifact.seal(folder, format="hf", meta=META)
    assert "sizes that differ" in Vllm().check(source_of(cut))
