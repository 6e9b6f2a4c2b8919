"""Contract that every target keeps, lighten's own and a plug-in's: see :func:`check_target`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lighten.core.artifact import Artifact
from lighten.core.recipe import record_of
from lighten.core.target import Source, Target
from lighten.isolate.plain import plain_answers
from lighten.reports.words import LANGS
from lighten.verbs.load import Model, engine_of
from lighten.verbs.question import question_of

PROGRAMS = (".py", ".pbtxt", ".json", ".txt", ".toml")
CLOSE = 0.02


def source_of(artifact: Artifact, *, name: str = "tiny", config: Mapping[str, Any] | None = None) -> Source:
    """An artifact as a target is given it."""
    question = question_of(artifact)
    return Source(artifact, record_of(engine_of(artifact)), question.task, question.labels, name, config or {})


def check_target(target: Target, source: Source, folder: Path, values: Sequence[str] = ()) -> list[Mapping[str, Any]]:
    """Write ``source`` into the empty ``folder``, look at it, and ask it beside the model.

    Args:
        values: texts, or paths of files, that both are asked; none for a target that is only copied, or that writes.

    Returns:
        What the folder's program answered.

    Raises:
        AssertionError: it breaks the contract; says how.
    """
    assert not target.check(source), f"it refuses the model: {target.check(source)}"
    folder.mkdir(parents=True, exist_ok=True)
    target.write(source, folder)
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files, "it writes nothing"
    for path in files:
        assert not path.is_symlink(), f"{path} is a link"
        if path.suffix in PROGRAMS and "wheels" not in path.parts:
            text = path.read_text(encoding="utf-8")
            assert str(source.artifact.path) not in text, f"{path} names a folder of this machine"
            assert "import lighten" not in text, f"{path} needs lighten"
    for texts in (target.title, target.about(source), *(way.title for way in target.ways(source))):
        assert len(texts) == len(LANGS) and all(text.strip() for text in texts), (
            "something is said in one language only"
        )
    assert target.ways(source), "nobody learns how it is opened"
    if not values:
        return []
    found = plain_answers(folder, target.asking(source), list(values), threads=1, deadline=120.0)
    question, engine = question_of(source.artifact), engine_of(source.artifact)
    with Model(source.artifact, engine, engine.open(source.artifact, threads=1), question) as model:
        for value, answer in zip(values, found, strict=True):
            (wanted,) = model.predict([value])
            assert list(answer["scores"]) == list(wanted.scores), "the classes stand in another order"
            apart = max(abs(answer["scores"][label] - share) for label, share in wanted.scores.items())
            assert apart < CLOSE, f"probabilities of {value!r} are {apart:.2g} apart"
    return found
