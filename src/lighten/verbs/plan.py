"""plan: what a run would try, what it can prove and what it needs, before anything is written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lighten.core.progress import reported_to
from lighten.search.listener import Listener
from lighten.search.plan import Plan, plan_run
from lighten.verbs.optimize import options_of


def plan(model: str | Path, data: str | Path, *, listener: Listener | None = None, **asked: Any) -> Plan:
    """What ``lighten.optimize`` would do with the same arguments (``lighten optimize --dry-run``). Writes nothing.

    Data, model, budget and engines are read and checked as the run itself would do it.

    Args:
        asked: every other argument of :func:`lighten.optimize`.

    Raises:
        InputError: something given cannot be used. TypeError: an argument that ``optimize`` does not have.
    """
    with reported_to(listener.progress if listener is not None else None):
        return plan_run(options_of(model, data, **asked), listener)
