"""Environment: the record of the machine that every absolute number carries."""

from __future__ import annotations

import hashlib
import json
import os
import platform
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from time import perf_counter
from typing import Any

from lighten.isolate.machine import allowed_cores, allowed_memory, cpu_flags, cpu_model, present_memory

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

MOST_BYTES = 192 << 20
MATRIX = 1024


@dataclass(frozen=True)
class Environment:
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

    @classmethod
    def here(cls, *, rates: bool = True) -> Environment:
        """Of this machine, now. ``rates`` measures bandwidth and arithmetic, which takes a second or two, once."""
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
            bandwidth=memory_bandwidth() if rates else None,
            arithmetic=matmul_rate() if rates else None,
        )

    @property
    def id(self) -> str:
        """Hash (16 hex digits) of all facts; the measured rates are left out, because they vary from run to run."""
        facts = asdict(replace(self, bandwidth=None, arithmetic=None))
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


@cache
def memory_bandwidth() -> float:
    """GB/s (1e9 bytes, two reads and one write per element) of ``c = a + b`` on all allowed cores, the best of three.

    Source:
        McCalpin, STREAM: the Add kernel; arrays are 192 MiB together, or an eighth of the memory that is allowed.
    """
    import numpy as np

    cores = allowed_cores()
    items = min(MOST_BYTES, allowed_memory() // 8) // (3 * 4 * cores)
    arrays = [tuple(np.full(items, i, dtype=np.float32) for i in range(3)) for _ in range(cores)]
    best = 0.0
    with ThreadPoolExecutor(cores) as pool:
        for _ in range(3):
            started = perf_counter()
            list(pool.map(lambda three: np.add(three[0], three[1], out=three[2]), arrays))
            best = max(best, 3 * 4 * items * cores / (perf_counter() - started) / 1e9)
    return round(best, 1)


@cache
def matmul_rate() -> float:
    """GFLOP/s of a float32 [1024, 1024] product with numpy's BLAS and the threads it takes, the best of ten."""
    import numpy as np

    a = np.full((MATRIX, MATRIX), 0.5, dtype=np.float32)
    best = 0.0
    for _ in range(10):
        started = perf_counter()
        a @ a
        best = max(best, 2 * MATRIX**3 / (perf_counter() - started) / 1e9)
    return round(best, 1)
