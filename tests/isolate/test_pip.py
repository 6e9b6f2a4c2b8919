"""What pip says becomes something to do, and no address that may hold a password is repeated."""

from __future__ import annotations

import pytest

from lighten.isolate.pip import clean, refusal

CASES = [
    (["/usr/bin/python: No module named pip"], "does not have", "ensurepip"),
    (["Usage: pip ...", "no such option: --python"], "before 22.3", "ensurepip"),
    (["ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device"], "No space", "free"),
    (
        ["ERROR: Cannot install a and b", "ERROR: ResolutionImpossible: for help visit https://x"],
        "Resolution",
        "mirror",
    ),
    (["ERROR: No matching distribution found for a==1"], "No matching distribution", "pip config list"),
    ([], "said nothing", "pip config list"),
]


@pytest.mark.parametrize(("said", "seen", "fix"), CASES)
def test_every_refusal_says_what_to_do(said: list[str], seen: str, fix: str) -> None:
    error = refusal("ov_genai", said)
    assert seen in error.seen and fix in error.fix
    assert "ov_genai" in error.seen


def test_addresses_are_left_out() -> None:
    error = refusal("x", ["ERROR: Cannot reach https://me:secret@index.example/simple/a/"])
    assert "secret" not in str(error) and "(address)" in error.seen


def test_packages_of_other_places_stay_outside() -> None:
    assert clean({"PYTHONPATH": "/a", "PYTHONHOME": "/b", "PATH": "/c"}) == {"PATH": "/c", "PYTHONNOUSERSITE": "1"}
