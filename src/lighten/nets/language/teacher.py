"""What a language model's original says follows each token, for a student that may know fewer tokens.

The student's tokens are some of the teacher's, so the teacher's probabilities are taken among those alone: the softmax
over these rows of its head, which is exactly its distribution given that none of the others comes. The other rows are
never computed. Each of the two reads a text in its own tokens; a place is taught where both have the same token at the
same byte of the text. Elsewhere, where the student spells what is one token to the teacher, the teacher has nothing to
say about the pieces, and the student learns from the text itself.

Source: Hinton et al. 2015, "Distilling the knowledge in a neural network", for the temperature and its square.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor, nn
from torch.nn.functional import kl_div, log_softmax

from lighten.core.errors import StepFailed
from lighten.nets.language.next_token import Objective, descend, places_at_once
from lighten.nets.training.embedding import take_rows

if TYPE_CHECKING:
    from lighten.nets.language.network import LanguageNetwork, Tokens

WORTH_CUTTING = 0.9
"""Share of the teacher's rows that may be needed for the others to be taken out of memory."""
TINY = 1e-6
"""Probability that all tokens but the likeliest have at the least, for its logarithm."""


@dataclass(frozen=True, slots=True)
class Pair:
    """One window as the teacher reads it.

    Attributes:
        ids: the teacher's tokens.
        mine, theirs: places that are taught, in the student's window and in this one; place i predicts token i + 1.
    """

    ids: tuple[int, ...]
    mine: tuple[int, ...]
    theirs: tuple[int, ...]


class LanguageTeacher:
    """The original while a student learns from it; only the rows of its embedding that are needed stay in memory.

    Args:
        network: the original; it is cut, so it must be nobody else's.
        student: knows some of the original's tokens, by the same names.
        texts: that the student learns from. longest: tokens of a window.

    Attributes:
        taught: share of the places of ``texts`` that the teacher teaches.

    Raises:
        StepFailed: the two share no token.
    """

    def __init__(self, network: LanguageNetwork, student: LanguageNetwork, texts: Sequence[str], longest: int) -> None:
        rows = student.net.get_input_embeddings().num_embeddings
        whole = network.net.get_input_embeddings().num_embeddings
        old = known_tokens(student.tokens, rows, network.tokens, whole)
        self._mine = torch.tensor(sorted(old))
        if not old:
            raise StepFailed("The student has no token that its teacher has.", fix="train without a teacher")
        self._pairs = dict(_paired(student.tokens, network.tokens, old, texts, longest))
        places = sum(len(window) - 1 for window in self._pairs)
        self.taught = sum(len(pair.mine) for pair in self._pairs.values()) / max(places, 1)
        self.net: nn.Module = network.net.requires_grad_(False).eval()
        self._head = self._cut([old[i] for i in sorted(old)], whole)
        self._all_mine = len(old) == rows
        self._kept: dict[tuple[int, ...], tuple[Tensor, Tensor]] = {}

    def _cut(self, shared: list[int], whole: int) -> Tensor:
        """Leave the rows that are needed, the shared ones first; the head of those: [shared, width]."""
        first, network = set(shared), cast(Any, self.net)
        others = sorted({token for pair in self._pairs.values() for token in pair.ids} - first)
        if len(shared) + len(others) > WORTH_CUTTING * whole:
            weight: Tensor = network.lm_head.weight
            return weight if shared == list(range(whole)) else weight[shared]
        kept = [*shared, *others]
        take_rows(self.net, kept)
        for parameter in self.net.parameters():  # which may be mapped from one file, and keep all of it in memory
            parameter.data = parameter.data.clone()
        new = {old: i for i, old in enumerate(kept)}
        for window, pair in self._pairs.items():
            self._pairs[window] = Pair(tuple(new[i] for i in pair.ids), pair.mine, pair.theirs)
        head: Tensor = network.lm_head.weight[: len(shared)]
        return head

    def remember(self, batches: Sequence[list[list[int]]], top: int, temperature: float) -> None:
        """Ask now what is taught of ``batches``, keep the ``top`` likeliest tokens of each place, and leave the memory.

        Six bytes a token are kept. What is lost: how the teacher divides what is left among all other tokens, which the
        student then learns as one number: 28, 16 and 8 % of Gemma's probability on documents about films, with a
        ``top`` of 16, 64 and 256.
        """
        at_once = places_at_once(self.net)
        for batch in batches:
            (hidden,) = self._hidden(batch)
            found = []
            for some in hidden.split(at_once):
                with torch.no_grad():
                    told = log_softmax(some @ self._head.T / temperature, -1).topk(min(top, len(self._head)), -1)
                found.append((told.values.half(), told.indices.int()))
            sizes = [len(self._pairs[tuple(row)].mine) for row in batch]
            values, tokens = (torch.cat(parts).split(sizes) for parts in zip(*found, strict=True))
            self._kept |= dict(zip(map(tuple, batch), zip(values, tokens, strict=True), strict=True))
        self.net, self._head = nn.Identity(), torch.empty(0)

    def objective(self, alpha: float, temperature: float) -> Objective:
        """What a student learns of a batch, where it is taught: ``alpha`` of the next token's cross entropy, and for
        the rest the divergence from the teacher's distribution, both at ``temperature``, times its square."""

        def teach(net: nn.Module, batch: list[list[int]], weight: float = 1.0) -> float:
            places = self._places(batch)
            told = self._remembered(batch) if self._kept else self._hidden(batch)

            def loss(logits: Tensor, targets: Tensor, where: slice) -> Tensor:
                inside = (places >= where.start) & (places < where.stop)
                taught = places[inside] - where.start
                mine = log_softmax(logits, -1)
                own = -mine.gather(1, targets[:, None])[:, 0]
                mixed = (torch.ones(len(targets)).index_fill_(0, taught, alpha) * own).sum()
                if alpha == 1.0 or not len(taught):
                    return mixed
                mine = mine[taught] if temperature == 1.0 else log_softmax(logits[taught] / temperature, -1)
                mine = mine if self._all_mine else mine[:, self._mine]
                return mixed + (1.0 - alpha) * temperature**2 * self._apart(
                    mine, [one[inside] for one in told], temperature
                )

            return descend(net, batch, loss, weight)

        return teach

    def _apart(self, mine: Tensor, told: Sequence[Tensor], temperature: float) -> Tensor:
        """Divergence from what the teacher says, summed over places. mine: logarithms, [places, shared tokens]."""
        if self._kept:
            return divergence_of_likely(mine, told[0].float(), told[1].long())
        with torch.no_grad():
            theirs = log_softmax(told[0] @ self._head.T / temperature, -1)
        return kl_div(mine, theirs, reduction="sum", log_target=True)

    def _places(self, batch: list[list[int]]) -> Tensor:
        """Places of a batch that are taught, among all that the student predicts: [taught]."""
        begins = accumulate((len(row) - 1 for row in batch), initial=0)
        found = [
            begin + place for begin, row in zip(begins, batch, strict=False) for place in self._pairs[tuple(row)].mine
        ]
        return torch.tensor(found, dtype=torch.long)

    def _remembered(self, batch: list[list[int]]) -> tuple[Tensor, ...]:
        """Logarithms of the likeliest tokens' probabilities at these places, and which tokens: [taught, top] each."""
        values, tokens = zip(*(self._kept[tuple(row)] for row in batch), strict=True)
        return torch.cat(values), torch.cat(tokens)

    def _hidden(self, batch: list[list[int]]) -> tuple[Tensor, ...]:
        """What the teacher's head reads at these places: [taught, width]."""
        pairs = [self._pairs[tuple(row)] for row in batch]
        ids = torch.zeros(len(batch), max(len(pair.ids) for pair in pairs), dtype=torch.long)
        for row, pair in zip(ids, pairs, strict=True):
            row[: len(pair.ids)] = torch.tensor(pair.ids)
        rows = torch.tensor([row for row, pair in enumerate(pairs) for _ in pair.theirs], dtype=torch.long)
        columns = torch.tensor([place for pair in pairs for place in pair.theirs], dtype=torch.long)
        net: Any = self.net
        with torch.no_grad():
            states: Tensor = net.model(input_ids=ids, use_cache=False).last_hidden_state
        return (states[rows, columns],)


def divergence_of_likely(mine: Tensor, values: Tensor, tokens: Tensor) -> Tensor:
    """Divergence of a distribution from one of which the likeliest tokens are known, the others being one; summed.

    Args:
        mine: logarithms, [places, tokens]. values, tokens: logarithms of the known ones, and which: [places, top].
    """
    likely = mine.gather(1, tokens)
    rest = (1.0 - values.exp().sum(-1)).clamp_min(TINY)
    own = (1.0 - likely.exp().sum(-1)).clamp_min(TINY)
    return (values.exp() * (values - likely)).sum() + (rest * (rest.log() - own.log())).sum()


def known_tokens(student: Tokens, rows: int, teacher: Tokens, whole: int) -> dict[int, int]:
    """The teacher's id of each of the student's tokens that it has under the same name.

    Rows of the embeddings that are no token are each other's where both have as many.
    """
    found = {}
    for mine in range(rows):
        name = student.name(mine)
        theirs = teacher.id_of(name) if name else mine if rows == whole else None
        if theirs is not None and theirs < whole:
            found[mine] = theirs
    return found


def _paired(
    student: Tokens, teacher: Tokens, old: dict[int, int], texts: Sequence[str], longest: int
) -> Iterator[tuple[tuple[int, ...], Pair]]:
    """Each window of the student's (see ``windows``) and how the teacher reads it."""
    (before, _), (ahead, _) = student.around, teacher.around
    room = longest - before
    for mine, theirs in zip(student(texts), teacher(texts), strict=True):
        start, rest, first, others = tuple(mine[:before]), mine[before:], theirs[:ahead], theirs[ahead:]
        same = before == ahead and [old.get(i) for i in rest] == others
        offsets = ([], []) if same else (offsets_of(student, rest), offsets_of(teacher, others))
        for begin in range(0, len(rest), room):
            some = rest[begin : begin + room]
            window = (*start, *some)
            if len(window) < 2:
                continue
            if same:
                places = tuple(range(len(window) - 1))
                yield window, Pair((*first, *others[begin : begin + room]), places, places)
            else:
                ends = offsets[0][begin : begin + len(some) + 1]
                ids, places_ = _aligned(some, ends, others, offsets[1], old, (before, ahead))
                yield window, Pair((*first, *ids), *places_)


def _aligned(
    tokens: Sequence[int],
    bytes_: Sequence[int],
    others: Sequence[int],
    theirs: Sequence[int],
    old: dict[int, int],
    starts: tuple[int, int],
) -> tuple[list[int], tuple[tuple[int, ...], tuple[int, ...]]]:
    """The teacher's tokens that lie within a window's bytes, and the places whose next token both have.

    Args:
        bytes_, theirs: where each of ``tokens`` and of ``others`` begins, and where the last one ends.
        starts: tokens before the text, of the student and of the teacher.
    """
    inside = [k for k in range(len(others)) if bytes_[0] <= theirs[k] and theirs[k + 1] <= bytes_[-1]]
    at = {(theirs[k], others[k]): number for number, k in enumerate(inside)}
    pairs = []
    for number, token in enumerate(tokens):
        found = at.get((bytes_[number], old.get(token, -1)))
        if found is not None and number + starts[0] > 0 and found + starts[1] > 0:
            pairs.append((number + starts[0] - 1, found + starts[1] - 1))
    mine, known = tuple(a for a, _ in pairs), tuple(b for _, b in pairs)
    return [others[k] for k in inside] or [others[0]], (mine, known)


def offsets_of(tokens: Tokens, ids: Sequence[int]) -> list[int]:
    """Bytes before each token and behind the last one: [tokens + 1]."""
    return list(accumulate(map(len, tokens.pieces(ids)), initial=0))
