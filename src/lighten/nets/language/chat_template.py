"""Chat templates: small programs that a model brings, run in a process of their own.

A template is Jinja that whoever published the model wrote. It sees the messages and nothing else: an immutable sandbox
refuses what reaches for Python's insides, and the process around it ends what loops or swells.

Follows ``apply_chat_template`` of transformers: https://huggingface.co/docs/transformers/chat_templating
"""

from __future__ import annotations

import json
import re
import resource
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from pathlib import Path
from time import process_time
from typing import TYPE_CHECKING, Any

from lighten.core.artifact import Artifact
from lighten.core.errors import CandidateFailed, MissingExtra, ModelError, TemplateRefusal
from lighten.files.json_file import read_object
from lighten.nets.gguf.file import read_gguf
from lighten.nets.language.confined import Confined, did, shown

if TYPE_CHECKING:
    from jinja2.sandbox import ImmutableSandboxedEnvironment

DEADLINE = 2.0
"""Seconds that a template may take; the ones in use take some milliseconds."""
MEMORY = 512 << 20
"""Bytes of address space of the process; without a template it takes about a tenth."""
LONGEST_TEMPLATE = 1 << 20
"""Characters; the longest in use have some ten thousand."""
MOST_ADDED, MOST_REPEATED = 1 << 20, 4
"""Characters that a template may write: so many of its own, and every message so many times."""
SAFE_JINJA = (3, 1, 6)
"""Older versions have known ways out of the sandbox."""
NEWS = "take the template from where the model was published, and report it there"


@dataclass(frozen=True, slots=True)
class ChatTemplate:
    """The template of a model.

    Attributes:
        source: Jinja.
        bos, eos: text of the tokens that begin and end a sequence, as the template writes them; may be empty.
    """

    source: str
    bos: str = ""
    eos: str = ""


class Renderer:
    """Renders one template in a process that stays up between conversations. A context manager.

    Args:
        deadline: seconds for each conversation.
    """

    def __init__(self, template: ChatTemplate, *, deadline: float = DEADLINE) -> None:
        if len(template.source) > LONGEST_TEMPLATE:
            seen = f"The chat template has {len(template.source):,} characters."
            raise ModelError(seen, allowed=f"at most {LONGEST_TEMPLATE:,}", fix=NEWS)
        self.template, self.deadline = template, deadline
        self._confined = Confined(f"{__name__}:prepare", memory=MEMORY)

    def render(self, messages: Sequence[Mapping[str, str]]) -> str:
        """The text of a conversation, up to where the model's answer begins.

        Args:
            messages: each with ``role`` and ``content``.

        Raises:
            TemplateRefusal: the template says that it takes no such conversation.
            ModelError: the template fails, reaches for what it must not, or needs too much time or memory.
            MissingExtra: jinja2 is not installed.
        """
        template = self.template
        arguments = {"source": template.source, "bos": template.bos, "eos": template.eos, "seconds": self.deadline}
        asked = {**arguments, "messages": [dict(message) for message in messages]}
        try:
            return str(self._confined.call(f"{__name__}:rendered", self.deadline, asked))
        except CandidateFailed as error:
            raise ModelError(f"The chat template {did(error, self.deadline, MEMORY)}.", fix=NEWS) from error

    def close(self) -> None:
        """End the process; the next conversation starts another one."""
        self._confined.close()

    def __enter__(self) -> Renderer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def render(
    template: str,
    messages: Sequence[Mapping[str, str]],
    *,
    bos: str = "",
    eos: str = "",
    deadline: float = DEADLINE,
) -> str:
    """Render one conversation in a process of its own. See :meth:`Renderer.render`.

    Args:
        deadline: seconds that the template may take.
    """
    with Renderer(ChatTemplate(template, bos, eos), deadline=deadline) as renderer:
        return renderer.render(messages)


def find_template(artifact: Artifact) -> ChatTemplate | None:
    """The chat template that an artifact says, or that its tokenizer brings; None for a model that has none.

    Raises:
        ModelError: a file that cannot be read, or named templates without a default.
    """
    folder = artifact.path
    ggufs = sorted(folder.glob("*.gguf"))
    if ggufs:
        values = read_gguf(ggufs[0]).values
        source, bos, eos = values.get("tokenizer.chat_template"), _token(values, "bos"), _token(values, "eos")
    else:
        config = read_object(folder / "tokenizer_config.json", missing={})
        source, bos, eos = config.get("chat_template"), _content(config, "bos_token"), _content(config, "eos_token")
        source = read_object(folder / "chat_template.json", missing={}).get("chat_template", source)
        if (apart := folder / "chat_template.jinja").is_file():
            source = _text(apart)
    source = artifact.meta.get("chat_template", source)
    if isinstance(source, list):
        named = {str(one.get("name")): one.get("template") for one in source if isinstance(one, dict)}
        if "default" not in named:
            raise ModelError(f"{folder} has the chat templates {', '.join(named)}.", allowed="one named default")
        source = named["default"]
    if not source:
        return None
    if not isinstance(source, str):
        raise ModelError(f"The chat template of {folder} is {type(source).__name__}.", allowed="text")
    return ChatTemplate(source, bos, eos)


def _token(values: Mapping[str, Any], name: str) -> str:
    """Text of a special token of a GGUF file; empty when the file does not say."""
    tokens, number = values.get("tokenizer.ggml.tokens", ()), values.get(f"tokenizer.ggml.{name}_token_id")
    known = isinstance(number, int) and isinstance(tokens, tuple) and 0 <= number < len(tokens)
    return str(tokens[number]) if known else ""


def _content(config: Mapping[str, Any], name: str) -> str:
    """Text of a special token in ``tokenizer_config.json``, where it is written in two ways."""
    found = config.get(name)
    return str(found.get("content", "") if isinstance(found, dict) else found or "")


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise ModelError(f"{path} cannot be read ({error}).") from error


# What follows runs in the child.


def prepare() -> None:
    """Import jinja2.

    Raises:
        MissingExtra: it is not installed, or has known ways out of its sandbox.
    """
    try:
        import jinja2.ext
        import jinja2.sandbox  # noqa: F401
    except ImportError as error:
        raise MissingExtra("A chat template", "serve", str(error)) from error
    from importlib.metadata import version

    found = version("jinja2")
    if tuple(map(int, re.findall(r"\d+", found)[:3])) < SAFE_JINJA:
        raise MissingExtra("A chat template", "serve", f"jinja2 {found} has known ways out of its sandbox")


def rendered(source: str, messages: list[dict[str, str]], bos: str, eos: str, seconds: float) -> str:
    """Render in this process, whose memory and processor time are limited from now on.

    Raises:
        TemplateRefusal, ModelError: says what the template did.
    """
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, resource.getrlimit(resource.RLIMIT_AS)[1]))
    # The parent ends what takes too long; this ends it should the parent be gone by then.
    until = ceil(process_time() + seconds) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (until, resource.getrlimit(resource.RLIMIT_CPU)[1]))
    seen = {"messages": messages, "tools": None, "documents": None, "bos_token": bos, "eos_token": eos}
    try:
        text = _sandbox().from_string(source).render(seen, add_generation_prompt=True)
    except Exception as error:
        raise _went_wrong(error) from error
    most = MOST_ADDED + MOST_REPEATED * sum(len(value) for message in messages for value in message.values())
    if len(text) > most:
        raise ModelError(f"The chat template wrote {len(text):,} characters.", allowed=f"at most {most:,}", fix=NEWS)
    return text


def _went_wrong(error: Exception) -> ModelError:
    """What a template did, and what to do about it."""
    from jinja2.exceptions import SecurityError, TemplateError, TemplateSyntaxError

    words = shown(str(error)).rstrip(".")
    if type(error) is TemplateError:  # what raise_exception raises; jinja2's own errors are of its subclasses
        return TemplateRefusal(f"The chat template refuses this conversation: {words}.")
    did, fix = f"failed with {type(error).__name__}: {words}", NEWS
    if isinstance(error, MemoryError):
        did = f"wanted more than {MEMORY >> 20} MB of memory"
    elif isinstance(error, SecurityError):
        did, fix = f"reached for what it must not ({words})", "do not trust it: no template needs such a thing"
    elif isinstance(error, TemplateSyntaxError):
        did = f"is no Jinja (line {error.lineno}: {words})"
    return ModelError(f"The chat template {did}.", fix=fix)


def _sandbox() -> ImmutableSandboxedEnvironment:
    """Jinja as transformers sets it up, but that reaching for a private attribute ends it at once."""
    from jinja2 import Undefined, nodes
    from jinja2.exceptions import SecurityError, TemplateError
    from jinja2.ext import Extension, loopcontrols
    from jinja2.parser import Parser
    from jinja2.sandbox import ImmutableSandboxedEnvironment
    from jinja2.utils import Namespace

    class Sandbox(ImmutableSandboxedEnvironment):
        def unsafe_undefined(self, obj: Any, attribute: str) -> Undefined:
            raise SecurityError(f"the attribute {attribute} of {type(obj).__name__}")

    class Generation(Extension):
        """``{% generation %}`` marks what a model is trained on; what is inside is written as it is."""

        tags = {"generation"}  # noqa: RUF012 - as jinja2 declares it

        def parse(self, parser: Parser) -> list[nodes.Node]:
            next(parser.stream)
            return parser.parse_statements(("name:endgeneration",), drop_needle=True)

    def refuse(message: str) -> None:
        raise TemplateError(message)

    def namespace(*given: Any, **values: Any) -> Namespace:
        private = [name for name in dict(*given, **values) if str(name).startswith("_")]
        if private:
            raise SecurityError(f"the attribute {private[0]} of a namespace")
        return Namespace(*given, **values)

    def tojson(
        value: Any, ensure_ascii: bool = False, indent: Any = None, separators: Any = None, sort_keys: bool = False
    ) -> str:
        return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)

    made = Sandbox(trim_blocks=True, lstrip_blocks=True, extensions=[Generation, loopcontrols])
    made.filters["tojson"] = tojson  # jinja2's own escapes for HTML
    made.globals |= {
        "raise_exception": refuse,
        "strftime_now": lambda format: datetime.now().strftime(format),
        "namespace": namespace,
        "dict": lambda *given, **values: dict(*given, **values),  # not the class, which has more to it
    }
    return made
