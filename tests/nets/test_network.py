"""The weights of convolutions lie as pictures are laid out; everything else stays as it is."""

from __future__ import annotations

import torch
from torch import nn

from lighten.nets.network import Network, channels_last
from lighten.readers.image import ImageReader

READER = ImageReader({"image_processor_type": "ViTImageProcessor", "size": {"height": 8, "width": 8}}, 3)


def test_weights_of_convolutions_have_their_channels_last() -> None:
    net = nn.ModuleDict({"flat": nn.Conv1d(3, 5, 3), "of_pictures": nn.Conv2d(3, 5, 3), "deep": nn.Conv3d(3, 5, 3)})
    before = {name: weights.detach().clone() for name, weights in net.named_parameters()}

    Network(net, READER, ())

    assert net["of_pictures"].weight.is_contiguous(memory_format=torch.channels_last)
    assert net["flat"].weight.is_contiguous() and net["deep"].weight.is_contiguous()
    for name, weights in net.named_parameters():
        assert torch.equal(weights, before[name])


def test_a_single_channel_has_its_strides_too() -> None:
    """``torch.contiguous`` takes any strides of what has one channel, or one place, for right."""
    for shape in ((4, 1, 3, 3), (4, 3, 1, 1), (1, 1, 5, 2), (2, 3, 4, 5), (6, 1, 1, 7)):
        tensor = torch.arange(float(torch.tensor(shape).prod())).view(shape)
        for given in (tensor, tensor.transpose(2, 3).contiguous().transpose(2, 3), tensor[:1], tensor[:, :1]):
            _, channels, height, width = given.shape
            found = channels_last(given)
            assert found.stride() == (channels * height * width, 1, width * channels, channels)
            assert torch.equal(found, given)
    network = Network(nn.Sequential(nn.Conv2d(1, 8, 3), nn.Conv2d(8, 8, 3, groups=8)), READER, ())
    assert [layer.weight.stride() for layer in network.net] == [(9, 1, 3, 1), (9, 1, 3, 1)]
    assert network.outputs({"input": torch.zeros(2, 1, 9, 9)}).shape == (2, 8, 5, 5)
