"""The model that an adapter was trained on, at hand or on the hub."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from lighten.core.errors import MissingExtra, ModelError, UnsafeFile
from lighten.core.format import Recognized
from lighten.core.home import expanded
from lighten.models.hub import NotAtHand, fetch, look
from lighten.models.recognize import recognize
from lighten.nets.architectures import ENCODER


def base_of(adapter: Recognized, kinds: Collection[str], allowed: str, *, whole: bool = True) -> Recognized:
    """The model that an adapter was trained on: a folder where its config says, beside it, or here; else of the hub.

    Args:
        kinds: that the base may be of; where a network without a head is one, its own head does not matter. allowed:
            the same in words.
        whole: fetch all of it; else only as much as says what it is.

    Raises:
        ModelError: it is not at hand, of another kind than the adapter is for, or cannot be used at all. UnsafeFile: it
            cannot be opened safely.
    """
    places = [expanded(adapter.base), adapter.path / adapter.base, adapter.path.parent / adapter.base]
    places += [adapter.path.parent / Path(adapter.base).name]
    here, headless = next((place for place in places if place.is_dir()), None), ENCODER in kinds
    try:
        if here is None and not whole:
            base = look(adapter.base, headless=headless)
        else:
            place = here if here is not None else fetch(adapter.base, headless=headless)
            base = recognize(place, headless=headless)
    except (NotAtHand, MissingExtra) as error:
        raise ModelError(
            f"{adapter.path} is a LoRA adapter of {adapter.base}, and that model is not at hand: {error.seen}",
            allowed="an adapter whose base is a folder here, in the hub's cache, or on the hub",
            fix=f"hf download {adapter.base}, or write the base's folder into adapter_config.json; "
            "or merge them yourself (peft: merge_and_unload) and give the folder",
        ) from error
    except (ModelError, UnsafeFile) as error:
        raise type(error)(
            f"{adapter.path} is a LoRA adapter of {adapter.base}, which cannot be used: {error.seen}",
            allowed=error.allowed,
            fix=error.fix,
        ) from error
    if base.sealed or base.kind not in kinds:
        raise ModelError(
            f"{adapter.path} is a LoRA adapter of {adapter.base}, which is {base.described}.", allowed=allowed
        )
    return base
