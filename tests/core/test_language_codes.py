"""Codes of answers, and places that are probed."""

from __future__ import annotations

from itertools import pairwise

from lighten.core.language_codes import CODED_BYTES, PROBES, answer_code, code_of, probe_places


def test_codes_of_pieces_are_equal_for_equal_beginnings() -> None:
    assert CODED_BYTES == 6
    assert code_of(b"") == 0.0
    assert code_of(b" film") == int.from_bytes(b" film\0", "big")
    assert code_of(b" films and") == code_of(b" films")
    codes = [code_of(piece) for piece in (b"", b" ", b" a", b" b", b"a", b"\xff\xff\xff\xff\xff\xff", "é".encode())]
    assert len(set(codes)) == len(codes)
    assert all(code >= 0 and int(code) == code for code in codes)  # no code is the one of an unknown place
    assert float(int(codes[5])) == 2.0**48 - 1


def test_codes_of_answers_heed_neither_case_nor_spaces_nor_a_full_stop() -> None:
    assert answer_code("Paris") == answer_code("  paris.\n") == answer_code("PARIS")
    assert answer_code("New  York") == answer_code("new\tyork")
    assert answer_code("Straße") == answer_code("STRASSE")
    assert len({answer_code(text) for text in ("", "Paris", "Paris!", "Par is", "巴黎", "\ud800")}) == 6


def test_places_are_where_words_begin() -> None:
    assert probe_places(b"") == probe_places(b"word") == probe_places(b" word") == []
    assert probe_places(b"a b  c") == [1, 3]
    text = b"x" + b" y" * 40
    assert probe_places(text[:33]) == list(range(1, 33, 2))
    many = probe_places(text)
    assert len(many) == len(set(many)) == PROBES == 16
    assert many == sorted(many) and all(text[place : place + 1] == b" " for place in many)
    gaps = {after - before for before, after in pairwise(many)}
    assert gaps <= {4, 6}
    assert probe_places(text, 1) == [41]
