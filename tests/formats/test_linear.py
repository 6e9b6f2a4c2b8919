"""A linear model of choices is saved with its weights, and no step takes it."""

from __future__ import annotations

from pathlib import Path

import pytest

from lighten.core.artifact import Artifact
from lighten.core.errors import ModelError
from lighten.formats.linear import Linear
from lighten.nets.baselines.linear_fit import fit_linear
from lighten.testing.format_contract import check_declaration


def test_it_keeps_the_contract_of_formats(tmp_path: Path) -> None:
    check_declaration(Linear())
    learned = ["so good", "so bad"] * 4, [0, 1] * 4
    model = fit_linear(*learned, ("good", "bad"), learned, characters=2, most=50)
    assert Linear().save(model, tmp_path) == {"labels": []}
    made = Artifact.seal(tmp_path, format="linear")
    with pytest.raises(ModelError, match="No step can open a model of format linear"):
        Linear().open(made, ())
