"""Doctor: what this machine can do, what is missing, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lighten.core import catalog
from lighten.measure.environment import MachineRecord, installed
from lighten.measure.libraries import BESIDE, BrokenLibrary, broken_libraries
from lighten.measure.probe import EngineHealth, probe_engine

EXTRAS: Mapping[str, tuple[str, ...]] = {
    "train": ("torch", "transformers", "scikit-learn", "sentencepiece", "protobuf"),
    "ort": ("onnxruntime", "onnx", "onnxscript"),
    "ov": ("openvino", "nncf"),
    "llama": ("xllamacpp", "gguf", "libgguf", "jinja2"),
    "llama-native": ("llama-cpp-python",),
    "search": ("optuna", "sqlalchemy"),
    "vision": ("pillow",),
    "parquet": ("pyarrow",),
    "hub": ("huggingface-hub",),
    "serve": ("uvicorn", "httptools", "uvloop", "llguidance", "jinja2", "google-re2"),
    "ray": ("ray",),
    "otel": ("opentelemetry-sdk", "opentelemetry-exporter-otlp-proto-http"),
    "grpc": ("grpcio", "protobuf"),
}
"""Optional dependency groups and what each brings."""


@dataclass(frozen=True)
class Checkup:
    """What the doctor found.

    Attributes:
        environment: the record of the machine.
        engines: every engine of the catalog: works here, or why not.
        broken: libraries that are installed and cannot be imported.
        missing: libraries that are not installed, by the extra that brings them; complete extras are left out.
        hints: what a user would want to know before trusting a number from here, one sentence each.
    """

    environment: MachineRecord
    engines: tuple[EngineHealth, ...]
    missing: Mapping[str, tuple[str, ...]]
    hints: tuple[str, ...]
    broken: tuple[BrokenLibrary, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As a plain dictionary."""
        return {
            "environment": self.environment.to_json(),
            "engines": [asdict(engine) for engine in self.engines],
            "broken": [asdict(library) for library in self.broken],
            "missing": {extra: list(names) for extra, names in self.missing.items()},
            "hints": list(self.hints),
        }


def doctor(samples: Sequence[Path] = (), *, rates: bool = True) -> Checkup:
    """Look at the machine and probe every engine, each in a process of its own.

    Args:
        samples: folders of small artifacts that engines are to build and run (see ``probe_engine``).
        rates: whether to measure memory bandwidth and arithmetic too (some seconds).
    """
    environment = MachineRecord.here(rates=rates)
    engines = tuple(probe_engine(name, samples) for name in catalog.names("engines"))
    broken = broken_libraries([*EXTRAS.values(), BESIDE])
    missing = {}
    for extra, names in EXTRAS.items():
        absent = tuple(name for name in names if name not in installed(names))
        if absent:
            missing[extra] = absent
    return Checkup(environment, engines, missing, tuple(hints(environment, engines, missing, broken)), broken)


def hints(
    environment: MachineRecord,
    engines: Sequence[EngineHealth],
    missing: Mapping[str, Sequence[str]],
    broken: Sequence[BrokenLibrary] = (),
) -> list[str]:
    """What a user would want to know, one sentence each."""
    found = []
    if environment.disturbed:
        found.append(
            f"The machine was busy while its rates were measured ({environment.disturbed}): they may be far too low. "
            "Run doctor again when it is quiet."
        )
    if environment.cores_allowed < environment.cores:
        found.append(
            f"This process may use {environment.cores_allowed} of {environment.cores} cores; engines get that many."
        )
    if environment.memory_allowed < environment.memory:
        allowed, present = environment.memory_allowed / 1e9, environment.memory / 1e9
        found.append(f"This process may use {allowed:.1f} of {present:.1f} GB of memory.")
    x86 = environment.system.endswith(("x86_64", "AMD64"))
    if x86 and not {"avx512_vnni", "avx_vnni", "amx_int8"} & set(environment.flags):
        found.append("This processor has no int8 dot product (VNNI): int8 models may gain size, but little speed.")
    if not any(engine.works for engine in engines):
        found.append("No engine works here, so nothing can be measured: pip install 'lighten[all]'.")
    found += [f"{e.name} does not work here: {e.reason} {e.fix}".rstrip() for e in engines if not e.works]
    for library in broken:
        what = f"{library.name} {library.version} is installed, but cannot be imported: {library.reason}."
        found.append(f"{what} {library.fix}.")
    found += [f"pip install 'lighten[{extra}]' would bring {', '.join(names)}." for extra, names in missing.items()]
    return found
