"""Weights of seven bits, where products of eight bits overflow: x86 processors without VNNI add them in 16 bits."""

from __future__ import annotations

import platform
from collections.abc import Collection
from typing import Any

from lighten.core.step import setting
from lighten.isolate.machine import cpu_flags

AUTO, ON, OFF = "auto", "on", "off"
WIDE = frozenset({"avx512_vnni", "avx_vnni", "amx_int8"})
"""Features of x86 processors that add products of eight bits in 32."""


def narrow_setting() -> Any:
    """The setting of a quantizer that says whether its weights have seven bits."""
    return setting(
        AUTO,
        "Weights of seven bits instead of eight, so that sums of products do not overflow where they are added in 16 "
        "bits; auto: on x86 processors without VNNI.",
        choices=(AUTO, ON, OFF),
    )


def overflows(machine: str, flags: Collection[str]) -> bool:
    """Whether sums of products of eight bits overflow on a processor.

    Args:
        machine: as ``platform.machine`` has it. flags: the processor's features (see ``isolate.machine.FLAGS``).
    """
    return machine in ("x86_64", "AMD64") and not WIDE & set(flags)


def is_narrow(narrow: str) -> bool:
    """What the setting means here."""
    return narrow == ON or (narrow == AUTO and overflows(platform.machine(), cpu_flags()))
