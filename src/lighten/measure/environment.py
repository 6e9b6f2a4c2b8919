"""MachineRecord: the record of the machine that every absolute number carries."""

from __future__ import annotations

import hashlib
import json
import os
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from lighten.isolate.machine import allowed_cores, allowed_memory, cpu_flags, cpu_model, present_memory
from lighten.measure.rates import matmul_rate, memory_bandwidth

LIBRARIES = (
    "lighten",
    "numpy",
    "scipy",
    "tokenizers",
    "safetensors",
    "torch",
    "transformers",
    "onnx",
    "onnxruntime",
    "onnxscript",
    "openvino",
    "nncf",
    "optuna",
    "xllamacpp",
    "llama_cpp_python",
    "gguf",
    "libgguf",
)
"""Libraries whose version can change a number."""


@dataclass(frozen=True)
class MachineRecord:
    """What a reader must know to read a number that was measured here.

    Attributes:
        cpu: the processor's name.
        flags: its features that decide which kernels a runtime picks (see ``machine.FLAGS``).
        cores, cores_allowed: in the machine; allowed by affinity and cgroup quota.
        memory, memory_allowed: bytes in the machine; allowed by the cgroup.
        system: operating system and its release; python: its version.
        libraries: installed versions; what is not installed is left out.
        bandwidth: GB/s of adding two big arrays into a third on all allowed cores; None when not measured.
        arithmetic: GFLOP/s of a float32 matrix product with numpy's BLAS; None when not measured.
        disturbed: why these two may be far too low; empty when the machine was quiet, or they were not measured.
    """

    cpu: str
    flags: tuple[str, ...]
    cores: int
    cores_allowed: int
    memory: int
    memory_allowed: int
    system: str
    python: str
    libraries: Mapping[str, str]
    bandwidth: float | None = None
    arithmetic: float | None = None
    disturbed: str = ""

    @classmethod
    def here(cls, *, rates: bool = True) -> MachineRecord:
        """Of this machine, now. ``rates`` measures bandwidth and arithmetic, once.

        That takes a second or two, and up to ten where others are at work.
        """
        found = (memory_bandwidth(), matmul_rate()) if rates else ()
        return cls(
            cpu=cpu_model() or platform.processor() or platform.machine(),
            flags=cpu_flags(),
            cores=os.cpu_count() or 1,
            cores_allowed=allowed_cores(),
            memory=present_memory(),
            memory_allowed=allowed_memory(),
            system=f"{platform.system()} {platform.release()} {platform.machine()}",
            python=platform.python_version(),
            libraries=installed(LIBRARIES),
            bandwidth=found[0].value if found else None,
            arithmetic=found[1].value if found else None,
            disturbed=next((rate.disturbed for rate in found if rate.disturbed), ""),
        )

    @property
    def id(self) -> str:
        """Hash (16 hex digits) of all facts; the measured rates are left out, because they vary from run to run."""
        facts = asdict(replace(self, bandwidth=None, arithmetic=None, disturbed=""))
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]

    def to_json(self) -> dict[str, Any]:
        """For people and files: plain values with their units."""
        return {
            "cpu": self.cpu,
            "flags": list(self.flags),
            "cores": self.cores,
            "cores allowed": self.cores_allowed,
            "memory": f"{self.memory / 1e9:.1f} GB",
            "memory allowed": f"{self.memory_allowed / 1e9:.1f} GB",
            "memory bandwidth": "not measured" if self.bandwidth is None else f"{self.bandwidth} GB/s",
            "arithmetic": (
                "not measured" if self.arithmetic is None else f"{self.arithmetic} GFLOP/s (float32, numpy's BLAS)"
            ),
            **({"rates": f"may be far too low: {self.disturbed}"} if self.disturbed else {}),
            "system": self.system,
            "python": self.python,
            "versions": dict(self.libraries),
            "id": self.id,
        }


def installed(names: tuple[str, ...]) -> dict[str, str]:
    """Installed versions by distribution name; nothing is imported, what is missing is left out."""
    found = {}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
