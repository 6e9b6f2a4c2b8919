"""Rules of guards are read from a file, and every error says where it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from lighten.core import catalog
from lighten.core.errors import InputError, UnknownName
from lighten.guards.words import Words
from lighten.serve.rules import read_rules


def rules(folder: Path, text: str) -> Path:
    path = folder / "rules.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_guards_are_made_in_their_order_with_lists_beside_the_file(tmp_path: Path) -> None:
    (tmp_path / "slurs.txt").write_text("bad\n", encoding="utf-8")
    path = rules(
        tmp_path,
        """
        [[guard]]
        use = "words"
        name = "slurs"
        on = ["input", "output"]
        action = "refuse"
        files = ["slurs.txt"]

        [[guard]]
        use = "answers"
        action = "refuse"
        floor = 1
        floors = {spam = 0.9}
        models = ["mail"]
        """,
    )
    slurs, answers = read_rules(path)
    assert slurs.name == "slurs" and slurs.guard == Words(action="refuse", on=("input", "output"), files=("slurs.txt",))
    assert slurs.finder is not None and slurs.finder.spans("a bad one")
    assert slurs.fits("any") and slurs.on("output") and not slurs.on("logs")
    assert answers.name == "answers" and answers.fits("mail") and not answers.fits("any")
    assert answers.guard.floors == (("spam", 0.9),)  # type: ignore[attr-defined]


HEAD = '# rules\n[[guard]]\nuse = "words"\non = ["input"]\naction = "refuse"\n'


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("x = ", "cannot be read"),
        ("", "no guard"),
        ("guard = 3", "no guard"),
        ('[[guard]]\non = ["input"]', "line 1: It does not say what it is"),
        ('\n[[guard]]\nuse = "word"', "line 3: There is no guard named 'word'"),
        (HEAD + 'words = ["x"]\nfile = "y"', "line 7: There is no setting of the guard words named 'file'"),
        (HEAD + 'words = "x"', "line 6: words is 'x'"),
        (HEAD + 'words = ["x"]\nwhere = "here"', "line 7: where is 'here'"),
        (HEAD + 'files = ["gone.txt"]', r"line 6: The list gone\.txt is not there"),
        (HEAD + 'name = "a b"\nwords = ["x"]', "Its name is 'a b'"),
        (HEAD + 'words = ["x"]\n' + HEAD + 'words = ["y"]', "two guards named 'words'"),
        (HEAD.replace('["input"]', '["inputs"]') + 'words = ["x"]', "line 4: There is no side"),
        ('[[guard]]\nuse = "patterns"\non = ["input"]\naction = "refuse"\npatterns = [\n  "ok",\n  \'a(\',\n]',
         "line 7: The expression 'a\\('"),
        ('[[guard]]\nuse = "patterns"\non = ["input"]\naction = "refuse"\npatterns = ["ok", "(\\\\d"]', "line 5"),
    ],
)  # fmt: skip
def test_an_error_says_in_which_line(tmp_path: Path, text: str, why: str) -> None:
    if "patterns" in text:
        pytest.importorskip("re2", reason="pip install 'lighten[serve]'")
    with pytest.raises(InputError, match=why):
        read_rules(rules(tmp_path, text))


def test_a_table_of_another_name_and_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="table of rules named 'guards'"):
        read_rules(rules(tmp_path, '[[guards]]\nuse = "words"'))
    with pytest.raises(InputError, match=r"gone\.toml cannot be read: No such file"):
        read_rules(tmp_path / "gone.toml")


def test_the_rules_of_the_guide_can_be_read(tmp_path: Path) -> None:
    pytest.importorskip("re2", reason="pip install 'lighten[serve]'")
    guide = (Path(__file__).parents[2] / "docs" / "guards.md").read_text(encoding="utf-8")
    (tmp_path / "slurs.txt").write_text("bad\n", encoding="utf-8")
    found = read_rules(rules(tmp_path, guide.partition("```toml\n")[2].partition("```")[0]))
    assert [rule.name for rule in found] == ["slurs", "patterns", "toxic", "answers", "personal", "normalised"]
    assert {catalog.name_of(rule.guard) for rule in found} == set(catalog.names("guards"))
