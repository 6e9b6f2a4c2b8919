"""Words of a list, also where they are written in capitals, in look-alike letters or with invisible characters.

Compared is what a reader sees: without case, in Unicode's compatibility form (NFKC), without characters that have no
width, blanks as one blank; for words in Latin letters, Cyrillic, Greek and Armenian letters that look like these count
as these. Not seen through: letters that are spaced out, digits for letters, misspellings, words in pictures. Chinese,
Japanese and Thai have no borders of words: their words are found anywhere.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from lighten.core.guard import Finder, GuardError, Span, TextGuard
from lighten.core.home import expanded
from lighten.core.step import setting
from lighten.guards._fold import Folded, first_of, fold
from lighten.guards._leftmost import Search, leftmost
from lighten.guards._trie import any_of

WHOLE, ANYWHERE = "whole", "anywhere"
MOST_CHARACTERS = 100
"""Of one entry of a list."""
UNSPACED = (
    "\u0e00-\u0eff\u0f00-\u0fff\u1000-\u109f\u1780-\u17ff\u3040-\u312f\u31a0-\u31bf\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
"""Letters of scripts that put no blanks between words."""
LETTER = rf"[^\W_{UNSPACED}]"
MARK = "[\u0300-\u036f\u3099\u309a]"


@dataclass(frozen=True)
class Words(TextGuard):
    """Finds words and phrases of lists."""

    files: tuple[str, ...] = setting((), "Lists: a word or phrase on each line, in UTF-8; lines with # are left out.")
    words: tuple[str, ...] = setting((), "Words or phrases.")
    where: str = setting(WHOLE, "Whole words, or anywhere in a word.", choices=(WHOLE, ANYWHERE))
    accents: bool = setting(True, "Whether accents tell words apart.")
    instead: str = setting("[removed]", "What stands in the place of what is taken out.")

    def check(self) -> None:
        """See :meth:`Guard.check`."""
        super().check()
        if not self.files and not self.words:
            raise GuardError("It has no words.", fix='files = ["words.txt"], or words = ["..."]')

    def finder(self, folder: Path) -> Finder:
        """See :meth:`TextGuard.finder`."""
        entries = [(str(word), f"the word {word!r:.40}") for word in self.words]
        for name in self.files:
            entries += listed(folder / expanded(str(name)), str(name))
        latin: set[str] = set()
        other: set[str] = set()
        for word, told in entries:
            is_latin = _is_latin(word)
            made = fold(word.strip(), latin=is_latin, accents=self.accents).text.strip() if word.strip() else ""
            if not made or len(made) > MOST_CHARACTERS:
                allowed = f"1 to {MOST_CHARACTERS} characters that can be seen"
                raise GuardError(f"In {told} stand {len(made)} characters.", allowed=allowed, value=word)
            (latin if is_latin else other).add(made)
        if not latin and not other:
            raise GuardError(f"{', '.join(map(str, self.files))} holds no word.", value=str(self.files[0]))
        whole = self.where == WHOLE
        return WordFinder(
            [
                _List(words, latin=is_latin, accents=self.accents, whole=whole, instead=self.instead)
                for words, is_latin in ((latin, True), (other, False))
                if words
            ]
        )


def listed(path: Path, name: str) -> list[tuple[str, str]]:
    """Entries of a list, and where each stands. name: of the file, as the user knows it.

    Raises:
        GuardError: it cannot be read.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise GuardError(f"The list {name} is not UTF-8.", fix="save it in UTF-8", value=name) from error
    except OSError as error:
        reason = error.strerror or "it cannot be read"
        fix = "name it from the folder of the rules"
        raise GuardError(f"The list {name} is not there: {reason}.", fix=fix, value=name) from error
    lines = enumerate(text.splitlines(), 1)
    return [(line, f"{name}, line {n}") for n, line in lines if line.strip() and not line.lstrip().startswith("#")]


class _List:
    """Words that are compared in the same way."""

    def __init__(self, words: Iterable[str], *, latin: bool, accents: bool, whole: bool, instead: str) -> None:
        self._latin, self._accents, self._instead = latin, accents, instead
        every = sorted(set(words))
        self._begins = sorted({unicodedata.normalize("NFD", word) for word in every})
        self._longest = max(map(len, every))
        groups: dict[tuple[str, str], list[str]] = {}
        for word in every:
            before = f"(?<!{LETTER})" if whole and re.match(LETTER, word[0]) else ""
            after = f"(?!{LETTER})" if whole and re.match(LETTER, word[-1]) else ""
            groups.setdefault((before, after), []).append(word)
        parts = [f"{before}{any_of(words)}{after}(?!{MARK})" for (before, after), words in groups.items()]
        self._matches = re.compile("|".join(parts))

    def fold(self, text: str) -> Folded:
        """A text as its words are compared."""
        return fold(text, latin=self._latin, accents=self._accents)

    def search(self, folded: Folded) -> Search:
        """Search a text."""

        def search(place: int) -> Span | None:
            match = self._matches.search(folded.text, folded.at(place))
            if match is None:
                return None
            return Span(folded.begins[match.start()], folded.ends[match.end() - 1], self._instead)

        return search

    def begins(self, folded: Folded, place: int, end: int) -> int:
        """Where, from ``place`` on, a word may begin that the end of the text cuts off; ``end`` where none can."""
        known = folded.known
        for at in range(max(folded.at(place), known - self._longest), known + 1):
            tail = unicodedata.normalize("NFD", folded.text[at:known]) + folded.last
            near = bisect_left(self._begins, tail)
            if tail and near < len(self._begins) and self._begins[near].startswith(tail):
                return folded.begins[at] if at < len(folded.begins) else end
        return end


class WordFinder(Finder):
    """Finds words of some lists."""

    def __init__(self, lists: Sequence[_List]) -> None:
        self._lists = lists

    def scan(self, text: str, begin: int, *, over: bool) -> tuple[list[Span], int]:
        """See :meth:`Finder.scan`."""
        if not text:
            return [], 0
        folded = [one.fold(text) for one in self._lists]
        end = len(text)
        sure = end
        if not over:
            sure = min(one.begins(read, begin, end) for one, read in zip(self._lists, folded, strict=True))
        searches = [one.search(read) for one, read in zip(self._lists, folded, strict=True)]
        return leftmost(searches, begin, sure), sure

    def context(self, text: str, place: int) -> int:
        """See :meth:`Finder.context`: the last character that can be seen, with its marks."""
        return first_of(text, place)


def _is_latin(word: str) -> bool:
    letters = [char for char in unicodedata.normalize("NFKD", word) if char.isalpha()]
    return bool(letters) and all("LATIN" in unicodedata.name(char, "") for char in letters)
