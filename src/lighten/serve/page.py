"""The page at ``/``: its files, which lie in ``page/``, and the headers under which a browser lets them do no harm.

It is served without a key, and has nothing of anybody in it: what it shows it asks for, with the key that it is given.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from pathlib import PurePath

from lighten.look.style import colours, page_parts
from lighten.serve.http import Reply, Request, Route, write_json
from lighten.serve.page_words import WORDS
from lighten.serve.refusals import no_such

INDEX, SHEET, TEXTS = "index.html", "look.css", "words.js"
"""The page itself; the sheet that it shares with reports; its texts, as a module."""
KINDS: Mapping[str, bytes] = {
    ".html": b"text/html; charset=utf-8",
    ".css": b"text/css; charset=utf-8",
    ".js": b"text/javascript; charset=utf-8",
    ".svg": b"image/svg+xml",
}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
"""Everything comes from this server, nothing stands inside the page, and no text can become markup. Pictures are shown
that a user chose, and those of cases for review."""
HEADERS: Sequence[tuple[bytes, bytes]] = (
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"no-cache"),
)


def routes() -> list[Route]:
    """The page and its files."""

    async def index(request: Request) -> Reply:
        return file_reply(INDEX)

    async def file(request: Request) -> Reply:
        return file_reply(request.params["file"])

    return [
        Route("GET", "/", index, "The page", {}, unlocked=True),
        Route("GET", "/page/{file}", file, "A file of the page", {}, unlocked=True),
    ]


def file_reply(name: str) -> Reply:
    """A file of the page.

    Raises:
        Refusal: there is none of this name.
    """
    known = page_files()
    if name not in known:
        raise no_such("file", name, known)
    return Reply(known[name], 200, KINDS[PurePath(name).suffix], HEADERS)


@cache
def page_files() -> Mapping[str, bytes]:
    """Contents of all files by name. Only what is among them is ever sent, whatever a path asks for."""
    every = files(__package__).joinpath("page").iterdir()
    found = {one.name: one.read_bytes() for one in every if PurePath(one.name).suffix in KINDS}
    found[SHEET] = (colours() + page_parts()).encode()
    found[TEXTS] = b"export const WORDS = " + write_json(WORDS) + b";\n"
    return found
