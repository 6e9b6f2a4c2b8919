"""A dense network for handwritten digits, with the history of its training drawn, then made cheaper.

python examples/dense_digits.py                       # 5,000 digits of MNIST
python examples/dense_digits.py --data my/digits      # a folder for each class, grey pictures
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from torch import Tensor, nn

import lighten

WIDE, HIGH = 640, 320


class Network(nn.Module):
    """Two hidden layers over the pixels."""

    def __init__(self, classes: int, side: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Flatten(),
            nn.Linear(side * side, 256),
            nn.ReLU(),
            nn.Linear(256, 128),
            nn.ReLU(),
            nn.Linear(128, classes),
        )

    def forward(self, digits: Tensor) -> Tensor:
        """digits: [batch, 1, side, side]. Returns [batch, classes]."""
        found: Tensor = self.layers(digits)
        return found


def make(classes: int, channels: int = 1, size: int = 28) -> nn.Module:
    """What lighten calls; digits are read in grey, 28 pixels a side."""
    return Network(classes, size)


def draw(lines: dict[str, Sequence[tuple[float, float]]], path: Path) -> None:
    """Curves as an SVG file: (how far, how much) by their names, each on a scale of its own."""
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDE} {HIGH}" font-family="sans-serif">']
    for number, (name, points) in enumerate(lines.items()):
        far, low, high = max(x for x, _ in points) or 1, min(y for _, y in points), max(y for _, y in points)
        places = ((x / far * WIDE, HIGH - (y - low) / ((high - low) or 1) * (HIGH - 60) - 10) for x, y in points)
        colour = ("#1668a8", "#b4521c")[number % 2]
        drawn = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        parts.append(f'<polyline points="{drawn}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts.append(f'<text x="10" y="{20 + 20 * number}" fill="{colour}">{name}: {low:.3g} to {high:.3g}</text>')
    path.write_text("\n".join([*parts, "</svg>"]), encoding="utf-8")


def main() -> None:
    """The whole way."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--data", default="sample:mnist")
    asked.add_argument("--epochs", type=int, default=10)
    asked.add_argument("--time", default="5m", help="of the search")
    asked.add_argument("--out", type=Path, default=Path("runs/dense-digits"))
    given = asked.parse_args()

    with lighten.screen() as listener:
        trained = lighten.train(
            "dense_digits:make", given.data, epochs=given.epochs, lr=1e-3, out=given.out / "trained", listener=listener
        )
    losses = [(point.epoch, point.loss) for point in trained.curve if point.loss is not None]
    scores = [(point.epoch, point.score) for point in trained.curve if point.score is not None]
    draw({"loss": losses, "score on tune": scores}, given.out / "history.svg")
    print(f"history: {given.out / 'history.svg'}; with the learning rate: {trained.paths['report']}")

    with lighten.screen() as listener:
        cheaper = lighten.optimize(
            trained.paths["model"], given.data, keep="accuracy>=-5pt", minimize="p50", time=given.time,
            out=given.out / "cheaper", listener=listener,
        )  # fmt: skip
    print(f"cheaper: {cheaper.state}; report: {given.out / 'cheaper' / 'report.html'}")


if __name__ == "__main__":
    main()
