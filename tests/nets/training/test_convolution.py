"""Convolutions: answers and gradients as torch has them, and torch itself where it is left to it."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from lighten.nets.training import convolution as module
from lighten.nets.training.convolution import convolution, quick_convolution

ROWS, CHANNELS, OUT = 5, 6, 64
OURS = "_Convolution"

of_ours: Any = convolution


def drawn(seed: int, *shape: int, dtype: torch.dtype = torch.bfloat16) -> Tensor:
    made = torch.randn(*shape, generator=torch.Generator().manual_seed(seed)).to(dtype)
    return made.contiguous(memory_format=torch.channels_last).requires_grad_()


def three(size: tuple[int, int], kernel: tuple[int, int], dtype: torch.dtype = torch.bfloat16) -> list[Tensor]:
    """Maps, weights and a bias."""
    bias = torch.linspace(-1, 1, OUT).to(dtype).requires_grad_()
    return [drawn(0, ROWS, CHANNELS, *size, dtype=dtype), drawn(1, OUT, CHANNELS, *kernel, dtype=dtype), bias]


def gradients(of: Any, given: list[Tensor], **options: Any) -> tuple[Tensor, ...]:
    out = of(*given, **options)
    return (out, *torch.autograd.grad(out, given, torch.linspace(-1, 1, out.numel()).view(out.shape).to(out.dtype)))


def named(of: Tensor) -> str:
    return type(of.grad_fn).__name__


MAPS: dict[str, tuple[tuple[int, int], tuple[int, int], dict[str, Any]]] = {
    "2 x 2": ((2, 2), (3, 3), {"padding": 1}),
    "nothing around": ((4, 4), (3, 3), {}),
    "two steps at a time": ((4, 4), (3, 3), {"stride": 2, "padding": 1}),
    "an edge that nothing sees": ((6, 6), (3, 3), {"stride": (2, 2), "padding": (0, 0)}),
    "not square": ((3, 2), (2, 3), {"stride": (1, 2), "padding": (1, 1)}),
    "a large kernel": ((3, 3), (5, 5), {"padding": 2}),
}
SINGLE: dict[str, tuple[tuple[int, int], tuple[int, int], dict[str, Any]]] = {
    "1 x 1": ((1, 1), (3, 3), {"padding": 1}),
    "two steps at a time": ((2, 2), (1, 1), {"stride": 2}),
    "every weight alone": ((1, 1), (1, 1), {}),
    "the corner": ((1, 1), (2, 2), {"padding": 1, "stride": 2}),
    "a wide edge": ((1, 1), (5, 5), {"padding": 2, "stride": 3}),
}


@pytest.mark.parametrize("name", MAPS)
def test_gradients_of_small_maps_are_those_of_torch(name: str) -> None:
    size, kernel, options = MAPS[name]
    given = three(size, kernel)
    found = gradients(convolution, given, **options)
    exact = gradients(functional.conv2d, [one.detach().double().requires_grad_() for one in given], **options)
    assert OURS in named(found[0])
    for one, other in zip(found, exact, strict=True):
        assert one.shape == other.shape and one.dtype is torch.bfloat16
        assert (one - other).norm() <= 0.02 * other.norm()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("name", SINGLE)
def test_where_one_weight_sees_one_place_it_is_a_product(name: str, dtype: torch.dtype) -> None:
    size, kernel, options = SINGLE[name]
    given = three(size, kernel, dtype)
    found = gradients(convolution, given, **options)
    exact = gradients(functional.conv2d, [one.detach().double().requires_grad_() for one in given], **options)
    assert "Conv" not in named(found[0])
    for one, other in zip(found, exact, strict=True):
        assert one.shape == other.shape and one.dtype is dtype
        assert (one - other).norm() <= (0.02 if dtype is torch.bfloat16 else 1e-5) * other.norm()


def test_what_autocast_makes_bf16_is_computed_so_and_answers_like_torch() -> None:
    given = three((2, 2), (3, 3), torch.float32)
    with torch.autocast("cpu", torch.bfloat16):
        mine, theirs = (of(*given, padding=1) for of in (of_ours, functional.conv2d))
        alone = of_ours(*three((1, 1), (3, 3), torch.float32), padding=1)
    assert OURS in named(mine) and OURS not in named(theirs)
    assert mine.dtype is theirs.dtype is alone.dtype is torch.bfloat16 and torch.equal(mine, theirs)
    assert all(one.dtype is torch.float32 for one in torch.autograd.grad(mine.sum(), given))


def test_what_does_not_learn_has_no_gradients() -> None:
    maps, weight, _ = three((2, 2), (3, 3))
    maps = maps.detach()
    out = convolution(maps, weight, padding=1)
    assert OURS in named(out)
    (of_weight,) = torch.autograd.grad(out.sum(), [weight])
    assert of_weight.shape == weight.shape
    frozen = convolution(maps.requires_grad_(), weight.detach(), padding=1)
    (of_maps,) = torch.autograd.grad(frozen.sum(), [maps])
    assert of_maps.shape == maps.shape


def test_torch_has_what_is_no_matter_of_ours() -> None:
    maps, weight, bias = three((2, 2), (3, 3))
    wide = three((28, 28), (3, 3))
    plain = [one.detach().float().requires_grad_() for one in (maps, weight)]
    others = [
        convolution(plain[0], plain[1], padding=1),
        convolution(wide[0], wide[1], padding=1),
        convolution(drawn(0, ROWS, CHANNELS, 2, 2), drawn(1, OUT, CHANNELS, 1, 1)),
        convolution(drawn(0, ROWS, 2 * CHANNELS, 2, 2), weight, padding=1, groups=2),
        convolution(drawn(0, ROWS, CHANNELS, 4, 4), weight, padding=2, dilation=2),
        convolution(maps, weight, padding="same"),
        convolution(maps[0], weight, padding=1),
    ]
    for one in others:
        assert OURS not in named(one)
    with torch.no_grad():
        assert convolution(maps, weight, bias, padding=1).grad_fn is None
    with pytest.raises(RuntimeError, match="Kernel size can't be greater"):
        convolution(maps, weight)


@pytest.mark.parametrize("size", [1, 2])
def test_transforms_are_left_to_torch(size: int) -> None:
    given = [one.detach() for one in three((size, size), (3, 3))]

    def total(maps: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        return functional.conv2d(maps, weight, bias, padding=1).float().square().sum()

    def each(maps: Tensor, weight: Tensor, bias: Tensor) -> Any:
        return torch.func.vmap(torch.func.grad(total, (1, 2)), (0, None, None))(maps[:, None], weight, bias)

    theirs = torch.func.grad(total, (0, 1, 2))(*given), each(*given)
    with quick_convolution():
        mine = torch.func.grad(total, (0, 1, 2))(*given), each(*given)
    for one, other in zip((*mine[0], *mine[1]), (*theirs[0], *theirs[1]), strict=True):
        assert torch.equal(one, other)


class Marked(Tensor):
    """A class of tensors of somebody else's."""


def test_tensors_of_other_classes_are_left_to_torch() -> None:
    maps, weight, bias = three((2, 2), (3, 3))
    out = convolution(maps.as_subclass(Marked), weight, bias, padding=1)
    assert type(out) is Marked and OURS not in named(out)


@pytest.mark.parametrize("size", [1, 2])
def test_formats_that_torch_does_not_mix_are_refused_as_there(size: int) -> None:
    maps, weight, bias = three((size, size), (3, 3))
    for given in ([maps, weight.float()], [maps.float(), weight], [maps, weight, bias.float()]):
        with pytest.raises(RuntimeError, match=r"should be the same|expected scalar type"):
            functional.conv2d(*given, padding=1)
        with pytest.raises(RuntimeError, match=r"should be the same|expected scalar type"):
            of_ours(*given, padding=1)
    with torch.autocast("cpu", torch.bfloat16):
        assert of_ours(maps, weight.float(), bias, padding=1).dtype is torch.bfloat16
        with pytest.raises(RuntimeError):
            of_ours(maps, weight.double(), bias, padding=1)


def test_layers_come_here_while_it_is_put_in() -> None:
    layer = nn.Conv2d(CHANNELS, OUT, 3, padding=1).to(torch.bfloat16)
    with quick_convolution():
        assert functional.conv2d is convolution
        assert OURS in named(layer(drawn(0, ROWS, CHANNELS, 2, 2)))
    assert OURS not in named(layer(drawn(0, ROWS, CHANNELS, 2, 2)))


def test_the_more_channels_the_larger_a_map_may_be() -> None:
    def small(size: int, channels: int) -> bool:
        maps, weight = torch.empty(1, 8, size, size), torch.empty(channels, 8, 3, 3)
        return module._is_small(maps, weight, (1, 1), (1, 1))

    assert [small(size, 32) for size in (2, 4)] == [True, False]
    assert [small(size, 512) for size in (2, 7, 14)] == [True, True, False]
