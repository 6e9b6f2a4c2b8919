"""A listener that says nothing can stand wherever one is asked for."""

from __future__ import annotations

import inspect

from lighten.core.outcome import Constant
from lighten.core.result import Candidate
from lighten.search.listener import Listener, Quiet


def test_quiet_hears_everything_that_a_listener_is_told() -> None:
    quiet: Listener = Quiet()
    told = [name for name, _ in inspect.getmembers(Listener, inspect.isfunction) if not name.startswith("_")]
    assert set(told) == {"note", "warning", "no_better", "phase", "candidate", "progress", "finished", "best"}
    candidate = Candidate(1, "one", (), "eager")
    said = {
        "note": ("text",), "phase": ("search", 1.0), "candidate": (1, "one"), "progress": (1.0, 2.0, "half"),
        "finished": (candidate,), "best": (candidate,), "warning": ("text",),
        "no_better": (Constant("a", "accuracy", "select", 9, 0.5, 0.5, -0.1, 0.1, "not_enough_data"),),
    }  # fmt: skip
    assert [getattr(quiet, name)(*said[name]) for name in told] == [None] * len(told)
