"""Links in a model's folder: only those of the hub's cache are followed."""

from __future__ import annotations

from pathlib import Path

from lighten.core.errors import UnsafeFile


def check_link(path: Path, folder: Path) -> None:
    """Refuse a link that is not one of the hub's cache: snapshots/REVISION/NAME -> blobs/HASH, a plain file.

    Raises:
        UnsafeFile: it is, or ``path`` is something else than a file.
    """
    if not path.is_symlink():
        if not path.is_file():
            raise UnsafeFile(f"{path} is not a plain file.", allowed="plain files")
        return
    root, target = folder.resolve(), path.resolve()
    blobs = root.parent.parent / "blobs"
    if root.parent.name != "snapshots" or target.parent != blobs or not target.is_file():
        raise UnsafeFile(
            f"{path} is a link to {target}.", allowed="plain files, or links of the hub's cache into its own blobs"
        )
