"""A language model in OpenVINO's format as a folder that optimum-intel opens, and a program that goes on with texts."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lighten.core.artifact import LEARNED, RECORD
from lighten.core.target import RUN, Source, Way
from lighten.files.json_file import read_object
from lighten.nets.language.network import CONFIG, SETTINGS, TOKENIZER, Tokens
from lighten.targets._hf import known_class, pinned

FORMAT = "openvino-causal"
LEFT_OUT = (RECORD, LEARNED, "README.md")
EXAMPLE = "Once upon a time"
TEXT = '''"""Goes on with texts in OpenVINO and tokenizers alone: python run.py TEXT ..., or one a line on stdin."""

import os
import sys
from pathlib import Path

import numpy as np
import openvino
from tokenizers import Tokenizer

HERE = Path(__file__).resolve().parent
ENDINGS = {endings!r}
SETTINGS = {settings!r}
SETTINGS["INFERENCE_NUM_THREADS"] = int(os.environ.get("OMP_NUM_THREADS", 0))  # 0: all cores
tokenizer = Tokenizer.from_file(str(HERE / "tokenizer.json"))
model = openvino.Core().compile_model(HERE / "openvino_model.xml", "CPU", SETTINGS)


def answer(text, most=24):
    """What the model goes on with, the most likely token at each place."""
    ids = tokenizer.encode(text).ids
    ids = ids[: len(ids) - {behind}]
    request, made, fed, past = model.create_infer_request(), [], ids, 0
    while len(made) < most:
        places = np.arange(past, past + len(fed))[None]
        past += len(fed)
        given = {{"input_ids": np.array([fed], np.int64), "attention_mask": np.ones((1, past), np.int64)}}
        given |= {{"position_ids": places, "beam_idx": np.zeros(1, np.int32)}}
        fed = [int(request.infer(given)["logits"][0, -1].argmax())]
        if fed[0] in ENDINGS:
            break
        made += fed
    return {{"answer": tokenizer.decode(ids + made)[len(tokenizer.decode(ids)) :]}}


if __name__ == "__main__":
    for text in sys.argv[1:] or (line.rstrip("\\n") for line in sys.stdin):
        print(answer(text)["answer"])
'''


def write_writer(source: Source, folder: Path) -> None:
    """Copy the model's files, its tokenizer with the start token that it is asked with, and write the program."""
    artifact = source.artifact
    for name in artifact.files:
        if name not in LEFT_OUT:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(artifact.path / name, folder / name)
    tokens = Tokens.open(artifact.path)
    (folder / TOKENIZER).write_text(tokens.told(), encoding="utf-8")
    known_class(folder / SETTINGS)
    config = read_object(artifact.path / CONFIG)
    text = TEXT.format(
        endings=sorted(tokens.endings(config.get("eos_token_id"))), settings=settings(source), behind=tokens.around[1]
    )
    (folder / RUN).write_text(text, encoding="utf-8")
    (folder / "requirements.txt").write_text(pinned(("numpy", "openvino", "tokenizers")), encoding="utf-8")


def settings(source: Source) -> dict[str, Any]:
    """What OpenVINO must be told so that it computes as it did when the model was measured."""
    engine = source.engine
    return {
        "INFERENCE_PRECISION_HINT": str(engine.get("precision", "f32")),
        "KV_CACHE_PRECISION": str(engine.get("cache", "f16")),
        "DYNAMIC_QUANTIZATION_GROUP_SIZE": int(engine.get("group", 128)),
    }


def ways_of_writer(source: Source) -> Sequence[Way]:
    """How it is opened."""
    told = {name: str(value) for name, value in settings(source).items()}
    optimum = (
        "from optimum.intel import OVModelForCausalLM\n"
        "from transformers import AutoTokenizer, pipeline\n\n"
        f'model = OVModelForCausalLM.from_pretrained(".", ov_config={told!r})\n'
        'write = pipeline("text-generation", model=model, tokenizer=AutoTokenizer.from_pretrained("."))\n'
        f"print(write({EXAMPLE!r}, max_new_tokens=24, do_sample=False))"
    )
    return [
        Way(("With OpenVINO alone", "只用 OpenVINO"), f"pip install -r requirements.txt\npython {RUN} '{EXAMPLE}'"),
        Way(("With optimum-intel", "用 optimum-intel"), optimum, "python"),
    ]
