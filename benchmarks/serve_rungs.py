"""What a user would put a small ONNX classifier of texts behind HTTP with: FastAPI, as its own tutorial has it.

    uvicorn serve_rungs:app --workers 2        # MODEL names a folder with model.onnx and tokenizer.json

ONNX Runtime with one thread for each process, the tokenizer of ``tokenizers``, a model of pydantic for the request. The
handler is ``async def``, so that the model blocks the event loop of its worker: one text at a time, in the order in
which they came. With ``def`` FastAPI would call it in threads, of which it has 40; that is another server.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from fastapi import FastAPI
from pydantic import BaseModel

LONGEST = 512


class Classifier:
    """An ONNX file and its tokenizer.

    Args:
        folder: that holds both.
    """

    def __init__(self, folder: Path) -> None:
        import onnxruntime
        from tokenizers import Tokenizer

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(
            str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"]
        )
        self.names = [one.name for one in self.session.get_inputs()]
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.enable_truncation(LONGEST)
        self.tokenizer.no_padding()

    def __call__(self, text: str) -> dict[str, Any]:
        """The likeliest class, and its probability."""
        ids = np.asarray([self.tokenizer.encode(text).ids], np.int64)
        given = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        logits = self.session.run(None, {name: given[name] for name in self.names})[0][0]
        shares = np.exp(logits - logits.max())
        return {"label": int(logits.argmax()), "score": float(shares.max() / shares.sum())}


class Request(BaseModel):
    """One text."""

    text: str


def app() -> FastAPI:
    """The application of one worker."""
    made, model = FastAPI(), Classifier(Path(os.environ["MODEL"]))

    @made.post("/predict")
    async def predict(request: Request) -> dict[str, Any]:
        return model(request.text)

    return made
