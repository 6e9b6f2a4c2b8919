"""Factory: what the user named is imported and called, and what goes wrong is said in words."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from lighten.core.errors import ModelError, UnknownName
from lighten.nets.module.factory import load_factory, said_by
from lighten.testing.tiny_modules import tiny_code

KNOWN = {"classes": 3, "labels": ["a", "b", "c"], "channels": 3, "size": 32}


@pytest.fixture
def code(tmp_path: Path) -> Path:
    return tiny_code(tmp_path)


def test_it_is_called_with_what_its_signature_has(code: Path) -> None:
    assert load_factory("mynets:pictures", code).called_with(KNOWN) == {"classes": 3, "channels": 3}
    masked = load_factory("mynets:masked", code)
    assert masked.called_with({"classes": 2, "vocabulary": 40}) == {"num_classes": 2, "vocab_size": 40}


def test_weights_are_the_same_each_time_and_other_random_numbers_are_left_alone(code: Path) -> None:
    found = load_factory("mynets:pictures", code)
    torch.manual_seed(5)
    wanted = torch.rand(3)
    torch.manual_seed(5)
    first, again = (found.module({"classes": 3, "channels": 1}) for _ in range(2))
    assert torch.equal(torch.rand(3), wanted)
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), again.parameters(), strict=True))
    assert not first.training


def test_its_sources_are_the_files_of_the_user_s_own(code: Path) -> None:
    found = load_factory("mynets:pictures", code)
    assert set(found.sources()) == {"mynets.py", "parts.py"}


def test_two_folders_may_have_modules_of_one_name(tmp_path: Path) -> None:
    for number in (1, 2):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "mynets.py").write_text(
            f"from torch import nn\ndef make():\n    return nn.Linear(1, {number})\n", encoding="utf-8"
        )
    for number in (1, 2, 1):
        made = load_factory("mynets:make", tmp_path / str(number)).module({})
        assert made.out_features == number


@pytest.mark.parametrize(
    ("factory", "said"),
    [
        ("raising", r"raising\(classes=3\) of mynets raised RuntimeError: no such luck"),
        ("returning", "returned list"),
        ("needing", "needs the arguments depth"),
        ("weightless", "has no weights"),
        ("pictur", r"has no function pictur\.(.|\n)*mynets:pictures"),
        ("number", "has no function number"),
    ],
)
def test_what_is_no_factory_is_said_in_words(code: Path, factory: str, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        found = load_factory(f"mynets:{factory}", code)
        found.module(found.called_with(KNOWN))


def test_layers_without_sizes_are_refused_by_their_names(tmp_path: Path) -> None:
    code = "import torch\nfrom torch import nn\n\n\ndef make():\n    made = nn.Sequential(nn.LazyLinear(3))\n"
    (tmp_path / "lazynets.py").write_text(f"{code}    return made\n", encoding="utf-8")
    with pytest.raises(ModelError, match=r"^0 of the module that make\(\) returned wait(.|\n)*call the module once"):
        load_factory("lazynets:make", tmp_path).module({})
    (tmp_path / "called.py").write_text(f"{code}    made(torch.zeros(1, 4))\n    return made\n", encoding="utf-8")
    assert load_factory("called:make", tmp_path).module({})[0].in_features == 4


@pytest.mark.parametrize("text", ["import nothing_like_this", "1 / 0", "def broken(:"])
def test_code_that_cannot_be_imported_is_said_in_words(tmp_path: Path, text: str) -> None:
    (tmp_path / "badnets.py").write_text(text + "\n", encoding="utf-8")
    with pytest.raises(ModelError, match=r"badnets, in .* cannot be imported"):
        load_factory("badnets:make", tmp_path)


def test_a_default_for_inputs_is_obeyed(tmp_path: Path) -> None:
    (tmp_path / "wishing.py").write_text("def make(classes=10, size=48, channels=1): ...\n", encoding="utf-8")
    assert load_factory("wishing:make", tmp_path).wishes() == {"size": 48, "channels": 1}


def test_a_module_says_what_it_is_in_known_words() -> None:
    module = nn.Linear(1, 2)
    assert said_by(module) == {}
    module.lighten = {"labels": ["a", "b"]}  # type: ignore[assignment]
    assert said_by(module) == {"labels": ["a", "b"]}
    module.lighten = {"lables": []}  # type: ignore[assignment]
    with pytest.raises(UnknownName, match="lables"):
        said_by(module)
