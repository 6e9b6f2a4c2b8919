"""Parameters of the Open Inference Protocol, version 2, and its extensions: what requests, inputs and outputs say of
themselves beside their tensors. One that nobody knows is a client's own, and changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lighten.serve.limits import Limits
from lighten.serve.predict import deadline_of
from lighten.serve.refusals import unusable

MICROSECONDS, MOST_MICROSECONDS = 1e6, 1e12
"""A request's ``timeout`` is in microseconds, as Triton has it; 0 stands for the server's own."""
OTHERS = {
    "classification": "the output scores, which has those of all classes",
    "shared_memory_region": "data in the request and in the answer",
    "sequence_id": "requests that do not belong together",
}
"""Those of extensions that are not spoken here and would change an answer, each with what there is instead."""


def parameters_of(told: Mapping[str, Any]) -> Mapping[str, Any]:
    """Parameters of a request, an input or an output in JSON.

    Raises:
        Refusal: they are no object, or ask for what is not done.
    """
    found = told.get("parameters")
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise unusable("The parameters are no object.", allowed="an object")
    check_parameters(found)
    return found


def check_parameters(told: Mapping[str, Any]) -> None:
    """Refuse what would change an answer and is not done.

    Raises:
        Refusal: there is such a parameter.
    """
    other = next((name for name in OTHERS if told.get(name)), None)
    if other is not None:
        raise unusable(f"The parameter {other} is not taken here.", allowed=OTHERS[other])


def deadline_in(told: Mapping[str, Any], limits: Limits) -> float:
    """Seconds that the parameters of a request give it, at most what the server gives it.

    Raises:
        Refusal: they are no time.
    """
    found = told.get("timeout")
    if isinstance(found, (int, float)) and not isinstance(found, bool):
        seconds = max(-1, min(found, MOST_MICROSECONDS)) / MICROSECONDS if found else limits.deadline
        return deadline_of(seconds, limits)
    return limits.deadline if found is None else deadline_of(found, limits)
