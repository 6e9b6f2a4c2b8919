"""A network that the user's own code makes: made for data, opened with its weights, and saved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from inspect import Parameter, Signature, signature
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_model, save_model
from torch import Tensor, nn

from lighten.core import catalog
from lighten.core.artifact import Artifact
from lighten.core.errors import InputError, ModelError
from lighten.core.item import Item, from_plain
from lighten.core.reader import Reader
from lighten.core.readers import reader_for, reader_in, reader_of
from lighten.nets.forward import MASK, tensors
from lighten.nets.module.blocks import blocks, leave_out
from lighten.nets.module.factory import Found, load_factory, said_by
from lighten.nets.module.measure import facts_by_running
from lighten.nets.module.permits import allow, permitted
from lighten.nets.module.record import FILE, WEIGHTS, Record, read_record
from lighten.nets.network import Network, class_names, logits_in

MASKS = (MASK, "mask")
"""Parameters of ``forward`` that get the mask: int64 [batch, length], 1 for tokens and 0 for padding."""
OF_INPUTS = ("size", "channels", "mean", "std", "tokenizer", "length")
"""What a module says of itself that its reader is made by."""


class Bound(nn.Module):  # type: ignore[misc, unused-ignore]
    """A module of the user's that takes inputs by the names that its reader gives them.

    Its first parameter gets the reader's first input, whatever it is called; others get what they are named after.

    Attributes:
        own: the module. record: what is known of it.
    """

    def __init__(self, own: nn.Module, inputs: Sequence[str], record: Record) -> None:
        """Args: inputs: names of the reader's inputs.

        Raises:
            ModelError: its ``forward`` takes none, or needs what nobody gives.
        """
        super().__init__()
        self.own, self.record, self.inputs = own, record, tuple(inputs)
        self.taken = _taken(own, inputs)

    def answer(self, *values: Tensor, **arrays: Tensor) -> Any:
        """What the module answers. values, arrays: by position or by the names of ``inputs``."""
        given = {**dict(zip(self.inputs, values, strict=False)), **arrays}
        first = given[self.inputs[0]]
        others = {one: given[name] if name in given else torch.ones_like(first) for one, name in self.taken.items()}
        return self.own(first, **others)

    @property
    def is_masked(self) -> bool:
        """Whether it is told which places are padding."""
        return MASK in self.taken.values()


def bound(own: nn.Module, inputs: Sequence[str], record: Record) -> Bound:
    """A module whose ``forward`` takes inputs by their names, in a signature that exporters can ask for.

    Raises:
        ModelError: see :class:`Bound`.
    """

    class Named(Bound):
        """The module of one user."""

        def forward(self, *values: Tensor, **arrays: Tensor) -> Any:
            """See :meth:`Bound.answer`."""
            return self.answer(*values, **arrays)

    taken = [Parameter(name, Parameter.POSITIONAL_OR_KEYWORD) for name in ("self", *inputs)]
    Named.forward.__signature__ = Signature(taken)  # type: ignore[attr-defined]
    return Named(own, inputs, record)


def begin(name: str, code: Path, folder: Path) -> Record:
    """Write what a factory that the user named is into a folder, after its module was imported.

    Args:
        code: the folder that its module lies in.

    A module that says its ``labels`` and inputs itself is made at once; every other one waits for data.

    Raises:
        ModelError: it cannot be imported, or there is no such function.
    """
    found = load_factory(name, code)
    record = Record(name, found.sources())
    allow(record, code)
    record.save(folder)
    needed = [
        one for one in found.parameters.values() if one.default is one.empty and one.kind is one.POSITIONAL_OR_KEYWORD
    ]
    if needed:
        return record
    said = said_by(found.module({}))
    if not said.get("labels") or not (said.get("tokenizer") or said.get("size")):
        return record
    reader = "text" if said.get("tokenizer") else "image"
    return _made(record, found, reader_of(reader).fitted((), {**found.wishes(), **said}), said["labels"], folder)


def make_for(folder: str, items: Sequence[Any], labels: Sequence[str], seed: int = 0) -> dict[str, Any]:
    """Make the network that a folder names the factory of, with a reader, for data; for a child process.

    Args:
        items: of train, as plain values. labels: names of the classes. seed: of the random weights.

    Returns:
        ``labels``, of a network that is trained; ``told``, how inputs are read.

    Raises:
        ModelError: the factory cannot be called so, or what it returns does not fit the data.
        UnsafeFile: its code may not be run.
    """
    path, inputs = Path(folder), tuple(map(from_plain, items))
    record = read_record(path)
    found = load_factory(record.factory, permitted(record, str(path / FILE)))
    wishes = found.wishes() | ({"length": record.longest} if record.longest else {})
    reader = reader_for(inputs).fitted(inputs, wishes)
    made = _made(record, found, reader, labels, path, inputs, wishes, seed)
    return {"labels": list(made.labels) if made.trained else [], "told": reader_in(path).told()}


def _made(
    record: Record,
    found: Found,
    reader: Reader[Any],
    labels: Sequence[str],
    folder: Path,
    items: Sequence[Item] = (),
    wishes: Mapping[str, Any] | None = None,
    seed: int = 0,
) -> Record:
    """Call the factory, see that what it returns fits, and write all of it into the folder."""
    arguments = found.called_with({"classes": len(labels), "labels": list(labels), **reader.sizes()})
    module = found.module(arguments, seed)
    said = said_by(module)
    if items and any(name in said for name in OF_INPUTS):
        reader = type(reader).fitted(items, {**(wishes or {}), **said})
    names = tuple(map(str, said.get("labels") or labels))
    record = replace(
        record,
        arguments=arguments,
        name=type(module).__name__,
        labels=names,
        trained=bool(said.get("labels")),
        reader=catalog.name_of(reader),
        sources=found.sources(),
    )
    if MASK not in _taken(module, tuple(reader.axes())).values():
        reader = reader.unmasked()
    net = bound(module, tuple(reader.axes()), record)
    network = Network(net, reader, names, record.trained)
    _check_outputs(network)
    allow(record, found.root)
    save_module(network, folder)
    return net.record


def open_module(source: Artifact | Path, labels: Sequence[str] | None = None) -> Network:
    """Load a folder with ``module.json``: its factory is called again, and the weights are put in.

    Args:
        labels: names of the data's classes.

    Raises:
        UnsafeFile: its code may not be run. ModelError: the code, the weights or the labels do not fit.
    """
    folder = source.path if isinstance(source, Artifact) else source
    record, place = read_record(folder), str(folder / FILE)
    if not record.is_made:
        raise ModelError(
            f"The network of {record.factory} is not trained, and nobody said which data it is for.",
            fix="train it first, on your data: lighten optimize does",
        )
    found = load_factory(record.factory, permitted(record, place))
    own = found.module(
        {name: tuple(v) if name == "size" and isinstance(v, list) else v for name, v in record.arguments.items()}
    )
    leave_out(own, record.left)
    try:
        load_model(own, folder / WEIGHTS, strict=True)
    except (RuntimeError, OSError) as error:
        raise ModelError(
            f"{folder / WEIGHTS} holds no weights for what {record.factory} makes now ({_brief(error)}).",
            allowed="the code that the weights were trained with",
        ) from error
    names = class_names(record.labels, labels) if record.trained else tuple(labels or record.labels)
    if len(names) != len(record.labels):
        raise ModelError(
            f"The network of {record.factory} was made for {len(record.labels)} classes; the data has {len(names)}.",
            allowed=", ".join(record.labels),
            fix=f"give {record.factory} itself as the model",
        )
    reader = reader_in(folder)
    meta = dict(source.meta) if isinstance(source, Artifact) else {}
    return Network(bound(own.eval(), tuple(reader.axes()), record), reader, names, record.trained, meta, listed=blocks)


def save_module(network: Network, folder: Path) -> Path:
    """Write ``module.json``, weights and reader; :func:`open_module` reads them back."""
    folder.mkdir(parents=True, exist_ok=True)
    net = network.net
    assert isinstance(net, Bound)
    save_model(net.own, str(folder / WEIGHTS), metadata={"format": "pt"})
    labels, facts = tuple(network.labels), facts_by_running(network)
    net.record = replace(net.record, labels=labels, trained=network.has_head, facts=facts)
    net.record.save(folder)
    network.reader.save(folder)
    return folder


def _taken(own: nn.Module, inputs: Sequence[str]) -> dict[str, str]:
    """Input of the reader by each parameter of ``forward`` that gets one, the first parameter left out."""
    every = list(signature(own.forward).parameters.values())
    places = [one for one in every if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)]
    named = [one for one in (*places[1:], *every[len(places) :]) if one.kind is not one.VAR_POSITIONAL]
    if not places and not any(one.kind is one.VAR_POSITIONAL for one in every):
        raise ModelError(f"forward of {type(own).__name__} takes nothing.", allowed=f"forward(self, {inputs[0]})")
    found = {one.name: MASK if one.name in MASKS else one.name for one in named if one.name in (*MASKS, *inputs[1:])}
    lacking = [
        one.name
        for one in named
        if one.name not in found and one.default is one.empty and one.kind is not one.VAR_KEYWORD
    ]
    if lacking or any(name not in inputs for name in found.values()):
        missing = lacking or [one for one, name in found.items() if name not in inputs]
        raise ModelError(
            f"forward of {type(own).__name__} needs {', '.join(missing)}, which its inputs do not have.",
            allowed=f"an argument for {inputs[0]}" + (f"; mask, for {MASK}" if MASK in inputs else ""),
            fix="give it a default",
        )
    return found


def _check_outputs(network: Network) -> None:
    """Raises ModelError: it cannot be asked, or answers with something else than a number for each class."""
    reader, name, classes = network.reader, type(network.net.own).__name__, len(network.labels)
    probes = reader.probe()[:1]
    given = tensors(reader.batch([probes[0], probes[0]]))
    shape = ", ".join(f"{one} {list(array.shape)}" for one, array in given.items())
    try:
        with torch.inference_mode():
            found = logits_in(network.net(**given))
    except InputError:
        raise
    except Exception as error:  # whatever the user's code raises
        raise ModelError(
            f"{name} cannot be asked with {shape}: {type(error).__name__}: {_brief(error)}",
            fix="let its factory take size and channels, or vocabulary and length, and make what fits them",
        ) from error
    if tuple(found.shape) != (2, classes):
        raise ModelError(
            f"{name} answers 2 inputs with {list(found.shape)} numbers, and there are {classes} classes.",
            allowed=f"[2, {classes}]: a number for each class, before any softmax",
            fix="let its factory take classes",
        )


def _brief(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return " ".join(lines[:3])[:300] or type(error).__name__
