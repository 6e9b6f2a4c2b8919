"""An LSTM that predicts the next word, beside n-gram and hidden Markov models, on one chart with a language model.

All three learn the bytes of the text, so that Chinese needs nothing else than English does:

    python examples/next_word.py                                                   # reviews in English
    python examples/next_word.py --data sample:zh-reviews --say "这部电影" --text text    # in Chinese
"""

from __future__ import annotations

import argparse
from pathlib import Path

import lighten

MODELS = {"LSTM": "train.lstm", "n-gram": "train.ngram", "hidden Markov": "train.hmm"}
"""What is trained, by the step that does it."""
RECIPE = """
model = "{model}"
task = "text_generation"
[data]
source = "{data}"
{text}
[[step]]
use = "{step}"
[engine]
use = "numpy"
"""


def next_word(model: Path, text: str) -> str:
    """What a model writes after a text, up to the end of a word."""
    with lighten.chat(model, most=24) as talk:
        said = "".join(talk.say(text))
    return said.split(maxsplit=1)[0] if said.strip() else "(nothing)"


def main() -> None:
    """The whole way."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--model", default="sample:gemma", help="the language model that they stand beside")
    asked.add_argument("--data", default="sample:reviews/documents")
    asked.add_argument("--text", help="column of the text, where it is not found by itself")
    asked.add_argument("--say", default="The film is ")
    asked.add_argument("--time", default="15m", help="of the search")
    asked.add_argument("--candidates", type=int, help="the most that are tried")
    asked.add_argument("--out", type=Path, default=Path("runs/next-word"))
    given = asked.parse_args()

    for number, (name, step) in enumerate(MODELS.items()):
        text = f'text = "{given.text}"' if given.text else ""
        recipe = lighten.Recipe.from_toml(RECIPE.format(model=given.model, data=given.data, text=text, step=step))
        with lighten.screen() as listener:
            out = given.out / f"{number}-{step}"
            made = lighten.apply(recipe, out, progress=listener.progress, note=listener.note)
        print(f"{name:14} {made.size / 1e6:6.2f} MB   {given.say}|{next_word(made.path, given.say)}")

    # The search trains the same three on the same rows, and judges them beside the language model and what comes of it.
    with lighten.screen() as listener:
        chart = lighten.optimize(
            given.model, given.data, task="text-generation", text=given.text, keep="bits_per_byte<=+300%",
            minimize="size", time=given.time, candidates=given.candidates, out=given.out / "chart", listener=listener,
        )  # fmt: skip
    for one in chart.candidates:
        bits = one.value("bits_per_byte")
        if bits is not None:
            print(f"{bits:6.3f} bits/byte   {one.name}")
    print(f"{chart.state}; the chart: {given.out / 'chart' / 'report.html'}")


if __name__ == "__main__":
    main()
