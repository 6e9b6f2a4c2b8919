"""Logistic regression of choices on the n-grams of a text, in numpy: each of them speaks for or against each choice.

An n-gram counts as one plus the logarithm of how often the text has it, times the logarithm of how rare it is; the
counts of a text have length 1.

Source: Salton and Buckley, Term-weighting approaches in automatic text retrieval, 1988.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lighten.core.errors import ModelError
from lighten.files.safefile import read_header
from lighten.nets.baselines.ngram_features import LONGEST, Ids, Keys, counted

RECORD, TENSORS = "linear.json", "model.safetensors"
VERSION = 1

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]


@dataclass(frozen=True)
class NgramVocabulary:
    """The n-grams that count.

    Attributes:
        characters: of the longest n-grams of characters.
        keys: uint32 [n], their hashes, ascending. rarity: float16 [n], what each counts (inverse document frequency).
    """

    characters: int
    keys: Keys
    rarity: NDArray[np.float16]

    def weighed(self, texts: Sequence[str]) -> tuple[Ids, Ids, Singles]:
        """What every text has of the vocabulary: its row (ascending), place in the vocabulary and weight, [n] each."""
        found = [self._known(*portion) for portion in counted(texts, self.characters)]
        if not found:
            return np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float32)
        rows, places, counts = (np.concatenate(column) for column in zip(*found, strict=True))
        values = (1.0 + np.log(counts)) * self.rarity[places].astype(np.float64)
        length = np.sqrt(np.bincount(rows, values * values, minlength=len(texts)))
        return rows, places, (values / length[rows]).astype(np.float32)

    def _known(self, rows: Ids, keys: Keys, counts: Ids) -> tuple[Ids, Ids, Ids]:
        if not len(self.keys):
            return rows[:0], rows[:0], counts[:0]
        places = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        known = self.keys[places] == keys
        return rows[known], places[known], counts[known]


@dataclass(frozen=True)
class LinearModel:
    """Probabilities of choices, given a text.

    Attributes:
        choices: texts to choose from.
        vocabulary: what is counted of a text.
        seen: int64 [classes], the choices, by number, that the training rows had; the others have ``spared`` alone.
        weights: float16 [vocabulary, classes], of two classes [vocabulary, 1], for the second against the first.
        bias: float32 [classes], or [1].
        spared: share of probability that all choices have alike, so that none is impossible.
    """

    choices: tuple[str, ...]
    vocabulary: NgramVocabulary
    seen: Ids
    weights: NDArray[np.float16]
    bias: Singles
    spared: float

    def logprobs(self, texts: Sequence[str]) -> Floats:
        """Logarithm of the probability of each choice after each text: [texts, choices], each row normalised."""
        found = np.full((len(texts), len(self.choices)), self.spared / len(self.choices))
        if len(texts):
            logits = self._logits(texts)
            powers = np.exp(logits - logits.max(axis=1, keepdims=True))
            found[:, self.seen] += (1.0 - self.spared) * powers / powers.sum(axis=1, keepdims=True)
        logs: Floats = np.log(found)
        return logs

    def _logits(self, texts: Sequence[str]) -> Floats:
        rows, places, values = self.vocabulary.weighed(texts)
        sums = np.zeros((len(texts), len(self.bias)))
        begins = np.flatnonzero(np.diff(rows, prepend=-1))
        for column in range(len(self.bias) if len(begins) else 0):
            products = values * self.weights[places, column]
            sums[rows[begins], column] = np.add.reduceat(products, begins, dtype=np.float64)
        sums += self.bias
        return np.hstack([np.zeros_like(sums), sums]) if sums.shape[1] < len(self.seen) else sums

    def save(self, folder: Path) -> None:
        """Write ``linear.json`` and ``model.safetensors`` into ``folder``."""
        from safetensors.numpy import save_file

        known = self.vocabulary
        record = {
            "version": VERSION,
            "choices": self.choices,
            "characters": known.characters,
            "spared": self.spared,
        }
        tensors = {
            "keys": known.keys,
            "rarity": known.rarity,
            "seen": self.seen,
            "weights": np.ascontiguousarray(self.weights),
            "bias": self.bias,
        }
        save_file(tensors, str(folder / TENSORS))
        text = json.dumps(record, indent=1, sort_keys=True, ensure_ascii=False)
        (folder / RECORD).write_text(text + "\n", encoding="utf-8")


def open_linear(folder: Path) -> LinearModel:
    """The model that :meth:`LinearModel.save` wrote.

    Raises:
        ModelError: a file is missing, cut off or not what it should be.
    """
    from safetensors.numpy import load_file

    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        if not isinstance(record, dict) or record.get("version") != VERSION:
            raise ModelError(f"{folder / RECORD} describes no model that is known here.", allowed=f"version {VERSION}")
        read_header(folder / TENSORS)
        return _restored(record, load_file(str(folder / TENSORS)))
    except FileNotFoundError as error:
        raise ModelError(f"{folder} lacks the file {Path(error.filename).name} of a linear model.") from None
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise ModelError(
            f"The model in {folder} is not whole: {error}.", fix="train it again, or copy it again from where it was"
        ) from error


def _restored(record: Mapping[str, Any], tensors: Mapping[str, NDArray[Any]]) -> LinearModel:
    """Raises ValueError, KeyError or TypeError: what is recorded is none of such a model."""
    choices, characters, spared = record["choices"], record["characters"], record["spared"]
    if not isinstance(choices, list) or not all(isinstance(one, str) for one in choices) or len(set(choices)) < 2:
        raise ValueError(f"its choices are {choices!r:.60}")
    if not isinstance(characters, int) or not 0 <= characters <= LONGEST:
        raise ValueError(f"its n-grams have {characters!r} characters")
    if not isinstance(spared, float) or not 0 < spared <= 1:
        raise ValueError(f"it spares {spared!r}")
    words, classes = len(tensors["keys"]), len(tensors["seen"])
    columns = 1 if classes == 2 else classes
    shapes = {
        "keys": (np.uint32, (words,)),
        "rarity": (np.float16, (words,)),
        "seen": (np.int64, (classes,)),
        "weights": (np.float16, (words, columns)),
        "bias": (np.float32, (columns,)),
    }
    for name, (dtype, shape) in shapes.items():
        tensor = tensors[name]
        if tensor.dtype != dtype or tensor.shape != shape:
            raise ValueError(f"{name} is {tensor.dtype} {list(tensor.shape)}, not {np.dtype(dtype)} {list(shape)}")
        if not np.isfinite(tensor).all():
            raise ValueError(f"{name} holds numbers that are not finite")
    seen, keys = tensors["seen"], tensors["keys"]
    if not classes or not ((seen >= 0) & (seen < len(choices))).all() or (np.diff(seen) <= 0).any():
        raise ValueError("it has seen choices that are none")
    if (keys[1:] <= keys[:-1]).any() or (tensors["rarity"] <= 0).any():
        raise ValueError("its vocabulary is in disorder")
    known = NgramVocabulary(characters, keys, tensors["rarity"])
    return LinearModel(tuple(choices), known, seen, tensors["weights"], tensors["bias"], spared)
