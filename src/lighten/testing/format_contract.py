"""Contract that every format keeps, lighten's own and a plug-in's: see :func:`check_declaration` and the others."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lighten.core import catalog
from lighten.core.artifact import Artifact, sha256
from lighten.core.format import Format
from lighten.core.matching import engine_for, fits
from lighten.core.rows import Parts
from lighten.models.bring import bring, find
from lighten.models.recognize import location_at
from lighten.sessions.language_process import open_session

FACTS = ("format", "family", "parameters", "labels", "has_head")
"""Facts that every model has which can be brought."""


def check_declaration(format: Format) -> None:
    """It says what its models are, what they are for and what runs them, in words that the catalogue knows.

    Raises:
        AssertionError: it does not.
    """
    name = catalog.name_of(format)
    entry = next(e for e in catalog.entries("formats") if e.name == name)
    assert entry.doc.endswith("."), f"the first line of {entry.module} must be one sentence that says what it is"
    assert format.tasks, "a format's models are for at least one task"
    assert format.noun.partition(" ")[0] in ("a", "an", "the"), f"noun is {format.noun!r}; expected 'a text classifier'"
    assert not name.endswith(".") and "_" not in name, "artifacts call a format by its file's name with dashes"
    engine = catalog.load("engines", format.home)
    assert fits(name, engine.stores), f"{format.home} opens {', '.join(engine.stores)}, and is to run {name} as it came"
    assert format.like in ("", *catalog.names("formats")), f"like is {format.like!r}, which is no format"
    for method in ("recognize", "bring", "facts"):
        own = getattr(type(format), method) is not getattr(Format, method)
        assert own or not format.original, f"what can be brought overrides {method}"
        assert format.original or method == "facts" or not own, f"{method} belongs to what can be brought"
    assert not (format.original and format.baseline), "a baseline is learned here, not brought"


def check_round_trip(format: Format, artifact: Artifact, folder: Path) -> Artifact:
    """Open an artifact, save it into the empty ``folder`` and open that: it is the same model.

    Returns:
        What was saved.

    Raises:
        AssertionError: it is not.
    """
    name, labels = catalog.name_of(format), tuple(artifact.meta.get("labels", ()))
    assert artifact.format == name, f"the artifact is {artifact.format}; expected {name}"
    folder.mkdir(parents=True, exist_ok=True)
    meta = format.save(format.open(artifact, labels), folder)
    assert list(meta["labels"]) == list(labels), f"saved with the labels {meta['labels']}; it has {labels}"
    again = Artifact.open(Artifact.seal(folder, format=name, meta=meta).path)
    weights = {file for file in artifact.files if not file.endswith((".json", ".jinja", ".rows"))}
    assert weights, "a model has a file that is not about it"
    changed = sorted(file for file in weights if again.files.get(file) != artifact.files[file])
    assert not changed, f"what was opened and saved has other bytes in {', '.join(changed)}"
    check_facts(format, format.facts(again.path), format.facts(artifact.path))
    format.open(again, labels)
    return again


def check_bringing(format: Format, source: Path, folder: Path) -> Artifact:
    """Find a model that a user has, bring it into ``folder``, which does not exist yet, and find that.

    Args:
        source: a folder or a file, which is not changed.

    Returns:
        What was brought.

    Raises:
        AssertionError: it breaks the contract; says how.
    """
    name, before = catalog.name_of(format), _contents(source)
    found = find(str(source))
    assert found.format == name, f"{source} is recognised as {found.format}; expected {name}"
    assert found.task in format.tasks and found.name, f"recognised as {found.described} for {found.tasks}"
    made = bring(str(source), folder)
    assert _contents(source) == before, "what was brought was changed"
    assert made.format == name and made.meta["model"] == str(source)
    assert Artifact.open(folder).id == made.id
    check_facts(format, format.facts(folder), {**format.facts(folder), **format.facts_of(found)})
    again = find(str(folder))
    assert (again.format, again.sealed) == (name, True), f"the artifact is recognised as {again.described}"
    with open_session(made, engine_for(name), threads=1):
        pass
    return made


def check_named(format: Format, name: str, parts: Parts, folder: Path) -> Artifact:
    """Bring code that makes a model, as a user names it, into ``folder``, which is not there yet, and make it for data.

    Args:
        parts: with rows to train on, for which it is not trained yet.

    Returns:
        What was made.

    Raises:
        AssertionError: it breaks the contract; says how.
    """
    found, own = find(name), catalog.name_of(format)
    assert found.format == own and not found.sealed, f"{name} is recognised as {found.described}"
    assert find(str(found.path)) == found, "what is handed to a child process means the same there"
    assert format.named("no name of a model") is None
    brought = bring(name, folder)
    assert not format.facts(folder)["has_head"]
    made = format.suit(brought, parts)
    assert Artifact.open(folder).id == made.id and made.meta["model"] == name
    check_facts(format, format.facts(folder), format.facts(folder))
    assert tuple(format.open(made, parts.labels).labels) == tuple(parts.labels)
    assert format.suit(made, parts) == made, "what was made is not made again"
    return made


def check_strangers(format: Format, folder: Path) -> None:
    """What is nothing to a format is recognised as nothing: an empty folder, a text, a table.

    Raises:
        AssertionError: it is recognised as something.
    """
    (folder / "empty").mkdir(parents=True)
    (folder / "notes.txt").write_text("a text", encoding="utf-8")
    (folder / "data.csv").write_text("text,label", encoding="utf-8")
    for name in ("empty", "notes.txt", "data.csv"):
        assert format.recognize(location_at(folder / name)) is None, f"{name} is taken for a model"


def _contents(source: Path) -> dict[str, str]:
    return {str(path): sha256(path) for path in (source, *source.rglob("*")) if path.is_file()}


def check_facts(format: Format, found: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    """Facts are those that were expected; of what can be brought, those that every model has are among them.

    Raises:
        AssertionError: they are not.
    """
    differ = sorted(name for name in {*found, *wanted} if found.get(name) != wanted.get(name))
    assert not differ, f"facts differ in {', '.join(differ)}"
    if format.original:
        lacking = [name for name in FACTS if name not in found]
        assert not lacking, f"facts lack {', '.join(lacking)}"
        assert found["format"] == catalog.name_of(format), f"facts say the format {found['format']!r}"
        assert found["parameters"] > 0, "a model has weights"
        assert bool(found["labels"]) <= bool(found["has_head"]), "labels belong to a head"
