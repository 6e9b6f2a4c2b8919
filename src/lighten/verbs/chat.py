"""chat: talk with a language model; the answer comes while it is written."""

from __future__ import annotations

import codecs
import threading
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from tempfile import TemporaryDirectory
from time import perf_counter
from types import TracebackType

from lighten.core import catalog
from lighten.core.artifact import RECORD, Artifact
from lighten.core.errors import InputError, ModelError
from lighten.core.home import expanded
from lighten.core.language import LanguageSession, Sampling, writer
from lighten.core.matching import format_named
from lighten.isolate.machine import allowed_cores
from lighten.models.bring import bring, find
from lighten.nets.language.chat_template import Renderer, find_template
from lighten.sessions.language_process import open_session
from lighten.verbs.load import check_models_fit, engine_of

END, MOST, FULL, STOPPED = "end", "most", "full", "stopped"
"""Why an answer ended: the model ended it, it had as many tokens as asked, the context is full, the reader stopped."""
INSTEAD = "lighten predict {model} answers with its labels"
"""What can be done with a model that writes no text."""
RESERVED = 4
"""The oldest exchanges are dropped to leave an answer up to this part of the context."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer, as far as it was read.

    Attributes:
        text: what was said.
        ended: ``end``, ``most``, ``full`` or ``stopped``.
        prompt_tokens, tokens: of everything that was put in, and of the answer.
        first_seconds, seconds: until the first token, and until the last; 0 when there was none.
    """

    text: str
    ended: str
    prompt_tokens: int
    tokens: int
    first_seconds: float
    seconds: float

    @property
    def rate(self) -> float | None:
        """Tokens per second after the first one; None for fewer than two."""
        writing = self.seconds - self.first_seconds
        return (self.tokens - 1) / writing if self.tokens > 1 and writing > 0 else None


class Chat:
    """An open conversation. A context manager; not for several threads at once.

    Args:
        session: loaded; closed by whoever opened it. renderer: None for a model without a chat template, which
            continues what is said instead of answering it.
        system: what the model is told first. most: tokens of an answer.

    Attributes:
        notes: what the reader should know, one sentence each, in order.
        last: the last answer; None before there was one.
    """

    def __init__(
        self,
        session: LanguageSession,
        renderer: Renderer | None,
        *,
        system: str = "",
        sampling: Sampling | None = None,
        most: int = 256,
        resources: ExitStack | None = None,
    ) -> None:
        self.session, self.system, self.most = session, system, most
        self.sampling = sampling or Sampling()
        self.notes: list[str] = []
        self.last: Answer | None = None
        self._renderer, self._resources = renderer, resources or ExitStack()
        self._past: list[tuple[str, str]] = []
        self._asked = 0
        self._writer: _Writer | None = None
        if renderer is None:
            self.notes.append("This model has no chat template: it continues what you write instead of answering it.")

    @property
    def exchanges(self) -> tuple[tuple[str, str], ...]:
        """What was said and answered so far, as the model will see it; what was dropped is not among it."""
        return tuple(self._past)

    def say(self, text: str) -> Generator[str, None, None]:
        """Say something; the answer's text comes in pieces, each of whole characters.

        Closing the iterator stops the answer; what was read of it stays in the conversation. The oldest exchanges are
        dropped, with a note, when the conversation no longer fits into the context.

        Raises:
            InputError: nothing was said, it alone does not fit, or the last answer is still being written.
            ModelError: the chat template fails (see ``nets.language.chat_template``).
        """
        self._wait()
        if not text.strip():
            raise InputError("There is nothing to answer: the message is empty.")
        if any("\ud800" <= character <= "\udfff" for character in text):
            raise InputError("The message is not UTF-8.")
        prompt = self._prompt(text)
        room = self.session.context - len(prompt)
        # Asking the same again draws again, and the whole conversation can still be repeated.
        drawn = Sampling(self.sampling.temperature, self.sampling.top_p, self.sampling.seed + self._asked)
        self._asked += 1
        return self._answer(text, _Writer(self.session, prompt, min(self.most, room), drawn))

    def stop(self) -> None:
        """End the answer that is being written after the token in hand; may be called from a signal handler."""
        if self._writer is not None:
            self._writer.stopped = True

    def reset(self) -> None:
        """Forget everything that was said."""
        self._past.clear()

    def close(self) -> None:
        """Stop the answer that is being written, and free the model. Closing twice is allowed."""
        if self._writer is not None:
            self._writer.stop()
        self._resources.close()

    def _wait(self) -> None:
        """Until a stopped answer has come to its end; the session does one thing at a time."""
        if self._writer is not None:
            if not self._writer.stopped:
                raise InputError("The last answer is still being written.", fix="read it to its end, or close it")
            self._writer.stop()
            self._writer = None

    def _answer(self, text: str, writer: _Writer) -> Generator[str, None, None]:
        self._wait()
        self._writer = writer
        characters = codecs.getincrementaldecoder("utf-8")("replace")
        said: list[str] = []
        ended = STOPPED
        writer.start()
        try:
            while (piece := writer.pieces.get()) is not None:
                yield from self._heard(characters.decode(piece), said)
            yield from self._heard(characters.decode(b"", final=True), said)
            if writer.error is not None:
                raise writer.error
            if not writer.stopped:
                ended = END if writer.tokens < writer.most else MOST if writer.most == self.most else FULL
        finally:
            writer.stop()
            self._writer = None
            answer = "".join(said)
            self.last = Answer(answer, ended, writer.prompted, writer.tokens, writer.first, writer.latest)
            if answer and writer.error is None:
                self._past.append((text, answer))

    def _heard(self, piece: str, said: list[str]) -> Iterator[str]:
        if not said and self._renderer is not None:
            piece = piece.lstrip()  # some tokenizers put a space in front of every word, the first one too
        if piece:
            said.append(piece)
            yield piece

    def _prompt(self, text: str) -> list[int]:
        """Tokens of the conversation with ``text`` at its end, the oldest exchanges dropped until they fit."""
        most = self.session.context - 1
        wanted = self.session.context - min(self.most, self.session.context // RESERVED)
        past = list(self._past)
        prompt = self._encoded(past, text)
        while past and len(prompt) > wanted:
            del past[0]
            prompt = self._encoded(past, text)
        if len(prompt) > most:
            raise InputError(
                f"The message has {len(prompt):,} tokens, with what goes around it.",
                allowed=f"at most {most:,}, the context of the model as it was opened",
                fix="say less at a time",
            )
        if dropped := len(self._past) - len(past):
            what = (
                "The oldest exchange no longer fits"
                if dropped == 1
                else f"The oldest {dropped} exchanges no longer fit"
            )
            self.notes.append(f"{what} into the context of {self.session.context:,} tokens and the model forgets it.")
            self._past = past
        return prompt

    def _encoded(self, past: Sequence[tuple[str, str]], text: str) -> list[int]:
        begin = self.session.encode("", begin=True)[:1]
        if self._renderer is None:
            before = [self.system] if self.system else []
            whole = "\n".join([*before, *(said + answer for said, answer in past), text])
            return begin + self.session.encode(whole, begin=False)
        tokens = self.session.encode(
            self._renderer.render(messages(self.system, past, text)), begin=False, special=True
        )
        return tokens if tokens[:1] == begin else begin + tokens  # most templates write the start token themselves

    def __enter__(self) -> Chat:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Writer(threading.Thread):
    """Writes one answer in a thread of its own, so that its reader can be interrupted between two tokens.

    Attributes:
        pieces: bytes of each token, then None.
        most, prompted, tokens: of the answer at most, of the prompt, of the answer so far.
        first, latest: seconds until the first and the latest token.
        error: what the engine raised.
    """

    def __init__(self, session: LanguageSession, prompt: Sequence[int], most: int, sampling: Sampling) -> None:
        super().__init__(daemon=True, name="lighten-chat")
        self.pieces: SimpleQueue[bytes | None] = SimpleQueue()
        self.most, self.prompted, self.tokens = most, len(prompt), 0
        self.first = self.latest = 0.0
        self.stopped = False
        self.error: BaseException | None = None
        self._session, self._prompt, self._sampling = session, prompt, sampling
        self._began = 0.0

    def run(self) -> None:
        """Write to the end."""
        self._began = perf_counter()
        try:
            self._session.generate([self._prompt], self.most, sampling=self._sampling, heard=self._heard)
        except BaseException as error:  # noqa: BLE001 - raised where the answer is read
            self.error = error
        finally:
            self.pieces.put(None)

    def _heard(self, _: int, token: int) -> bool:
        if not self.stopped and not self._session.ends(token):
            self.tokens, self.latest = self.tokens + 1, perf_counter() - self._began
            self.first = self.first or self.latest
            self.pieces.put(self._session.pieces([token])[0])
        return self.stopped

    def stop(self) -> None:
        """Have it stop after the token in hand, and wait for that."""
        self.stopped = True
        self.join()


def messages(system: str, past: Sequence[tuple[str, str]], text: str) -> list[dict[str, str]]:
    """A conversation as chat templates take it."""
    told = [("system", system)] if system else []
    pairs = [one for said, answer in past for one in (("user", said), ("assistant", answer))]
    return [{"role": role, "content": content} for role, content in (*told, *pairs, ("user", text))]


def open_chat(
    model: str | Path,
    *,
    system: str = "",
    temperature: float = 0.0,
    top_p: float = 1.0,
    most: int = 256,
    threads: int = 0,
    seed: int = 0,
) -> Chat:
    """Open a language model to talk with it.

    Args:
        model: a winner, a run folder, any artifact that can be opened, a GGUF file, or what ``optimize`` takes.
        system: what the model is told first.
        temperature: 0 always takes the most likely token. top_p: share of probability to draw from.
        most: tokens of an answer.
        threads: cores to use; 0 for as many as the artifact was made for, or all that this process may use.

    Raises:
        ModelError: there is no such model, it is no language model, or its chat template fails.
        InputError: a setting out of its range. MissingExtra: the engine's library is not installed.
        MissingEnvironment: the engine's own environment was not made.
        UnsafeFile: the artifact's files are not what was sealed.
    """
    if not 0 <= temperature < float("inf"):
        raise InputError(f"The temperature is {temperature}.", allowed="0 or more")
    if not 0 < top_p <= 1:
        raise InputError(f"top_p is {top_p}.", allowed="more than 0, at most 1")
    if most < 1:
        raise InputError(f"An answer of at most {most} tokens was asked for.", allowed="1 or more")
    check_models_fit([str(model)])
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(TemporaryDirectory(prefix="lighten-chat-")))
        artifact = _found(str(model), scratch / "model")
        template = find_template(artifact)
        renderer = stack.enter_context(Renderer(template)) if template else None
        if renderer is not None:
            _try(renderer, system)  # before the model is loaded, which may take long
        cores, kept = allowed_cores(), artifact.meta.get("threads")
        wanted = threads or (min(kept, cores) if isinstance(kept, int) and kept > 0 else cores)
        session = writer(stack.enter_context(open_session(artifact, engine_of(artifact), threads=wanted)))
        if session is None:
            raise ModelError(f"{model} is no language model.", fix=INSTEAD.format(model=model))
        sampling = Sampling(temperature, top_p, seed)
        return Chat(session, renderer, system=system, sampling=sampling, most=most, resources=stack.pop_all())


chat = open_chat
"""The same, by the name of the verb."""


def _found(model: str, scratch: Path) -> Artifact:
    """What a user names as a model.

    Args:
        scratch: a folder that does not exist yet, which must outlive the use.
    """
    path = expanded(model)
    for place in (path, path / "winner"):
        if (place / RECORD).is_file():
            return Artifact.open(place)
    found = find(model)
    if not any(catalog.load("tasks", name)().writes for name in found.tasks):
        raise ModelError(f"{model} is {found.described}, and no language model.", fix=INSTEAD.format(model=model))
    scratch.mkdir()
    if format_named(found.format).borrow(found, scratch):  # it is only read, and may be large
        return Artifact(scratch, "", found.format, {})
    return bring(model, scratch)


def _try(renderer: Renderer, system: str) -> None:
    """Render a greeting.

    Raises:
        ModelError: the template fails; says so when only the system text is the reason.
    """
    try:
        renderer.render(messages(system, (), "Hello"))
    except ModelError as error:
        if not system:
            raise
        renderer.render(messages("", (), "Hello"))
        raise ModelError(error.seen, fix="leave the system text out: without it the template works") from error
