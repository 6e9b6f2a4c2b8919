"""The Hugging Face hub and its cache, of models and of data sets: asked briefly, and every failure is told in words.

The cache is read by its layout (``models--ORG--NAME/refs`` and ``snapshots``), which needs no library and no network:
what the hub's own library opens with ``HF_HUB_OFFLINE=1`` is opened here too.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lighten.core.errors import LightenError, MissingExtra, nearest
from lighten.core.home import expanded
from lighten.isolate.quiet import quiet

SECONDS = 10.0
"""How long the hub may take to answer at all."""
YES = frozenset({"1", "true", "yes", "on"})


class Refusal(Exception):
    """The hub does not give something.

    Args:
        seen: what is the matter. fix: what to do; empty where nobody knows.
        missing: the hub has no such thing. full: there is no space for it here.
    """

    def __init__(self, seen: str, fix: str = "", *, missing: bool = False, full: bool = False) -> None:
        super().__init__(seen)
        self.seen, self.fix, self.missing, self.full = seen, fix, missing, full


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of repository.

    Attributes:
        folder: how folders of the cache begin. noun: what one is called. fetch: the command that fetches one.
    """

    folder: str
    noun: str
    fetch: str


MODELS = Kind("models", "model", "hf download")
DATA_SETS = Kind("datasets", "data set", "hf download --repo-type dataset")


def cache_folder() -> Path:
    """Where the hub's library keeps what it fetched."""
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        if os.environ.get(name):
            return expanded(os.environ[name])
    home = os.environ.get("HF_HOME")
    if not home:
        home = str(Path(os.environ.get("XDG_CACHE_HOME") or expanded("~/.cache")) / "huggingface")
    return expanded(home) / "hub"


def offline() -> bool:
    """Whether the user asked to leave the network alone."""
    return any(os.environ.get(name, "").lower() in YES for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"))


def cached_names(kind: Kind = MODELS) -> list[str]:
    """Ids of what is in the cache."""
    begin = f"{kind.folder}--"
    try:
        folders = [path.name for path in cache_folder().iterdir() if path.name.startswith(begin)]
    except OSError:
        return []
    return sorted(name.removeprefix(begin).replace("--", "/") for name in folders)


def cached(name: str, kind: Kind = MODELS) -> Path | None:
    """The snapshot of a repository in the cache: that of its main revision, else the latest; None when it has none."""
    folder = cache_folder() / f"{kind.folder}--{name.replace('/', '--')}"
    try:
        named = (folder / "refs" / "main").read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        named = ""
    try:
        if named and (folder / "snapshots" / named).is_dir():
            return folder / "snapshots" / named
        return max((folder / "snapshots").iterdir(), key=lambda path: path.stat().st_mtime, default=None)
    except OSError:
        return None


def nearest_names(name: str, kind: Kind = MODELS) -> str:
    """The nearest names: of what is in the cache, and of folders here."""
    parent = expanded(name).parent
    try:
        here = [str(parent / path.name) for path in parent.iterdir() if path.is_dir()]
    except OSError:
        here = []
    near = nearest(name, [*cached_names(kind), *here], most=3)
    return f"did you mean {' or '.join(map(repr, near))}?" if near else ""


def asked(name: str, kind: Kind, do: Callable[[Any], Any]) -> Any:
    """What ``do`` gets from the hub's library, which it is called with; what that prints is not shown.

    Raises:
        Refusal: the hub does not give it, or is to be left alone. MissingExtra: its library is not installed.
        LightenError: whatever ``do`` raises of ours.
    """
    if offline():
        raise Refusal(
            f"{name} is no folder here and not in the cache ({cache_folder()}), and HF_HUB_OFFLINE says to leave the "
            "network alone.",
            nearest_names(name, kind) or f"fetch it where there is a network: {kind.fetch} {name}",
        )
    try:
        import huggingface_hub as hub
    except ImportError as error:
        raise MissingExtra(
            f"The {kind.noun} {name}, which is no folder here and so is looked up on the hub,", "hub", str(error)
        ) from error
    try:
        with quiet():
            return do(hub)
    except LightenError:
        raise
    except Exception as error:  # the library passes on what its own libraries raise, from sockets up
        raise _refusal(name, kind, hub, error) from error


def _refusal(name: str, kind: Kind, hub: Any, error: Exception) -> Refusal:
    errors = hub.errors
    reason = f"{type(error).__name__}: {(str(error).strip().splitlines() or [''])[0][:200]}"
    hint = nearest_names(name, kind)
    if isinstance(error, errors.GatedRepoError):
        return Refusal(f"{name} is gated on the hub.", "accept its terms on its page, then run `hf auth login`")
    if isinstance(error, errors.RepositoryNotFoundError):
        seen = f"There is no {kind.noun} {name} on the hub, or it is private; and there is no such folder here."
        fix = hint or f"check the name; for a private {kind.noun} run `hf auth login`"
        return Refusal(seen, fix, missing=True)
    if isinstance(error, errors.HFValidationError):
        seen = f"{name} is no folder here, and no id that the hub could have."
        return Refusal(seen, hint or "check the name", missing=True)
    if isinstance(error, OSError) and getattr(error, "errno", None) == 28:
        seen = f"There is no space left to fetch {name} ({cache_folder()})."
        return Refusal(seen, "set HF_HOME to a larger disk", full=True)
    seen = f"{name} is no folder here and not in the cache, and the hub cannot be reached ({reason})."
    return Refusal(seen, hint or "check the name and the network, or give a folder")
