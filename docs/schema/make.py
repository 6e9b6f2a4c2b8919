"""Writes the JSON Schema of every ``--json`` into this folder: ``python docs/schema/make.py``."""

from __future__ import annotations

import json
from pathlib import Path

from lighten.verbs.schema import OUTPUTS, schema


def text_of(output: str) -> str:
    """A schema as it stands in its file."""
    return json.dumps(schema(output), ensure_ascii=False, indent=1) + "\n"


if __name__ == "__main__":
    for output in OUTPUTS:
        Path(__file__).with_name(f"{output}.json").write_text(text_of(output), encoding="utf-8")
