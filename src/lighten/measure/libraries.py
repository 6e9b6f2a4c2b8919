"""Libraries: which of those that are installed cannot be imported here, and why. Asked in processes of their own."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from lighten.core.errors import LightenError
from lighten.isolate.process import call
from lighten.measure.environment import installed

MODULES: Mapping[str, str] = {
    "transformers": "transformers.models.bert.modeling_bert",
    "scikit-learn": "sklearn.linear_model",
    "llama-cpp-python": "llama_cpp",
    "huggingface-hub": "huggingface_hub",
    "google-re2": "re2",
    "protobuf": "google.protobuf",
    "pillow": "PIL.Image",
    "grpcio": "grpc",
    "opentelemetry-sdk": "opentelemetry.sdk.trace",
    "opentelemetry-exporter-otlp-proto-http": "opentelemetry.exporter.otlp.proto.http.trace_exporter",
}
"""What is imported to see whether a distribution works, where that is not its own name. Transformers imports a model's
code, and what that needs, only when it is asked for."""
BESIDE = ("torchvision", "torchaudio")
"""Libraries that lighten does not ask for, and that break others when they do not fit them: transformers imports them
wherever they are installed."""
DEADLINE = 120.0
LONGEST = 300
"""Characters of a reason that are shown."""


@dataclass(frozen=True, slots=True)
class BrokenLibrary:
    """A library that is installed and cannot be imported.

    Attributes:
        name, version: of the distribution. reason: what its import said. fix: what to do about it.
    """

    name: str
    version: str
    reason: str
    fix: str


def broken_libraries(groups: Iterable[Sequence[str]]) -> tuple[BrokenLibrary, ...]:
    """Those that are installed and cannot be imported.

    Args:
        groups: names of distributions that are used together; a process of its own imports each group.
    """
    groups = list(groups)
    known = installed((*(name for group in groups for name in group), "torch", *BESIDE))
    asked = [here for group in groups if (here := [name for name in group if name in known])]
    with ThreadPoolExecutor(2) as pool:
        found = [pair for reasons in pool.map(reasons_of, asked) for pair in reasons.items()]
    return tuple(BrokenLibrary(name, known[name], why, fix_of(name, known)) for name, why in dict(found).items())


def reasons_of(names: Sequence[str]) -> dict[str, str]:
    """Why libraries cannot be imported, by name. One that ends the process with it is found by asking each alone."""
    try:
        modules = {name: MODULES.get(name, name.replace("-", "_")) for name in names}
        reasons: dict[str, str] = call(
            "lighten.measure.libraries:try_imports", threads=1, deadline=DEADLINE, modules=modules
        )
    except LightenError as error:
        if len(names) == 1:
            return {names[0]: error.seen}
        return {name: why for one in names for name, why in reasons_of([one]).items()}
    return reasons


def try_imports(modules: Mapping[str, str]) -> dict[str, str]:
    """What the child does: the reason for each module, by its name, that cannot be imported."""
    found = {}
    for name, module in modules.items():
        try:
            importlib.import_module(module)
        except Exception as error:  # noqa: BLE001 - a library may raise whatever it likes while it is imported
            found[name] = reason_of(error)
    return found


def reason_of(error: BaseException) -> str:
    """The first cause of an error, in one line."""
    while (cause := error.__cause__ or error.__context__) is not None:
        error = cause
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}"[:LONGEST]


def fix_of(name: str, known: Mapping[str, str]) -> str:
    """What to do about a library that cannot be imported. known: installed versions, by distribution."""
    odd = [other for other in BESIDE if other in known and build_of(known[other]) != build_of(known.get("torch", ""))]
    if odd and name in ("transformers", *BESIDE):
        other = odd[0]
        return (
            f"{other} {known[other]} was built for another torch than {known.get('torch', 'none')}: "
            f"pip uninstall {other}, or install it from the same index as that torch"
        )
    return f"pip install --force-reinstall {name}, or pip uninstall {name} where nothing needs it"


def build_of(version: str) -> str:
    """The build that a version names: ``cpu`` of ``2.13.0+cpu``; empty where it names none."""
    return version.partition("+")[2]
