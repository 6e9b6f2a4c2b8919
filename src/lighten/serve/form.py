"""Form: inputs as ``curl -F`` and pages of HTML send files, ``multipart/form-data`` (RFC 7578, RFC 2046)."""

from __future__ import annotations

from email.message import Message
from email.parser import BytesHeaderParser

from lighten.serve.refusals import Refusal, too_large, unusable

FORM = b"multipart/form-data"
FIELD = "inputs"
"""Name of each field."""
LONGEST_HEAD = 4096
"""Bytes of the headers of one field."""
AS_IT_IS = ("", "7bit", "8bit", "binary")


def fields_in(body: bytes, kind: bytes, most: int) -> list[bytes]:
    """Contents of all fields, in order.

    Args:
        kind: the header ``Content-Type``. most: fields.

    Raises:
        Refusal: it is cut short, has other fields, or too many.
    """
    said = Message()
    said["Content-Type"] = kind.decode("latin-1")
    boundary = said.get_boundary("").encode("latin-1", "replace")
    pieces = (b"\r\n" + body).split(b"\r\n--" + boundary, most + 2)[1:] if boundary else []
    if len(pieces) > most + 1:
        raise too_large(f"There are more than {most:,} fields.", f"at most {most:,} in one request")
    if not pieces or not pieces[-1].startswith(b"--"):
        raise _unusable("The form is cut short, or not divided by the boundary that its Content-Type names.")
    return [_content(piece, place) for place, piece in enumerate(pieces[:-1])]


def _content(piece: bytes, place: int) -> bytes:
    """What is in one field: of what stands between two boundaries."""
    head, divided, content = piece.lstrip(b" \t").removeprefix(b"\r\n").partition(b"\r\n\r\n")
    if not divided or len(head) > LONGEST_HEAD:
        raise _unusable(f"Field {place} has no headers, or more than {LONGEST_HEAD:,} bytes of them.")
    headers = BytesHeaderParser().parsebytes(head)
    name = headers.get_param("name", "", "content-disposition")
    if name != FIELD:
        raise _unusable(f"Field {place} is called {name!r:.60}.")
    coding = str(headers.get("content-transfer-encoding", "")).strip().lower()
    if coding not in AS_IT_IS:
        raise _unusable(f"Field {place} is in the coding {coding!r:.40}.")
    return content


def _unusable(seen: str) -> Refusal:
    return unusable(seen, allowed=f"fields that are called {FIELD}, as they are", fix=f"curl -F {FIELD}=@FILE")
