"""What a test needs that may be missing: skipped with the reason, or failed where everything has to be there."""

from __future__ import annotations

import importlib
import os
from typing import Any

import pytest


def require(condition: object, reason: str) -> None:
    """Go on when ``condition`` is true; else skip the test, or fail it when ``LIGHTEN_REQUIRE=1`` is set.

    Args:
        reason: what is missing and how to get it.
    """
    if condition:
        return
    if os.environ.get("LIGHTEN_REQUIRE") == "1":
        pytest.fail(f"required here, yet missing: {reason}", pytrace=False)
    pytest.skip(reason)


def client(module: str, install: str) -> Any:
    """A client of other people that opens what lighten writes, for a test of its own; without it the test is skipped.

    Such clients are large, and some cannot be installed together, so that ``LIGHTEN_REQUIRE=1`` does not ask for them.

    Args:
        module: that is given back. install: what pip is told.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError:
        pytest.skip(f"{module} is not there: pip install '{install}'")
