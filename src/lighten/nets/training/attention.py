"""Attention of a network that is trained in bf16 on a CPU: forward as torch has it, backward by whole matrices.

Torch's fused kernel computes its gradients in small blocks, which bf16 products are not made for: 72 ms for 32 rows of
128 tokens in 12 heads of 32, where forward takes 4.5 (two cores with AMX; in fp32 15 and 7). As five products of
[tokens, tokens] matrices, a few heads at a time, they take 15 ms; of the shapes that were tried, from 24 to 1,024
tokens, none takes longer so, and MiniLM learns 1.45 times the rows a second. Torch's plain formula (its backend
``MATH``) takes 14 ms forward and 7 backward there, but keeps every [tokens, tokens] matrix until the way back: 200 MB a
layer for 32 rows of 512 tokens, where this keeps queries, keys and values. All of it was measured on two cores with
AMX, and is chosen by type, not by the clock: a training that is taken up must compute as it did. What is not bf16, not
on a CPU, drops something out or learns its mask is left to torch.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable
from torch.nn import functional

from lighten.nets.training.replaced import replaced

TOGETHER = 3 << 19
"""Elements of [tokens, tokens] matrices that are computed at once: what a cache has room for."""

FOUR = 4
"""Dimensions of queries, keys and values."""

_of_torch = functional.scaled_dot_product_attention


def quick_attention() -> AbstractContextManager[None]:
    """Inside, :func:`attention` stands in the place of torch's function; see :func:`replaced`."""
    return replaced(_of_torch, attention)


def attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """As ``torch.nn.functional.scaled_dot_product_attention``, which names and describes the arguments.

    Args:
        query: [rows, heads, tokens, width]. key, value: the same with tokens of their own.
    """
    within = torch.is_autocast_enabled("cpu") and query.dtype is torch.float32
    dtype = torch.get_autocast_dtype("cpu") if within else query.dtype
    if dropout_p or not _is_ours(query, key, value, attn_mask, dtype, is_causal, enable_gqa):
        return _of_torch(query, key, value, attn_mask, dropout_p, is_causal, scale=scale, enable_gqa=enable_gqa)
    query, key, value = (one.to(dtype) for one in (query, key, value))
    if enable_gqa:
        key, value = (one.repeat_interleave(query.shape[1] // one.shape[1], 1) for one in (key, value))
    if attn_mask is not None and attn_mask.is_floating_point():
        attn_mask = attn_mask.to(dtype)
    width = query.shape[-1]
    return _Attention.apply(query, key, value, attn_mask, is_causal, width**-0.5 if scale is None else scale)


def _is_ours(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, dtype: torch.dtype, causal: bool, grouped: bool
) -> bool:
    """Whether it is what whole matrices are for: bf16 on a CPU that learns, each head of each row on its own."""
    every = (query, key, value)
    if dtype is not torch.bfloat16 or any(one.device.type != "cpu" or one.dim() != FOUR for one in every):
        return False
    if not torch.is_grad_enabled() or not any(one.requires_grad for one in every):
        return False
    if mask is not None and (causal or mask.requires_grad):
        return False
    heads = {one.shape[1] for one in every}
    return len({one.shape[0] for one in every}) == 1 and (len(heads) == 1 or grouped)


class _Attention(Function):  # type: ignore[misc]
    """What torch computes, with gradients by whole matrices."""

    @staticmethod
    def forward(
        ctx: Any, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, causal: bool, scale: float
    ) -> Tensor:
        """Shapes as :func:`attention` has them."""
        ctx.save_for_backward(query, key, value, mask)
        ctx.causal, ctx.scale = causal, scale
        return _of_torch(query, key, value, mask, is_causal=causal, scale=scale)

    @staticmethod
    @once_differentiable  # type: ignore[untyped-decorator]
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """gradient: [rows, heads, tokens, width of the values]."""
        query, key, value, mask = ctx.saved_tensors
        rows, heads, tokens, _ = query.shape
        bias, blind = _bias_of(mask, ctx.causal, query, key)
        if blind is not None:  # what sees nothing is answered with zeros, whatever it asks
            gradient = gradient.masked_fill(blind, 0.0)
        found = tuple(map(torch.empty_like, (query, key, value)))
        most = max(TOGETHER // (tokens * key.shape[2]), 1)
        deep = max(most // heads, 1)
        for row in range(0, rows, deep):
            for head in range(0, heads, most):
                here = slice(row, row + deep), slice(head, head + most)
                added = None if bias is None else bias[here]
                parts = _gradients(query[here], key[here], value[here], gradient[here], added, ctx.scale)
                for whole, part in zip(found, parts, strict=True):
                    whole[here] = part
        return *found, None, None, None


def _bias_of(mask: Tensor | None, causal: bool, query: Tensor, key: Tensor) -> tuple[Tensor | None, Tensor | None]:
    """What is added to the scores, as [rows, heads, tokens, tokens of the keys], and which tokens see nothing, as
    [rows, heads, tokens, 1]; None for nothing and none."""
    shape = (*query.shape[:3], key.shape[2])
    if causal:
        mask = torch.ones(shape[2:], dtype=torch.bool).tril()
    if mask is None:
        return None, None
    seen = mask if mask.dtype is torch.bool else mask > -torch.inf
    blind = ~seen.any(-1, keepdim=True)
    least = torch.finfo(query.dtype).min
    added = torch.zeros((), dtype=query.dtype) if mask.dtype is torch.bool else mask.to(query.dtype)
    bias = torch.where(seen, added, least).expand(shape)
    return bias, blind.expand(*shape[:3], 1) if blind.any() else None


def _gradients(
    query: Tensor, key: Tensor, value: Tensor, gradient: Tensor, bias: Tensor | None, scale: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Gradients of queries, keys and values of a few rows and heads."""
    shape = query.shape[:2]
    asked, known, said, wanted = (one.flatten(0, 1) for one in (query * scale, key, value, gradient))
    scores = torch.bmm(asked, known.mT)
    if bias is not None:
        scores.unflatten(0, shape).add_(bias)
    shares = torch.softmax(scores, -1)
    of_values = torch.bmm(shares.mT, wanted)
    of_scores = torch._softmax_backward_data(torch.bmm(wanted, said.mT), shares, -1, shares.dtype)
    of_queries, of_keys = torch.bmm(of_scores, known).mul_(scale), torch.bmm(of_scores.mT, asked)
    return of_queries.unflatten(0, shape), of_keys.unflatten(0, shape), of_values.unflatten(0, shape)
