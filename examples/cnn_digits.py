"""A convolutional network for handwritten digits, trained with Adam in mixed precision, then made cheaper.

python examples/cnn_digits.py                     # 5,000 digits of MNIST
python examples/cnn_digits.py --precision fp32    # without mixed precision
"""

from __future__ import annotations

import argparse
from pathlib import Path

from torch import Tensor, nn

import lighten


class Network(nn.Module):
    """Two convolutions and a dense layer."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.seen = nn.Sequential(
            nn.Conv2d(1, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(32, 64, 3, padding=1), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(2),
        )  # fmt: skip
        self.told = nn.Sequential(nn.Flatten(), nn.Linear(64 * 49, 128), nn.ReLU())
        self.head = nn.Sequential(nn.Dropout(0.3), nn.Linear(128, classes))

    def forward(self, digits: Tensor) -> Tensor:
        """digits: [batch, 1, 28, 28]. Returns [batch, classes]."""
        found: Tensor = self.head(self.told(self.seen(digits)))
        return found


def make(classes: int, channels: int = 1, size: int = 28) -> nn.Module:
    """What lighten calls; digits are read in grey, 28 pixels a side."""
    return Network(classes)


def main() -> None:
    """The whole way."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--data", default="sample:mnist")
    asked.add_argument("--epochs", type=int, default=6)
    asked.add_argument("--precision", default="auto", help="auto measures whether bf16 pays on this machine")
    asked.add_argument("--time", default="10m", help="of the search")
    asked.add_argument("--out", type=Path, default=Path("runs/cnn-digits"))
    given = asked.parse_args()

    # AdamW is Adam whose weight decay stands outside of the gradient; its moments stay in float32 in any precision.
    with lighten.screen() as listener:
        trained = lighten.train(
            "cnn_digits:make", given.data, epochs=given.epochs, lr=2e-3, precision=given.precision,
            out=given.out / "trained", listener=listener,
        )  # fmt: skip
    print(f"trained in {trained.precision}: {trained.cost.rows_per_second:,.0f} digits/s")
    for score in trained.proof:
        print(f"{score.metric} {score.value:.4f} on {score.n} unseen digits")

    with lighten.screen() as listener:
        cheaper = lighten.optimize(
            trained.paths["model"], given.data, keep="accuracy>=-5pt", minimize="p50", time=given.time,
            out=given.out / "cheaper", listener=listener,
        )  # fmt: skip
    print(f"cheaper: {cheaper.state}; report: {given.out / 'cheaper' / 'report.html'}")


if __name__ == "__main__":
    main()
