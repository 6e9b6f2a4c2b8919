"""JSON Schemas of strangers, looked at in a process of their own: a short one can keep llguidance busy for ever."""

from __future__ import annotations

from lighten.core.errors import CandidateFailed, InputError
from lighten.nets.language.confined import Confined, did

DEADLINE = 1.0
"""Seconds that a schema may take; one of a thousand properties takes half of it."""
MEMORY = 512 << 20
"""Bytes of resident memory of the process; with a schema in use it takes about a tenth."""
MOST_BYTES = 32 * 1024
"""Of a schema."""
GRAMMAR = "lighten.nets.language.grammar"


class SchemaChecker:
    """Says whether answers can be held to a schema. A process that stays up between them; not for several threads.

    Args:
        deadline: seconds for each.
    """

    def __init__(self, *, deadline: float = DEADLINE) -> None:
        self.deadline = deadline
        self._confined = Confined(f"{GRAMMAR}:prepare", memory=MEMORY)

    def check(self, schema: str) -> None:
        """Refuse what no answer can be held to.

        Args:
            schema: JSON Schema, as JSON.

        Raises:
            InputError: see ``grammar.check_schema``, or it takes too much time or memory.
            MissingExtra: llguidance is not installed.
        """
        check_size(schema)
        try:
            self._confined.call(f"{GRAMMAR}:check_schema", self.deadline, {"schema": schema})
        except CandidateFailed as error:
            seen = f"The JSON Schema cannot be kept: what looks at it {did(error, self.deadline, MEMORY)}."
            raise InputError(seen, fix="ask for something simpler") from error

    def close(self) -> None:
        """End the process. Closing twice is allowed."""
        self._confined.close()


def check_size(schema: str) -> None:
    """Raises InputError for a schema that is too large to be looked at."""
    size = len(schema.encode("utf-8", "replace"))
    if size > MOST_BYTES:
        raise InputError(f"The JSON Schema has {size:,} bytes.", allowed=f"at most {MOST_BYTES:,} bytes")
