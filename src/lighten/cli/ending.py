"""How the command line ends: every exception becomes an exit code and, where there is something to say, a few lines."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import tempfile
import traceback
from collections.abc import Iterator

from lighten.core.errors import InputError, Interrupted, LightenError, Unexpected

DEBUG = "LIGHTEN_DEBUG"
"""Environment variable that shows every traceback whole."""

FULL = (errno.ENOSPC, errno.EDQUOT)
REFUSED = (errno.EACCES, errno.EPERM, errno.EROFS)
TOO_MANY = (errno.EMFILE, errno.ENFILE)
UNREADABLE = (errno.EIO, errno.ESTALE, errno.ENXIO, errno.ENODEV)
LONGEST = 300
"""Characters of an exception's own words that are shown."""


def ended(error: BaseException) -> int:
    """Say what there is to say of an exception that reached the top, and return the exit code."""
    if os.environ.get(DEBUG) == "1" and not isinstance(error, SystemExit):
        traceback.print_exception(error)
    if not isinstance(error, LightenError):  # whose own words say more than what it came from
        causes = tuple(chain(error))
        if any(isinstance(cause, BrokenPipeError) for cause in causes):
            return hushed()
        if any(isinstance(cause, KeyboardInterrupt) for cause in causes):
            error = Interrupted("Interrupted.")
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else int(error.code is not None)
    known = error if isinstance(error, LightenError) else explained(error)
    try:
        show(known)
    except BrokenPipeError:
        hushed()
    return known.exit_code


def chain(error: BaseException) -> Iterator[BaseException]:
    """An exception and what it came from."""
    at: BaseException | None = error
    seen: set[int] = set()
    while at is not None and id(at) not in seen:
        seen.add(id(at))
        yield at
        at = at.__cause__ or at.__context__


def hushed() -> int:
    """Nobody reads on, as behind ``head``: that is no fault of anybody's, and what is still buffered goes nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
            continue
        with contextlib.suppress(OSError, ValueError):
            os.dup2(nowhere, stream.fileno())
    return 0


def explained(error: BaseException) -> LightenError:
    """The clear error behind one that is not lighten's own; what nobody foresaw leaves its traceback in a file."""
    if isinstance(error, MemoryError):
        return LightenError(
            "There was not enough memory.", fix="close other programs, give fewer or shorter rows, or a smaller model"
        )
    if isinstance(error, UnicodeDecodeError):
        return InputError(
            f"Something that was read is not {error.encoding}: byte 0x{error.object[error.start]:02x} at place "
            f"{error.start:,} ({error.reason}).",
            allowed="text in UTF-8",
            fix="convert it first, such as with iconv -f latin1 -t utf-8",
        )
    if isinstance(error, OSError):
        found = of_system(error)
        if found is not None:
            return found
    words = " ".join(f"{type(error).__name__}: {error}".split())
    short = words if len(words) <= LONGEST else f"{words[:LONGEST]} ..."
    place = keep_traceback(error)
    return Unexpected(
        f"Something went wrong inside lighten that it has no better words for: {short}",
        fix=f"{DEBUG}=1 shows the whole story" + (f"; it is in {place}, for a report" if place else ""),
    )


def of_system(error: OSError) -> LightenError | None:
    """The clear error behind what the operating system refused; None for what says nothing to a user."""
    place = f" ({error.filename})" if error.filename is not None else ""
    if error.errno in FULL:
        return LightenError(
            f"The disk is full{place}. What was finished is kept.",
            fix="free some space, or point TMPDIR, LIGHTEN_HOME or --out to another disk",
        )
    if error.errno in REFUSED:
        return InputError(
            f"Not allowed{place}: {error.strerror}.",
            fix="check who owns it; LIGHTEN_HOME and TMPDIR name the folders that lighten itself writes to",
        )
    if error.errno in TOO_MANY:
        return LightenError(f"Too many files are open{place}.", fix="allow more first: ulimit -n 4096")
    if error.errno == errno.ENOMEM:
        return explained(MemoryError())
    if error.errno in UNREADABLE:
        return LightenError(f"The device does not answer{place}: {error.strerror}.", fix="check the disk or the mount")
    return None


def keep_traceback(error: BaseException) -> str:
    """The file that the traceback was written to, readable by its owner alone; empty when there is no place for it."""
    try:
        number, path = tempfile.mkstemp(prefix="lighten-error-", suffix=".txt")
        with os.fdopen(number, "w", encoding="utf-8", errors="backslashreplace") as stream:
            stream.writelines([" ".join(sys.argv), "\n", *traceback.format_exception(error)])
    except OSError:
        return ""
    return path


def show(error: LightenError) -> None:
    """Print an error for the person who reads it, on stderr: as it is, neither wrapped nor read as markup."""
    from rich.console import Console
    from rich.text import Text

    text = Text()
    text.append("Error: ", style="bold red")
    text.append(str(error))
    Console(stderr=True, highlight=False).print(text, soft_wrap=True)
