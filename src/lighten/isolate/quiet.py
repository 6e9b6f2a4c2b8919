"""Keep what libraries print out of the terminal, and at hand for the message when something fails."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator

LOGGERS = ("torch.onnx", "torch.export", "onnxscript", "onnx_ir", "nncf", "transformers")
"""Loggers of exporters, quantizers and tokenizers, whose advice is for those who call them by hand."""


@contextlib.contextmanager
def quiet() -> Iterator[io.StringIO]:
    """While this holds, progress bars, advice and warnings of libraries go into the buffer that is given."""
    said = io.StringIO()
    loggers = [logging.getLogger(name) for name in LOGGERS]
    levels = [logger.level for logger in loggers]
    try:
        for logger in loggers:
            logger.setLevel(logging.CRITICAL)
        with warnings.catch_warnings(), contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            warnings.simplefilter("ignore")
            yield said
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
