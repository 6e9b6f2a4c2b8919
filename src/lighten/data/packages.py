"""Download one package file with the user's own pip and index, known by its SHA-256 before anything reads it."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from lighten.core.errors import InputError, UnsafeFile

_TIMEOUT_S = 1800


@dataclass(frozen=True, slots=True)
class Package:
    """One package file of an index.

    Attributes:
        requirement: as its client has it: ``name==version``, ``name@version``, a name alone.
        sha256: of the file, in hex; checked before the file is opened. Empty for one that a distribution builds and
            signs itself.
        megabytes: size of the download, in MB.
        sdist: the source archive instead of a wheel.
        client: ``pip``, ``apt`` or ``npm``: what fetches it.
    """

    requirement: str
    sha256: str
    megabytes: float
    sdist: bool = False
    client: str = "pip"


def download_package(package: Package, into: Path) -> Path:
    """The wheel or source archive of one package, as a file; it is not installed and not imported.

    pip prepares the metadata of a source archive, which runs its ``setup.py``. So the hash goes to pip itself
    (``--require-hashes``): pip compares it before it opens the file, so of the package only the content known by this
    hash can run. The build tools pip fetches for that (setuptools) come from the user's index and are not pinned here.
    Of wheels nothing runs. The index, proxy and certificates are those of the user's pip configuration.

    Args:
        into: an existing, empty folder.

    Raises:
        UnsafeFile: the index has a file of another content.
        InputError: no pip, no network, or no such file in the index.
    """
    requirement = package.requirement
    hashes = into / "requirements.txt"
    hashes.write_text(f"{requirement} --hash=sha256:{package.sha256}\n", "utf-8")
    found = into / "found"
    kind = ["--no-binary", requirement.partition("==")[0]] if package.sdist else ["--only-binary", ":all:"]
    # -P: a file pip.py in the current folder is not pip.
    command = [sys.executable, "-P", "-m", "pip", "download", "--no-deps", "--require-hashes", *kind]
    command += ["--progress-bar", "off", "--disable-pip-version-check", "-d", str(found), "-r", str(hashes)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=_TIMEOUT_S)
    except subprocess.TimeoutExpired as error:
        raise InputError(f"Downloading {requirement} took more than {_TIMEOUT_S} s.", fix="try again later") from error
    if done.returncode:
        raise _refusal(requirement, done.stdout + done.stderr)
    files = sorted(found.iterdir())
    if len(files) != 1:
        raise InputError(f"pip downloaded {len(files)} files for {requirement}, expected one.")
    check_sha256(files[0], package.sha256)
    return files[0]


def check_sha256(path: Path, sha256: str) -> None:
    """Refuse a file whose content is not the known one.

    Raises:
        UnsafeFile: the SHA-256 differs.
    """
    with path.open("rb") as file:
        _check(hashlib.file_digest(file, "sha256").hexdigest(), path.name, sha256)


def check_content(data: bytes, name: str, sha256: str) -> None:
    """The same for a content that is in memory; name: what it is called."""
    _check(hashlib.sha256(data).hexdigest(), name, sha256)


def _check(found: str, name: str, sha256: str) -> None:
    if found != sha256.lower():
        raise UnsafeFile(
            f"{name} is not the file that lighten knows: its SHA-256 is {found}. It was not opened.",
            allowed=sha256,
            fix="tell whoever runs your package index; it may have been replaced",
        )


def _refusal(requirement: str, output: str) -> InputError:
    """What pip said, as an error with something to do; addresses (they may hold passwords) are left out."""
    if "No module named pip" in output:
        return InputError(
            f"{requirement} is fetched with pip, which this Python does not have.",
            fix=f"{sys.executable} -m ensurepip, or uv pip install pip",
        )
    if "DO NOT MATCH THE HASHES" in output:
        got = re.search(r"Got\s+([0-9a-f]{64})", output)
        return UnsafeFile(
            f"The index has a {requirement} that is not the file lighten knows"
            f"{f': its SHA-256 is {got[1]}' if got else ''}. It was not opened.",
            fix="tell whoever runs your package index; it may have been replaced",
        )
    errors = [line.strip() for line in output.splitlines() if line.lstrip().upper().startswith("ERROR")]
    last = errors[-1] if errors else (output.strip().splitlines() or ["pip said nothing"])[-1]
    return InputError(
        f"{requirement} could not be downloaded: {re.sub(r'[a-z+]+://[^ ]+', '(address)', last)}",
        fix="check the network and the index pip is set to (pip config list); or use a file of your own",
    )
