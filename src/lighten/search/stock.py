"""Stock: what a user could pick without a search, and what the original rules out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lighten.core.matching import fits, is_packed, opens_baselines_only
from lighten.core.recipe import record_of
from lighten.core.space import Space, Variant
from lighten.search.proposals import describe


def stock(variants: Sequence[Variant], format: str, facts: Mapping[str, Any]) -> list[Variant]:
    """What a user could pick without a search: every quantization on every engine, with its first settings.

    Of quantizations that people make without lighten (``Step.stock``) all settings count. A file that is quantized
    already is what a user picked: rounding it again only harms, unless nothing else can be made of it. So does
    unpacking a file for an engine that cannot read it: the loss of rounding stays, and nothing is gained.

    Args:
        variants: in order of preference. format, facts: of the original.
    """
    rounded = bool(facts.get("quantized")) and not facts.get("no_network")
    found: dict[tuple[str, ...], Variant] = {}
    for variant in variants:
        if (rounded or is_unpacked(variant, format)) and not opens_baselines_only(variant.engine):
            continue
        named = (describe(step) if step.stock else record_of(step)["use"] for step in variant.steps)
        found.setdefault((*named, record_of(variant.engine)["use"]), variant)
    return list(found.values())


def is_unpacked(variant: Variant, format: str) -> bool:
    """Whether a file of few bits is unpacked for an engine that cannot read it. format: of the original."""
    made = next((step.produces for step in reversed(variant.steps) if step.produces), format)
    return is_packed(made) and not fits(made, variant.engine.consumes)


def not_convertible(space: Space) -> list[str]:
    """One sentence for each conversion that the original does not allow."""
    return [f"What needs {name} was left out: {why}." for name, why in space.refused.items()]
