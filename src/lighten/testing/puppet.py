"""A plug-in engine that lives in an environment of its own, and the wheel that is installed there; made without a
network in a moment."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

from lighten.core.artifact import Artifact
from lighten.testing.plugin import installed, plugin_package

NAME, FORMAT = "puppet", "puppet"

ENGINE = '''"""Says what its strings say."""

import shutil
import sys
from dataclasses import dataclass
from typing import ClassVar

from lighten.core.engine import Engine
from lighten.core.errors import InputError
from lighten.core.language import GREEDY, LanguageSession
from lighten.core.step import setting


@dataclass(frozen=True)
class Puppet(Engine):
    """Needs the package puppetstrings, which is nowhere but in its environment."""

    consumes: ClassVar[tuple[str, ...]] = ("puppet",)
    stores: ClassVar[tuple[str, ...]] = ("puppet",)
    environment: ClassVar[tuple[str, ...]] = (REQUIREMENT,)

    cells: int = setting(64, "Context.", unit="tokens", low=8)

    def version(self):
        import puppetstrings

        return f"puppetstrings {puppetstrings.VERSION}"

    def build(self, artifact, folder):
        import puppetstrings

        (folder / "said.txt").write_text(puppetstrings.pulled((artifact.path / "said.txt").read_text()))
        return "puppet"

    def open(self, artifact, *, threads):
        import puppetstrings

        return Pulled(puppetstrings, (artifact.path / "said.txt").read_text(), self.cells)


class Pulled(LanguageSession):
    streams = 2

    def __init__(self, strings, said, cells):
        self.strings, self.said, self.context = strings, said, cells

    def encode(self, text, *, begin=True, special=False):
        return list(text.encode())

    def pieces(self, tokens):
        return [bytes([token]) for token in tokens]

    def ends(self, token):
        return token == 0

    def score(self, spans):
        raise InputError("A puppet says what it is told, and knows no probabilities.", allowed="generate")

    def generate(self, prompts, most, *, sampling=GREEDY, stop=True, heard=None):
        made = []
        for number, prompt in enumerate(prompts):
            answer = self.strings.pulled(self.said + bytes(prompt).decode()).encode()[:most]
            kept = []
            for token in answer:
                kept.append(token)
                if heard is not None and heard(number, token):
                    break
            made.append(kept)
        return made

    def close(self):
        self.said = ""


def seen():
    """What can be imported where this runs."""
    from importlib.util import find_spec

    return {
        "prefix": sys.prefix,
        "version": Puppet().version(),
        "there": [name for name in ("numpy", "torch", "rich", "pip", "lighten") if find_spec(name)],
    }
'''


def puppet_wheel(folder: Path, version: str = "1.0") -> Path:
    """A wheel of the package ``puppetstrings``, which makes text loud."""
    path = folder / f"puppetstrings-{version}-py3-none-any.whl"
    info = f"puppetstrings-{version}.dist-info"
    files = {
        "puppetstrings.py": f'VERSION = "{version}"\n\n\ndef pulled(text):\n    return text.upper()\n',
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: puppetstrings\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: lighten\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    files[f"{info}/RECORD"] = "".join(f"{name},,\n" for name in [*files, f"{info}/RECORD"])
    with zipfile.ZipFile(path, "w") as wheel:
        for name, text in files.items():
            wheel.writestr(name, text)
    return path


@contextmanager
def puppet(folder: Path, version: str = "1.0", home: Path | None = None) -> Iterator[str]:
    """The plug-in is installed, its environment is not made yet; gives the dotted path of the plug-in's module.

    Args:
        folder: an empty one, for the plug-in. version: that its engine asks for.
        home: where environments are kept; a folder of ``folder`` when nothing is said.
    """
    folder.mkdir(parents=True, exist_ok=True)
    requirement = f"puppetstrings @ {puppet_wheel(folder, version).as_uri()}"
    module = plugin_package(folder, "engines", NAME, ENGINE.replace("REQUIREMENT", repr(requirement)))
    offline = {"PIP_NO_INDEX": "1", "LIGHTEN_HOME": str(home or folder / "home")}
    with patch.dict(os.environ, offline), installed(folder):
        yield module


def puppet_artifact(folder: Path, said: str = "so ") -> Artifact:
    """A model that says ``said``, then what it was told."""
    folder.mkdir(parents=True)
    (folder / "said.txt").write_text(said, encoding="utf-8")
    return Artifact.seal(folder, format=FORMAT, meta={"labels": []})
