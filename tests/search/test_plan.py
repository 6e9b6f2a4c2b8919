"""A plan's notes: each is kept once, and the rest is passed on."""

from __future__ import annotations

from lighten.search.listener import Quiet
from lighten.search.plan import Notes


class Heard(Quiet):
    def __init__(self) -> None:
        self.heard: list[object] = []

    def note(self, text: str) -> None:
        self.heard.append(text)

    def phase(self, name: str, seconds_left: float | None) -> None:
        self.heard.append(name)

    def progress(self, done: float, total: float, message: str) -> None:
        self.heard.append((done, total, message))


def test_notes_are_kept_and_progress_is_passed_on() -> None:
    heard = Heard()
    notes = Notes(heard)
    notes.phase("data", None)
    notes.note("Texts are short.")
    notes.progress(1.0, 2.0, "trying engine ort")
    assert notes.notes == ["Texts are short."]
    assert heard.heard == ["data", (1.0, 2.0, "trying engine ort")]


def test_a_warning_is_kept_among_the_notes() -> None:
    notes = Notes(Quiet())
    notes.note("Texts are short.")
    notes.warning("Labelled rows speak against what the labels were taken for.")
    assert notes.notes == ["Texts are short.", "Labelled rows speak against what the labels were taken for."]
