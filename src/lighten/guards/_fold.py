"""Texts as they are compared: without case, in one form of each character, without what nobody sees.

Each character with its marks becomes what Unicode's compatibility forms make of it (NFKC), case folded; characters
without a width are left out, and blanks are one blank. Letters of other scripts that look like Latin ones become these
where that is asked for; the list is short and holds those that are seen in practice.

Source: Unicode Standard Annex 15 and Technical Standard 39; the letters are from its ``confusables.txt``.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

PAIRS = (
    "АA ВB ЕE ЅS ІI ЈJ КK МM НH ОO РP СC ТT УY ХX ҮY ԌG ԚQ ԜW аa еe ѕs іi јj кk оo рp сc уy хx үy һh ԁd ԛq ԝw ӏl "
    "ΑA ΒB ΕE ΖZ ΗH ΙI ΚK ΜM ΝN ΟO ΡP ΤT ΥY ΧX αa ιi κk νv οo ρp υu χx ՕO ՍU ՏS օo ոn սu հh "
    "ıi ɑa ɡg ɩi ʀr ᴀa ᴄc ᴇe ᴊj ᴋk ᴍm ɴn ᴏo ᴘp ᴛt ᴜu ᴠv ᴡw ᴢz"
)
ALIKE = str.maketrans({pair[0]: pair[1] for pair in PAIRS.split()})
"""Cyrillic, Greek and Armenian letters, and rare Latin ones, with the Latin letters that they look like."""
ACCENTS = re.compile("[\u0300-\u036f\u0591-\u05bd\u05bf-\u05c7\u064b-\u065f\u0670]")
"""Marks of Latin, Greek, Cyrillic, Hebrew and Arabic letters."""
UNSEEN = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]")
"""Characters without a width that Unicode does not call format characters."""
MOST_MARKS = 30
"""Of one character; more of them stand for no language, and sorting them takes long. Source: Annex 15, section 13."""
RUNS = re.compile(r"[!-~]+(?: [!-~]+)*|.", re.S)
PLAIN = re.compile(r" ?[!-~]+(?: [!-~]+)* ?")
"""Parts of texts, and texts, whose characters stay where they are."""


@dataclass(frozen=True, slots=True)
class Folded:
    """A text as it is compared.

    Attributes:
        text: as it is compared. begins, ends: of each of its characters, the place of what it was made of, and the one
            behind that.
        known: how many of its characters stay as they are, whatever follows the text.
        last: what the last character of the text begins with, decomposed, whatever marks follow it.
    """

    text: str
    begins: Sequence[int]
    ends: Sequence[int]
    known: int
    last: str

    def at(self, place: int) -> int:
        """The first character that was made of what stands at ``place`` or behind it."""
        return bisect_left(self.begins, place)


def fold(text: str, *, latin: bool, accents: bool) -> Folded:
    """A text as it is compared.

    Args:
        latin: whether letters that look like Latin ones become these. accents: whether marks tell words apart.

    >>> fold("ＢＡ\\u200bＤ  Ｗord", latin=False, accents=True).text, fold("сафé", latin=True, accents=False).text
    ('bad word', 'caфe')
    """
    if PLAIN.fullmatch(text):
        count = len(text)
        low = text.lower()
        return Folded(low, range(count), range(1, count + 1), count - 1, low[-1])
    found, begins, ends = list[str](), list[int](), list[int]()
    known, last = 0, ""

    def close(begin: int, end: int, seen: str) -> None:
        """A character with its marks is over."""
        nonlocal known, last
        known = len(found)
        if seen.isspace() and len(seen) == 1:
            if found and found[-1] == " ":
                ends[-1], last = end, ""
                return
            seen = " "
        made = _of_one(seen, latin, accents) if len(seen) == 1 else _folded(seen, latin, accents)
        last = unicodedata.normalize("NFD", _of_one(seen[:1], latin, accents))
        found.extend(made)
        begins.extend([begin] * len(made))
        ends.extend([end] * len(made))

    begin, seen = 0, ""
    for run in RUNS.finditer(text):
        place, char = run.start(), run[0]
        if len(char) > 1:  # all but its last character stay where they are
            if place:
                close(begin, place, seen)
            begin, seen = run.end() - 1, char[-1]
            found.extend(char[:-1].lower())
            begins.extend(range(place, begin))
            ends.extend(range(place + 1, begin + 1))
            continue
        if _extends(char):
            if len(seen) <= MOST_MARKS and not unseen(char):
                seen += char
            continue
        if place:
            close(begin, place, seen)
        begin, seen = place, char
    close(begin, len(text), seen)
    return Folded("".join(found), begins, ends, known, last)


def first_of(text: str, place: int) -> int:
    """The place of the character whose marks, or that itself, stand before ``place``."""
    place -= 1
    while place > 0 and _extends(text[place]):
        place -= 1
    return max(0, place)


def _folded(seen: str, latin: bool, accents: bool) -> str:
    text = unicodedata.normalize("NFKD", seen)
    if latin:
        text = text.translate(ALIKE)
    if not accents:
        text = ACCENTS.sub("", text)
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


@lru_cache(1 << 14)
def _of_one(seen: str, latin: bool, accents: bool) -> str:
    """Of one character."""
    return _folded(seen, latin, accents)


@lru_cache(1 << 14)
def _extends(char: str) -> bool:
    """Whether a character belongs to the one before it: a mark, a part of a Korean syllable, or one without a width."""
    first = unicodedata.normalize("NFKD", char)[0]
    return unicodedata.combining(first) > 0 or "\u1160" <= first <= "\u11ff" or unseen(char)


@lru_cache(1 << 14)
def unseen(char: str) -> bool:
    """Whether a character has no width, and is no blank."""
    kind = unicodedata.category(char)
    return kind == "Cf" or (kind == "Cc" and not char.isspace()) or UNSEEN.match(char) is not None
