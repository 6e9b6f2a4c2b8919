"""What a test needs that may be missing: skipped with the reason, or failed where everything has to be there."""

from __future__ import annotations

import os

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
