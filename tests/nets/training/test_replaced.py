"""A function of torch stands aside while something is done, and stands in its place after it."""

from __future__ import annotations

import pytest
from torch import Tensor
from torch.nn import functional

from lighten.nets.training.replaced import replaced

OF_TORCH = functional.gelu


def ours(input: Tensor) -> Tensor:
    return input


def test_it_is_put_in_and_taken_out() -> None:
    with pytest.raises(ZeroDivisionError), replaced(OF_TORCH, ours):
        assert functional.gelu is ours
        raise ZeroDivisionError
    assert functional.gelu is OF_TORCH
    with replaced(OF_TORCH, ours):
        with replaced(OF_TORCH, ours):
            assert functional.gelu is ours
        assert functional.gelu is ours
    assert functional.gelu is OF_TORCH


def test_what_somebody_else_has_put_in_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    def theirs(input: Tensor) -> Tensor:
        return -input

    monkeypatch.setattr(functional, "gelu", theirs)
    with replaced(OF_TORCH, ours):
        assert functional.gelu is theirs
    assert functional.gelu is theirs
