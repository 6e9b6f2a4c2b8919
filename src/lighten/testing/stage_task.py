"""Staged: texts whose class is the parity of their length, judged by accuracy and toll."""

from __future__ import annotations

from dataclasses import dataclass

from lighten.tasks.text_classification import TextClassification


@dataclass(frozen=True)
class Staged(TextClassification):
    """Texts whose class is the parity of their length, judged by accuracy and toll."""

    @property
    def metrics(self) -> tuple[str, ...]:
        """See :meth:`Task.metrics`."""
        return ("accuracy",)

    @property
    def speeds(self) -> tuple[str, ...]:
        """See :meth:`Task.speeds`."""
        return ("toll",)
