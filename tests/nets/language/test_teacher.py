"""The teacher's distribution among the student's tokens, where both read the same, against the plain way."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch.nn.functional import cross_entropy, kl_div, log_softmax

from lighten.core.errors import StepFailed
from lighten.core.step import Silent
from lighten.nets.language import next_token
from lighten.nets.language.network import LanguageNetwork, Tokens, open_language
from lighten.nets.language.teacher import LanguageTeacher, known_tokens, offsets_of
from lighten.nets.language.vocabulary import cut_language
from lighten.nets.language.windows import windows
from lighten.testing.tiny_language import FAMILIES, TOKENIZERS, tiny_language, tiny_language_tokenizer, tiny_texts

TEXTS, UNSEEN = tiny_texts(30, 4), tiny_texts(40, 9)


def opened(family: str, folder: Path, seed: int = 0) -> LanguageNetwork:
    return open_language(tiny_language(family, folder / f"{family}{seed}", seed=seed))


def cut(model: LanguageNetwork) -> LanguageNetwork:
    return cut_language(model, TEXTS[:10], min_count=1, spare=0.0, threads=1, watch=Silent())


def plain(
    student: LanguageNetwork, teacher: LanguageNetwork, row: list[int], old: dict[int, int], alpha: float, heat: float
) -> torch.Tensor:
    """Sum of the losses of one window that both read alike: all logits, then the student's tokens of them."""
    mine = student.net(torch.tensor([row])).logits[0, :-1]
    with torch.no_grad():
        theirs = teacher.net(torch.tensor([[old[i] for i in row]])).logits[0, :-1]
    shared = sorted(old)
    known = log_softmax(theirs[:, [old[i] for i in shared]] / heat, -1)
    apart = kl_div(log_softmax(mine / heat, -1)[:, shared], known, reduction="sum", log_target=True)
    return alpha * cross_entropy(mine, torch.tensor(row[1:]), reduction="sum") + (1 - alpha) * heat**2 * apart


@pytest.mark.parametrize(("alpha", "heat"), [(0.3, 2.0), (0.0, 1.0)])
@pytest.mark.parametrize("family", FAMILIES)
def test_loss_and_gradients_are_those_of_the_plain_way(
    tmp_path: Path, family: str, alpha: float, heat: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    student, whole = cut(opened(family, tmp_path)), opened(family, tmp_path, 1)
    texts = TEXTS[:3]  # their tokens all stayed
    rows = [embedding.net.get_input_embeddings().num_embeddings for embedding in (student, whole)]
    assert rows[0] < rows[1]
    old = known_tokens(student.tokens, rows[0], whole.tokens, rows[1])
    batch = windows(student, texts, 12)
    count = sum(len(row) - 1 for row in batch)
    wanted = sum(plain(student, whole, row, old, alpha, heat) for row in batch) / count
    assert isinstance(wanted, torch.Tensor)
    wanted.backward()
    gradients = {name: p.grad.clone() for name, p in student.net.named_parameters()}
    student.net.zero_grad()
    monkeypatch.setattr(next_token, "PLACES", 9)
    teacher = LanguageTeacher(opened(family, tmp_path, 1), student, texts, 12)
    assert teacher.taught == 1.0
    assert teacher.net.get_input_embeddings().num_embeddings == len(old) < rows[1]  # the others left the memory
    loss = teacher.objective(alpha, heat)(student.net, batch)
    assert loss == pytest.approx(float(wanted.detach()), rel=1e-4)
    for name, parameter in student.net.named_parameters():
        torch.testing.assert_close(parameter.grad, gradients[name], rtol=2e-3, atol=2e-5)


@pytest.mark.parametrize("family", FAMILIES)
def test_who_is_its_own_teacher_has_nothing_to_learn(tmp_path: Path, family: str) -> None:
    student = opened(family, tmp_path)
    teacher = LanguageTeacher(opened(family, tmp_path), student, UNSEEN, 40)
    batch = windows(student, UNSEEN, 40)[:4]
    assert teacher.taught == 1.0
    assert teacher.objective(0.0, 2.0)(student.net, batch) == pytest.approx(0.0, abs=1e-5)
    assert all(parameter.grad is None for parameter in teacher.net.parameters())


@pytest.mark.parametrize("family", FAMILIES)
def test_a_place_is_taught_where_both_have_the_same_token_at_the_same_byte(tmp_path: Path, family: str) -> None:
    whole, student = opened(family, tmp_path), cut(opened(family, tmp_path))
    theirs = whole.tokens
    teacher = LanguageTeacher(whole, student, UNSEEN, 24)
    assert 0.05 < teacher.taught < 1.0
    fresh = open_language(tmp_path / f"{family}0")
    kept = {fresh.net.get_input_embeddings().weight[i].detach().numpy().tobytes(): i for i in range(theirs.size)}
    rows = teacher.net.get_input_embeddings().weight
    back = [kept.get(row.detach().numpy().tobytes(), -1) for row in rows]
    for window in windows(student, UNSEEN, 24):
        pair = teacher._pairs[tuple(window)]
        ids = [back[i] for i in pair.ids]
        mine, known = offsets_of(student.tokens, window), offsets_of(theirs, ids)
        for a, b in zip(pair.mine, pair.theirs, strict=True):
            assert student.tokens.name(window[a + 1]) == theirs.name(ids[b + 1])
            text = b"".join(student.tokens.pieces(window))[: mine[a + 1]]
            assert text.endswith(b"".join(theirs.pieces(ids))[: known[b + 1]])
    batch = windows(student, UNSEEN, 24)[:6]
    assert teacher.objective(0.5, 1.0)(student.net, batch) > 0


def test_what_is_not_taught_is_learnt_from_the_text(tmp_path: Path) -> None:
    student, whole = cut(opened("llama", tmp_path)), opened("llama", tmp_path, 1)
    teacher = LanguageTeacher(whole, student, UNSEEN, 40)
    window = next(row for row in windows(student, UNSEEN, 40) if not teacher._pairs[tuple(row)].mine[2:])
    pair = teacher._pairs[tuple(window)]
    logits = student.net(torch.tensor([window])).logits[0, :-1]
    each = cross_entropy(logits, torch.tensor(window[1:]), reduction="none")
    untaught = [place for place in range(len(window) - 1) if place not in pair.mine]
    known = teacher.objective(1.0, 1.0)(student.net, [window]), teacher.objective(0.0, 1.0)(student.net, [window])
    assert known[0] == pytest.approx(float(each.detach().mean()), rel=1e-4)
    assert known[1] >= float(each[untaught].detach().sum()) / len(each) - 1e-5


def test_what_is_remembered_teaches_the_same_when_it_is_all_and_nearly_when_it_is_most(tmp_path: Path) -> None:
    student = cut(opened("qwen3", tmp_path))
    batch = windows(student, UNSEEN, 24)[:6]
    heads = student.net.get_input_embeddings().num_embeddings
    found: dict[int, tuple[float, torch.Tensor]] = {}
    for top in (0, heads, 60):
        teacher = LanguageTeacher(opened("qwen3", tmp_path, 1), student, UNSEEN, 24)
        if top:
            teacher.remember([batch[:3], batch[3:]], top, 2.0)
            assert not list(teacher.net.parameters())  # it left the memory
        student.net.zero_grad()
        loss = teacher.objective(0.2, 2.0)(student.net, batch)
        gradient = student.net.lm_head.weight.grad
        assert gradient is not None
        found[top] = loss, gradient.clone()
    assert found[heads][0] == pytest.approx(found[0][0], rel=5e-3)
    assert found[60][0] == pytest.approx(found[0][0], rel=0.25)
    assert found[60][0] <= found[0][0] + 1e-3  # tokens counted as one are never further apart
    torch.testing.assert_close(found[heads][1], found[0][1], rtol=0.05, atol=2e-3)


def test_strangers_teach_each_other_nothing(tmp_path: Path) -> None:
    student, other = opened("llama", tmp_path), opened("llama", tmp_path, 1)
    other.tokens = Tokens(*tiny_language_tokenizer(TOKENIZERS["llama"]))
    other.tokens.id_of = lambda name: None  # type: ignore[method-assign]
    other.net.get_input_embeddings().num_embeddings += 1
    with pytest.raises(StepFailed, match="no token that its teacher has"):
        LanguageTeacher(other, student, TEXTS, 40)
