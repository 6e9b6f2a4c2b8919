"""Plain: how items are read by a program that has no lighten, as Python text and files beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

ARRAYS_OF = "arrays_of"
"""The function that :attr:`PlainReading.code` defines: from one value to the inputs of a batch of one, by name."""


@dataclass(frozen=True, slots=True)
class PlainReading:
    """How one kind of item is read without lighten, with one public library.

    Attributes:
        files: content of the files beside the network, by name, as loaders of the Hugging Face ecosystem have them.
        settings: of these, the name of the JSON file that lists a network's inputs under ``model_input_names``; empty
            where none does.
        libraries: distributions that the code imports, beside numpy.
        imports: import lines.
        setup: lines that run once; ``HERE`` is the folder of the files.
        code: definition of ``arrays_of(value)``.
        value: what a value is, in English and Chinese: ``a text``.
        from_bytes: expression that makes a value of ``data``, the bytes that came over a wire.
        from_json: the same of ``data``, a JSON string.
        fill: what inputs of several rows are padded with, by name; others with 0.
        config: what ``config.json`` says of the inputs.
        family: ``model_type`` of a network that does not say its own.
        head: how the field's classes for such networks end: ``ForSequenceClassification``.
        pipeline: name of the pipeline for them: ``text-classification``.
        example: a value as a person types one.
    """

    files: Mapping[str, str]
    settings: str
    libraries: tuple[str, ...]
    imports: tuple[str, ...]
    setup: tuple[str, ...]
    code: str
    value: tuple[str, str]
    from_bytes: str
    from_json: str
    family: str
    head: str
    pipeline: str
    example: str
    fill: Mapping[str, int] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)
