"""Attention: gradients as torch has them, whatever is hidden, and torch itself where it is left to it."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel

from lighten.nets.training import attention as module
from lighten.nets.training.attention import attention, quick_attention

ROWS, HEADS, TOKENS, WIDTH = 3, 4, 10, 8


def drawn(seed: int, tokens: int = TOKENS, heads: int = HEADS, dtype: torch.dtype = torch.bfloat16) -> Tensor:
    chance = torch.Generator().manual_seed(seed)
    made = torch.randn(ROWS, tokens, heads, WIDTH, generator=chance).to(dtype)
    return made.transpose(1, 2).requires_grad_()


def gradients(of: object, given: list[Tensor], **options: object) -> tuple[Tensor, ...]:
    out = of(*given, **options)  # type: ignore[operator]
    toward = torch.linspace(-1, 1, out.numel(), dtype=torch.float32).view(out.shape).to(out.dtype)
    return torch.autograd.grad(out, given, toward)


def exact(given: list[Tensor], **options: object) -> tuple[Tensor, ...]:
    """What torch finds in float64, by the formula: its fused kernel counts a row of least numbers ten times."""
    with sdpa_kernel([SDPBackend.MATH]):
        whole = [one.detach().double().requires_grad_() for one in given]
        return gradients(functional.scaled_dot_product_attention, whole, **options)


def hidden(*lengths: int, keys: int = TOKENS) -> Tensor:
    """[rows, 1, 1, keys]: which are seen."""
    return (torch.arange(keys) < torch.tensor(lengths)[:, None])[:, None, None]


MASKS = {
    "nothing hidden": {},
    "what comes later": {"is_causal": True},
    "padding": {"attn_mask": hidden(10, 4, 7)},
    "a row of which nothing is seen": {"attn_mask": hidden(10, 0, 7)},
    "padding, as numbers": {"attn_mask": torch.where(hidden(10, 4, 7), 0.0, -torch.inf)},
    "the least number for infinity": {"attn_mask": torch.where(hidden(10, 4, 7), 0.0, torch.finfo(torch.float32).min)},
    "the least number everywhere": {"attn_mask": torch.where(hidden(10, 0, 7), 0.0, torch.finfo(torch.bfloat16).min)},
    "a bias of every head": {"attn_mask": torch.linspace(-2, 2, HEADS * TOKENS**2).view(1, HEADS, TOKENS, TOKENS)},
    "another scale": {"scale": 0.5},
}


@pytest.mark.parametrize("together", [1, 2 * TOKENS**2, 1 << 20], ids=["a head", "some heads", "all"])
@pytest.mark.parametrize("name", MASKS)
def test_gradients_are_those_of_torch(name: str, together: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TOGETHER", together)
    given, options = [drawn(seed) for seed in range(3)], dict(MASKS[name])
    found = gradients(attention, given, **options)
    if "attn_mask" in options and options["attn_mask"].is_floating_point():
        options["attn_mask"] = options["attn_mask"].double()
    for one, other in zip(found, exact(given, **options), strict=True):
        assert one.dtype is torch.bfloat16 and torch.isfinite(one).all()
        assert (one - other).norm() <= 0.02 * other.norm()


def test_keys_of_other_places_and_of_several_heads_together() -> None:
    given = [drawn(0), drawn(1, tokens=6, heads=2), drawn(2, tokens=6, heads=2)]
    found = gradients(attention, given, enable_gqa=True)
    for one, other in zip(found, exact(given, enable_gqa=True), strict=True):
        assert one.shape == other.shape and (one - other).norm() <= 0.02 * other.norm()


def test_what_autocast_makes_bf16_is_computed_so_and_answers_like_torch() -> None:
    given = [drawn(seed, dtype=torch.float32) for seed in range(3)]
    with torch.autocast("cpu", torch.bfloat16):
        mine, theirs = attention(*given), functional.scaled_dot_product_attention(*given)
    assert "_Attention" in type(mine.grad_fn).__name__ and "_Attention" not in type(theirs.grad_fn).__name__
    assert mine.dtype is theirs.dtype is torch.bfloat16 and torch.equal(mine, theirs)
    assert all(one.dtype is torch.float32 for one in torch.autograd.grad(mine.sum(), given))


def test_torch_has_what_is_no_matter_of_ours() -> None:
    three = [drawn(seed) for seed in range(3)]
    learned = torch.zeros(TOKENS, TOKENS, dtype=torch.bfloat16, requires_grad=True)
    others = [
        attention(*[one.detach().float().requires_grad_() for one in three]),
        attention(*three, dropout_p=0.5),
        attention(*three, attn_mask=learned),
        attention(*[one.flatten(0, 1) for one in three]),
        attention(three[0], three[1][:, :1], three[2][:, :1]),  # one head of keys for all
        attention(three[0][:1], three[1], three[2]),
    ]
    for one in others:
        assert one.grad_fn is not None and "_Attention" not in type(one.grad_fn).__name__
    with torch.no_grad():
        assert attention(*three).grad_fn is None


def test_networks_come_here_while_it_is_put_in() -> None:
    before = functional.scaled_dot_product_attention
    with quick_attention():
        assert functional.scaled_dot_product_attention is attention
    assert functional.scaled_dot_product_attention is before
