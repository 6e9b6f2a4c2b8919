"""What people judged, as data for the next run: a table, or a folder of files for each label."""

from __future__ import annotations

import base64
import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zipfile import ZipFile

from lighten.serve.cases import LABEL, Case

TEXT, MESSAGES = "text", "messages"
"""Columns of inputs that have none of their own: plain texts, and conversations of several messages, as JSON."""
KINDS: Mapping[str, tuple[bytes, str]] = {
    "image/png": (b"\x89PNG", "png"),
    "image/jpeg": (b"\xff\xd8\xff", "jpg"),
    "image/gif": (b"GIF8", "gif"),
    "image/webp": (b"RIFF", "webp"),
    "image/bmp": (b"BM", "bmp"),
}
"""Files that a browser can show: how they begin, and what their names end in."""
OTHER = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Export:
    """A file to be saved: its name, what it is, and its content."""

    name: str
    kind: str
    content: bytes


def rows_of(cases: Sequence[Case]) -> Export:
    """Cases with labels. Of several verdicts on one input the last one stands.

    A CSV with the columns of the inputs and ``label``, as ``lighten optimize --data`` reads it; where inputs are files,
    a zip with a folder of them for each label, which it reads once it is unpacked.

    Raises:
        ValueError: an input has a column named ``label`` itself, a label cannot be the name of a folder, or only some
            inputs are files.
    """
    last = {json.dumps(_bare(case.input), sort_keys=True): case for case in cases}
    files = [case for case in last.values() if is_file(case.input)]
    if files and len(files) < len(last):
        raise ValueError("some inputs are files, and others are not")
    if files:
        return _folders(files)
    columns: dict[str, None] = {}
    rows = []
    for case in last.values():
        row = _row(case.input)
        if LABEL in row:
            raise ValueError(f"the inputs have a column named {LABEL!r}")
        columns |= dict.fromkeys(row)
        rows.append((row, case.label or ""))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*(columns or {TEXT: None}), LABEL])
    writer.writerows([*(row.get(name, "") for name in columns), label] for row, label in rows)
    return Export("rows.csv", "text/csv; charset=utf-8", text.getvalue().encode("utf-8", "replace"))


def as_address(content: bytes) -> str:
    """A file as an address of data, which can be shown, and sent again."""
    kind = next((kind for kind, (start, _) in KINDS.items() if content.startswith(start)), OTHER)
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def is_file(input: Any) -> bool:
    """Whether an input is the content of a file, as cases hold it."""
    return isinstance(input, str) and input.startswith(tuple(f"data:{kind};base64," for kind in (*KINDS, OTHER)))


def _row(input: Any) -> dict[str, Any]:
    input = _bare(input)
    if isinstance(input, dict):
        return {name: _cell(value) for name, value in input.items()}
    if isinstance(input, list) and len(input) == 1 and isinstance(input[0], dict) and input[0].get("role") == "user":
        return {TEXT: input[0].get("content", "")}
    return {TEXT: input} if isinstance(input, str) else {MESSAGES: json.dumps(input, ensure_ascii=False)}


def _bare(input: Any) -> Any:
    """A conversation is one, whether its messages have a name or not."""
    return input[MESSAGES] if isinstance(input, dict) and list(input) == [MESSAGES] else input


def _cell(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, (list, dict)) else value


def _folders(cases: Sequence[Case]) -> Export:
    packed = io.BytesIO()
    with ZipFile(packed, "w") as archive:
        for case in cases:
            label = case.label or ""
            if not label or label.startswith((".", "_")) or any(mark in label for mark in "/\\\0\n"):
                raise ValueError(f"the label {label!r:.60} cannot be the name of a folder")
            kind, _, content = case.input.removeprefix("data:").partition(";base64,")
            ending = KINDS[kind][1] if kind in KINDS else "bin"
            archive.writestr(f"{label}/{case.id}.{ending}", base64.b64decode(content))
    return Export("rows.zip", "application/zip", packed.getvalue())
