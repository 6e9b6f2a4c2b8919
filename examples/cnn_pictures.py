"""A convolutional network for 32 x 32 colour pictures: prepare the pictures, train it, make it cheaper, ask it.

python examples/cnn_pictures.py                        # circles, squares and triangles, drawn here
python examples/cnn_pictures.py --data my/pictures     # a folder for each class
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw
from torch import Tensor, nn

import lighten

SIDE = 32


class Network(nn.Module):
    """Three stages of convolutions, each half as large as the one before."""

    def __init__(self, classes: int, channels: int) -> None:
        super().__init__()
        self.lighten = {"blocks": ["deeper"]}  # these may be left out
        self.stages = nn.Sequential(stage(channels, 32), stage(32, 64))
        self.deeper = nn.Sequential(*(nn.Sequential(nn.Conv2d(64, 64, 3, padding=1), nn.ReLU()) for _ in range(2)))
        self.head = nn.Sequential(nn.AvgPool2d(2), nn.Flatten(), nn.Linear(64 * 16, classes))

    def forward(self, pictures: Tensor) -> Tensor:
        """pictures: [batch, channels, height, width]. Returns [batch, classes]."""
        found: Tensor = self.head(self.deeper(self.stages(pictures)))
        return found


def stage(before: int, after: int) -> nn.Sequential:
    """Convolution, norm, and a step to half the size."""
    return nn.Sequential(nn.Conv2d(before, after, 3, padding=1), nn.BatchNorm2d(after), nn.ReLU(), nn.MaxPool2d(2))


def make(classes: int, channels: int, size: int = SIDE) -> nn.Module:
    """What lighten calls; the default of ``size`` is what pictures are read in."""
    return Network(classes, channels)


def prepare(folder: Path, count: int) -> Path:
    """Draw shapes of any colour, place and size on noise: a folder for each class, as photographs would lie there."""
    rng = np.random.default_rng(0)
    shapes = {"circle": ImageDraw.ImageDraw.ellipse, "square": ImageDraw.ImageDraw.rectangle, "triangle": None}
    for number in range(count):
        name = tuple(shapes)[number % 3]
        picture = Image.fromarray(rng.integers(0, 90, (SIDE, SIDE, 3)).astype(np.uint8))
        half, colour = int(rng.integers(6, 12)), tuple(map(int, rng.integers(120, 256, 3)))
        x, y = map(int, rng.integers(half, SIDE - half, 2))
        draw, box = ImageDraw.Draw(picture), (x - half, y - half, x + half, y + half)
        if name == "triangle":
            draw.polygon([(x, y - half), (x - half, y + half), (x + half, y + half)], fill=colour)
        else:
            shapes[name](draw, box, fill=colour)
        (folder / name).mkdir(parents=True, exist_ok=True)
        picture.save(folder / name / f"{number}.png")
    return folder


def main() -> None:
    """The whole way."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--data", type=Path, help="a folder for each class; drawn where it is left out")
    asked.add_argument("--count", type=int, default=6000, help="pictures that are drawn")
    asked.add_argument("--epochs", type=int, default=10)
    asked.add_argument("--time", default="10m", help="of the search")
    asked.add_argument("--out", type=Path, default=Path("runs/cnn-pictures"))
    given = asked.parse_args()

    data = given.data or prepare(given.out / "pictures", given.count)
    with lighten.screen() as listener:
        trained = lighten.train(
            "cnn_pictures:make", data, epochs=given.epochs, out=given.out / "trained", listener=listener
        )
    for score in trained.proof:
        print(f"trained: {score.metric} {score.value:.4f} on {score.n} unseen pictures")

    with lighten.screen() as listener:
        cheaper = lighten.optimize(
            trained.paths["model"], data, keep="accuracy>=-5pt", minimize="p50", time=given.time,
            out=given.out / "cheaper", listener=listener,
        )  # fmt: skip
    best = given.out / "cheaper" / "winner" if cheaper.winner is not None else trained.paths["model"]
    print(f"cheaper: {cheaper.state}; report: {given.out / 'cheaper' / 'report.html'}")

    with lighten.load(best) as model:
        asked_for = sorted(Path(data).glob("*/*.png"))[:: given.count // 3 or 1][:3]
        for path, answer in zip(asked_for, model.predict(model.read([str(one) for one in asked_for])), strict=True):
            print(f"{path.parent.name}/{path.name}: {answer.label} ({max(answer.scores.values()):.0%})")


if __name__ == "__main__":
    main()
