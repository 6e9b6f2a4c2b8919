"""Pooling: what makes one vector of a text's tokens, as folders of sentence-transformers say it. No torch.

Source: ``modules.json`` lists what a model does one after another: ``Transformer``, ``Pooling``, ``Normalize``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lighten.core.errors import ModelError
from lighten.files.json_file import read_list, read_object

MODULES, POOLING = "modules.json", "1_Pooling"
"""The list of modules, and the folder of what pools."""
SETTINGS = "config.json"
MEAN, FIRST = "mean", "cls"
MODES: Mapping[str, str] = {MEAN: "pooling_mode_mean_tokens", FIRST: "pooling_mode_cls_token"}
"""Ways to pool, and what the settings call them."""
_PACKAGE = "sentence_transformers"
_KNOWN = ("Transformer", "Pooling", "Normalize")


@dataclass(frozen=True, slots=True)
class Pooling:
    """How a vector is made of tokens.

    Attributes:
        mode: ``mean`` of the tokens that are no padding, or ``cls``, the first one.
        normalized: whether its length is made 1.
    """

    mode: str = MEAN
    normalized: bool = True

    def files(self, size: int) -> dict[str, str]:
        """Texts of the files that say so, by their paths. size: numbers of a vector."""
        kinds = ("Transformer", "Pooling", *(("Normalize",) if self.normalized else ()))
        modules = [
            {"idx": n, "name": str(n), "path": f"{n}_{kind}" if n else "", "type": f"{_PACKAGE}.models.{kind}"}
            for n, kind in enumerate(kinds)
        ]
        settings = {"word_embedding_dimension": size, **{name: mode == self.mode for mode, name in MODES.items()}}
        return {MODULES: _written(modules), f"{POOLING}/{SETTINGS}": _written(settings)}

    def save(self, folder: Path, size: int) -> None:
        """Write the files into the folder of a model."""
        for name, text in self.files(size).items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")


def pooling_in(folder: Path) -> Pooling | None:
    """What the folder of a model says of pooling; None where it says nothing.

    Raises:
        ModelError: it names modules or a way to pool that lighten does not know.
    """
    if not (folder / MODULES).is_file():
        return None
    return pooling_of(str(folder), read_list(folder / MODULES), lambda name: read_object(folder / name, missing={}))


def pooling_of(where: str, modules: list[Any], read: Callable[[str], Mapping[str, Any]]) -> Pooling:
    """As :func:`pooling_in`.

    Args:
        where: what the user calls the model. modules: the list. read: gives the object of one of its JSON files.
    """
    if not all(isinstance(one, Mapping) for one in modules):
        raise ModelError(f"{where}/{MODULES} holds something else than modules.")
    kinds = [str(one.get("type", "")).rpartition(".")[2] for one in modules]
    strange = [kind for kind in kinds if kind not in _KNOWN]
    if strange or kinds[:2] != ["Transformer", "Pooling"] or len(kinds) > len(_KNOWN):
        raise ModelError(
            f"{where} makes its vectors with the modules {', '.join(kinds) or 'none'} ({MODULES}).",
            allowed="Transformer, Pooling, and Normalize or nothing",
            fix=f"{strange[0]} is not among what lighten makes cheaper yet" if strange else "",
        )
    settings = read(f"{modules[1].get('path') or POOLING}/{SETTINGS}")
    on = [name for name, value in settings.items() if name.startswith("pooling_mode_") and value is True]
    told = settings.get("pooling_mode")
    modes = [told] if isinstance(told, str) else [mode for mode, name in MODES.items() if name in on]
    if len(modes) != 1 or modes[0] not in MODES or len(on) > 1:
        raise ModelError(
            f"{where} pools its tokens by {', '.join(on) or told or 'nothing'} ({POOLING}/{SETTINGS}).",
            allowed=f"one of {', '.join(MODES.values())}",
        )
    return Pooling(modes[0], "Normalize" in kinds)


def _written(value: Any) -> str:
    return json.dumps(value, indent=2) + "\n"
