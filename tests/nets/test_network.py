"""The weights of convolutions lie as pictures are laid out; everything else stays as it is."""

from __future__ import annotations

import torch
from torch import nn

from lighten.nets.network import Network
from lighten.readers.image import ImageReader


def test_weights_of_convolutions_have_their_channels_last() -> None:
    net = nn.ModuleDict({"flat": nn.Conv1d(3, 5, 3), "of_pictures": nn.Conv2d(3, 5, 3), "deep": nn.Conv3d(3, 5, 3)})
    before = {name: weights.detach().clone() for name, weights in net.named_parameters()}

    Network(net, ImageReader({"image_processor_type": "ViTImageProcessor", "size": {"height": 8, "width": 8}}, 3), ())

    assert net["of_pictures"].weight.is_contiguous(memory_format=torch.channels_last)
    assert net["flat"].weight.is_contiguous() and net["deep"].weight.is_contiguous()
    for name, weights in net.named_parameters():
        assert torch.equal(weights, before[name])
