"""sample: models and data to try with."""

from __future__ import annotations

import shutil
from pathlib import Path

from lighten.core.errors import RunFolderError
from lighten.core.progress import Progress
from lighten.data.sample_list import SAMPLES
from lighten.data.samples import fetch_sample


def sample(name: str, folder: str | Path | None = None, *, progress: Progress | None = None) -> Path:
    """Fetch a sample once, and copy it to ``folder`` when one is given, its terms with it. Returns where it is.

    Args:
        progress: told how far the work is: done, total (0 where nobody knows), message.

    Raises:
        UnknownName: there is no such sample. RunFolderError: ``folder`` exists. InputError: it cannot be fetched.
    """
    found = fetch_sample(name, progress=progress)
    if folder is None:
        return found
    target = Path(folder)
    if target.exists() and (target.is_file() or any(target.iterdir())):
        raise RunFolderError(f"{target} exists already and is not empty.", fix="give a new folder")
    if found.is_dir():
        shutil.copytree(found, target, dirs_exist_ok=True)
        return target
    target.mkdir(parents=True, exist_ok=True)
    for text in terms(name, found.parent):
        shutil.copy(text, target)
    return Path(shutil.copy(found, target))


def terms(name: str, home: Path) -> list[Path]:
    """What lies beside the files of a sample in ``home``: its licence, terms of use, where it is from."""
    files = set(SAMPLES[name.partition("/")[0]].opens.values())
    return [path for path in sorted(home.iterdir()) if path.is_file() and path.name not in files]
