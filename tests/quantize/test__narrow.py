"""Weights of seven bits: where sums of products of eight bits overflow, and what the setting means."""

from __future__ import annotations

import pytest

from lighten.quantize import _narrow
from lighten.quantize._narrow import is_narrow, overflows


@pytest.mark.parametrize(
    ("machine", "flags", "expected"),
    [
        ("x86_64", ("avx2",), True),
        ("AMD64", ("avx2", "avx512f"), True),
        ("x86_64", ("avx2", "avx512f", "avx512_vnni"), False),
        ("x86_64", ("avx2", "avx_vnni"), False),
        ("aarch64", ("asimddp",), False),
    ],
)
def test_sums_overflow_on_x86_without_vnni(machine: str, flags: tuple[str, ...], expected: bool) -> None:
    assert overflows(machine, flags) is expected


@pytest.mark.parametrize("flags", [("avx2",), ("avx2", "avx512_vnni")])
def test_the_setting_decides_and_auto_asks_the_processor(
    flags: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_narrow, "cpu_flags", lambda: flags)
    monkeypatch.setattr(_narrow.platform, "machine", lambda: "x86_64")
    assert is_narrow("on") and not is_narrow("off")
    assert is_narrow("auto") is ("avx512_vnni" not in flags)
