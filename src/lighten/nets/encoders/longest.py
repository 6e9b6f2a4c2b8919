"""Longest: ask a model for fewer tokens of a text than it reads."""

from __future__ import annotations

import json

from lighten.core.artifact import Artifact
from lighten.core.errors import InputError
from lighten.files.json_file import read_object
from lighten.readers.text import SETTINGS, Encoder


def limited(artifact: Artifact, longest: int) -> Artifact:
    """A classifier's artifact, sealed again with a limit of ``longest`` tokens; everything made from it keeps that.

    Args:
        artifact: in a folder of the caller's own, which is changed.

    Raises:
        InputError: the model reads fewer tokens, or so few leave no room for text.
    """
    encoder = Encoder.open(artifact.path)
    least = encoder.special + 1
    if not least <= longest <= encoder.max_tokens:
        raise InputError(
            f"--longest is {longest:,}, and {artifact.meta.get('model') or artifact.path} reads at most "
            f"{encoder.max_tokens:,} tokens of a text, {encoder.special} of them special.",
            allowed=f"{least:,} to {encoder.max_tokens:,}",
        )
    path = artifact.path / SETTINGS
    settings = {**read_object(path, missing={}), "model_max_length": longest}
    path.write_text(json.dumps(settings, ensure_ascii=False, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    return Artifact.seal(
        artifact.path,
        format=artifact.format,
        parent=artifact.parent,
        step=artifact.step,
        seed=artifact.seed,
        versions=artifact.versions,
        meta={**artifact.meta, "max_tokens": longest},
    )
