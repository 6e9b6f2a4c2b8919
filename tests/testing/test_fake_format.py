"""The fake's format keeps the contract of formats, beside the engine that opens it."""

from __future__ import annotations

from pathlib import Path

from lighten.testing.fake import fake_artifact
from lighten.testing.fake_format import FakeFormat
from lighten.testing.format_contract import check_declaration
from lighten.testing.plugin import installed, plugin_package


def test_it_keeps_the_contract_of_formats(tmp_path: Path) -> None:
    plugin_package(tmp_path, "engines", "fake", module="lighten.testing.fake")
    plugin_package(tmp_path, "formats", "fake", module="lighten.testing.fake_format")
    with installed(tmp_path):
        check_declaration(FakeFormat())
    made = fake_artifact(tmp_path / "made")
    (tmp_path / "saved").mkdir()
    assert FakeFormat().save("fake", tmp_path / "saved") == {"labels": made.meta["labels"]}
    assert (tmp_path / "saved" / "fake.txt").read_bytes() == (made.path / "fake.txt").read_bytes()
