"""What ``lighten serve`` can be told, by its command line and by a file: ``serve.toml`` has the fields of
:class:`ServeOptions`, each under its own name, and the command line wins over it.

A new option of the server is a field there, and one of the command line in ``cli/serve.py``.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass, replace
from math import isfinite
from pathlib import Path, PurePath
from typing import Any, get_args, get_type_hints

from lighten.core.errors import InputError, UnknownName
from lighten.core.home import expanded
from lighten.serve.request_log import STDOUT
from lighten.serve.traffic import Share, Traffic
from lighten.store.decode import decode

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
TOLD = re.compile(rf"(?P<name>{NAME.pattern})(?::(?P<version>{NAME.pattern}))?=(?P<path>.+)", re.S)
"""A model with the name that it is to have, and its version: ``reviews:2=runs/reviews/winner``."""
SHARED = re.compile(rf"(?P<name>{NAME.pattern}):(?P<version>{NAME.pattern})=(?P<share>[0-9.eE+-]+)")
BESIDE = re.compile(rf"(?P<name>{NAME.pattern})=(?P<path>.+):(?P<share>[0-9.eE+-]+)", re.S)
"""A version with its share, and the same of a model that is named nowhere else."""
COMMON = ("winner", "model", "original")
"""Names of folders that say nothing of what is in them: the folder above does."""
FIRST = "1"
"""Version of a model whose user names none."""
PATHS = ("keys", "review", "guards", "log")
"""Options that are files; in a file they lie beside it."""


@dataclass(frozen=True)
class ModelTable:
    """``[models.NAME]``: the versions of one name.

    Attributes:
        versions: paths by version. serve: the version that answers; by default the last one beside canary and shadow.
        canary, shadow: others, each with its share. unloaded: versions that are opened when they are asked for.
    """

    versions: Mapping[str, str]
    serve: str = ""
    canary: Share | None = None
    shadow: Share | None = None
    unloaded: tuple[str, ...] = ()


@dataclass(frozen=True)
class ServeOptions:
    """What a server is told.

    Attributes:
        host, port: where it listens. grpc_port: where for gRPC; None for nowhere.
        replicas: processes of each model; 0 for as many as are sensible. threads: cores for all; 0 for all there are.
        keys: file of hashed keys. without_keys: whether everybody may ask. apart: whether inputs are computed one by
            one where their answers would depend on each other. operators: names of keys that may change
            what is served. review: file of cases that people are to judge. guards: file of rules for what goes in
            and comes out. log, log_format: file to which a line is added for each request, ``-`` for stdout;
            json or text.
        ray: whether it is served on Ray. ray_autoscale: ``MIN:MAX`` replicas there.
        limits: by name, see ``serve.limits.Limits``. models: by name; a path alone stands for its only version.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    grpc_port: int | None = None
    replicas: int = 0
    threads: int = 0
    keys: str | None = None
    without_keys: bool = False
    apart: bool = False
    operators: tuple[str, ...] = ()
    review: str | None = None
    log: str | None = None
    log_format: str = "json"
    guards: str | None = None
    ray: bool = False
    ray_autoscale: str = ""
    limits: Mapping[str, float] = field(default_factory=dict)
    models: Mapping[str, ModelTable] = field(default_factory=dict)

    def changed(self, **told: Any) -> ServeOptions:
        """With what is told elsewhere; None and nothing stand for what is not.

        Raises:
            InputError: a number that is none.
        """
        found = replace(self, **{name: value for name, value in told.items() if value is not None and value != ()})
        for name, low, high in (
            ("port", 0, 65535),
            ("grpc_port", 0, 65535),
            ("replicas", 0, 1024),
            ("threads", 0, 1 << 16),
        ):
            value = getattr(found, name)
            if value is not None and not low <= value <= high:
                raise InputError(f"{value} {name} was asked for.", allowed=f"{low} to {high}")
        return found

    @property
    def absolute(self) -> ServeOptions:
        """With where its files lie, whatever folder they are looked for from."""
        files: dict[str, Any] = {
            name: str(expanded(path).absolute()) for name in PATHS if (path := getattr(self, name)) is not None
        }
        return replace(self, **files)

    @property
    def told_limits(self) -> list[str]:
        """Limits as the command line has them."""
        return [f"{name}={int(one) if one == int(one) else one}" for name, one in self.limits.items()]


@dataclass(frozen=True, slots=True)
class Named:
    """A model with the name and the version by which it is asked."""

    name: str
    version: str
    model: str


@dataclass(frozen=True)
class Plan:
    """Which models are served under which names.

    Attributes:
        named: each version, in the order in which they were told. traffic: by name, who answers.
        unloaded: names and versions of those that are not opened at the start.
    """

    named: tuple[Named, ...]
    traffic: Mapping[str, Traffic]
    unloaded: frozenset[tuple[str, str]] = frozenset()

    @property
    def opened(self) -> list[Named]:
        """Those that are."""
        return [one for one in self.named if (one.name, one.version) not in self.unloaded]

    @property
    def absolute(self) -> Plan:
        """With where models lie, whatever folder it is looked for from."""
        places = [(one, expanded(one.model).absolute()) for one in self.named]
        return replace(self, named=tuple(replace(one, model=str(at)) if at.exists() else one for one, at in places))


def read_options(path: str | Path) -> ServeOptions:
    """The options that a TOML file says; paths in it are those beside it.

    Raises:
        InputError: it cannot be read, or a value is of another kind. UnknownName: it has a key that there is none of.
    """
    place = expanded(path)
    try:
        said = tomllib.loads(place.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.", fix="give --config a TOML file") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not valid TOML: {error}.") from error
    models = said.get("models")
    if isinstance(models, dict):
        said["models"] = {
            name: {"versions": {FIRST: one}} if isinstance(one, str) else one for name, one in models.items()
        }
    check_keys(said, ServeOptions, str(path))
    problems: list[str] = []
    found = decode(said, ServeOptions, str(path), problems)
    if found is None:
        allowed = f"the keys {', '.join(one.name for one in fields(ServeOptions))}"
        raise InputError(f"{path} cannot be used: {'; '.join(problems[:5])}.", allowed=allowed)
    wrong = [name for name in found.models if not NAME.fullmatch(name)]
    wrong += [version for one in found.models.values() for version in one.versions if not NAME.fullmatch(version)]
    if wrong:
        raise InputError(f"{path} has a model or a version named {wrong[0]!r}.", allowed="letters, digits and . _ -")
    beside: dict[str, Any] = {
        name: value if value == STDOUT else str(place.parent / expanded(value))
        for name in PATHS
        if (value := getattr(found, name)) is not None
    }
    tables = {
        name: replace(one, versions={version: _beside(path, place) for version, path in one.versions.items()})
        for name, one in found.models.items()
    }
    return replace(found, **beside, models=tables)


def check_keys(said: Any, kind: Any, place: str) -> None:
    """Refuse keys that a dataclass has no field for, in it and in those inside of it.

    Raises:
        UnknownName: names the nearest.
    """
    if is_dataclass(kind) and isinstance(said, dict):
        hints = get_type_hints(kind)
        for name, value in said.items():
            if name not in hints:
                raise UnknownName(f"key of {place}", name, [one.name for one in fields(kind)])
            check_keys(value, hints[name], f"{place}, {name}")
        return
    inner = get_args(kind)
    if isinstance(said, dict) and len(inner) == 2 and is_dataclass(inner[1]):
        for name, value in said.items():
            check_keys(value, inner[1], f"{place}.{name}")
    elif isinstance(said, dict):
        for one in inner:
            check_keys(said, one, place)


def plan_of(
    models: Sequence[str], tables: Mapping[str, ModelTable], canary: Sequence[str] = (), shadow: Sequence[str] = ()
) -> Plan:
    """Which models are served under which names.

    Args:
        models, canary, shadow: as the command line has them. tables: of a file, which give way to these.

    Raises:
        InputError: there is no model, two have the same name and version, or nobody is left who answers; a share that
            is none. UnknownName: a name or a version that there is none of.
    """
    if not models and not tables:
        raise InputError("No model was given.", allowed="winners, run folders, artifacts", fix="lighten serve runs/x")
    every = {(name, version): path for name, one in tables.items() for version, path in one.versions.items()}
    every |= {(one.name, one.version): one.model for one in named(models)}
    shares: dict[str, dict[str, Share | None]] = {
        "canary": {name: one.canary for name, one in tables.items()},
        "shadow": {name: one.shadow for name, one in tables.items()},
    }
    for option, told in (("canary", canary), ("shadow", shadow)):
        for text in told:
            name, share, path = shared(text, option, every)
            if path:
                every[name, share.version] = path
            shares[option][name] = share
    traffic = {}
    for name in dict.fromkeys(name for name, _ in every):
        table = tables.get(name, ModelTable({}))
        versions = [version for one, version in every if one == name]
        traffic[name] = _traffic(name, versions, table.serve, shares["canary"].get(name), shares["shadow"].get(name))
    unloaded = frozenset((name, version) for name, one in tables.items() for version in one.unloaded)
    for name, version in unloaded:
        if (name, version) not in every:
            raise UnknownName(f"version of {name!r}", version, [other for one, other in every if one == name])
        if traffic[name].roles(version):
            raise InputError(f"Version {version} of {name!r} takes part in answering, and is not to be opened.")
    for name in set(shares["canary"]) | set(shares["shadow"]):
        if name not in traffic:
            raise UnknownName("model", name, traffic)
    return Plan(tuple(Named(*key, path) for key, path in every.items()), traffic, unloaded)


def shared(told: str, option: str, known: Mapping[tuple[str, str], str]) -> tuple[str, Share, str]:
    """A name, a version with its share, and where it lies, where it is named nowhere else; as the command line has it.

    Raises:
        InputError: it is nothing of that kind. UnknownName: there is no such model.
    """
    match = SHARED.fullmatch(told)
    other = None if match else BESIDE.fullmatch(told)
    found = match or other
    share = _number(found["share"]) if found is not None else 0.0
    if found is None or not 0 < share <= 1:
        raise InputError(
            f"--{option} is {told!r}.",
            allowed="NAME:VERSION=SHARE or NAME=PATH:SHARE, with a share of more than 0 and at most 1",
            fix=f"--{option} reviews:2=0.05",
        )
    name = found["name"]
    taken = [version for one, version in known if one == name]
    if not taken:
        raise UnknownName("model", name, {one for one, _ in known})
    if match is not None:
        return name, Share(match["version"], share), ""
    last = PurePath(found["path"]).name
    version = last if NAME.fullmatch(last) and last not in taken else option
    return name, Share(version, share), found["path"]


def named(models: Sequence[str]) -> list[Named]:
    """Models with their names and versions.

    Raises:
        InputError: two have the same name and version, or a folder's name cannot be theirs.
    """
    found: list[Named] = []
    for told in models:
        match = TOLD.fullmatch(told)
        path = match["path"] if match else told
        name = match["name"] if match else name_of(path)
        version = (match["version"] if match else None) or FIRST
        twin = next((one for one in found if (one.name, one.version) == (name, version)), None)
        if twin is not None:
            fix = f"name one of them: {name}:2={path} for a second version, or OTHER={path}"
            raise InputError(f"{twin.model} and {path} would both be called {name!r}, version {version}.", fix=fix)
        found.append(Named(name, version, path))
    return found


def name_of(model: str) -> str:
    """The name of a model by where it lies: its folder's, or that of the one above where its own says nothing.

    Raises:
        InputError: there is none in it.
    """
    parts = [part for part in PurePath(model).parts if part not in ("/", "..", ".")]
    if not parts or parts[-1] in COMMON:
        parts = [part for part in Path(model).absolute().parts if part not in ("/", "..", ".")]
    told = next((part for part in reversed(parts) if part not in COMMON), "")
    found = re.sub(r"[^A-Za-z0-9._-]+", "-", told).strip("-._")[:64]
    if not NAME.fullmatch(found):
        raise InputError(f"{model} says no name that a model could have.", fix=f"give it one: NAME={model}")
    return found


def _traffic(name: str, versions: Sequence[str], serve: str, canary: Share | None, shadow: Share | None) -> Traffic:
    """Raises InputError or UnknownName where these versions cannot have these parts."""
    beside = [one for one in (canary, shadow) if one is not None]
    for version in filter(None, [serve, *(one.version for one in beside)]):
        if version not in versions:
            raise UnknownName(f"version of {name!r}", version, versions)
    left = [version for version in versions if version not in {one.version for one in beside}]
    if not left or (serve and serve not in left):
        seen = f"No version of {name!r} is left that answers: {', '.join(versions)} are its canary or its shadow."
        raise InputError(seen, fix=f"give another one: {name}:VERSION=PATH")
    for one in beside:
        if not (isfinite(one.share) and 0 < one.share <= 1):
            raise InputError(f"The share of {name}:{one.version} is {one.share}.", allowed="more than 0, at most 1")
    return Traffic(serve or left[-1], canary, shadow)


def _beside(path: str, file: Path) -> str:
    """A path of a file, where something lies there; else as it is, such as the name of a sample."""
    place = file.parent / expanded(path)
    return str(place) if place.exists() or path.startswith((".", "..")) else path


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0
