"""Roofline: how much of the most that this machine can do a model achieves, writing and reading tokens.

Writing a token reads every weight once, so memory bounds it: bandwidth over bytes. Reading a prompt multiplies every
weight of the layers with each of its tokens, so arithmetic bounds it: two operations for each weight and token.

Source:
    Williams, Waterman and Patterson, "Roofline" (2009).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from lighten.core.artifact import Artifact
from lighten.core.format import Traffic
from lighten.core.matching import known_format
from lighten.core.result import Candidate
from lighten.measure.rates import matmul_rate, memory_bandwidth, read_bandwidth


@dataclass(frozen=True, slots=True)
class Rates:
    """What this machine does at most.

    Attributes:
        bandwidth: GB/s (1e9 bytes) of reading memory. arithmetic: GFLOP/s of a float32 matrix product.
        disturbed: why they may be far too low; empty when the machine was quiet.
    """

    bandwidth: float
    arithmetic: float
    disturbed: str = ""

    @classmethod
    def here(cls) -> Rates:
        """Of this machine; takes some seconds, once."""
        found = read_bandwidth(), memory_bandwidth(), matmul_rate()
        reasons = (rate.disturbed for rate in found if rate.disturbed)
        return cls(max(found[0].value, found[1].value), found[2].value, next(reasons, ""))


def traffic_of(candidates: Iterable[Candidate], built: Mapping[str, Artifact]) -> dict[int, Traffic]:
    """What a token costs each candidate, by its key; candidates for which it is unknown are left out.

    Args:
        built: artifacts by id.

    Raises:
        ModelError: the header of an artifact cannot be read.
    """
    found = {}
    for candidate in candidates:
        artifact = built.get(candidate.artifact)
        format = known_format(artifact.format) if artifact is not None else None
        traffic = format.traffic(artifact.path, candidate.engine_settings) if artifact and format else None
        if traffic is not None:
            found[candidate.key] = traffic
    return found


def roofline_shares(
    candidates: Iterable[Candidate], traffic: Mapping[int, Traffic], rates: Rates
) -> dict[str, dict[str, float]]:
    """By key of a candidate (as text): ``decode`` and ``prefill`` as shares of the roofline, 1 being all of it.

    Above 1 is possible: arithmetic in small integers is faster than that in float32, from which the roofline is drawn,
    and what fits into a cache is read faster than memory.

    Args:
        traffic: by key; see :func:`traffic_of`.
    """
    found: dict[str, dict[str, float]] = {}
    for candidate in candidates:
        load = traffic.get(candidate.key)
        if load is None:
            continue
        most = {
            "decode": rates.bandwidth * 1e9 / load.read if load.read else 0.0,
            "prefill": rates.arithmetic * 1e9 / (2 * load.multiplied) if load.multiplied else 0.0,
        }
        values = {name: candidate.value(name) for name in most}
        shares = {name: value / most[name] for name, value in values.items() if value is not None and most[name] > 0}
        if shares:
            found[str(candidate.key)] = shares
    return found
