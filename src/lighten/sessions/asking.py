"""Asking: a session in a process of its own, asked by an event loop, which goes on with other things meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import monotonic
from typing import Any

from lighten.core.errors import LightenError
from lighten.core.item import Item, size_of, to_plain
from lighten.core.prediction import Prediction
from lighten.isolate.exchange import Exchange, Reason
from lighten.sessions.pace import Pace
from lighten.sessions.process import SessionProcess, predictions_in


class Asking:
    """What :meth:`SessionProcess.predict` does, one batch at a time. Lives on the event loop.

    Args:
        session: open, with a task; nobody else asks it until :meth:`leave`.
        labels: of what its task chooses from.
        answered: called with the predictions of each batch, in order, or with why there are none; it may ask again.
        lost: called at most once, where the process has ended or has to be ended, with the reason (see ``Exchange``).
    """

    def __init__(
        self,
        session: SessionProcess,
        labels: Sequence[str],
        answered: Callable[[list[Prediction] | LightenError], object],
        lost: Callable[[Reason], object],
    ) -> None:
        self._labels, self._answered = list(labels), answered
        self._pace = Pace(session.deadline)
        self._asked, self._began = (0, 0), 0.0
        self._exchange = Exchange(session.child, self._hear, lost)

    def ask(self, inputs: Sequence[Item]) -> bool:
        """Ask a batch. Returns whether it was sent; else the process has gone already, which ``lost`` will hear."""
        self._asked, self._began = (sum(map(size_of, inputs)), len(inputs)), monotonic()
        plain, patience = list(map(to_plain, inputs)), self._pace.patience(*self._asked)
        return self._exchange.ask("predict", patience, inputs=plain, labels=self._labels)

    def leave(self) -> None:
        """Ask nothing any more, and hear nothing."""
        self._exchange.leave()

    def _hear(self, reply: dict[str, Any] | LightenError) -> None:
        found: list[Prediction] | LightenError
        if isinstance(reply, LightenError):
            found = reply
        else:
            self._pace.learn(*self._asked, monotonic() - self._began)
            try:
                found = predictions_in(reply, self._asked[1])
            except LightenError as error:
                found = error
        self._answered(found)
