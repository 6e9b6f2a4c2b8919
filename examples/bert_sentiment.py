"""BERT fine-tuned for sentiment, evaluated on sentences that nothing has seen, then made cheaper.

python examples/bert_sentiment.py                                    # MiniLM on 23,000 sentences
python examples/bert_sentiment.py --model bert-base-uncased --data reviews.csv
"""

from __future__ import annotations

import argparse
from pathlib import Path

import lighten

SAID = ["What a film!", "Two hours that nobody gives me back.", "The music is fine, the plot is not."]


def main() -> None:
    """The whole way."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--model", default="sample:minilm")
    asked.add_argument("--data", default="sample:reviews")
    asked.add_argument("--epochs", type=int, default=3)
    asked.add_argument("--time", default="10m", help="of the search")
    asked.add_argument("--out", type=Path, default=Path("runs/bert-sentiment"))
    given = asked.parse_args()

    with lighten.screen() as listener:
        trained = lighten.train(
            given.model, given.data, epochs=given.epochs, out=given.out / "trained", listener=listener
        )
    for score in trained.proof:
        print(f"{score.metric} {score.value:.4f} on {score.n} unseen sentences")

    with lighten.screen() as listener:
        cheaper = lighten.optimize(
            trained.paths["model"], given.data, keep="accuracy>=-5pt", minimize="p50", time=given.time,
            out=given.out / "cheaper", listener=listener,
        )  # fmt: skip
    print(f"cheaper: {cheaper.state}; report: {given.out / 'cheaper' / 'report.html'}")

    best = given.out / "cheaper" / "winner" if cheaper.winner is not None else trained.paths["model"]
    with lighten.load(best) as model:
        for text, answer in zip(SAID, model.predict(SAID), strict=True):
            print(f"{answer.label:9} {max(answer.scores.values()):4.0%}  {text}")


if __name__ == "__main__":
    main()
