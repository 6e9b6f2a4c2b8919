"""Lists of texts as one text: what stands after an option of the command line, or in an older recipe."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence


def read_list(given: Sequence[str] | str) -> tuple[str, ...]:
    """Texts with commas in between; one that holds a comma stands in double quotes, as in a csv file.

    A JSON list of texts is read too. What is a sequence already is taken as it is: nothing in its texts is cut.
    """
    if not isinstance(given, str):
        return tuple(given)
    if given.lstrip().startswith("["):
        try:
            found = json.loads(given)
        except ValueError:
            found = None
        if isinstance(found, list) and all(isinstance(one, str) for one in found):
            return tuple(found)
    try:
        rows = list(csv.reader(io.StringIO(given, newline="")))
    except csv.Error:
        rows = []
    if not given:
        return ()
    return tuple(rows[0]) if len(rows) == 1 else tuple(given.split(","))


def write_list(texts: Sequence[str]) -> str:
    """The text that :func:`read_list` reads back: with commas, or as JSON where those would be read otherwise."""
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(texts)
    written = line.getvalue()
    return written if read_list(written) == tuple(texts) else json.dumps(list(texts), ensure_ascii=False)
