"""Chat templates: the text that transformers makes, and whatever a template does instead ends in an error."""

from __future__ import annotations

import json
import re
import struct
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from lighten.core.artifact import Artifact
from lighten.core.errors import MissingExtra, ModelError, TemplateRefusal
from lighten.nets.language.chat_template import LONGEST_TEMPLATE, ChatTemplate, Renderer, find_template, prepare, render

TALK = [
    {"role": "user", "content": "2 < 3?\n"},
    {"role": "assistant", "content": "Yes, “it” is."},
    {"role": "user", "content": " And now 这个? "},
]
TOLD = [{"role": "system", "content": "Be brief."}, *TALK]

SHORT = 1.5
"""Seconds for what never ends."""

CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
GEMMA = """{{ bos_token }}{%- if messages[0]['role'] == 'system' -%}
    {%- set first_user_prefix = messages[0]['content'] + '\n\n' -%}{%- set loop_messages = messages[1:] -%}
{%- else -%}{%- set first_user_prefix = "" -%}{%- set loop_messages = messages -%}{%- endif -%}
{%- for message in loop_messages -%}
    {%- if (message['role'] == 'user') != (loop.index0 % 2 == 0) -%}
        {{ raise_exception("Conversation roles must alternate") }}
    {%- endif -%}
    {%- if (message['role'] == 'assistant') -%}{%- set role = "model" -%}
    {%- else -%}{%- set role = message['role'] -%}{%- endif -%}
    {{ '<start_of_turn>' + role + '\n' + (first_user_prefix if loop.first else "") }}{{ message['content'] | trim }}
    {{- '<end_of_turn>\n' }}
{%- endfor -%}
{%- if add_generation_prompt -%}{{ '<start_of_turn>model\n' }}{%- endif -%}
"""
CURIOUS = """{%- if tools is not none %}tools{% endif %}{{ strftime_now("%Y") }}
{% set ns = namespace(found=false) %}
{% for m in messages %}{% if m.role == 'assistant' %}{% set ns.found = true %}{% continue %}{% endif %}
{{ loop.index }} {{ m | tojson }} {{ m | tojson(indent=1) }} {{ m.content.split(' ')[-1] | upper }}
{% endfor %}
{{ ns.found }}{{ nothing }}{{ dict(a=1).items() | list }}{% generation %}said{{ eos_token }}{% endgeneration %}
"""


@pytest.mark.parametrize("template", [CHATML, GEMMA, CURIOUS], ids=["chatml", "gemma", "curious"])
@pytest.mark.parametrize("messages", [TALK, TOLD], ids=["plain", "with a system text"])
def test_a_conversation_becomes_the_text_that_transformers_makes(template: str, messages: list[dict[str, str]]) -> None:
    reference = pytest.importorskip("transformers.utils.chat_template_utils").render_jinja_template
    wanted, _ = reference(
        [messages], chat_template=template, add_generation_prompt=True, bos_token="<bos>", eos_token="</s>"
    )
    assert render(template, messages, bos="<bos>", eos="</s>") == wanted[0]


def test_chatml_by_hand() -> None:
    assert render(CHATML, TALK[:1]) == "<|im_start|>user\n2 < 3?\n<|im_end|>\n<|im_start|>assistant\n"
    assert str(datetime.now().year) in render(CURIOUS, TALK)


FORBIDDEN = (
    "{{ ''.__class__ }}",
    "{{ ''['__class__'] }}",
    "{{ '' | attr('__class__') }}",
    "{{ [''] | map(attribute='__class__') | list }}",
    "{{ '{0.__class__}'.format('') }}",
    "{% if ''.__class__ is defined %}{% endif %}",
    "{{ raise_exception.__globals__ }}",
    "{{ self._TemplateReference__context }}",
    "{{ cycler.__init__.__globals__.os }}",
    "{{ namespace(__class__=1) }}",
    "{{ messages.append(messages[0]) }}",
)


@pytest.mark.parametrize("template", FORBIDDEN)
def test_reaching_for_the_insides_of_python_is_refused(template: str) -> None:
    with pytest.raises(ModelError, match="reached for what it must not") as refused:
        render(template, TALK)
    assert "do not trust it" in refused.value.fix


@pytest.mark.parametrize(
    ("template", "did"),
    [
        ("{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}", "did not end within 1.5 s"),
        ("{{ 10 ** (10 ** 9) }}", "did not end within 1.5 s"),  # one step of arithmetic that no signal interrupts
        ("{{ lipsum(n=10 ** 8) }}", "did not end within 1.5 s"),
        ("{% for a in range(10 ** 9) %}{% endfor %}", "Range too big"),
        ("{{ 'a' * 10 ** 11 }}", "more than 512 MB of memory"),
        ("{{ 'a' | center(10 ** 11) }}", "more than 512 MB of memory"),
        ("{% set n = 10 ** 6 %}{{ messages[0].role * n }}", "wrote 4,000,000 characters"),
        ("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", "RecursionError"),
        ("{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}", "RecursionError"),
        ("{% include '/etc/passwd' %}", "no loader"),
        ("{{ nothing.at.all }}", "'nothing' is undefined"),
        ("\n{% for %}", "is no Jinja .line 2"),
    ],
)
def test_a_template_that_runs_wild_is_ended_and_the_error_says_what_it_did(template: str, did: str) -> None:
    with pytest.raises(ModelError, match=did) as refused:
        render(template, TALK, deadline=SHORT if "end within" in did else 30)
    assert "chat template" in refused.value.seen
    assert refused.value.fix or refused.value.allowed


def test_doubling_a_string_stays_within_the_memory_of_its_process() -> None:
    doubling = "{% set ns = namespace(x='ab') %}{% for i in range(90000) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}"
    with pytest.raises(ModelError, match="more than 512 MB of memory"):
        render(doubling, TALK, deadline=30)


def test_what_the_template_says_itself_is_repeated_in_one_line_that_can_be_printed() -> None:
    with pytest.raises(TemplateRefusal, match=r"refuses this conversation: System role not supported\.$"):
        render("{{ raise_exception('System role not supported') }}", TOLD)
    with pytest.raises(ModelError) as refused:
        render("{{ raise_exception('\x1b]0;owned\x07' ~ 'x\n' * 9999) }}", TOLD)
    assert re.fullmatch(r"The chat template refuses this conversation: \]0;owned (x ?)+\.", refused.value.seen)
    assert len(refused.value.seen) < 400


def test_a_renderer_goes_on_after_a_conversation_that_failed() -> None:
    hang = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"
    picky = "{% if messages[0].content == 'hang' %}" + hang + "{% endif %}{{ messages[0].content }}!"
    with Renderer(ChatTemplate(picky), deadline=SHORT) as renderer:
        assert renderer.render([{"role": "user", "content": "one"}]) == "one!"
        with pytest.raises(ModelError, match="did not end"):
            renderer.render([{"role": "user", "content": "hang"}])
        assert renderer.render([{"role": "user", "content": "two"}]) == "two!"


def test_a_template_of_absurd_length_is_not_even_started() -> None:
    with pytest.raises(ModelError, match="1,048,577 characters"):
        render("x" * (LONGEST_TEMPLATE + 1), TALK)


def sealed(folder: Path, files: dict[str, Any], **meta: Any) -> Artifact:
    folder.mkdir()
    for name, content in files.items():
        if isinstance(content, bytes):
            (folder / name).write_bytes(content)
        else:
            text = content if isinstance(content, str) else json.dumps(content)
            (folder / name).write_text(text, encoding="utf-8")
    return Artifact.seal(folder, format="toy", meta=meta)


def gguf(**values: str | int | list[str]) -> bytes:
    def text(value: str) -> bytes:
        return struct.pack("<Q", len(value.encode())) + value.encode()

    def typed(value: str | int | list[str]) -> bytes:
        if isinstance(value, str):
            return struct.pack("<I", 8) + text(value)
        if isinstance(value, int):
            return struct.pack("<II", 4, value)
        return struct.pack("<IIQ", 9, 8, len(value)) + b"".join(map(text, value))

    pairs = {"general.architecture": "toy", **{key.replace("__", "."): value for key, value in values.items()}}
    body = b"".join(text(key) + typed(value) for key, value in pairs.items())
    return b"GGUF" + struct.pack("<IQQ", 3, 0, len(pairs)) + body + bytes(64)


TOKENS = {
    "tokenizer__ggml__tokens": ["<pad>", "<eos>", "<bos>"],
    "tokenizer__ggml__bos_token_id": 2,
    "tokenizer__ggml__eos_token_id": 1,
}


def test_the_template_is_found_wherever_models_keep_it(tmp_path: Path) -> None:
    config = {"chat_template": "A", "bos_token": "<s>", "eos_token": {"content": "</s>", "special": True}}
    wanted = ChatTemplate("A", "<s>", "</s>")
    assert find_template(sealed(tmp_path / "config", {"tokenizer_config.json": config})) == wanted
    named = [{"name": "tool_use", "template": "T"}, {"name": "default", "template": "A"}]
    assert (
        find_template(sealed(tmp_path / "named", {"tokenizer_config.json": config | {"chat_template": named}}))
        == wanted
    )
    apart = {"tokenizer_config.json": config, "chat_template.jinja": "B"}
    assert find_template(sealed(tmp_path / "apart", apart)) == ChatTemplate("B", "<s>", "</s>")
    older = {"tokenizer_config.json": config, "chat_template.json": {"chat_template": "C"}}
    assert find_template(sealed(tmp_path / "older", older)) == ChatTemplate("C", "<s>", "</s>")
    given = sealed(tmp_path / "given", {"tokenizer_config.json": config}, chat_template="D")
    assert find_template(given) == ChatTemplate("D", "<s>", "</s>")
    file = gguf(**TOKENS, tokenizer__chat_template="E")
    assert find_template(sealed(tmp_path / "gguf", {"model.gguf": file})) == ChatTemplate("E", "<bos>", "<eos>")


def test_a_base_model_has_no_template(tmp_path: Path) -> None:
    assert find_template(sealed(tmp_path / "gguf", {"model.gguf": gguf(**TOKENS)})) is None
    assert find_template(sealed(tmp_path / "folder", {"config.json": {}})) is None
    nowhere = gguf(**(TOKENS | {"tokenizer__ggml__bos_token_id": 99}), tokenizer__chat_template="E")
    assert find_template(sealed(tmp_path / "odd", {"model.gguf": nowhere})) == ChatTemplate("E", "", "<eos>")


@pytest.mark.parametrize(
    ("files", "seen"),
    [
        ({"tokenizer_config.json": "{"}, "cannot be read"),
        ({"tokenizer_config.json": [1]}, "holds list"),
        ({"tokenizer_config.json": {"chat_template": 7}}, "is int"),
        ({"tokenizer_config.json": {"chat_template": [{"name": "rag", "template": "x"}]}}, "chat templates rag"),
        ({"chat_template.jinja": b"\xff"}, "cannot be read"),
        ({"model.gguf": b"GGUFnothing"}, "GGUF"),
    ],
)
def test_a_template_that_cannot_be_found_out_is_refused(tmp_path: Path, files: dict[str, Any], seen: str) -> None:
    with pytest.raises(ModelError, match=seen):
        find_template(sealed(tmp_path / "model", files))


def test_without_jinja_the_extra_that_serves_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jinja2.ext", None)
    with pytest.raises(MissingExtra) as missing:
        prepare()
    assert missing.value.fix == "pip install 'lighten[serve]'"
