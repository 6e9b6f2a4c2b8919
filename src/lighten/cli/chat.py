"""lighten chat"""

from __future__ import annotations

import contextlib
import json
import signal
import sys
from collections.abc import Iterator
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from lighten.cli.lines import stdin_lines
from lighten.cli.options import Seed, Threads
from lighten.core.errors import InputError, Interrupted

if TYPE_CHECKING:
    from rich.console import Console

    from lighten.verbs.chat import Chat

PROMPT = ">>> "
COMMANDS = {
    "/help": "show this",
    "/reset": "forget what was said and start again",
    "/exit": "leave; so does Ctrl-D",
}
KEYS = "Ctrl-C stops an answer; what was written of it stays in the conversation."
ENDED = {"most": " · cut off by --most", "full": " · cut off: the context is full", "stopped": " · stopped"}


def command(
    model: Annotated[
        str, typer.Argument(help="A winner, a run folder, a GGUF file, or any language model that can be opened.")
    ],
    system: Annotated[str, typer.Option(help="What the model is told before the conversation begins.")] = "",
    temperature: Annotated[
        float, typer.Option(help="0 always takes the most likely token; 1 draws as the model thinks.", min=0.0)
    ] = 0.0,
    top_p: Annotated[
        float, typer.Option(help="Draw from the likeliest tokens that hold this share together.", min=0.0, max=1.0)
    ] = 1.0,
    most: Annotated[int, typer.Option(help="Tokens of an answer at most.", min=1)] = 256,
    threads: Threads = 0,
    seed: Seed = 0,
    once: Annotated[str | None, typer.Option(help="Answer this one message and leave.", show_default=False)] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="With --once: print one JSON object with the answer and its numbers.")
    ] = False,
) -> None:
    """Talk with a language model; its answer appears while it is written. In a pipe, every line is a message."""
    if as_json and once is None:
        raise InputError("--json was given without --once.", fix='add --once "your message"')
    from rich.console import Console

    from lighten.cli.working import working
    from lighten.verbs.chat import open_chat

    with working("opening the model"):
        chat = open_chat(
            model, system=system, temperature=temperature, top_p=top_p, most=most, threads=threads, seed=seed
        )
    with chat:
        talk = Talk(chat, Console() if sys.stdout.isatty() else Console(stderr=True))
        if once is None:
            with sigterm_leaves():
                talk.converse(model)
        elif as_json:
            talk.as_json(model, once)
        else:
            talk.answer(once)


class Talk:
    """A conversation on a screen.

    Args:
        console: where everything goes that is no answer: the terminal, or stderr when stdout goes elsewhere.
    """

    def __init__(self, chat: Chat, console: Console) -> None:
        self.chat, self.console = chat, console
        self._noted = 0

    def converse(self, model: str) -> None:
        """Until the reader leaves: ask, answer, and carry out what begins with a slash."""
        if sys.stdin.isatty():
            self._dim(f"{model} · context of {self.chat.session.context:,} tokens · /help")
        self._notes()
        for line in self._lines():
            if not line.strip():
                continue
            word = line.strip().lower()
            if word == "/exit":
                return
            if word == "/reset":
                self.chat.reset()
                self._dim("Everything that was said is forgotten.")
            elif word == "/help":
                for name, does in COMMANDS.items():
                    self._dim(f"{name:8}{does}")
                self._dim(KEYS)
            elif word.startswith("/") and word[1:].isalpha():
                self._dim(f"There is no {word}; there are {', '.join(COMMANDS)}.")
            else:
                self._respond(line)

    def answer(self, text: str) -> None:
        """Answer one message on stdout, as it is written."""
        screen = sys.stdout.isatty()
        pieces = self.chat.say(text)
        self._notes()
        try:
            with contextlib.closing(pieces), ctrl_c_stops(self.chat) as asked:
                for piece in pieces:
                    sys.stdout.write(printable(piece) if screen else piece)
                    sys.stdout.flush()
                    if asked:
                        break
        finally:
            sys.stdout.write("\n")
            sys.stdout.flush()
            if screen:
                self._numbers()

    def as_json(self, model: str, text: str) -> None:
        """Answer one message with a JSON object on stdout."""
        for _ in self.chat.say(text):
            continue
        found = self.chat.last
        assert found is not None
        record = {
            "model": model,
            "answer": found.text,
            "ended": found.ended,
            "prompt_tokens": found.prompt_tokens,
            "tokens": found.tokens,
            "tokens_per_second": found.rate,
            "first_token_seconds": found.first_seconds,
            "seconds": found.seconds,
            "notes": self.chat.notes,
        }
        sys.stdout.write(json.dumps(record, ensure_ascii=False, indent=1) + "\n")

    def _respond(self, line: str) -> None:
        """Answer a line; with a person at the keyboard, what goes wrong with one message does not end the program."""
        person = sys.stdin.isatty()
        try:
            self.answer(line)
        except InputError as error:
            if not person:
                raise
            self.console.print(str(error), style="red", markup=False, highlight=False, soft_wrap=True)
        except KeyboardInterrupt:
            if not person:
                raise

    def _lines(self) -> Iterator[str]:
        """What is typed, or the lines of a file or a pipe."""
        if not sys.stdin.isatty():
            yield from stdin_lines()
            return
        with contextlib.suppress(ImportError):
            import readline  # noqa: F401 - input() edits lines and remembers them once it is imported
        while True:
            try:
                yield self._typed()
            except EOFError:
                self.console.print()
                return
            except KeyboardInterrupt:
                self.console.print()
                self._dim("Ctrl-D or /exit leaves.")

    def _typed(self) -> str:
        if sys.stdout.isatty():
            return input(PROMPT)
        self.console.print(PROMPT, end="")  # input() would put it into the output
        line = sys.stdin.readline()
        if not line:
            raise EOFError
        return line.rstrip("\n")

    def _notes(self) -> None:
        for note in self.chat.notes[self._noted :]:
            self._dim(f"· {note}")
        self._noted = len(self.chat.notes)

    def _numbers(self) -> None:
        found = self.chat.last
        if found is not None:
            rate = "" if found.rate is None else f" · {found.rate:.1f} tokens/s"
            first = f" · first after {found.first_seconds:.2f} s" if found.tokens else ""
            self._dim(f"{found.tokens} token{'s' * (found.tokens != 1)}{rate}{first}{ENDED.get(found.ended, '')}")

    def _dim(self, text: str) -> None:
        self.console.print(text, style="dim", markup=False, highlight=False, soft_wrap=True)


def printable(piece: str) -> str:
    """Without control characters other than line ends and tabs: a model could steer the terminal with them."""
    return "".join(c for c in piece if c in "\n\t" or not (ord(c) < 32 or 127 <= ord(c) < 160))


@contextlib.contextmanager
def ctrl_c_stops(chat: Chat) -> Iterator[list[int]]:
    """SIGINT ends the answer that is written within, and is raised behind it; a second one is raised at once.

    Gives a list that is empty until then.

    Raised at any place, KeyboardInterrupt is lost where Python ignores exceptions, such as in a finalizer.
    """
    asked: list[int] = []

    def heard(number: int, frame: FrameType | None) -> None:
        asked.append(number)
        chat.stop()
        if len(asked) > 1:
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, heard)
    try:
        yield asked
    finally:
        signal.signal(signal.SIGINT, before)
    if asked:
        raise KeyboardInterrupt


@contextlib.contextmanager
def sigterm_leaves() -> Iterator[None]:
    """SIGTERM ends the program within: elsewhere it does what Ctrl-C does, which here only stops an answer."""

    def leave(number: int, frame: FrameType | None) -> None:
        raise Interrupted("Interrupted.")

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
