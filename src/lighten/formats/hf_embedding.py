"""Float encoder that makes a vector of each text, in a folder as sentence-transformers and the hub have it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from lighten.core.artifact import Artifact
from lighten.core.errors import ModelError
from lighten.core.format import Format, Location, Recognized
from lighten.files.json_file import read_object
from lighten.files.weight_files import weight_files
from lighten.models.hf_folder import (
    CONFIG,
    LIMITS,
    PROMPTS,
    check_floats,
    check_found,
    copy_model,
    hub_files,
    kind_at,
    needing_torch,
)
from lighten.nets.architectures import DECODERS, ENCODER
from lighten.nets.encoders.longest import limited
from lighten.nets.encoders.own_tokenizer import write_own_tokenizer
from lighten.nets.encoders.pooling import MODULES, Pooling, pooling_in
from lighten.nets.facts import encoder_facts, read_config
from lighten.nets.record import EMBEDDING, record
from lighten.readers.text import SETTINGS as OF_TOKENIZER
from lighten.readers.text import Encoder

if TYPE_CHECKING:
    from lighten.core.step import Needs
    from lighten.nets.network import Network
    from lighten.nets.training.schedule import Hyperparameters
    from lighten.nets.training.trainable import Trainable

BASES = (ENCODER,), "a float HF folder of an encoder"
UNSAID = (
    "{model} does not say how one vector is made of its tokens (modules.json): their mean is taken, its length made 1."
)


class HfEmbedding(Format):
    """``config.json``, safetensors, a tokenizer and ``modules.json`` with the pooling; the live model is a ``Network``.

    Where a folder says nothing of pooling, the mean of its tokens is taken and its length made 1.
    """

    tasks: ClassVar[tuple[str, ...]] = ("text_embedding",)
    home: ClassVar[str] = "eager"
    noun: ClassVar[str] = "an encoder that makes vectors of texts"
    like: ClassVar[str] = "hf"
    original: ClassVar[bool] = True
    cuts: ClassVar[bool] = True
    instead: ClassVar[str] = "leave --task out: it makes vectors"

    def recognize(self, location: Location) -> Recognized | None:
        """See :meth:`Format.recognize`."""
        kind, name = kind_at(location) or ("", "")
        if kind != ENCODER or location.read(CONFIG).get("model_type") in DECODERS:
            return None
        told = MODULES in location.names
        return Recognized(location.root, "", name, self.noun, self.tasks, kind, complete=told)

    def check(self, found: Recognized, *, whole: bool = True) -> None:
        """See :meth:`Format.check`."""
        check_found(found, *BASES, whole=whole)
        if whole:
            read_config(found.path)
            pooling_in(found.path)
            _check_prompt(found.path)

    def check_complete(self, found: Recognized) -> None:
        """See :meth:`Format.check_complete`."""
        weight_files(found.path)

    def wanted(self, found: Recognized, names: Sequence[str]) -> list[str]:
        """See :meth:`Format.wanted`."""
        return hub_files(names)

    def bring(self, found: Recognized, folder: Path, model: str) -> Mapping[str, Any]:
        """See :meth:`Format.bring`."""
        copy_model(found, folder, *BASES)
        write_own_tokenizer(folder, model)
        known = encoder_facts(folder)
        check_floats(folder)
        pooling = pooling_in(found.path)
        about = {} if pooling else {"told": UNSAID.format(model=model)}
        pooling = pooling or Pooling()
        pooling.save(folder, known["hidden"])
        _keep_limit(found.path, folder)
        with needing_torch():
            from lighten.nets.encoders.embedding import check_embedder, told
        size = check_embedder(folder)
        return {"family": known["family"], "labels": [], EMBEDDING: told(pooling, size), **about}

    def shorten(self, artifact: Artifact, longest: int) -> Artifact:
        """See :meth:`Format.shorten`."""
        return limited(artifact, longest)

    def open(self, artifact: Artifact, labels: tuple[str, ...]) -> Network:
        """See :meth:`Format.open`."""
        from lighten.nets.encoders.embedding import open_embedder

        return open_embedder(artifact)

    def trainable(self, model: Network, needs: Needs, asked: Hyperparameters) -> Trainable:
        """See :meth:`Format.trainable`."""
        from lighten.nets.training.rows import of_needs

        return of_needs(model, needs, asked)

    def save(self, model: Network, folder: Path) -> Mapping[str, Any]:
        """See :meth:`Format.save`."""
        from lighten.nets.encoders.embedding import save_embedder

        save_embedder(model, folder)
        return record(model)

    def facts(self, path: Path) -> dict[str, Any]:
        """See :meth:`Format.facts`; what :func:`encoder_facts` says: there is no head, and none is missing."""
        return {**encoder_facts(path), "format": "hf-embedding", "labels": (), "has_head": True}


def _keep_limit(source: Path, folder: Path) -> None:
    """Read as many tokens of a text as the folder of sentence-transformers says, where that is fewer than it could.

    Raises:
        ModelError: it wants texts in small letters, of which its tokenizer makes something else.
    """
    told = read_object(source / LIMITS, missing={})
    encoder, most = Encoder.open(folder), told.get("max_seq_length")
    if told.get("do_lower_case") and encoder(["A B"]) != encoder(["a b"]):
        raise ModelError(
            f"{source} wants every text in small letters ({LIMITS}: do_lower_case), and its tokenizer keeps them.",
            allowed="a tokenizer that does itself what is to be done to a text",
        )
    if isinstance(most, int) and encoder.special < most < encoder.max_tokens:
        path = folder / OF_TOKENIZER
        settings = {**read_object(path, missing={}), "model_max_length": most}
        path.write_text(json.dumps(settings, ensure_ascii=False, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def _check_prompt(source: Path) -> None:
    """Refuse a folder that puts words before every text that nobody sees.

    Raises:
        ModelError: names them.
    """
    told = read_object(source / PROMPTS, missing={})
    name = told.get("default_prompt_name")
    if name:
        prompts = told.get("prompts")
        words = prompts.get(name) if isinstance(prompts, Mapping) else None
        raise ModelError(
            f"{source} puts {words!r} before every text ({PROMPTS}: default_prompt_name is {name!r}).",
            allowed="a folder without default_prompt_name",
            fix="take default_prompt_name out, and write the words before the texts of your data",
        )
