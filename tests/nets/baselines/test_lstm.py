"""The LSTM computes what torch does, every probability row sums to one, and its file is checked."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file

from lighten.core.errors import ModelError
from lighten.core.language import Span
from lighten.nets.baselines.byte_model import BOUNDARY, RECORD, SYMBOLS, TENSORS, symbols_of
from lighten.nets.baselines.lstm import ByteLstm
from lighten.nets.baselines.lstm_loop import Net
from lighten.nets.baselines.opening import open_byte_lm

TEXT = "naïve 電影 is good"


def small(width: int = 12, seed: int = 0) -> tuple[Net, ByteLstm]:
    torch.manual_seed(seed)
    net = Net(width)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.mul_(3.0)
    return net, net.exported()


def span(context: str, targets: str) -> Span:
    return Span((BOUNDARY, *symbols_of(context)), tuple(symbols_of(targets)))


def test_it_says_what_the_network_that_was_trained_says() -> None:
    net, model = small()
    symbols = torch.tensor([[BOUNDARY, *symbols_of(TEXT)]])
    with torch.inference_mode():
        hidden, _ = net.lstm(net.embedding(symbols))
        wanted = net.output(hidden)[0].log_softmax(-1).numpy()
    (found,) = model.score([span("", TEXT)])
    following = symbols[0, 1:].numpy()
    assert np.allclose(found.logprobs, wanted[np.arange(len(following)), following], atol=0.01)
    assert (found.greedy == wanted[:-1].argmax(axis=1)).mean() > 0.9


def test_each_text_is_scored_as_if_it_were_alone_and_contexts_are_shared() -> None:
    _, model = small()
    spans = [span("", "ab"), span("the film", " is good"), span("the film", " is"), span("x" * 40, "y"), span("a", "b")]
    together = model.score(spans)
    for one, found in zip(spans, together, strict=True):
        (alone,) = model.score([one])
        assert np.allclose(alone.logprobs, found.logprobs, atol=1e-5)
        assert (alone.greedy == found.greedy).all()
        assert alone.logprobs.dtype == np.float64 and alone.greedy.dtype == np.int32
    assert np.allclose(together[1].logprobs[:3], together[2].logprobs, atol=1e-5)
    assert model.score([]) == []


def test_probabilities_are_normalised_and_go_on_from_what_was_read() -> None:
    _, model = small()
    place = model.cursor([BOUNDARY])
    (scores,) = model.score([span("", TEXT)])
    for logprob, greedy, symbol in zip(scores.logprobs, scores.greedy, symbols_of(TEXT), strict=True):
        after = place.probabilities()
        assert after.shape == (SYMBOLS,) and after.sum() == pytest.approx(1, abs=1e-12) and (after > 0).all()
        assert np.log(after[symbol]) == pytest.approx(logprob, abs=1e-5)
        assert place.likeliest() == greedy
        place.feed(symbol)


def test_several_texts_go_on_together_and_some_of_them_after_others_ended() -> None:
    _, model = small()
    contexts = [[BOUNDARY, *symbols_of(text)] for text in ("one", "", "and two")]
    places, alone = model.cursors(contexts), [model.cursor(context) for context in contexts]
    assert places.likeliest() == [cursor.likeliest() for cursor in alone]
    places.keep([2, 0])
    places.feed([97, 98])
    alone[2].feed(97)
    alone[0].feed(98)
    assert np.allclose(places.probabilities(), [alone[2].probabilities(), alone[0].probabilities()], atol=1e-6)


def test_the_file_holds_the_same_model(tmp_path: Path) -> None:
    _, model = small()
    model.save(tmp_path)
    opened = open_byte_lm(tmp_path)
    assert isinstance(opened, ByteLstm) and opened.width == 12
    assert np.array_equal(opened.score([span("", TEXT)])[0].logprobs, model.score([span("", TEXT)])[0].logprobs)
    assert (tmp_path / TENSORS).stat().st_size < 2 * (SYMBOLS * 48 + 12 * 48 + 12 * SYMBOLS + SYMBOLS) + 1000


@pytest.mark.parametrize("harm", ["shape", "type", "nan", "gone", "width", "absurd"])
def test_a_broken_file_is_refused(tmp_path: Path, harm: str) -> None:
    _, model = small(4)
    model.save(tmp_path)
    tensors, record = load_file(str(tmp_path / TENSORS)), json.loads((tmp_path / RECORD).read_text())
    if harm == "shape":
        tensors["recurrent"] = tensors["recurrent"][:, :-1].copy()
    elif harm == "type":
        tensors["output"] = tensors["output"].astype(np.float32)
    elif harm == "nan":
        tensors["bias"][3] = np.nan
    elif harm == "gone":
        del tensors["input"]
    save_file(tensors, str(tmp_path / TENSORS))
    record["width"] = {"width": 5, "absurd": 10**9}.get(harm, 4)
    (tmp_path / RECORD).write_text(json.dumps(record))
    with pytest.raises(ModelError, match="not whole"):
        open_byte_lm(tmp_path)
