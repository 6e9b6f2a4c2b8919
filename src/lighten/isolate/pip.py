"""Install packages into an environment with the user's own pip: its index, proxy and certificates."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from lighten.core.errors import InputError

PROGRESS = re.compile(r"^\s*(Collecting|Downloading|Building|Installing|Using cached|Processing) ")
ADDRESS = re.compile(r"[a-z+]+://[^\s'\"]+")

Progress = Callable[[str], None]
"""Told one sentence at a time."""


def install(python: Path, requirements: Sequence[str], name: str, progress: Progress) -> None:
    """Install ``requirements`` for the interpreter ``python``, an environment's own.

    Args:
        name: of the engine that they are for.

    Raises:
        InputError: no pip, no network, no space, or requirements that cannot be installed.
    """
    # --python: the pip that runs lighten installs there, so that pip itself need not be installed again.
    command = [sys.executable, "-P", "-m", "pip", "--python", str(python), "install"]
    command += ["--progress-bar", "off", "--disable-pip-version-check", "--no-input", "--no-user", *requirements]
    said: list[str] = []
    with subprocess.Popen(
        command,
        env=clean(os.environ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as pip:
        try:
            for line in pip.stdout or ():
                said.append(line.strip())
                if PROGRESS.match(line):
                    progress(ADDRESS.sub("(address)", line.strip())[:120])
        except BaseException:
            pip.kill()
            raise
    if pip.returncode:
        raise refusal(name, said)


def refusal(name: str, said: Sequence[str]) -> InputError:
    """What pip said, as an error with something to do; addresses (they may hold passwords) are left out."""
    whole = "\n".join(said)
    if "No module named pip" in whole or "no such option: --python" in whole:
        have = "does not have" if "No module named pip" in whole else "has in a version before 22.3"
        return InputError(
            f"The environment of {name} is made with pip, which this Python {have}.",
            fix=f"{sys.executable} -m ensurepip --upgrade, or uv pip install --upgrade pip",
        )
    errors = [line for line in said if line.upper().startswith("ERROR")]
    last = ADDRESS.sub("(address)", errors[-1] if errors else (said or ["pip said nothing"])[-1])
    fix = "check the network and the index that pip is set to (pip config list)"
    if "No space left" in whole:
        fix = "free some space, or set LIGHTEN_HOME to a folder on another disk"
    elif "ResolutionImpossible" in whole or "conflicting dependencies" in whole:
        fix = "the index has no set of versions that fit together; use a full mirror of the index"
    return InputError(f"The environment of {name} could not be made: {last.removeprefix('ERROR: ')}", fix=fix)


def clean(variables: Mapping[str, str]) -> dict[str, str]:
    """Environment variables without those through which packages of another place come in."""
    kept = {key: value for key, value in variables.items() if key not in ("PYTHONPATH", "PYTHONHOME")}
    return {**kept, "PYTHONNOUSERSITE": "1"}
