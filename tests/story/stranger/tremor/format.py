"""Network of traces in a folder of its own: tremor.json, safetensors and the reader's file."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from lighten.core.artifact import Artifact
from lighten.core.errors import ModelError
from lighten.core.format import Format, Location, Recognized
from lighten.files.safefile import read_header
from tremor.reader import FILE, TraceReader

CONFIG, WEIGHTS = "tremor.json", "model.safetensors"


class TraceNet(Format):
    """The live model is a network like those of ``hf``, so that what trains, exports and runs them takes it, too."""

    tasks: ClassVar[tuple[str, ...]] = ("tremor",)
    home: ClassVar[str] = "eager"
    noun: ClassVar[str] = "a network of traces"
    like: ClassVar[str] = "hf"
    original: ClassVar[bool] = True

    def recognize(self, location: Location) -> Recognized | None:
        if CONFIG not in location.names or location.is_file:
            return None
        if not {WEIGHTS, FILE} <= set(location.names):
            raise ModelError(
                f"{location.where} lacks weights or the reader.", allowed=f"{CONFIG}, {WEIGHTS} and {FILE}"
            )
        return Recognized(location.root, "", str(location.read(CONFIG).get("name")), self.noun, self.tasks)

    def bring(self, found: Recognized, folder: Path, model: str) -> Mapping[str, Any]:
        TraceReader.open(found.path)
        for name in (CONFIG, WEIGHTS, FILE):
            shutil.copyfile(found.path / name, folder / name)
        return {"family": "tremor", "labels": list(self.facts(folder)["labels"])}

    def open(self, artifact: Artifact, labels: tuple[str, ...]) -> Any:
        from tremor.network import restored

        own = tuple(self.facts(artifact.path)["labels"])
        return restored(artifact.path, TraceReader.open(artifact.path), own, tuple(labels or ()))

    def save(self, model: Any, folder: Path) -> Mapping[str, Any]:
        from tremor.network import write

        write(model, folder)
        model.reader.save(folder)
        told = {"name": "shaken", "labels": list(model.labels) if model.has_head else []}
        (folder / CONFIG).write_text(json.dumps(told), encoding="utf-8")
        return {"labels": list(model.labels)}

    def facts(self, path: Path) -> dict[str, Any]:
        labels = tuple(json.loads((path / CONFIG).read_text(encoding="utf-8"))["labels"])
        tensors = read_header(path / WEIGHTS)
        return {
            "format": "trace-net",
            "family": "tremor",
            "parameters": sum(tensor.elements for tensor in tensors.values()),
            "labels": labels,
            "has_head": bool(labels),
            "convolutions": True,
            "channels": tensors["second.bias"].shape[0],
        }
