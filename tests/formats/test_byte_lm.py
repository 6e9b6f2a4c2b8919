"""A language model over bytes is saved with its tables, and no step takes it."""

from __future__ import annotations

from pathlib import Path

import pytest

from lighten.core.artifact import Artifact
from lighten.core.errors import ModelError
from lighten.formats.byte_lm import ByteLm
from lighten.nets.baselines.counts import fit_ngram
from lighten.testing.format_contract import check_declaration


def test_it_keeps_the_contract_of_formats(tmp_path: Path) -> None:
    check_declaration(ByteLm())
    assert ByteLm().save(fit_ngram(["so it goes"] * 3, 3), tmp_path) == {"labels": []}
    made = Artifact.seal(tmp_path, format="byte-lm")
    with pytest.raises(ModelError, match="No step can open a model of format byte-lm"):
        ByteLm().open(made, ())
