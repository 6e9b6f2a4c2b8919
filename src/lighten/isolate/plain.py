"""Programs that have no lighten: what a folder's own program answers, in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lighten.core.errors import BuildFailed
from lighten.isolate.pip import clean
from lighten.isolate.process import variables

OURS = "lighten"
SAID = "\x1e"
"""Stands before the answers: libraries print what they like."""
HARNESS = f"""
import json, sys
asked = json.load(sys.stdin)
space = {{"__name__": "asked"}}
exec(compile(asked["code"], "the folder's program", "exec"), space)
answers = [space["answer"](value) for value in asked["values"]]
ours = sorted(name for name in sys.modules if name.partition(".")[0] == {OURS!r})
sys.stdout.write({SAID!r} + json.dumps({{"answers": answers, "ours": ours}}))
"""
"""What the process does: ``answer`` of the program, for every value, and which of our modules it imported."""
LONGEST = 600
"""Characters of what a program said last that are shown."""


def plain_answers(
    folder: Path, code: str, values: Sequence[Any], *, threads: int, deadline: float
) -> list[Mapping[str, Any]]:
    """What ``answer(value)`` of a program gives for each value.

    Args:
        folder: that it runs in. code: defines ``answer``. deadline: seconds.

    Raises:
        BuildFailed: the program fails, takes too long, or imports lighten; with the last it said.
    """
    asked = json.dumps({"code": code, "values": list(values)})
    environment = {**clean(os.environ), **variables(threads), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-c", HARNESS],
            cwd=folder,
            env=environment,
            input=asked.encode("utf-8"),
            capture_output=True,
            timeout=deadline,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise BuildFailed(f"The program in {folder} did not answer within {deadline:g} seconds.") from error
    said, _, found = done.stdout.decode("utf-8", "replace").rpartition(SAID)
    if done.returncode or not found:
        last = (done.stderr.decode("utf-8", "replace") or said).strip()[-LONGEST:]
        raise BuildFailed(f"The program in {folder} ended with {done.returncode}: {last}")
    reply = json.loads(found)
    if reply["ours"]:
        raise BuildFailed(f"The program in {folder} imports {', '.join(reply['ours'][:3])}: it does not stand alone.")
    answers: list[Mapping[str, Any]] = reply["answers"]
    return answers
