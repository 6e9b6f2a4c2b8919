"""What a user would put a small ONNX classifier behind HTTP with: FastAPI, as its own tutorial has it.

    uvicorn serve_rungs:app --workers 2        # MODEL names a folder with model.onnx and tokenizer.json

ONNX Runtime with one thread for each process, the tokenizer of ``tokenizers``, a model of pydantic for the request. Of
a folder with ``preprocessor_config.json`` inputs are pictures in base64, which Pillow decodes and scales. The handler
is ``async def``, so that the model blocks the event loop of its worker: one input at a time, in the order in which they
came. With ``def`` FastAPI would call it in threads, of which it has 40; that is another server.
"""

from __future__ import annotations

import base64
import io
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
from fastapi import FastAPI
from pydantic import BaseModel

LONGEST = 512


def opened(folder: Path) -> Any:
    """The session of a folder's graph."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"])


def likeliest(logits: np.ndarray[Any, Any]) -> dict[str, Any]:
    """The likeliest class, and its probability. logits: [classes]."""
    shares = np.exp(logits - logits.max())
    return {"label": int(logits.argmax()), "score": float(shares.max() / shares.sum())}


class TextClassifier:
    """An ONNX file and its tokenizer.

    Args:
        folder: that holds both.
    """

    def __init__(self, folder: Path) -> None:
        from tokenizers import Tokenizer

        self.session = opened(folder)
        self.names = [one.name for one in self.session.get_inputs()]
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.enable_truncation(LONGEST)
        self.tokenizer.no_padding()

    def __call__(self, text: str) -> dict[str, Any]:
        """The answer to a text."""
        ids = np.asarray([self.tokenizer.encode(text).ids], np.int64)
        given = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        return likeliest(self.session.run(None, {name: given[name] for name in self.names})[0][0])


class PictureClassifier:
    """An ONNX file and how pictures are prepared for it.

    Args:
        folder: that holds both.
    """

    def __init__(self, folder: Path) -> None:
        said = json.loads((folder / "preprocessor_config.json").read_text(encoding="utf-8"))
        self.session = opened(folder)
        self.name = self.session.get_inputs()[0].name
        self.size = (said["size"]["width"], said["size"]["height"])
        self.mean, self.std = (np.asarray(said[key], np.float32) for key in ("image_mean", "image_std"))
        self.mode = {1: "L", 3: "RGB"}[len(self.mean)]

    def __call__(self, image: str) -> dict[str, Any]:
        """The answer to a file in base64."""
        from PIL import Image

        picture = Image.open(io.BytesIO(base64.b64decode(image))).convert(self.mode)
        if picture.size != self.size:
            picture = picture.resize(self.size, Image.Resampling.BILINEAR)
        pixels = np.asarray(picture, np.float32).reshape(*reversed(self.size), len(self.mean)) / 255
        pixels = ((pixels - self.mean) / self.std).transpose(2, 0, 1)[None]
        return likeliest(self.session.run(None, {self.name: pixels})[0][0])


class TextRequest(BaseModel):
    """One text."""

    text: str


class PictureRequest(BaseModel):
    """One picture: the content of a file in base64."""

    image: str


def app() -> FastAPI:
    """The application of one worker."""
    made, folder = FastAPI(), Path(os.environ["MODEL"])
    if (folder / "preprocessor_config.json").is_file():
        sees = PictureClassifier(folder)

        @made.post("/predict")
        async def see(request: PictureRequest) -> dict[str, Any]:
            return sees(request.image)

    else:
        reads = TextClassifier(folder)

        @made.post("/predict")
        async def read(request: TextRequest) -> dict[str, Any]:
            return reads(request.text)

    return made
