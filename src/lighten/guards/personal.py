"""Personal data: e-mail and IP addresses, phone numbers, bank accounts, payment cards, identity numbers.

These are heuristics, and no proof that a text names nobody: names, streets and birthdays are not looked for. Bank
accounts, cards and identity numbers of China's residents have a checksum that is looked at; phone numbers have none,
and are taken for such by their shape. ``benchmarks/personal.py`` measures how much of a small set is found, and how
much is found that is none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lighten.core.errors import UnknownName
from lighten.core.guard import Finder, GuardError, TextGuard
from lighten.core.step import setting
from lighten.guards._checksums import address, card, iban, phone, resident
from lighten.guards._expression import Check, Expression, Expressions

LETTER = r"\p{Latin}0-9"
LABEL = rf"[{LETTER}](?:[{LETTER}-]{{0,61}}[{LETTER}])?"
EMAIL = rf"[{LETTER}_+][{LETTER}._%+'-]{{0,63}}@(?:{LABEL}\.){{1,8}}(?:[A-Za-z]{{2,24}}|xn--[A-Za-z0-9-]{{2,59}})\b"
BETWEEN = r"(?: ?[.\-/] ?| )?"
"""What may stand between digits of a phone number."""
PHONES = (
    rf"\+[1-9](?:{BETWEEN}(?:\(\d{{1,4}}\)|\d)){{6,14}}\b",
    r"(?:\b1[ .-]?)?(?:\([2-9]\d{2}\) ?|\b[2-9]\d{2}[ .-])[2-9]\d{2}[ .-]\d{4}\b",
    r"\b1[3-9]\d[ -]?\d{4}[ -]?\d{4}\b",
    r"(?:\(0\d{2,4}\) ?|\b0\d{2,4}[ /-])\d{3,4}(?:[ -]?\d{2,4}){1,2}\b",
    r"\b0[1-9](?:[ .]\d{2}){4}\b",
)
"""International; of North America; mobile ones of China; with an area code that begins with 0; of France."""
V4 = r"\b(?:\d{1,3}\.){3}\d{1,3}\b"
V6 = r"(?:\b[0-9A-Fa-f]{1,4}|:):[0-9A-Fa-f:]{0,34}(?::|[0-9A-Fa-f])(?:\d{0,2}\.\d{1,3}\.\d{1,3}\.\d{1,3}\b)?"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of personal data: its expressions, and what says whether a match is one."""

    patterns: tuple[str, ...]
    check: Check | None = None


KINDS: Mapping[str, Kind] = {
    "email": Kind((EMAIL,)),
    "phone": Kind(PHONES, phone),
    "chinese_id": Kind(
        (r"\b[1-9]\d{5}(?:18|19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx]\b",), resident
    ),
    "iban": Kind((r"(?i)\b[A-Z]{2}\d{2}(?:[ -]?[A-Z0-9]){11,30}\b",), iban),
    "card": Kind((r"\b\d(?:[ -]?\d){12,18}\b",), card),
    "ip": Kind((V4, V6), address),
}
"""By name; of two that find the same, the first one counts."""


@dataclass(frozen=True)
class Personal(TextGuard):
    """Finds personal data by its shape and its checksums."""

    kinds: tuple[str, ...] = setting(tuple(KINDS), "Kinds that are looked for.")

    def check(self) -> None:
        """See :meth:`Guard.check`."""
        super().check()
        if not self.kinds:
            raise GuardError("It looks for nothing.", allowed=f"kinds = {list(KINDS)}, or some of them")
        for kind in self.kinds:
            if kind not in KINDS:
                raise UnknownName("kind of personal data", str(kind), KINDS)

    def finder(self, folder: Path) -> Finder:
        """See :meth:`TextGuard.finder`. What is taken out is replaced by its kind: ``[email]``."""
        return Expressions(
            [
                Expression(pattern, f"[{kind}]", KINDS[kind].check)
                for kind in self.kinds
                for pattern in KINDS[kind].patterns
            ]
        )
