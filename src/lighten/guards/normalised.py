"""Inputs whose answer changes with what should change nothing: case, invisible characters, blanks, look-alike letters.

A share of the requests is asked again, after it was answered and only while nothing else waits. What a model answers
otherwise then goes to the review queue: it may be an attack, or a model that hangs on what it should not see.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from lighten.core.errors import UnknownName
from lighten.core.guard import GuardError, ProbeGuard
from lighten.core.step import setting
from lighten.guards._fold import ALIKE, unseen

WAYS: Mapping[str, Callable[[str], str]] = {
    "case": str.casefold,
    "compatibility": lambda text: unicodedata.normalize("NFKC", text),
    "blanks": lambda text: " ".join(text.split()),
    "unseen": lambda text: "".join(one for one in text if not unseen(one)),
    "look-alikes": lambda text: text.translate(ALIKE),
}
"""What should change no answer."""


@dataclass(frozen=True)
class Normalised(ProbeGuard):
    """Asks a share of the inputs again, each of their normal forms by itself."""

    ways: tuple[str, ...] = setting(tuple(WAYS), "What is changed, one at a time.")

    def check(self) -> None:
        """See :meth:`Guard.check`."""
        super().check()
        if not self.ways:
            raise GuardError("It changes nothing.", allowed=f"ways = {list(WAYS)}, or some of them")
        for way in self.ways:
            if way not in WAYS:
                raise UnknownName("way to change a text", str(way), WAYS)

    def variants(self, text: str) -> Mapping[str, str]:
        """See :meth:`ProbeGuard.variants`."""
        made = {way: WAYS[way](text) for way in self.ways}
        return {way: one for way, one in made.items() if one != text and one.strip()}
