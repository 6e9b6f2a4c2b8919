"""Traffic: which version of a name answers a request that says none, and which one is asked the same afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

SERVES, CANARY, SHADOW, PREVIOUS = "serves", "canary", "shadow", "previous"
"""What a version may be for its name."""


@dataclass(frozen=True, slots=True)
class Share:
    """A version, and the share of the requests that it gets: more than 0, at most 1."""

    version: str
    share: float


class Traffic:
    """Of one name.

    Args:
        serving: the version that answers. canary: one that answers a share of the requests in its place. shadow: one
            that is asked what a share of the requests asked, once these are answered.
        seed: of the draws; None for another one each time.

    Attributes:
        previous: the version that served before; empty where none did.
    """

    def __init__(
        self, serving: str, canary: Share | None = None, shadow: Share | None = None, *, seed: int | None = None
    ) -> None:
        self.serving, self.canary, self.shadow, self.previous = serving, canary, shadow, ""
        self._random = Random(seed)

    def draw(self) -> str:
        """The version that is to answer the next request."""
        if self.canary is not None and self._random.random() < self.canary.share:
            return self.canary.version
        return self.serving

    def draw_shadow(self) -> bool:
        """Whether the shadow is to be asked the next request, too."""
        return self.shadow is not None and self._random.random() < self.shadow.share

    def serve(self, version: str) -> None:
        """Have a version answer from now on. Where it was the canary or the shadow, it is no more."""
        if version != self.serving:
            self.serving, self.previous = version, self.serving
        self.canary = self.canary if self.canary is not None and self.canary.version != version else None
        self.shadow = self.shadow if self.shadow is not None and self.shadow.version != version else None

    def roles(self, version: str) -> list[str]:
        """What a version is for its name."""
        found = {
            SERVES: version == self.serving,
            CANARY: self.canary is not None and self.canary.version == version,
            SHADOW: self.shadow is not None and self.shadow.version == version,
            PREVIOUS: version == self.previous,
        }
        return [role for role, has in found.items() if has]
