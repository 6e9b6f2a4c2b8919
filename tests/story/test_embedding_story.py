"""The story of vectors: pairs of texts and a tiny encoder, to a cheaper one that is proved, served and handed over."""

from __future__ import annotations

import asyncio
import base64
import csv
import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lighten
from lighten.nets.encoders.pooling import Pooling, pooling_in
from lighten.serve.limits import Limits
from lighten.serve.model import ServedModel
from lighten.serve.models import Models
from lighten.testing.asgi import ask
from lighten.testing.here import trainings_here
from lighten.testing.tiny import PLAIN, tiny_network_folder
from lighten.verbs.serve import application
from lighten.verbs.serve_ahead import servable
from lighten.verbs.serve_options import Named

THINGS = tuple(f"thing{n}" for n in range(60))


def pairs(path: Path, rows: int, seed: int) -> Path:
    """A csv of queries and documents with three things in common, by which they are found."""
    rng = random.Random(seed)
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["query", "document", "group"])
        for number in range(rows):
            common = rng.sample(THINGS, 3)
            one, other = ([*common, *rng.sample(PLAIN, 2)] for _ in range(2))
            rng.shuffle(other)
            writer.writerow([" ".join(one), " ".join(other), "ab"[number % 2]])
    return path


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model, data, and a run."""
    folder = tmp_path_factory.mktemp("vectors")
    model = tiny_network_folder(folder / "model", "bert", 1, labels=None, words=(*PLAIN, *THINGS))
    Pooling().save(model, 32)
    with trainings_here():
        lighten.optimize(
            model, pairs(folder / "pairs.csv", 1200, 0), task="text-embedding", keep="accuracy>=-10pt",
            time=None, candidates=1, engines="ort", threads=1, out=folder / "run",
        )  # fmt: skip
    return folder


def test_a_cheaper_encoder_is_proved_on_pairs(home: Path) -> None:
    summary = json.loads((home / "run" / "summary.json").read_text(encoding="utf-8"))
    assert summary["state"] == "winner" and summary["task"] == "text_embedding"
    (verdict,) = summary["verdicts"]
    assert verdict["metric"] == "accuracy" and verdict["state"] == "holds" and 0.3 < verdict["original"] <= 1.0
    assert sorted(group["name"] for group in summary["groups"]) == ["a", "b"]
    assert (home / "run" / "report.html").is_file() and (home / "run" / "winner" / "README.md").is_file()


def test_original_and_winner_are_asked_and_compared(home: Path) -> None:
    texts = ["thing1 thing2 the film", "thing3 a plot"]
    with lighten.load(home / "run") as model:
        found = model.predict(texts)
        assert [len(one.vector) for one in found] == [32, 32] and [one.size for one in found] == [6, 5]
        np.testing.assert_allclose(np.linalg.norm([one.vector for one in found], axis=1), 1.0, atol=1e-3)
    other = pairs(home / "new.csv", 300, 5)
    with trainings_here():
        told = lighten.compare(home / "model", home / "run", other, margin="20pt", threads=1)
    assert told.verdict.holds and len(told.groups) == 2
    assert all(flip.label and flip.original != flip.winner for flip in told.flips)


def test_the_winner_is_served_as_openais_client_asks(home: Path) -> None:
    source = servable(Named("e", "1", str(home / "run")), home / "scratch")

    async def body() -> dict[str, Any]:
        models = Models([ServedModel(source, Limits())])
        try:
            await models.load()
            app = application(models, Limits(), local=True)
            asked = {"model": "e", "input": ["thing1 thing2", "a film"], "encoding_format": "base64"}
            reply = await ask(app, "/v1/embeddings", asked)
            assert reply.status == 200
            refused = await ask(app, "/v1/embeddings", {**asked, "dimensions": 16})
            assert refused.status == 400 and "32" in refused.json["error"]["message"]
            return dict(reply.json)
        finally:
            await models.stop()

    found = asyncio.run(body())
    vectors = [np.frombuffer(base64.b64decode(one["embedding"]), "<f4") for one in found["data"]]
    with lighten.load(home / "run") as model:
        wanted = [one.vector for one in model.predict(["thing1 thing2", "a film"])]
    assert min(float(a @ b) for a, b in zip(vectors, wanted, strict=True)) > 0.99
    assert found["usage"]["prompt_tokens"] == 8


def test_the_winner_is_handed_over_as_sentence_transformers_has_it(home: Path) -> None:
    import onnx

    with trainings_here():
        lighten.export(home / "run", "onnx", home / "out", threads=1)
    assert pooling_in(home / "out") == Pooling()
    proto = onnx.load(home / "out" / "model.onnx")
    assert [one.name for one in proto.graph.output] == ["sentence_embedding", "last_hidden_state"]
    config = json.loads((home / "out" / "config.json").read_text(encoding="utf-8"))
    assert config["architectures"] == ["BertModel"] and config["hidden_size"] == 32 and "id2label" not in config
