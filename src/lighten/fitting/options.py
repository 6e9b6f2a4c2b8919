"""What a training is asked: every option of ``lighten train``, read and checked."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from lighten.core.data_options import DataOptions
from lighten.core.errors import InputError
from lighten.core.lists import write_list
from lighten.fitting.launch import Launch
from lighten.nets.training.learning import ALL, check_freeze
from lighten.nets.training.optimizer import ADAMW, MUON
from lighten.nets.training.precision import NAMED
from lighten.store.folder import LIMITS, PLACE

VERB = "train"
"""What a manifest says that it is of."""
OF_DATA = "data_"
"""What the names of options of the data begin with in a manifest."""
AUTO = "auto"
ALONE = Launch()
"""How a training is started by one process."""


@dataclass(frozen=True, slots=True)
class FitOptions:
    """Every option of ``lighten train``.

    Attributes:
        model, data: as the user gave them. out: folder of the run. task: catalog name.
        of_data: what is said of the data.
        seconds: that training may take; None when only ``epochs`` bounds it. epochs: the most passes; None for what
            suits the model.
        from_scratch: begin with random weights.
        lr: peak learning rate. batch_rows: per update. weight_decay, dropout, label_smoothing: rates; None for what
            suits the model, or what a search finds.
        freeze: what stays as it is: ``embeddings``, a number of blocks, ``all`` but the head; empty for nothing.
        lora: rank of the changes that the linear layers learn; None where their weights learn themselves.
        optimizer: ``adamw`` or ``muon``. precision: ``auto``, ``fp32`` or ``bf16``.
        augment: ``auto``, ``off``, or names of variations with commas between.
        teachers: trained models whose averaged answers are learned from beside the labels.
        unlabelled: data without labels that a teacher answers: the given ones, else the model after a first training.
        harden: how far inputs are moved against the model while it learns, a share; 0 for not at all.
        grid: train on each group of the data alone, too, and test on every group.
        threads: cores to use; 0 for all that are allowed. price: of an hour of this machine; None without.
        workers: processes that train together, each on its part of the cores and with a batch of its own.
        search: trials of a search for what is left open of these settings; None for no search.
    """

    model: str
    data: str
    out: Path
    task: str
    of_data: DataOptions
    seconds: float | None = None
    epochs: float | None = None
    from_scratch: bool = False
    lr: float | None = None
    batch_rows: int | None = None
    weight_decay: float | None = None
    dropout: float | None = None
    label_smoothing: float | None = None
    freeze: str = ""
    optimizer: str = ADAMW
    precision: str = AUTO
    augment: str = AUTO
    grid: bool = False
    teachers: tuple[str, ...] = ()
    unlabelled: str = ""
    harden: float = 0.0
    threads: int = 0
    seed: int = 0
    price: float | None = None
    resume: bool = False
    workers: int = 1
    search: int | None = None
    lora: int | None = None

    def check(self) -> None:
        """Refuse what cannot be used whatever model and data are.

        Raises:
            InputError: names the option.
        """
        bounds: Mapping[str, tuple[float, float]] = {
            "epochs": (0.01, 10_000),
            "lr": (1e-9, 10.0),
            "batch_rows": (1, 65_536),
            "weight_decay": (0.0, 1.0),
            "dropout": (0.0, 0.9),
            "label_smoothing": (0.0, 0.9),
            "harden": (0.0, 1.0),
            "lora": (1, 65_536),
            "threads": (0, 4096),
            "price": (0.0, 1e9),
            "workers": (1, 4096),
            "search": (2, 10_000),
        }
        for name, (low, high) in bounds.items():
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                raise InputError(f"--{_written(name)} is {value}.", allowed=f"{low:g} to {high:g}")
        if self.precision not in (AUTO, *NAMED):
            raise InputError(f"--precision is {self.precision!r}.", allowed=", ".join((AUTO, *NAMED)))
        if self.optimizer not in (ADAMW, MUON):
            raise InputError(f"--optimizer is {self.optimizer!r}.", allowed=f"{ADAMW}, {MUON}")
        check_freeze(self.freeze)
        if self.lora and (self.from_scratch or self.freeze == ALL):
            why = "random weights are nothing to change a little" if self.from_scratch else "nothing is left to change"
            other = "--from-scratch" if self.from_scratch else f"--freeze {ALL}"
            raise InputError(f"--lora {self.lora} with {other}: {why}.", fix="leave one of the two out")

    @property
    def settings(self) -> dict[str, Any]:
        """What is said of the training itself, as ``Hyperparameters`` take it."""
        return {
            "epochs": self.epochs,
            "learning_rate": self.lr,
            "batch_rows": self.batch_rows,
            "weight_decay": self.weight_decay,
            "dropout": self.dropout or 0.0,
            "label_smoothing": self.label_smoothing or 0.0,
            "freeze": self.freeze,
            "optimizer": self.optimizer,
            "precision": self.precision,
            "augment": self.augment,
            "harden": self.harden,
            "from_scratch": self.from_scratch,
            "timed": self.seconds is not None,
            "workers": self.workers,
            "lora": self.lora or 0,
        }

    def manifest(self, fingerprint: str, threads: int) -> dict[str, Any]:
        """What a resumed training must have in common with the one it takes up."""
        kept = asdict(self)
        for name in ("out", "resume", "price", "threads"):
            kept.pop(name)
        kept |= {f"{OF_DATA}{name}": value for name, value in kept.pop("of_data").items()}
        kept = {name: list(value) if isinstance(value, tuple) else value for name, value in kept.items()}
        limits = {"price": self.price, "threads": self.threads}
        return {
            "verb": VERB, **kept, "cores": threads, "data_fingerprint": fingerprint, LIMITS: limits,
            PLACE: str(Path.cwd()),
        }  # fmt: skip

    def command(self, launch: Launch = ALONE) -> str:
        """The command line that asks the same. launch: how the processes of this training were started."""
        words = [*launch.words, "train", self.model, "--data", self.data, "--task", self.task.replace("_", "-")]
        for one in fields(DataOptions):
            value = getattr(self.of_data, one.name)
            if value != one.default:
                words += _option(one.name, value)
        if self.seconds is not None:
            words += ["--time", f"{_number(self.seconds)}s"]
        named = ("epochs", "lr", "batch_rows", "weight_decay", "dropout", "label_smoothing", "lora", "price", "search")
        for name in named:
            if getattr(self, name) is not None:
                words += [f"--{_written(name)}", _number(getattr(self, name))]
        words += ["--harden", _number(self.harden)] if self.harden else []
        words += ["--from-scratch"] if self.from_scratch else []
        words += ["--freeze", self.freeze] if self.freeze else []
        words += ["--optimizer", self.optimizer] if self.optimizer != ADAMW else []
        words += ["--precision", self.precision] if self.precision != AUTO else []
        words += ["--augment", self.augment] if self.augment != AUTO else []
        words += [word for one in self.teachers for word in ("--teacher", one)]
        words += ["--unlabelled", self.unlabelled] if self.unlabelled else []
        words += ["--grid"] if self.grid else []
        words += ["--threads", str(self.threads)] if self.threads else []
        words += ["--workers", str(self.workers)] if self.workers > 1 and not launch.outside else []
        return shlex.join([*words, "--seed", str(self.seed), "--out", str(self.out)])


def _number(value: float) -> str:
    """A number with all its digits, so that it is read as the same one."""
    return str(int(value)) if value == int(value) else repr(value)


def _written(name: str) -> str:
    return name.replace("_", "-")


def _option(name: str, value: Any) -> list[str]:
    """An option of the data as the command line has it."""
    if value is True or value is False:
        return [f"--{_written(name)}" if value else f"--no-{_written(name)}"]
    return [f"--{_written(name)}", write_list(value) if isinstance(value, tuple) else str(value)]
