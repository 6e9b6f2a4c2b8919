"""Pieces: how the gradients of a batch are computed where the memory, or several processes, divide it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack

from torch import Tensor

from lighten.nets.training.group import Group
from lighten.nets.training.memory import Fitted, fitted, is_out_of_memory, recomputable, recomputing
from lighten.nets.training.randomness import generators, put_back, untouched
from lighten.nets.training.schedule import State
from lighten.nets.training.trainable import Trainable

OTHERWISE = "Sums are rounded otherwise so, and the weights are not those of one sitting, bit for bit."


class Pieces:
    """What of a batch is computed at once, as its state says; smaller where it turns out not to fit.

    Args:
        group: of which each process computes its share. note: told, in a sentence, what goes otherwise than planned.
    """

    def __init__(self, work: Trainable, group: Group, note: Callable[[str], None]) -> None:
        self.work, self.group, self.note = work, group, note
        self.recomputing = ExitStack()
        """Closed when blocks are to keep what they compute, as ever."""

    def close(self) -> None:
        """Leave nothing behind."""
        self.recomputing.close()

    def fit(self, state: State, seed: int, *, fresh: bool) -> None:
        """Choose how much of a batch is computed at once, and whether blocks keep what they compute; taken up, as an
        earlier sitting did, where that fits what is free now."""
        mine = [own for batch in self.work.batches(0, seed) if (own := self.group.share(batch, self.work.least))]
        before = None if fresh else Fitted(state.piece, state.recompute)
        with untouched():
            found = fitted(self.work, mine, among=self.group.here, before=before)
        piece, recompute = self.group.decide(lambda: [found.piece, found.recompute])
        if not fresh and (piece, recompute) != (state.piece, state.recompute):
            self.note(f"{found.note or 'There is less memory than there was.'} {OTHERWISE}")
        elif found.note:
            self.note(found.note)
        state.piece, state.recompute = piece, bool(recompute)

    def cut_after(self, state: State, seed: int, deaths: int) -> None:
        """Halve pieces after a sitting that was ended for its memory: what was measured was too little."""
        least = self.work.least
        again, state.deaths = self.group.decide(lambda: [max(deaths - state.deaths, 0), max(deaths, state.deaths)])
        if not again:
            return
        shares = (len(self.group.share(batch, least)) for batch in self.work.batches(0, seed))
        whole = self.group.decide(lambda: max(shares, default=1))
        piece = max(-(-(state.piece or whole) // 2**again), least)
        if piece == (state.piece or whole):
            state.recompute = True
        state.piece = piece
        self.note(
            f"It was ended for its memory before: from here on gradients are added up over pieces of at most {piece} "
            f"row{'s' if piece > 1 else ''}. {OTHERWISE}"
        )

    def recompute(self, state: State, wanted: bool) -> None:
        """Let blocks compute again on the way back what they would keep, from here on."""
        state.recompute = wanted
        if wanted:
            self.recomputing.enter_context(recomputing(self.work))

    def gradients_of_all(self, state: State, batch: list[int]) -> float:
        """Gradients of a batch's mean loss, of which every process of the group computes its share; gives the loss."""
        whole, own = self.work.size(batch), self.group.share(batch, self.work.least)
        loss = self.gradients(state, own, whole) if own else 0.0
        loss, piece = self.group.add_up(self.work.net, loss, state.piece)
        if self.group.size > 1 and (statistics := self._statistics()):
            self.group.average(statistics, self.work.size(own) / whole if own else 0.0)
        if piece != state.piece:
            self.note(f"From here on gradients are added up over pieces of at most {piece} rows: so many fit a worker.")
            state.piece = piece
        return loss

    def gradients(self, state: State, batch: list[int], whole: int) -> float:
        """Gradients of rows, computed in pieces where the memory wants that; gives their part of the mean loss.

        No piece is smaller than what can be learned from at once: for that, some may be larger than what fits.

        Args:
            whole: size of the batch that they are a share of.
        """
        most, least = min(state.piece or len(batch), len(batch)), self.work.least
        finest = max(len(batch) // least, 1)
        many = min(-(-len(batch) // most), finest)
        pieces = [batch[len(batch) * n // many : len(batch) * (n + 1) // many] for n in range(many)]
        drawn = generators()
        try:
            total = 0.0
            for piece in pieces:
                weight = self.work.size(piece) / whole
                total += weight * self.work.backward(piece, weight)
            return total
        except (MemoryError, RuntimeError) as error:
            stuck = many == finest and (state.recompute or not recomputable(self.work))
            if stuck or not is_out_of_memory(error):
                raise
        self.work.net.zero_grad(set_to_none=True)
        put_back(*drawn)
        state.piece = max(-(-most // 2), least)
        if many == finest:
            self.recompute(state, True)
            fewest = "A single row" if least == 1 else f"As few rows as can be learned from at once ({least})"
            self.note(f"{fewest} did not fit the memory: from here on blocks are computed again on the way back.")
        else:
            self.note(
                f"A batch of {len(batch)} rows did not fit the memory: from here on gradients are added up over pieces "
                f"of at most {state.piece}."
            )
        return self.gradients(state, batch, whole)

    def _statistics(self) -> list[Tensor]:
        """What of all that training changes is no weight, such as what norms of batches count."""
        own = {parameter.data_ptr() for parameter in self.work.net.parameters()}
        return [tensor for tensor in self.work.weights().values() if tensor.data_ptr() not in own]
