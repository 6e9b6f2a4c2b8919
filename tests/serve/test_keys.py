"""Keys are kept as hashes, shown once, and compared without telling which is close."""

from pathlib import Path

import pytest

from lighten.core.errors import InputError
from lighten.serve.keys import LONGEST, make_key, read_keys


def test_a_key_is_known_by_its_name_and_stands_nowhere(tmp_path: Path) -> None:
    path = tmp_path / "keys.txt"
    first, second = make_key(path, "ci"), make_key(path, "gateway")
    keys = read_keys(path)
    assert (keys.name_of(first.encode()), keys.name_of(second.encode())) == ("ci", "gateway")
    assert first != second and first not in path.read_text() and path.stat().st_mode & 0o777 == 0o600
    assert keys.names == ("ci", "gateway") and len(keys) == 2


@pytest.mark.parametrize("wrong", [b"", b"lighten-", b"x" * 100_000, b"\xff\0"])
def test_other_secrets_are_not_known(tmp_path: Path, wrong: bytes) -> None:
    key = make_key(tmp_path / "keys", "ci").encode()
    keys = read_keys(tmp_path / "keys")
    assert keys.name_of(wrong) is None and keys.name_of(key[:-1]) is None and keys.name_of(key + b"x") is None
    assert keys.name_of(key + b"x" * LONGEST) is None


def test_comments_and_empty_lines_are_no_keys(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    key = make_key(path, "ci")
    path.write_text("# of the department\n\n" + path.read_text())
    path.chmod(0o600)
    assert read_keys(path).name_of(key.encode()) == "ci"


def test_a_key_comes_behind_a_last_line_without_an_end_and_behind_comments(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    first = make_key(path, "ci")
    path.write_text(path.read_text().rstrip("\n"))
    second = make_key(path, "gateway")
    keys = read_keys(path)
    assert (keys.name_of(first.encode()), keys.name_of(second.encode())) == ("ci", "gateway")
    path.write_text("# nobody yet")
    third = make_key(path, "ci")
    assert read_keys(path).name_of(third.encode()) == "ci" and path.read_text().startswith("# nobody yet\n")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no key in"),
        ("ci plain-secret\n", "Line 1 of .* is no key"),
        (f"ci sha256:{'0' * 64}\nci sha256:{'1' * 64}\n", "two keys named 'ci'"),
    ],
)
def test_a_file_that_lets_nobody_in_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "keys"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(InputError, match=reason):
        read_keys(path)


def test_a_file_that_others_may_change_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    make_key(path, "ci")
    path.chmod(0o666)
    with pytest.raises(InputError, match="Others may change"):
        read_keys(path)


def test_names_are_plain_and_used_once(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    make_key(path, "ci")
    with pytest.raises(InputError, match="has a key named 'ci'"):
        make_key(path, "ci")
    for name in ("", "a b", "a\nb", "../x"):
        with pytest.raises(InputError, match="is no name"):
            make_key(path, name)
    with pytest.raises(InputError, match="cannot be read"):
        read_keys(tmp_path / "missing")
    with pytest.raises(InputError, match="cannot be kept"):
        make_key(tmp_path / "missing" / "keys", "ci")
