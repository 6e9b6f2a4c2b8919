"""What a language model said of documents, as columns: see ``lighten.core.language``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lighten.core.language_codes import PROBED, PROBES

if TYPE_CHECKING:
    from numpy.typing import NDArray

COLUMNS = PROBED + PROBES
NO_DOCUMENTS = "unknown: these are no answers to documents"


def of_documents(outputs: NDArray[Any]) -> bool:
    """Whether answers have the columns of documents."""
    return outputs.ndim == 2 and outputs.shape[1] == COLUMNS


def check_documents(*answers: NDArray[Any]) -> None:
    """Refuse answers that do not have the columns of documents.

    Raises:
        ValueError: says which shape was seen.
    """
    for outputs in answers:
        if not of_documents(outputs):
            raise ValueError(f"answers to documents have {COLUMNS} columns; got shape {np.shape(outputs)}")
