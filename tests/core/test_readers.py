"""The reader of a model is the one whose files it has; the readers of other packages are asked too."""

from __future__ import annotations

from pathlib import Path

import pytest

from lighten.core.errors import ModelError, UnknownName
from lighten.core.item import Reference
from lighten.core.readers import example_of, kinds_of_files, preview, reader_in, reader_of
from lighten.testing.plugin import installed, plugin_package

SOURCE = '''"""Readings of a sensor."""
from lighten.core.reader import Reader

class Readings(Reader):
    suffixes = (".rdg",)

    @classmethod
    def is_in(cls, folder):
        return (folder / "readings.json").is_file()

    @classmethod
    def open(cls, folder):
        return cls()

    def save(self, folder):
        (folder / "readings.json").write_text("{}")

    def __call__(self, items):
        return [[len(item)] for item in items]

    def size(self, example):
        return 1

    def batch(self, examples, size=None):
        return {"readings": examples}

    def axes(self):
        return {"readings": ("batch",)}

    def probe(self):
        return [[1]]
'''


def test_a_package_brings_its_reader_and_the_suffixes_of_its_files(tmp_path: Path) -> None:
    plugin_package(tmp_path, "readers", "sensor", SOURCE)
    model = tmp_path / "model"
    model.mkdir()
    with pytest.raises(ModelError, match="how inputs become numbers") as caught:
        reader_in(model)
    assert "image, text" in caught.value.allowed
    with installed(tmp_path):
        (model / "readings.json").write_text("{}")
        assert type(reader_in(model)).__name__ == "Readings"
        assert kinds_of_files()[".rdg"] == "sensor"
        assert preview(Reference("/x.rdg", "", "sensor", 3)) == ""
        assert reader_in(model).coverage(["a"]) is None
        assert reader_of("sensor").perceptual(Reference("/x.rdg", "", "sensor", 3)) is None
    assert ".rdg" not in kinds_of_files()
    with pytest.raises(UnknownName, match="sensor"):
        reader_of("sensor")


def test_a_broken_package_harms_no_other_reader(tmp_path: Path) -> None:
    plugin_package(tmp_path, "readers", "broken", "import no_such_library_anywhere\n")
    with installed(tmp_path):
        assert kinds_of_files()[".png"] == "image"


def test_an_example_of_an_input_is_of_its_kind(tmp_path: Path) -> None:
    assert example_of(["a fine film"]) == ("a text to classify", False)
    assert example_of([Reference("/a/b.png", "", "image", 1)]) == ("photo.jpg", True)
    plugin_package(tmp_path, "readers", "sensor", SOURCE)
    with installed(tmp_path):
        assert example_of([Reference("/a/b.rdg", "", "sensor", 1)]) == ("file.rdg", True)
    assert example_of([Reference("/a/b.rdg", "", "sensor", 1)]) == ("", False), "nothing here reads it any more"
