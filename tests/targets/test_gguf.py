"""A GGUF file: the model's own, byte for byte, and a program that goes on with a text as the model does."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from lighten.isolate.plain import plain_answers
from lighten.sessions.process import SessionProcess
from lighten.targets.gguf import Gguf
from lighten.testing.target_contract import check_target, source_of
from lighten.testing.tiny_language import tiny_gguf, tiny_texts
from lighten.verbs.agreement import difference
from lighten.verbs.load import engine_of

pytest.importorskip("xllamacpp", reason="llama.cpp is not installed: pip install 'lighten[llama]'")


def test_contract(tmp_path: Path) -> None:
    artifact = tiny_gguf("llama", tmp_path / "tiny")
    source = source_of(artifact)
    check_target(Gguf(), source, tmp_path / "out")
    assert (tmp_path / "out" / "model.gguf").read_bytes() == (artifact.path / "model.gguf").read_bytes()
    assert Gguf().writes(source)
    prompts = list(tiny_texts(3))
    found = plain_answers(tmp_path / "out", Gguf().asking(source), prompts, threads=1, deadline=120.0)
    with SessionProcess(artifact, engine_of(artifact), threads=1) as session:
        for prompt, one, wanted in zip(prompts, found, session.replies(prompts, 24), strict=True):
            difference(prompt, {"answer": wanted}, one)


def test_settings_that_were_measured_stand_in_the_program_and_the_command_lines(tmp_path: Path) -> None:
    source = source_of(tiny_gguf("llama", tmp_path / "tiny"))
    source = replace(source, engine={**source.engine, "cells": 512, "cache": "q8_0", "flash": "off"})
    (tmp_path / "out").mkdir()
    Gguf().write(source, tmp_path / "out")
    text = (tmp_path / "out" / "run.py").read_text()
    assert "n_ctx, params.n_parallel, params.warmup = 512" in text
    assert "GGML_TYPE_Q8_0" in text and "LLAMA_FLASH_ATTN_TYPE_DISABLED" in text
    assert all("-c 512 -fa off -ctk q8_0 -ctv q8_0" in way.code for way in Gguf().ways(source)[:2])
