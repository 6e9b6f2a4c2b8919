"""Home: the folder for what lighten keeps between runs, such as samples and environments."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from pathlib import Path

from lighten.core.errors import InputError

SWITCH = "LIGHTEN_HOME"
"""Environment variable that names the folder."""


def lighten_home() -> Path:
    """``$LIGHTEN_HOME``, or ``~/.cache/lighten``; for a user without a home, as in many containers, one in TMPDIR.

    Raises:
        InputError: there is no home, and the folder in TMPDIR cannot be made or is not this user's alone.
    """
    named = os.environ.get(SWITCH)
    if named:
        return expanded(named)
    home = _users_home()
    return _without_home() if home is None else home / ".cache" / "lighten"


def home_for_libraries() -> Path | None:
    """Where libraries find a home that look for one as they are imported; None where the user has one.

    Raises:
        InputError: see :func:`lighten_home`.
    """
    if _users_home() is not None:
        return None
    folder = lighten_home()
    with contextlib.suppress(OSError):  # whoever writes there says so
        folder.mkdir(parents=True, exist_ok=True)
    return folder


def _users_home() -> Path | None:
    try:
        home = Path.home()
    except RuntimeError:  # no HOME, and a user id that the system has no name for
        return None
    closed = home.is_dir() and not os.access(home, os.X_OK)  # another user's, as where a container sets HOME=/root
    return None if closed else home


def expanded(path: str | Path) -> Path:
    """A path with ``~`` as the home it stands for; as it is where there is none."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        return Path(path)


def _without_home() -> Path:
    """A folder that nobody else can have put there: programs are started from what is kept in it."""
    folder = Path(tempfile.gettempdir()) / f"lighten-{os.getuid()}"
    fix = f"set {SWITCH} to a folder that you own"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
    except OSError as error:
        raise InputError(f"There is no home folder, and {folder} cannot be made: {error.strerror}.", fix=fix) from error
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o022:
        raise InputError(f"There is no home folder, and {folder} is not yours alone.", fix=fix)
    return folder
