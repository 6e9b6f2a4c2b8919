"""What has to be installed for a part of lighten, at the versions that are installed here; and lighten itself."""

from __future__ import annotations

import base64
import hashlib
import re
import zipfile
from collections.abc import Collection, Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

import lighten

OURS = "lighten"
REQUIREMENT = re.compile(r"^\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[([^\]]*)\])?([^;]*)(?:;(.*))?$")
EXTRA = re.compile(r"""extra\s*==\s*["']([^"']+)["']""")
EARLIEST = (1980, 1, 1, 0, 0, 0)
"""The time of every file in a wheel, so that the same files make the same wheel."""
LEFT_OUT = ("__pycache__",)


def name_of(text: str) -> str:
    """A distribution's name as indices spell it."""
    return re.sub(r"[-_.]+", "-", text).lower()


def closure(extras: Collection[str]) -> dict[str, str]:
    """Version of every distribution that lighten with these extras needs and that is installed here, by name.

    A version keeps the name of its own build (``2.1+cpu``): without it, it is another build, with other needs.
    """
    found: dict[str, str] = {}
    waiting = [(OURS, frozenset(extras))]
    seen: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        name, wanted = waiting.pop()
        if (name, wanted) in seen:
            continue
        seen.add((name, wanted))
        try:
            one = distribution(name)
        except PackageNotFoundError:
            continue  # of another system or Python, by its marker
        if name != OURS:
            found[name] = one.version
        waiting += [(other, more) for other, more in _required(one, wanted)]
    return dict(sorted(found.items()))


def _required(one: Distribution, extras: Collection[str]) -> Iterator[tuple[str, frozenset[str]]]:
    """What a distribution needs with these extras, each with its own."""
    for text in one.requires or ():
        match = REQUIREMENT.match(text)
        if match is None:
            continue
        name, more, _, marker = match.groups()
        asked = EXTRA.findall(marker or "")
        if asked and not set(map(name_of, asked)) & set(map(name_of, extras)):
            continue
        yield name_of(name), frozenset(part.strip() for part in (more or "").split(",") if part.strip())


def write_wheel(folder: Path) -> Path:
    """Write lighten as it runs here as a wheel: it needs no index, and is no other package of that name.

    Returns:
        The file. The same source makes the same bytes.
    """
    one, root = distribution(OURS), Path(lighten.__file__).parent
    info = f"{OURS}-{one.version}.dist-info"
    files = {
        f"{OURS}/{path.relative_to(root).as_posix()}": path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and not set(path.parts) & set(LEFT_OUT)
    }
    entry_points = f"[console_scripts]\n{OURS} = lighten.cli:main\n"
    files |= {
        f"{info}/METADATA": (one.read_text("METADATA") or "").encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: lighten\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": (one.read_text("entry_points.txt") or entry_points).encode(),
    }
    lines = [f"{name},sha256={_digest(data)},{len(data)}" for name, data in files.items()]
    files[f"{info}/RECORD"] = "\n".join([*lines, f"{info}/RECORD,,"]).encode() + b"\n"
    path = folder / f"{OURS}-{one.version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
        for name, data in files.items():
            entry = zipfile.ZipInfo(name, EARLIEST)
            entry.external_attr, entry.compress_type = 0o644 << 16, zipfile.ZIP_DEFLATED
            wheel.writestr(entry, data)
    return path


def _digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
