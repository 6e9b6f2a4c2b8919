"""A language model that begins from what its frozen layers put out learns as one that computes everything."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from lighten.core.step import Silent
from lighten.nets.language.network import open_language
from lighten.nets.language.prefix_windows import WindowsPrefix
from lighten.nets.language.schedule import LanguageSchedule
from lighten.nets.language.training import TextTraining
from lighten.nets.training.loop import train
from lighten.nets.training.prefix import PrefixCache
from lighten.testing.tiny_language import FAMILIES, tiny_language, tiny_texts


def work(folder: Path, family: str, passes: float = 2.0, **more: object) -> TextTraining:
    schedule = LanguageSchedule(passes, 1e-3, tokens=64, longest=32, freeze="1", **more)  # type: ignore[arg-type]
    return TextTraining(open_language(tiny_language(family, folder)), tiny_texts(12, 4), tiny_texts(2, 9), schedule)


@pytest.mark.parametrize("family", FAMILIES)
def test_gradients_are_those_of_the_whole(tmp_path: Path, family: str) -> None:
    one = work(tmp_path, family, rank=2)
    batch = one.batches(0, 0)[0]
    with one.prepared():
        loss = one.backward(batch, 1.0)
        whole = {name: p.grad.clone() for name, p in one.net.named_parameters() if p.grad is not None}
        one.net.zero_grad()
        assert one.keep_prefix()
        assert one.backward(batch, 1.0) == pytest.approx(loss, rel=1e-5)
        found = {name: p.grad for name, p in one.net.named_parameters() if p.grad is not None}
    assert found.keys() == whole.keys() and not any("layers.0." in name for name in found)
    for name, gradient in found.items():
        torch.testing.assert_close(gradient, whole[name], atol=1e-6, rtol=1e-3, msg=name)


def test_windows_are_kept_without_padding_and_a_single_pass_keeps_none(tmp_path: Path) -> None:
    one = work(tmp_path, "llama")
    with one.prepared():
        found = WindowsPrefix(one.part, one.windows, 1, None)
        assert found.fill(PrefixCache())
        assert [len(kept) for kept in found._outputs] == [len(window) for window in one.windows]
        assert sorted(row for batch in found.batches() for row in batch) == list(range(len(one.windows)))
    for passes, noted in ((2.0, True), (1.0, False)):
        result = train(work(tmp_path, "llama", passes), seed=0, threads=1, watch=Silent())
        assert any("computed once" in note for note in result.notes) is noted
