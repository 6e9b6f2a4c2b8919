"""What the benchmark of serving asks: texts of a CSV, or pictures of a folder or a sample, and the bodies of requests.

Pictures go as PNG files in base64, as ``{"image": ...}`` to the plain servers and as ``data:`` addresses to lighten.
"""

from __future__ import annotations

import base64
import csv
import io
import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lighten.core import catalog
from lighten.core.data_options import DataOptions
from lighten.core.item import Item, Reference
from lighten.files.stored_zip import read_bytes

COUNT = 1000
"""Inputs that are asked again and again."""


@dataclass(frozen=True)
class Asked:
    """Inputs of one kind.

    Attributes:
        unit: what one is called. items: as lighten's own session takes them. plain: bodies for the plain servers.
        values: as a client of lighten sends them.
    """

    unit: str
    items: Sequence[Item]
    plain: Sequence[Mapping[str, Any]]
    values: Sequence[str]

    def written(self, folder: Path, many: int) -> tuple[Path, Path, Path]:
        """Files with a body on each line: for the plain servers, with one input, and with ``many`` of them."""
        pieces = [self.values[start : start + many] for start in range(0, len(self.values) - many, many)]
        for name, lines in {
            "plain": self.plain,
            "one": [{"inputs": [value]} for value in self.values],
            "many": [{"inputs": list(piece)} for piece in pieces],
        }.items():
            (folder / name).write_text("\n".join(map(json.dumps, lines)) + "\n", encoding="utf-8")
        return folder / "plain", folder / "one", folder / "many"


def asked_of(data: str) -> Asked:
    """Inputs of a CSV with a column ``text``, of a folder of pictures, or of a sample of them, in random order."""
    if data.endswith(".csv"):
        with Path(data).open(newline="", encoding="utf-8") as file:
            texts = [row["text"] for row in csv.DictReader(file)]
        random.Random(0).shuffle(texts)
        texts = texts[:COUNT]
        return Asked("texts", texts, [{"text": text} for text in texts], texts)
    parts = catalog.load("tasks", "image_classification")().read(data, DataOptions(), seed=0).parts
    items = list(parts.proof.inputs)
    random.Random(0).shuffle(items)
    found = [base64.b64encode(png(item)).decode("ascii") for item in items[:COUNT] if isinstance(item, Reference)]
    values = [f"data:image/png;base64,{one}" for one in found]
    return Asked("pictures", items[:COUNT], [{"image": one} for one in found], values)


def png(item: Reference) -> bytes:
    """The content of a picture as a PNG file."""
    from PIL import Image

    made = io.BytesIO()
    Image.open(io.BytesIO(read_bytes(item))).save(made, "PNG")
    return made.getvalue()
