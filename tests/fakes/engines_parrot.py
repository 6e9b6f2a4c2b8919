"""Says what it was told last, byte by byte."""

import re
import time
from dataclasses import dataclass

from lighten.core.engine import Engine
from lighten.core.errors import BuildFailed
from lighten.core.language import GREEDY, LanguageSession
from lighten.core.step import setting
from lighten.testing.sessions import RecordingSession

SPECIAL = {256: "<bos>", 257: "<end>"}
SHOW = "what do you see?"
"""Answered with everything that the model was given."""


@dataclass(frozen=True)
class Parrot(Engine):
    """Opens folders of the format ``parrot``; its tokens are bytes, a start and an end."""

    consumes = ("parrot",)
    stores = ("parrot",)

    cells: int = setting(1000, "Context.", unit="tokens", low=8)
    milliseconds: float = setting(0.0, "Time of a token.", unit="ms", low=0.0)
    space: bool = setting(False, "A space comes before the answer.")
    breaks: bool = setting(False, "Fails after three tokens.")
    mute: bool = setting(False, "Opens what is no language model.")

    def version(self):
        return "parrot 1"

    def build(self, artifact, folder):
        return artifact.format

    def open(self, artifact, *, threads):
        return RecordingSession() if self.mute else ParrotSession(self, threads)


class ParrotSession(LanguageSession):
    """Draws nothing: with a temperature it says what it would have drawn with."""

    streams = 1

    def __init__(self, engine, threads):
        self.engine, self.threads, self.context = engine, threads, engine.cells

    def encode(self, text, *, begin=True, special=False):
        tokens = [256] if begin else []
        for part in re.split("(<bos>|<end>)", text) if special else [text]:
            tokens += {"<bos>": [256], "<end>": [257]}.get(part, part.encode()) if special else part.encode()
        return tokens

    def pieces(self, tokens):
        return [bytes([token]) if token < 256 else b"" for token in tokens]

    def ends(self, token):
        return token == 257

    def score(self, spans):
        raise NotImplementedError

    def generate(self, prompts, most, *, sampling=GREEDY, stop=True, heard=None):
        (prompt,) = prompts
        seen = b"".join(SPECIAL[t].encode() if t > 255 else bytes([t]) for t in prompt).decode()
        told = seen.rpartition("[user]")[2].partition("<end>")[0] if "[user]" in seen else seen.rpartition("\n")[2]
        told = told.removeprefix("<bos>")
        answer = " " * self.engine.space + (seen if told == SHOW else told)
        if sampling.temperature:
            answer += f" {sampling.temperature:g} {sampling.top_p:g} {sampling.seed} {self.threads}"
        made = []
        for token in answer.encode()[:most]:
            time.sleep(self.engine.milliseconds / 1e3)
            if self.engine.breaks and len(made) == 3:
                raise BuildFailed("The parrot fell off its perch.")
            made.append(token)
            if heard is not None and heard(0, token):
                break
        return [made]

    def close(self):
        self.context = 0
