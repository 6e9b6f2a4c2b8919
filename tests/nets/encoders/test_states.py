"""Hidden states: which are compared, and that padding does not count."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from lighten.nets.encoders.first_token import answering_from_first_token
from lighten.nets.encoders.network import open_network
from lighten.nets.encoders.states import States, apart, counterparts, recorded
from lighten.nets.forward import run
from lighten.testing.tiny import FAMILIES, tiny_network_folder, toy_rows


@pytest.mark.parametrize("family", FAMILIES)
def test_every_layer_is_recorded_once(tmp_path: Path, family: str) -> None:
    network = open_network(tiny_network_folder(tmp_path, family, layers=2))
    ids = network.reader(toy_rows(5).inputs)
    with torch.no_grad(), recorded(network.net) as states:
        run(network, ids)
        run(network, ids)
        assert [tuple(s.shape[:2]) for s in states] == [(5, max(map(len, ids)))] * 2
        with answering_from_first_token(network.net) as shorter:
            run(network, ids)
            assert states[-1].shape[1] == (1 if shorter else max(map(len, ids)))
    run(network, ids)
    assert len(states) == 2  # nothing listens any more


def test_how_far_apart_by_hand() -> None:
    teacher = [torch.ones(2, 3, 4), torch.full((2, 3, 4), 2.0)]
    student = [torch.ones(2, 3, 4), torch.full((2, 3, 4), 3.0)]
    lengths = torch.tensor([3, 2])
    assert float(apart(student, teacher, lengths)) == pytest.approx((0 + 1 / 4) / 2)
    student[0][1, 2] = 100.0  # padding
    assert float(apart(student, teacher, lengths)) == pytest.approx(1 / 8)
    student[0][1, 1] = 2.0
    assert float(apart(student, teacher, lengths)) == pytest.approx((1 / 5 + 1 / 4) / 2)
    assert float(apart(student[1:], teacher, lengths)) == pytest.approx(1 / 4)  # one layer learns from the last


def test_a_layer_learns_from_the_one_equally_far() -> None:
    assert counterparts(3, 6) == [1, 3, 5]
    assert counterparts(6, 6) == list(range(6))
    assert counterparts(1, 12) == [11]
    for student in range(1, 13):
        assert counterparts(student, 12)[-1] == 11


@pytest.mark.parametrize("family", FAMILIES)
def test_what_is_kept_is_what_was_computed(tmp_path: Path, family: str) -> None:
    network = open_network(tiny_network_folder(tmp_path, family))
    texts, rows = toy_rows(6).inputs, [4, 0, 3]
    with recorded(network.net) as calls:
        known, forgetful = States(network, texts), States(network, texts, room=0)
        first, logits = known(rows)
        calls.clear()
        again, same = known(rows)
        assert not calls  # nothing was computed
        forgetful(rows)
        forgetful(rows)
        assert calls
    assert torch.equal(logits, same)
    for one, other in zip(first, again, strict=True):
        assert one.shape == other.shape
        for place, row in enumerate(rows):
            real = slice(0, min(int(known.lengths[row]), one.shape[1]))
            torch.testing.assert_close(one[place, real], other[place, real], rtol=2e-3, atol=2e-3)
    assert float(apart(first, again, known.lengths[rows])) < 1e-5
    mixed, _ = known([4, 1, 3])  # one of three is new
    torch.testing.assert_close(mixed[0][2, : int(known.lengths[3])], first[0][2, : int(known.lengths[3])])
    part, _ = known([3])
    torch.testing.assert_close(part[0][0], first[0][2, : int(known.lengths[3])], rtol=2e-3, atol=2e-3)
