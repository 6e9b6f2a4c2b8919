"""Environments beside lighten's own, for engines whose libraries clash with ours: found, made, removed.

An engine or step declares what its environment has installed; the same list is the same environment, whoever declares
it. Each is a folder below ``$LIGHTEN_HOME/environments`` with an interpreter of its own. lighten itself is not
installed there: a child process borrows its source (see ``isolate.elsewhere``).
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import time
import venv
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from lighten.core import catalog
from lighten.core.engine import Engine
from lighten.core.errors import InputError, MissingEnvironment
from lighten.core.home import lighten_home
from lighten.core.step import Step
from lighten.isolate.pip import Progress, clean, install

RECORD = "environment.json"
"""Written last: a folder without it is half made, and is never used."""


@dataclass(frozen=True, slots=True)
class Environment:
    """An environment that was made.

    Attributes:
        name: of the engine for which it was made first.
        requirements: as they were declared.
        versions: of everything that was installed, by name.
        python: version of its interpreter.
        bytes: of its files. seconds: that making it took.
        path: its folder.
    """

    name: str
    requirements: tuple[str, ...]
    versions: Mapping[str, str]
    python: str
    bytes: int
    seconds: float
    path: Path

    @property
    def interpreter(self) -> Path:
        """Its Python."""
        return self.path / "bin" / "python"


@dataclass(frozen=True, slots=True)
class EnvironmentSpec:
    """Which environment a child runs in; lighten's own for no requirements.

    Attributes:
        name: of the engine or step that lives there, for messages.
        requirements: as it declares them.
    """

    name: str = ""
    requirements: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.requirements)

    def interpreter(self) -> str:
        """Its Python.

        Raises:
            MissingEnvironment: it was not made.
        """
        return str(interpreter_of(self.requirements, self.name))

    def variables(self) -> dict[str, str]:
        """Environment variables of processes there."""
        return clean(os.environ) if self else dict(os.environ)


def spec_of(thing: Engine | Step) -> EnvironmentSpec:
    """Where an engine or step lives. A step is named after the engine that shares its environment."""
    if not thing.environment:
        return EnvironmentSpec()
    if isinstance(thing, Engine):
        return EnvironmentSpec(catalog.name_of(thing), thing.environment)
    classes = ((name, catalog.load("engines", name)) for name in catalog.names("engines"))
    named = next((name for name, cls in classes if cls.environment == thing.environment), catalog.name_of(thing))
    return EnvironmentSpec(named, thing.environment)


def environments_home() -> Path:
    """Folder of all environments."""
    return lighten_home() / "environments"


def digest_of(requirements: Sequence[str]) -> str:
    """Name of the folder of an environment: of what it has installed, and for which Python."""
    python = f"{platform.python_implementation()} {sys.version_info.major}.{sys.version_info.minor}"
    what = [sorted(requirements), python, sys.platform, platform.machine()]
    return hashlib.sha256(json.dumps(what).encode()).hexdigest()[:16]


def folder_of(requirements: Sequence[str]) -> Path:
    """Where the environment with these requirements is, or would be."""
    return environments_home() / digest_of(requirements)


def find(requirements: Sequence[str]) -> Environment | None:
    """The environment with these requirements; None when it was not made, or its Python is gone."""
    return _read(folder_of(requirements))


def list_made() -> tuple[Environment, ...]:
    """Every environment that can be used, sorted by name."""
    found = [_read(folder) for folder in sorted(environments_home().glob("*")) if folder.is_dir()]
    return tuple(sorted((one for one in found if one is not None), key=lambda one: (one.name, one.path)))


def half_made() -> tuple[Path, ...]:
    """Folders that were not finished, or whose Python is gone, and that nobody is at work on."""
    folders = [folder for folder in sorted(environments_home().glob("*")) if folder.is_dir()]
    return tuple(folder for folder in folders if _read(folder) is None and not _busy(folder))


def interpreter_of(requirements: Sequence[str], name: str) -> Path:
    """The Python of the environment with these requirements; lighten's own for none.

    Args:
        name: of the engine, for the message.

    Raises:
        MissingEnvironment: it was not made.
    """
    if not requirements:
        return Path(sys.executable)
    found = find(requirements)
    if found is None:
        raise missing(name)
    return found.interpreter


def missing(name: str) -> MissingEnvironment:
    """The error for an engine whose environment is not there; says whether it is only out of date."""
    old = any(one.name == name for one in list_made())
    seen = "needs other libraries than the environment that was made for it has" if old else "has not been made here"
    return MissingEnvironment(
        f"{name} lives in an environment of its own, which {'' if not old else 'is out of date: it '}{seen}.",
        fix=f"lighten engine add {name.replace('_', '-')}",
    )


def make(name: str, requirements: Sequence[str], *, progress: Progress = lambda sentence: None) -> Environment:
    """Make an environment, or take the one that is there. What a killed process left half made is made anew.

    What was downloaded before is in pip's cache, so that a second attempt is quick. Index, proxy and certificates are
    those of the user's pip configuration.

    Args:
        name: of the engine that asks for it.

    Raises:
        InputError: no pip, no network, no space, or requirements that cannot be installed.
    """
    folder = folder_of(requirements)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with _locked(folder, progress):
            found = _read(folder)
            if found is not None:
                return found
            began = time.monotonic()
            (folder / RECORD).unlink(missing_ok=True)
            shutil.rmtree(folder, ignore_errors=True)
            progress(f"Making an environment for {name}.")
            venv.create(folder, with_pip=False, symlinks=True)
            install(folder / "bin" / "python", requirements, name, progress)
            return _seal(folder, name, requirements, time.monotonic() - began)
    except subprocess.CalledProcessError as error:
        said = (error.stderr or error.stdout or b"").decode("utf-8", "replace").strip().splitlines()
        raise InputError(
            f"The Python of the environment {folder} does not run: {said[-1] if said else error}.",
            fix=f"check that {sys.executable} can make virtual environments (python -m venv)",
        ) from error
    except OSError as error:
        raise InputError(
            f"No environment can be made in {folder.parent}: {error.strerror or error}.",
            fix="free some space, or set LIGHTEN_HOME to a folder that can be written",
        ) from error


def remove(folder: Path) -> None:
    """Remove an environment, whole or half made.

    Raises:
        InputError: another process is making or removing it.
    """
    with _lock_of(folder).open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError(f"Another process is at work on {folder}.", fix="wait for it or end it") from None
        (folder / RECORD).unlink(missing_ok=True)  # first, so that what is half removed is never used
        shutil.rmtree(folder, ignore_errors=True)


def bytes_of(folder: Path) -> int:
    """Bytes of all files below a folder."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if not path.is_dir() or path.is_symlink())


def _read(folder: Path) -> Environment | None:
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        found = Environment(**{**record, "requirements": tuple(record["requirements"]), "path": folder})
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return found if os.access(found.interpreter, os.X_OK) else None


def _seal(folder: Path, name: str, requirements: Sequence[str], seconds: float) -> Environment:
    asked = "import json, importlib.metadata as m; print(json.dumps({d.name: d.version for d in m.distributions()}))"
    python = folder / "bin" / "python"
    said = subprocess.run([python, "-P", "-c", asked], env=clean(os.environ), capture_output=True, check=True).stdout
    size = bytes_of(folder)
    sealed = Environment(
        name, tuple(requirements), json.loads(said), platform.python_version(), size, round(seconds, 1), folder
    )
    record = {key: value for key, value in asdict(sealed).items() if key != "path"}
    part = folder / f"{RECORD}.part"
    part.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    part.replace(folder / RECORD)
    return sealed


def _lock_of(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.lock")


@contextmanager
def _locked(folder: Path, progress: Progress) -> Iterator[None]:
    """Wait until no other process makes the same environment."""
    with _lock_of(folder).open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress("Another process is making this environment; waiting for it.")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _busy(folder: Path) -> bool:
    try:
        with _lock_of(folder).open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False
