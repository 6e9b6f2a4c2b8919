"""``run.py``: a program with nothing but a runtime and a reader's library, which prints the answer to each value."""

from __future__ import annotations

import sys
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from lighten.core.plain import PlainReading

TEXT = '''"""Answers with {title} alone: python run.py VALUE ..., or one a line on stdin.

A value is {said}.
"""

{imports}

HERE = Path(__file__).resolve().parent
LABELS = json.loads((HERE / "config.json").read_text(encoding="utf-8"))["id2label"]
{setup}


{code}


def answer(value):
    """The label of {value}, and the probability of each."""
    arrays = arrays_of(value)
    logits = {logits}[0].astype(np.float64)
    shares = np.exp(logits - logits.max()) / np.exp(logits - logits.max()).sum()
    scores = {{LABELS[str(i)]: float(share) for i, share in enumerate(shares)}}
    return {{"label": max(scores, key=scores.get), "scores": scores}}


if __name__ == "__main__":
    for value in sys.argv[1:] or (line.rstrip("\\n") for line in sys.stdin):
        print(json.dumps(answer(value), ensure_ascii=False))
'''

VECTORS = '''"""Makes vectors with {title} alone: python run.py VALUE ..., or one a line on stdin.

A value is {said}.
"""

{imports}

HERE = Path(__file__).resolve().parent
{setup}


{code}


def answer(value):
    """The vector of {value}."""
    arrays = arrays_of(value)
    return {{"embedding": {logits}[0].tolist()}}


if __name__ == "__main__":
    for value in sys.argv[1:] or (line.rstrip("\\n") for line in sys.stdin):
        print(json.dumps(answer(value)))
'''

STANDARD = ("import json", "import sys", "from pathlib import Path")
"""What every such program imports."""


@dataclass(frozen=True, slots=True)
class Runtime:
    """How a network is run without lighten.

    Attributes:
        title: of the runtime. library: its distribution.
        imports: import lines. setup: lines that open it; ``HERE`` is the folder.
        logits: expression of its first output, [batch, classes], for ``arrays`` by name.
    """

    title: str
    library: str
    imports: tuple[str, ...]
    setup: tuple[str, ...]
    logits: str


def script(reading: PlainReading, runtime: Runtime, *, vectors: bool = False) -> str:
    """The text of ``run.py``. vectors: whether the network makes vectors, and chooses no class."""
    return (VECTORS if vectors else TEXT).format(
        title=" and ".join((runtime.title, *reading.libraries)),
        said=reading.value[0] if reading.settings else f"the path of {reading.value[0]}",
        imports=import_lines(STANDARD, reading.imports, runtime.imports),
        setup="\n".join((*reading.setup, *runtime.setup)),
        code=reading.code.strip("\n"),
        value=reading.value[0],
        logits=runtime.logits,
    )


def import_lines(standard: Sequence[str], *others: Sequence[str]) -> str:
    """Import lines of a program, the standard library's before those of others, each once."""
    every = {*standard, "import numpy as np", *(line for lines in others for line in lines)}
    ours = {line for line in every if line.split()[1].partition(".")[0] in sys.stdlib_module_names}
    return "\n".join((*_sorted(ours), "", *_sorted(every - ours)))


def _sorted(lines: Collection[str]) -> list[str]:
    return sorted(lines, key=lambda line: (line.startswith("from"), line))
