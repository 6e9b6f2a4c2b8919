"""Models of the Hugging Face hub: the cache first, then the network, briefly; every failure is an error of ours.

The cache is read by its layout (``models--ORG--NAME/refs`` and ``snapshots``), which needs no library and no network:
what plain transformers opens with ``HF_HUB_OFFLINE=1`` is opened here too.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lighten.core.errors import LightenError, MissingExtra, ModelError, nearest
from lighten.core.format import Recognized
from lighten.core.home import expanded
from lighten.core.matching import format_named
from lighten.files.json_file import read_object
from lighten.isolate.quiet import quiet
from lighten.models.recognize import recognize, recognize_listing

HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?")
HUB_FILE = re.compile(r"([A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*)/([\w. -]+\.gguf)", re.I)
"""A file of a repository, such as ``org/name-GGUF/name-Q8_0.gguf``."""
SECONDS = 10.0
"""How long the hub may take to answer at all."""
YES = frozenset({"1", "true", "yes", "on"})


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


def cached_names() -> list[str]:
    """Ids of the models in the cache."""
    try:
        folders = [path.name for path in cache_folder().iterdir() if path.name.startswith("models--")]
    except OSError:
        return []
    return sorted(name.removeprefix("models--").replace("--", "/") for name in folders)


def cached(model: str) -> Path | None:
    """The snapshot of a model in the cache: that of its main revision, else the latest; None when it has none."""
    folder = cache_folder() / f"models--{model.replace('/', '--')}"
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


def snapshot_of(folder: Path) -> Path:
    """The snapshot in a folder of the cache that a user names itself; any other folder as it is."""
    if folder.name.startswith("models--") and (folder / "snapshots").is_dir():
        return cached(folder.name.removeprefix("models--").replace("--", "/")) or folder
    return folder


class NotAtHand(ModelError):
    """A model that is neither in the cache nor given by the hub."""


def look(model: str, *, headless: bool = False) -> Recognized:
    """What a model of the hub is, told with as little fetched as possible: its configs.

    Args:
        headless: see :class:`Location`.

    Raises:
        NotAtHand: the hub does not give it. ModelError, UnsafeFile: it is nothing that lighten can use.
        MissingExtra: the hub's library is not installed, and the model is not in the cache.
    """
    name, file = _parts(model)
    found = _whole_in_cache(name, file, headless)
    if found is not None:
        return recognize(found, headless=headless)
    told: Recognized = _asked(model, lambda hub: _listed(hub, name, file, headless)[0])
    return told


def fetch(model: str, *, headless: bool = False) -> Path:
    """Where a model of the hub lies, fetched when it is not in the cache: a snapshot's folder, or a GGUF file.

    Args:
        headless: see :class:`Location`.

    Raises:
        NotAtHand, ModelError, UnsafeFile, MissingExtra: see :func:`look`.
    """
    name, file = _parts(model)
    found = _whole_in_cache(name, file, headless)
    return found if found is not None else _asked(model, lambda hub: _downloaded(hub, name, file, headless))


def _parts(model: str) -> tuple[str, str]:
    match = HUB_FILE.fullmatch(model)
    return (match[1], match[2]) if match else (model, "")


def _whole_in_cache(name: str, file: str, headless: bool) -> Path | None:
    """What is in the cache, where nothing is missing; offline also what is not whole, whose error says what is."""
    folder = cached(name)
    if folder is None:
        return None
    if file:
        return folder / file if (folder / file).is_file() else None
    try:
        found = recognize(folder, headless=headless)
        if not found.sealed:
            format_named(found.format).check_complete(found)
    except LightenError:
        return folder if offline() and any(folder.iterdir()) else None
    return folder


def _asked(model: str, do: Callable[[Any], Any]) -> Any:
    """What ``do`` gets from the hub's library; whatever it raises is an error to read."""
    where = f"the cache ({cache_folder()})"
    if offline():
        raise NotAtHand(
            f"{model} is no folder here and not in {where}, and HF_HUB_OFFLINE says to leave the network alone.",
            allowed="an HF folder, a GGUF file, a hub id, or sample:NAME",
            fix=nearest_names(model) or "fetch it where there is a network: hf download " + model,
        )
    try:
        import huggingface_hub as hub
    except ImportError as error:
        raise MissingExtra(
            f"The model {model}, which is no folder here and so is looked up on the hub,", "hub", str(error)
        ) from error
    try:
        with quiet():
            return do(hub)
    except LightenError:
        raise
    except Exception as error:  # the library passes on what its own libraries raise, from sockets up
        raise _refusal(model, hub, error) from error


def _refusal(model: str, hub: Any, error: Exception) -> NotAtHand:
    errors = hub.errors
    reason = f"{type(error).__name__}: {(str(error).strip().splitlines() or [''])[0][:200]}"
    allowed, hint = "an HF folder, a GGUF file, a hub id, or sample:NAME", nearest_names(model)
    if isinstance(error, errors.GatedRepoError):
        seen, fix = f"{model} is gated on the hub.", "accept its terms on its page, then run `hf auth login`"
    elif isinstance(error, errors.RepositoryNotFoundError):
        seen = f"There is no {model} on the hub, or it is private; and there is no such folder here."
        fix = hint or "check the name; for a private model run `hf auth login`"
    elif isinstance(error, errors.HFValidationError):
        seen, fix = f"{model} is no folder here, and no id that the hub could have.", hint or "check the name"
    elif isinstance(error, OSError) and getattr(error, "errno", None) == 28:
        seen, fix = f"There is no space left to fetch {model} ({cache_folder()}).", "set HF_HOME to a larger disk"
    else:
        seen = f"{model} is no folder here and not in the cache, and the hub cannot be reached ({reason})."
        fix = hint or "check the name and the network, or give a folder"
    return NotAtHand(seen, allowed=allowed, fix=fix)


def nearest_names(model: str) -> str:
    """The nearest names: of what is in the cache, and of folders here."""
    parent = expanded(model).parent
    try:
        here = [str(parent / path.name) for path in parent.iterdir() if path.is_dir()]
    except OSError:
        here = []
    near = nearest(model, [*cached_names(), *here], most=3)
    return f"did you mean {' or '.join(map(repr, near))}?" if near else ""


def _listed(hub: Any, name: str, file: str, headless: bool) -> tuple[Recognized, list[str]]:
    info = hub.HfApi().model_info(name, timeout=SECONDS)
    names = [str(one.rfilename) for one in info.siblings or ()]
    tops = [one for one in names if "/" not in one]
    folders = sorted({one.partition("/")[0] + "/" for one in names if "/" in one})

    def read(one: str) -> dict[str, Any]:
        return read_object(Path(hub.hf_hub_download(name, one, etag_timeout=SECONDS)))

    if file:
        if file not in tops:
            files = [one for one in tops if one.lower().endswith(".gguf")]
            raise ModelError(f"{name} has no file {file} on the hub.", allowed=", ".join(files) or "(no GGUF file)")
        return recognize_listing(name, [file], read), tops
    return recognize_listing(name, [*tops, *folders], read, headless=headless), tops


def _downloaded(hub: Any, name: str, file: str, headless: bool) -> Path:
    found, tops = _listed(hub, name, file, headless)
    wanted = list(format_named(found.format).wanted(found, tops))
    folder = Path(hub.snapshot_download(name, allow_patterns=wanted, etag_timeout=SECONDS))
    return folder if found.path == Path(name) else folder / found.path.name
