"""Lines of standard input, whatever is piped in."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from lighten.core.errors import DataError

BOM = b"\xef\xbb\xbf"


def stdin_lines() -> Iterator[str]:
    """Each line as it comes, without its end.

    Raises:
        DataError: a line that is not UTF-8, by its number.
    """
    for number, raw in enumerate(sys.stdin.buffer, 1):
        try:
            yield raw.removeprefix(BOM if number == 1 else b"").decode("utf-8").rstrip("\r\n")
        except UnicodeDecodeError as error:
            raise DataError(
                f"Line {number:,} of standard input is not UTF-8: byte 0x{raw[error.start]:02x} at place "
                f"{error.start + 1:,} of the line.",
                allowed="one text per line in UTF-8",
                fix="convert it first, such as with iconv -f latin1 -t utf-8",
            ) from error
