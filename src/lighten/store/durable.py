"""Durable: what is written survives the loss of power, whole, or is as though it had never been written."""

from __future__ import annotations

import errno
import os
from pathlib import Path

UNKNOWN = (errno.EINVAL, errno.ENOTSUP)
"""What file systems say that cannot wait for the names in a folder; they are let be."""


def sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk.

    Raises:
        OSError: the disk is full or broken.
    """
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    except OSError as error:
        if not (path.is_dir() and error.errno in UNKNOWN):
            raise
    finally:
        os.close(number)


def sync_tree(folder: Path) -> None:
    """Wait until a folder and everything below it is on the disk.

    Raises:
        OSError: see :func:`sync`.
    """
    for path in sorted(folder.rglob("*"), reverse=True):  # what lies in a folder comes before it
        sync(path)
    sync(folder)
