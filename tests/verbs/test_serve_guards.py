"""Rules are read before any model is opened, and models that they ask are named from their folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lighten.core.errors import InputError, ModelError
from lighten.verbs.serve import serve
from lighten.verbs.serve_guards import GuardPlan

RULES = """
[[guard]]
use = "classifier"
name = "toxic"
on = ["input"]
action = "refuse"
model = "{}"
label = "toxic"
"""


def test_models_lie_beside_the_rules_unless_their_path_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "rules.toml"
    for told, found in (("runs/toxic", tmp_path / "runs" / "toxic"), ("/models/toxic", Path("/models/toxic"))):
        path.write_text(RULES.format(told), encoding="utf-8")
        assert GuardPlan(path).models == {"toxic": str(found)}
    assert GuardPlan(None).models == {} and not GuardPlan(None).open(never, None).rules


def never(name: str, path: str) -> Any:
    raise ModelError(f"There is no model {path}.", fix="train one")


def test_a_model_that_cannot_be_opened_is_told_by_the_line_of_its_rule(tmp_path: Path) -> None:
    path = tmp_path / "rules.toml"
    path.write_text(RULES.format("gone"), encoding="utf-8")
    with pytest.raises(ModelError, match=r"rules\.toml, line 2: There is no model .*gone\.") as caught:
        GuardPlan(path).open(never, None)
    assert caught.value.fix == "train one"


def test_rules_are_read_before_models_are_looked_at(tmp_path: Path) -> None:
    pytest.importorskip("uvicorn", reason="pip install 'lighten[serve]'")
    path = tmp_path / "rules.toml"
    path.write_text('[[guard]]\nuse = "word"', encoding="utf-8")
    with pytest.raises(InputError, match="no guard named 'word'"):
        serve(str(tmp_path / "no-model"), port=0, guards=path)
