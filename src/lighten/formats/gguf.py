"""Language model in one GGUF file, whose numbers may have few bits."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from lighten.core.artifact import Artifact
from lighten.core.format import Format, Location, Recognized, Traffic
from lighten.isolate.process import call
from lighten.models.hf_folder import CONFIG, has_weights
from lighten.nets.facts import gguf_facts
from lighten.nets.gguf.file import FILE, is_gguf, read_gguf
from lighten.nets.gguf.parts import checked_header, join, one_model, parts_of, split_groups
from lighten.nets.language.memory import memory_to_open, memory_to_quantize
from lighten.nets.language.traffic import gguf_traffic

if TYPE_CHECKING:
    from lighten.nets.gguf.network import GgufModel


class Gguf(Format):
    """One file with the tokenizer in its header; the live model is a ``GgufModel``, whose tensors stay as they lie."""

    tasks: ClassVar[tuple[str, ...]] = ("text_generation",)
    home: ClassVar[str] = "llama"
    noun: ClassVar[str] = "a language model"
    original: ClassVar[bool] = True
    packed: ClassVar[bool] = True
    large: ClassVar[bool] = True
    instead: ClassVar[str] = "leave --task out; to have it choose between labels, give --prompt and --choices"

    def recognize(self, location: Location) -> Recognized | None:
        """See :meth:`Format.recognize`: a file, the one file in a folder, or the parts of one model in it."""
        if location.is_file:
            return self._of_file(location.root) if is_gguf(location.root) else None
        files = split_groups([name for name in location.names if "/" not in name])
        if not files or (has_weights(location.names) and CONFIG in location.names):
            return None
        name = one_model(location.where, list(files))
        return self._of_file(location.path / name) if location.path is not None else self._found(Path(name), "")

    def _of_file(self, path: Path) -> Recognized:
        return self._found(path, checked_header(path).architecture)

    def _found(self, path: Path, architecture: str) -> Recognized:
        return Recognized(path, "", architecture, self.noun, self.tasks)

    def wanted(self, found: Recognized, names: Sequence[str]) -> list[str]:
        """See :meth:`Format.wanted`: the file, or all parts of it."""
        return split_groups(names)[found.path.name]

    def files(self, found: Recognized) -> Sequence[Path]:
        """See :meth:`Format.files`: the file, or all parts of it."""
        return parts_of(found.path)

    def tried(self, found: Recognized) -> None:
        """See :meth:`Format.tried`."""
        call("lighten.nets.runtimes.llama_api:check_loads", path=str(found.path))

    def bring(self, found: Recognized, folder: Path, model: str) -> Mapping[str, Any]:
        """See :meth:`Format.bring`; parts are joined."""
        source = found.path
        header, parts = checked_header(source), parts_of(source)
        if len(parts) > 1:
            join(parts, folder / FILE)
        # A process of its own, because what is broken may end it; before the file is copied, so that it is called its
        # name.
        path = str(folder / FILE if len(parts) > 1 else source)
        call("lighten.nets.runtimes.llama_api:check_loads", path=path)
        if len(parts) == 1:
            shutil.copyfile(source, folder / FILE)
        return {"family": header.architecture, "labels": []}

    def borrow(self, found: Recognized, folder: Path) -> bool:
        """See :meth:`Format.borrow`."""
        if len(parts_of(found.path)) > 1:
            return False
        (folder / FILE).symlink_to(found.path.resolve())
        return True

    def open(self, artifact: Artifact, labels: tuple[str, ...]) -> GgufModel:
        """See :meth:`Format.open`."""
        from lighten.nets.gguf.network import open_gguf

        return open_gguf(artifact)

    def save(self, model: GgufModel, folder: Path) -> Mapping[str, Any]:
        """See :meth:`Format.save`."""
        from lighten.nets.gguf.network import save_gguf

        save_gguf(model, folder)
        return dict(model.record)

    def facts(self, path: Path) -> dict[str, Any]:
        """See :meth:`Format.facts`; also sizes, bytes, bits, and why it cannot be opened as a network."""
        return gguf_facts(path / FILE if path.is_dir() else path)

    def memory(self, facts: Mapping[str, Any], *, whole: bool = False) -> Mapping[str, int]:
        """See :meth:`Format.memory`: what cannot be opened as a network is quantized tensor by tensor."""
        return memory_to_quantize(facts) if facts.get("no_network") else memory_to_open(facts, whole=whole)

    def traffic(self, path: Path, settings: Mapping[str, Any]) -> Traffic:
        """See :meth:`Format.traffic`: bytes as they lie in the file."""
        return gguf_traffic(read_gguf(path / FILE))
