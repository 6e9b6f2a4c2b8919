"""Numbers of people's own: those that carry a checksum, addresses that a parser knows, and what is no phone number."""

from __future__ import annotations

import re
from ipaddress import ip_address

COUNTRIES = (
    "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29 "
    "ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 "
    "LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 "
    "PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 "
    "YE30"
)
LENGTHS = {entry[:2]: int(entry[2:]) for entry in COUNTRIES.split()}
"""Characters of an IBAN by country. Source: SWIFT's IBAN registry."""
WEIGHTS, MARKS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2), "10X98765432"
"""Of the identity number of China's residents. Source: GB 11643-1999."""
FEWEST_DIGITS = 13
"""Of the number of a payment card; there are older ones with twelve."""
FEWEST_DIFFERENT = 3
"""Digits of a phone number."""


def phone(text: str) -> int:
    """Characters of a phone number; 0 where nearly all of its digits are alike.

    >>> phone("030 123456"), phone("0000 0000 0001")
    (10, 0)
    """
    return len(text) if len({one for one in text if one.isdigit()}) >= FEWEST_DIFFERENT else 0


def iban(text: str) -> int:
    """Characters of an IBAN that a text begins with; 0 where its country, its length or its checksum say that it is
    none. Source: ISO 13616, the remainder by 97.

    >>> iban("DE89 3704 0044 0532 0130 00 AND"), iban("DE88 3704 0044 0532 0130 00")
    (27, 0)
    """
    length = LENGTHS.get(text[:2].upper(), 0)
    end = _end(text, length)
    compact = text[:end].replace(" ", "").replace("-", "").upper()
    if not length or len(compact) != length:
        return 0
    number = "".join(str(int(one, 36)) for one in compact[4:] + compact[:4])
    return end if int(number) % 97 == 1 else 0


def card(text: str) -> int:
    """Characters of the number of a payment card that a text begins with; 0 where it is none: the longest one that
    begins as one does and whose last digit is right. Source: ISO/IEC 7812, Luhn's checksum.

    >>> card("4111 1111 1111 1111"), card("4111 1111 1111 1112"), card("4111 1111 1111 1111 12")
    (19, 0, 19)
    """
    if text[:1] not in "23456":
        return 0
    ends = [match.start() for match in re.finditer(r"\b(?!\w)", text)]
    for end in reversed(ends):
        digits = [int(one) for one in text[:end] if one.isdigit()]
        if len(digits) < FEWEST_DIGITS:
            return 0
        if len(set(digits)) > 1 and luhn(digits):
            return end
    return 0


def luhn(digits: list[int]) -> bool:
    """Whether the last digit is the checksum of the others.

    >>> luhn([7, 9, 9, 2, 7, 3, 9, 8, 7, 1, 3]), luhn([7, 9, 9, 2, 7, 3, 9, 8, 7, 1, 4])
    (True, False)
    """
    doubled = [sum(divmod(2 * one, 10)) for one in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def resident(text: str) -> int:
    """Characters of an identity number of China's residents; 0 where its last character is wrong.

    >>> resident("11010519491231002X"), resident("110105194912310021")
    (18, 0)
    """
    total = sum(int(digit) * weight for digit, weight in zip(text[:17], WEIGHTS, strict=True))
    return len(text) if MARKS[total % 11] == text[17].upper() else 0


def address(text: str) -> int:
    """Characters of an IP address; 0 where it is none, or stands for none or for any.

    >>> address("192.168.0.1"), address("300.1.1.1"), address("2001:db8::1"), address("::")
    (11, 0, 11, 0)
    """
    try:
        found = ip_address(text)
    except ValueError:
        return 0
    return 0 if found.is_unspecified else len(text)


def _end(text: str, count: int) -> int:
    """Behind so many characters that are no blanks or dashes."""
    seen = 0
    for place, one in enumerate(text):
        seen += one not in " -"
        if seen == count:
            return place + 1
    return len(text)
