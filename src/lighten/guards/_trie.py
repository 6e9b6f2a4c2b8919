"""Many words in one regular expression, which looks at each character a few times and never comes back far."""

from __future__ import annotations

import re
from collections.abc import Iterable


class _Trie(dict[str, "_Trie"]):
    """What may follow; ``ends`` where a word may end here."""

    ends = False


def any_of(words: Iterable[str]) -> str:
    """An expression for any of some words, the longest one where several begin together.

    >>> any_of(["bad", "ban", "ba", "c"])
    '(?:ba(?:d|n)?|c)'
    """
    root = _Trie()
    for word in words:
        node = root
        for char in word:
            node = node.setdefault(char, _Trie())
        node.ends = True
    return _expression(root)


def _expression(node: _Trie) -> str:
    parts = []
    for char, after in node.items():
        text = re.escape(char)
        while len(after) == 1 and not after.ends:
            ((char, after),) = after.items()
            text += re.escape(char)
        parts.append(text + (_expression(after) if after else ""))
    if len(parts) == 1 and not node.ends:
        return parts[0]
    return f"(?:{'|'.join(parts)})" + ("?" if node.ends else "")
