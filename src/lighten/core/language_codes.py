"""What language models answer as numbers: columns of documents, codes of texts, and places that are probed."""

from __future__ import annotations

import hashlib

NATS, BYTES, TOKENS, PROBED = 0, 1, 2, 3
"""Columns of the answers to documents: what was scored, in nats, bytes of text and tokens; from PROBED on, one column
for each place that was probed: the text of the most likely token there (see ``code_of``), or UNKNOWN."""
PROBES = 16
"""Places probed in each document: beginnings of words, spread evenly."""
UNKNOWN = -1.0
CODED_BYTES = 6
"""Bytes that a float64 holds exactly."""


def code_of(piece: bytes) -> float:
    """The first six bytes of a text as a number that a float64 holds exactly: equal for equal beginnings."""
    return float(int.from_bytes(piece[:CODED_BYTES].ljust(CODED_BYTES, b"\0"), "big"))


def answer_code(text: str) -> float:
    """48 bits of a hash of an answer, up to case, spacing and a final full stop: equal for equal answers."""
    plain = " ".join(text.casefold().split()).rstrip(".")
    return float(int.from_bytes(hashlib.sha256(plain.encode("utf-8", "surrogatepass")).digest()[:6], "big"))


def probe_places(text: bytes, most: int = PROBES) -> list[int]:
    """Byte offsets where a word's leading space stands, at most ``most`` of them, spread evenly over the text."""
    places = [i for i in range(1, len(text)) if text[i : i + 1] == b" " and text[i - 1 : i] != b" "]
    if len(places) <= most:
        return places
    return [places[(2 * i + 1) * len(places) // (2 * most)] for i in range(most)]
