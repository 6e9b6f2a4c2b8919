"""The stand-in for child processes: it answers as one would, and tells what one tells on the way."""

from __future__ import annotations

import numpy as np
import pytest

from lighten.core.errors import StepFailed
from lighten.isolate.process import ChildProcess, call
from lighten.sessions.process import SessionProcess
from lighten.testing.here import children_here


def test_what_a_child_would_do_is_done_here(session_of: type[SessionProcess]) -> None:
    with session_of() as session:
        there = session.run(("a good film", "a bad one"))
    heard: list[object] = []
    with children_here():
        with session_of() as session:
            np.testing.assert_array_equal(session.run(("a good film", "a bad one")), there)
        assert call("lighten.isolate.child:emit", on_event=heard.append, event={"note": "a note"}) is None
        with pytest.raises(StepFailed, match="ZeroDivisionError"):
            call("fractions:Fraction", numerator=1, denominator=0)
    assert heard == [{"note": "a note"}]
    assert vars(ChildProcess)["start"].__module__ == "lighten.isolate.process"
