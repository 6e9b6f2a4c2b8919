"""doctor: what this machine can do."""

from __future__ import annotations

from lighten.measure.doctor import Checkup
from lighten.measure.doctor import doctor as examine


def doctor() -> Checkup:
    """Look at the machine: processor, cores allowed, measured rates, engines that work here and why others do not."""
    return examine()
