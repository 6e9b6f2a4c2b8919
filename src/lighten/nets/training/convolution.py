"""Convolutions to small maps in a network that is trained on a CPU: gradients of their weights as one product.

Torch's bf16 kernel goes through all weights once for each picture, however little a map holds: the gradients of
128 x 128 x 3 x 3 weights take 3.3 ms for 256 pictures of 2 x 2 places, those of 512 x 512 x 3 x 3 take 11.7 ms for 32
pictures of 4 x 4. What the weights see, laid side by side, and one product of whole matrices take 0.7 and 2.1 ms; of
larger maps the copying takes longer than what is saved. Where a map has one place and one weight of each kernel sees
anything, the convolution is a product, in fp32 as well: for 256 pictures of 256 channels 1.4 ms becomes 0.2, and the
way back 7.6 becomes 0.7. Half a ResNet-18 learns pictures of 28 x 28 1.55 times as fast. All of it was measured on two
cores with AMX, and is chosen by type and shape, not by the clock: a training that is taken up must compute as it did.
What is in groups, spread out or on another device is left to torch, and so are tensors of other classes, the transforms
of ``torch.func``, and numbers of formats that torch does not mix.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd import Function
from torch.autograd.function import once_differentiable
from torch.nn import functional

from lighten.nets.training.replaced import replaced

MOST, COPYING = 100.0, 400.0
"""Places of a map up to which one product takes less than torch's kernel, each counting as ``1 + COPYING / channels of
the output``: to lay out what a weight sees takes as long as the product for so many channels. Fitted to 19 shapes of 1
to 56 places a side and 32 to 2,048 channels; kernels of one weight gain nothing."""

FOUR = 4
"""Dimensions of pictures and of the weights of convolutions."""

Pair = tuple[int, int]

_of_torch = functional.conv2d


def quick_convolution() -> AbstractContextManager[None]:
    """Inside, :func:`convolution` stands in the place of torch's function; see :func:`replaced`."""
    return replaced(_of_torch, convolution)


def convolution(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: int | Sequence[int] = 1,
    padding: str | int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> Tensor:
    """As ``torch.nn.functional.conv2d``, which names and describes the arguments.

    Args:
        input: [rows, channels, height, width]. weight: [channels of the output, channels, height, width].
    """
    ours = _learns(input, weight) and _is_plain(input, weight, bias)
    if ours and not isinstance(padding, str) and groups == 1 and _pair(dilation) == (1, 1):
        steps, around = _pair(stride), _pair(padding)
        tap = _only_tap(input, weight, steps, around)
        if tap is not None:
            (row, height), (column, width) = tap
            return functional.linear(input[:, :, height, width], weight[:, :, row, column], bias)[:, :, None, None]
        within = torch.is_autocast_enabled("cpu") and input.dtype is torch.float32
        dtype = torch.get_autocast_dtype("cpu") if within else input.dtype
        if dtype is torch.bfloat16 and _is_small(input, weight, steps, around):
            added = None if bias is None else bias.to(dtype)
            return _Convolution.apply(input.to(dtype), weight.to(dtype), added, steps, around)
    return _of_torch(input, weight, bias, stride, padding, dilation, groups)


class _Convolution(Function):  # type: ignore[misc]
    """What torch computes, with the gradients of the weights as one product."""

    @staticmethod
    def forward(ctx: Any, input: Tensor, weight: Tensor, bias: Tensor | None, stride: Pair, padding: Pair) -> Tensor:
        """Shapes as :func:`convolution` has them."""
        ctx.save_for_backward(input, weight)
        ctx.stride, ctx.padding = stride, padding
        return _of_torch(input, weight, bias, stride, padding)

    @staticmethod
    @once_differentiable  # type: ignore[untyped-decorator]
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """gradient: [rows, channels of the output, height, width]."""
        input, weight = ctx.saved_tensors
        of_input = of_weight = of_bias = None
        if ctx.needs_input_grad[0]:  # asked for those of the bias, torch computes those of the weights, too
            of_input, _, _ = torch.ops.aten.convolution_backward(
                gradient, input, weight, None, ctx.stride, ctx.padding, (1, 1), False, (0, 0), 1, (True, False, False)
            )
        if ctx.needs_input_grad[2]:
            of_bias = gradient.sum((0, 2, 3))
        if ctx.needs_input_grad[1]:
            told = gradient.permute(0, 2, 3, 1).reshape(-1, len(weight))
            found = told.mT @ _seen(input, weight, ctx.stride, ctx.padding)
            of_weight = found.view(len(weight), *weight.shape[2:], weight.shape[1]).permute(0, 3, 1, 2)
        return of_input, of_weight, of_bias, None, None


def _seen(input: Tensor, weight: Tensor, stride: Pair, padding: Pair) -> Tensor:
    """What the weights of each place of the output see: [rows x places, height x width x channels of the weights]."""
    (over, beside), (height, width) = padding, weight.shape[2:]
    maps = functional.pad(input.permute(0, 2, 3, 1), (0, 0, beside, beside, over, over))
    windows = maps.unfold(1, height, stride[0]).unfold(2, width, stride[1])
    return windows.permute(0, 1, 2, 4, 5, 3).reshape(-1, height * width * weight.shape[1])


def _learns(input: Tensor, weight: Tensor) -> bool:
    """Whether it is of pictures, on a CPU, and gradients are asked for."""
    both = (input, weight)
    if any(one.device.type != "cpu" or one.dim() != FOUR or not one.is_floating_point() for one in both):
        return False
    return torch.is_grad_enabled() and any(one.requires_grad for one in both)


def _is_plain(*given: Tensor | None) -> bool:
    """Whether nobody else has a say in what is done with tensors, and their formats are one, or autocast makes them."""
    tensors = [one for one in given if one is not None]
    if torch._C._are_functorch_transforms_active() or any(type(one) not in (Tensor, nn.Parameter) for one in tensors):
        return False
    formats = {one.dtype for one in tensors}
    return len(formats) == 1 or (torch.is_autocast_enabled("cpu") and torch.float64 not in formats)


def _only_tap(input: Tensor, weight: Tensor, stride: Pair, padding: Pair) -> tuple[Pair, Pair] | None:
    """Where the map has one place and one weight of the kernel sees anything: along both axes its place in the kernel
    and what it sees; None elsewhere."""
    if _map(input, weight, stride, padding) != (1, 1):
        return None
    axes = []
    for size, kernel, around in zip(input.shape[2:], weight.shape[2:], padding, strict=True):
        taps = range(max(around, 0), min(size + around, kernel))  # the others see what was put around
        if len(taps) != 1:
            return None
        axes.append((taps[0], taps[0] - around))
    return axes[0], axes[1]


def _is_small(input: Tensor, weight: Tensor, stride: Pair, padding: Pair) -> bool:
    """Whether the gradients of its weights are sooner computed as one product."""
    height, width = _map(input, weight, stride, padding)
    counted = height * width * (1.0 + COPYING / len(weight))
    return tuple(weight.shape[2:]) != (1, 1) and 0 < counted <= MOST


def _map(input: Tensor, weight: Tensor, stride: Pair, padding: Pair) -> Pair:
    """Height and width of the output."""
    axes = zip(input.shape[2:], weight.shape[2:], stride, padding, strict=True)
    height, width = ((size + 2 * around - kernel) // step + 1 for size, kernel, step, around in axes)
    return height, width


def _pair(of: int | Sequence[int]) -> Pair:
    return (of, of) if isinstance(of, int) else (of[0], of[-1])
