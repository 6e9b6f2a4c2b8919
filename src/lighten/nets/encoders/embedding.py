"""A network that makes one vector of a text: an encoder whose tokens are pooled, in a folder of sentence-transformers.

The pooling has no weights and is a part of the network, so that a graph made of it answers [batch, size] as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn.functional import normalize
from transformers import AutoModel

from lighten.core.artifact import Artifact
from lighten.nets.encoders.checkpoint import differences, load, mismatch, renamed
from lighten.nets.encoders.first_token import answering_from_first_token
from lighten.nets.encoders.network import built, record_shapes, tokenizer_of
from lighten.nets.encoders.pooling import FIRST, Pooling, pooling_in
from lighten.nets.encoders.walk import blocks, shapes
from lighten.nets.facts import weights
from lighten.nets.network import Network
from lighten.nets.record import EMBEDDING

TOKENS = "last_hidden_state"
"""What loaders call the vectors of tokens, [batch, tokens, size], of which the answer is pooled."""
SMALLEST = 1e-9
"""Tokens of a text that has none."""


class Embedder(nn.Module):  # type: ignore[misc]  # torch says nothing of its types
    """An encoder and its pooling. The encoder is called as in a classifier of its family, ``bert`` for instance."""

    shown = (TOKENS,)

    def __init__(self, body: nn.Module, pooling: Pooling) -> None:
        super().__init__()
        self.base_model_prefix: str = body.base_model_prefix
        self.add_module(self.base_model_prefix, body)
        self.config, self.pooling = body.config, pooling

    @property
    def body(self) -> Any:
        """The encoder."""
        return getattr(self, self.base_model_prefix)

    def get_input_embeddings(self) -> nn.Module:
        """The table of word vectors."""
        found: nn.Module = self.body.get_input_embeddings()
        return found

    def forward(self, input_ids: Tensor, attention_mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Vectors [batch, size], and those of the tokens that they are made of, [batch, tokens, size].

        input_ids: [batch, tokens] int64. attention_mask: the same, 0 where there is padding; None where there is none.
        """
        tokens: Tensor = self.body(input_ids=input_ids, attention_mask=attention_mask)[0]
        if self.pooling.mode == FIRST:
            pooled = tokens[:, 0]
        elif attention_mask is None:
            pooled = tokens.mean(1)
        else:
            real = attention_mask.unsqueeze(-1).to(tokens.dtype)
            pooled = (tokens * real).sum(1) / real.sum(1).clamp(min=SMALLEST)
        return (normalize(pooled, dim=-1) if self.pooling.normalized else pooled), tokens


def open_embedder(source: Artifact | Path) -> Network:
    """Load the folder of an encoder; where it says nothing of pooling, the mean of its tokens is made 1 long.

    Raises:
        ModelError: config and weights disagree, or it pools as lighten does not know.
        UnsafeFile: the config wants to run code of its own.
    """
    folder = source.path if isinstance(source, Artifact) else source
    net, pooling = _built(folder), pooling_in(folder) or Pooling()
    state = renamed(load(folder), net, headed=False)
    problems = differences({n: tuple(t.shape) for n, t in state.items()}, net, headed=True)
    if problems:
        raise mismatch(folder, problems)
    net.load_state_dict(state)
    size = int(net.config.hidden_size)
    meta = dict(source.meta) if isinstance(source, Artifact) else {}
    meta[EMBEDDING] = told(pooling, size)
    encoder = tokenizer_of(folder, net.get_input_embeddings().num_embeddings)
    shorten = answering_from_first_token if pooling.mode == FIRST else nullcontext
    return Network(net.eval(), encoder, (), True, meta, shorten, blocks, size)


def told(pooling: Pooling, size: int) -> dict[str, Any]:
    """How a vector is made, for the record."""
    known = asdict(pooling)
    return {"pooling": known["mode"], "normalized": known["normalized"], "size": size}


def save_embedder(network: Network, folder: Path) -> None:
    """Write config, weights (safetensors), tokenizer and pooling as a folder of sentence-transformers.

    The folder is made when it does not exist; files of the same names are replaced.
    """
    folder.mkdir(parents=True, exist_ok=True)
    net: Any = network.net
    config = net.config
    config.architectures = [type(net.body).__name__]
    config.vocab_size = net.get_input_embeddings().num_embeddings
    record_shapes(config, shapes(net))
    (folder / "config.json").write_text(config.to_json_string(), encoding="utf-8")
    state = {name: tensor.detach().clone().contiguous() for name, tensor in net.body.state_dict().items()}
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
    network.reader.save(folder)
    net.pooling.save(folder, network.size)


def check_embedder(folder: Path) -> int:
    """Check config against headers without loading a weight. Returns the numbers of a vector.

    Raises:
        ModelError: lists the first differences.
    """
    with torch.device("meta"):
        net = _built(folder)
    found: Mapping[str, Any] = weights(folder)
    named = renamed({name: torch.empty(t.shape, device="meta") for name, t in found.items()}, net, headed=False)
    problems = differences({name: tuple(t.shape) for name, t in named.items()}, net, headed=True)
    if problems:
        raise mismatch(folder, problems)
    return int(net.config.hidden_size)


def _built(folder: Path) -> Embedder:
    """The network of a folder with random weights."""
    pooling = pooling_in(folder) or Pooling()

    def make(config: Any) -> nn.Module:
        body = AutoModel.from_config(config, dtype=torch.float32)
        if getattr(body, "pooler", None) is not None:
            body.pooler = None  # made for next-sentence prediction: no vector is made of it
        return Embedder(body, pooling)

    net = built(folder, make)
    assert isinstance(net, Embedder)
    return net
