"""What other versions measured is said, once for each change, however often a run is taken up."""

from __future__ import annotations

from pathlib import Path

from lighten.core.result import Candidate
from lighten.search.library_versions import note_versions
from lighten.store.study import Study


def test_a_run_that_is_taken_up_with_other_libraries_says_what_the_old_ones_measured(tmp_path: Path) -> None:
    study = Study(tmp_path / "study.db")
    assert note_versions(study, {"torch": "2.12", "onnx": "1.20"}) == []
    for key, state in ((0, "ok"), (1, "failed"), (2, "running")):
        study.save(Candidate(key=key, name="x", recipe=(), engine="eager", state=state))
    assert note_versions(study, {"torch": "2.12", "onnx": "1.20"}) == []
    said = note_versions(study, {"torch": "2.13", "onnx": "1.20", "nncf": "3"})
    assert said == [
        "The run was taken up with other libraries: candidates 0, 1 were measured with "
        "nncf missing (then 3), torch 2.12 (then 2.13)."
    ]
    study.close()
    again = Study(tmp_path / "study.db")
    assert note_versions(again, {"torch": "2.13", "onnx": "1.20", "nncf": "3"}) == said
    assert len(note_versions(again, {"torch": "2.12", "onnx": "1.20"})) == 2


def test_an_upgrade_before_anything_was_measured_says_nothing(tmp_path: Path) -> None:
    study = Study(tmp_path / "study.db")
    note_versions(study, {"torch": "2.12"})
    assert note_versions(study, {"torch": "2.13"}) == []
