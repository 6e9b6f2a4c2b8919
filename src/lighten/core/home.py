"""Home: the folder for what lighten keeps between runs, such as samples and environments."""

from __future__ import annotations

import os
from pathlib import Path


def lighten_home() -> Path:
    """``$LIGHTEN_HOME``, or ``~/.cache/lighten``."""
    named = os.environ.get("LIGHTEN_HOME")
    return Path(named).expanduser() if named else Path.home() / ".cache" / "lighten"
