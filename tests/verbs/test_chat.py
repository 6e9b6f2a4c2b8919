"""A conversation: what the model is given, what comes back while it is written, and what is remembered."""

from __future__ import annotations

import struct
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

import lighten
from lighten.core.artifact import Artifact
from lighten.core.errors import BuildFailed, InputError, ModelError
from lighten.isolate.machine import allowed_cores
from lighten.verbs.chat import Chat, open_chat

pytestmark = pytest.mark.usefixtures("fakes")

TEMPLATE = (
    "{{ bos_token }}{% for m in messages %}[{{ m.role }}]{{ m.content }}<end>{% endfor %}"
    "{% if add_generation_prompt %}[assistant]{% endif %}"
)
SHOW = "what do you see?"


def parrot(folder: Path, template: str = TEMPLATE, *, meta: dict[str, Any] | None = None, **settings: Any) -> Path:
    """An artifact that answers with what was said; ``SHOW`` with all that it was given."""
    folder.mkdir(parents=True)
    (folder / "tokenizer_config.json").write_text('{"bos_token": "<bos>", "eos_token": "<end>"}')
    given = {"engine": {"use": "parrot", **settings}, **({"chat_template": template} if template else {})}
    return Artifact.seal(folder, format="parrot", meta={**given, **(meta or {})}).path


def said(chat: Chat, text: str) -> str:
    return "".join(chat.say(text))


def test_the_model_is_given_the_whole_conversation_in_its_template_with_one_start_token(tmp_path: Path) -> None:
    with open_chat(parrot(tmp_path / "m"), system="Be a parrot.") as chat:
        assert said(chat, "Hello") == "Hello"
        seen = said(chat, SHOW)
        assert (
            seen == f"<bos>[system]Be a parrot.<end>[user]Hello<end>[assistant]Hello<end>[user]{SHOW}<end>[assistant]"
        )
        assert chat.exchanges == (("Hello", "Hello"), (SHOW, seen))
        assert not chat.notes
        chat.reset()
        assert said(chat, SHOW) == f"<bos>[system]Be a parrot.<end>[user]{SHOW}<end>[assistant]"


def test_a_template_that_leaves_the_start_token_out_gets_it(tmp_path: Path) -> None:
    with open_chat(parrot(tmp_path / "m", TEMPLATE.removeprefix("{{ bos_token }}"))) as chat:
        assert said(chat, SHOW).startswith("<bos>[user]")


def test_an_answer_comes_in_pieces_of_whole_characters(tmp_path: Path) -> None:
    with open_chat(parrot(tmp_path / "m"), most=11) as chat:
        pieces = list(
            chat.say("aé 😀这b")
        )  # the parrot's tokens are bytes: 1 + 2 + 1 + 4 + 3 of them, and one too many
        assert pieces == ["a", "é", " ", "😀", "这"]
        assert chat.last is not None
        assert (chat.last.tokens, chat.last.ended, chat.last.text) == (11, "most", "aé 😀这")
        assert list(chat.say("0123456789é")) == [*"0123456789", "\ufffd"]  # cut off within a character


def test_an_answer_says_how_it_went(tmp_path: Path) -> None:
    with open_chat(parrot(tmp_path / "m", milliseconds=2)) as chat:
        assert chat.last is None
        said(chat, "four")
        found = chat.last
        assert found is not None
        assert (found.text, found.ended, found.tokens) == ("four", "end", 4)
        assert found.prompt_tokens == len("#[user]four#[assistant]")  # the two special tokens are one each
        assert 0 < found.first_seconds < found.seconds
        assert found.rate == pytest.approx(3 / (found.seconds - found.first_seconds))
        said(chat, "1")
        assert chat.last is not None
        assert chat.last.rate is None


def test_closing_the_iterator_stops_the_answer_and_keeps_what_was_read(tmp_path: Path) -> None:
    with open_chat(parrot(tmp_path / "m", milliseconds=5)) as chat:
        pieces = chat.say("a long message that takes a while")
        assert list(islice(pieces, 3)) == ["a", " ", "l"]
        with pytest.raises(InputError, match="still being written"):
            chat.say("Are you there?")
        pieces.close()
        assert chat.last is not None
        assert (chat.last.ended, chat.last.text) == ("stopped", "a l")
        assert chat.exchanges == (("a long message that takes a while", "a l"),)
        assert said(chat, "Go on") == "Go on"


def test_an_answer_of_which_nothing_was_read_leaves_no_trace(tmp_path: Path) -> None:
    with open_chat(parrot(tmp_path / "m")) as chat:
        chat.say("never mind").close()
        assert chat.exchanges == ()
        assert said(chat, "Hello") == "Hello"


def test_the_oldest_exchanges_are_dropped_with_a_note_when_the_context_is_full(tmp_path: Path) -> None:
    # <bos>, then 6 + 20 + 1 for a message, 11 for the answer's start, 20 + 1 for the answer; 30 are kept for an answer.
    with open_chat(parrot(tmp_path / "m", cells=180), most=30) as chat:
        for letter in "abc":
            assert said(chat, letter * 20) == letter * 20
        assert [text[0] for text, _ in chat.exchanges] == ["b", "c"]
        (note,) = chat.notes
        assert note.startswith("The oldest exchange no longer fits into the context of 180 tokens")
        said(chat, "d" * 100)
        assert [text[0] for text, _ in chat.exchanges] == ["d"]
        assert chat.notes[1].startswith("The oldest 2 exchanges")


def test_a_message_that_cannot_fit_is_refused_and_the_conversation_goes_on(tmp_path: Path) -> None:
    with open_chat(parrot(tmp_path / "m", cells=60)) as chat:
        assert said(chat, "Hello") == "Hello"
        with pytest.raises(InputError, match="has 119 tokens") as refused:
            chat.say("x" * 100)
        assert "at most 59" in refused.value.allowed
        assert chat.exchanges == (("Hello", "Hello"),)
        assert said(chat, "y" * 36) == "y" * 5  # 1 + 6 + 36 + 1 + 11 are taken
        assert chat.last is not None
        assert chat.last.ended == "full"


@pytest.mark.parametrize(("text", "seen"), [("", "empty"), (" \n", "empty"), ("\udcff", "UTF-8")])
def test_a_message_without_text_is_refused(tmp_path: Path, text: str, seen: str) -> None:
    with open_chat(parrot(tmp_path / "m")) as chat, pytest.raises(InputError, match=seen):
        chat.say(text)


def test_a_base_model_is_continued_and_a_note_says_so_once(tmp_path: Path) -> None:
    with open_chat(parrot(tmp_path / "m", "", space=True), system="A tale.") as chat:
        assert said(chat, "Once") == " Once"  # a space is part of the text that goes on
        assert said(chat, "upon <end>") == " upon <end>"  # what looks like a control token is text here
        assert said(chat, SHOW) == f" <bos>A tale.\nOnce Once\nupon <end> upon <end>\n{SHOW}"
        (note,) = chat.notes
        assert "no chat template" in note


def test_the_space_that_a_tokenizer_puts_in_front_is_no_part_of_an_answer(tmp_path: Path) -> None:
    with open_chat(parrot(tmp_path / "m", space=True)) as chat:
        assert list(chat.say("Hi")) == ["H", "i"]


def test_drawing_is_passed_on_and_asking_again_draws_again(tmp_path: Path) -> None:
    with open_chat(parrot(tmp_path / "m"), temperature=0.7, top_p=0.9, seed=5, threads=1) as chat:
        assert said(chat, "x") == "x 0.7 0.9 5 1"
        assert said(chat, "x") == "x 0.7 0.9 6 1"


def test_as_many_threads_are_used_as_the_artifact_was_made_for_but_no_more_than_there_are(tmp_path: Path) -> None:
    for name, kept, wanted in (("one", 1, 1), ("many", 999, allowed_cores()), ("odd", "x", allowed_cores())):
        with open_chat(parrot(tmp_path / name, meta={"threads": kept}), temperature=1) as chat:
            assert said(chat, "x").endswith(f" {wanted}")


def test_what_the_engine_raises_reaches_the_reader(tmp_path: Path) -> None:
    with open_chat(parrot(tmp_path / "m", breaks=True)) as chat:
        pieces = chat.say("abcdef")
        assert list(islice(pieces, 3)) == ["a", "b", "c"]
        with pytest.raises(BuildFailed, match="fell off its perch"):
            next(pieces)
        assert chat.exchanges == ()
        assert said(chat, "abc") == "abc"


def test_a_run_folder_opens_its_winner_by_the_name_of_the_verb(tmp_path: Path) -> None:
    parrot(tmp_path / "run" / "winner")
    with lighten.chat(str(tmp_path / "run")) as chat:
        assert said(chat, "Hello") == "Hello"
    chat.close()  # twice is allowed


def test_a_template_that_fails_is_found_before_the_model_is_loaded(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="reached for what it must not"):
        open_chat(parrot(tmp_path / "bad", "{{ ''.__class__ }}"))
    fussy = "{% if messages[0].role == 'system' %}{{ raise_exception('No system text') }}{% endif %}" + TEMPLATE
    folder = parrot(tmp_path / "fussy", fussy)
    with pytest.raises(ModelError, match="No system text") as refused:
        open_chat(folder, system="Be brief.")
    assert "leave the system text out" in refused.value.fix
    with open_chat(folder) as chat:
        assert said(chat, "Hello") == "Hello"


def test_a_model_that_is_no_language_model_is_refused(tmp_path: Path) -> None:
    folder = parrot(tmp_path / "labels", mute=True)
    with pytest.raises(ModelError, match="no language model") as refused:
        open_chat(folder)
    assert "lighten predict" in refused.value.fix


def test_what_is_no_model_or_no_setting_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError):
        open_chat(tmp_path / "nothing here")
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF" + struct.pack("<I", 3) + b"\xff" * 20)
    with pytest.raises(ModelError, match="not a whole GGUF file"):
        open_chat(broken)
    for settings in ({"temperature": -1}, {"temperature": float("nan")}, {"top_p": 0}, {"top_p": 1.5}, {"most": 0}):
        with pytest.raises(InputError, match=r"temperature|top_p|tokens"):
            open_chat(tmp_path / "m", **settings)  # type: ignore[arg-type]
