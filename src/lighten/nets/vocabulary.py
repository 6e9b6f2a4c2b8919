"""Cut a tokenizer down to the tokens that are wanted, so that the matrix of embeddings needs fewer rows.

Pure functions on the content of a ``tokenizer.json``. What a cut promises, and why it holds:

- *Covered text is tokenized as before.* Text whose tokens are all kept gives the same token strings. Kept is what was
  asked for and its closure; the rest can only compete with it.
  WordPiece takes the longest token that matches: it is kept, and removing shorter or longer ones that did not match
  changes nothing. Unigram takes the path of the highest score: its score stays, the others' can only fall (the score of
  an unknown character hangs on the lowest score of the vocabulary, so that token stays too). BPE applies the merge of
  the lowest rank first: every merge that was applied made a part of a token that is there at the end; with these parts
  kept it is still there, and still the lowest.
- *Nothing becomes unknown.* Characters that have a token of their own keep it, except in a BPE that can spell every
  character in bytes. Only WordLevel has nothing smaller to fall back on: there, a word that is not kept is unknown.

The exception is a character that lives in longer tokens only. Those tokens stay, but a word around such a character may
turn unknown, or known, when other tokens of it go.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from lighten.core.errors import ModelError, StepFailed

KINDS = ("WordPiece", "BPE", "Unigram", "WordLevel")
"""Kinds of tokenizer models that can be cut."""

Json = dict[str, Any]


class CannotCut(ModelError):
    """A tokenizer whose vocabulary cannot be cut; says what kind of tokenizer it is and what stands in the way."""


def used(encode: Callable[[Sequence[str]], Iterable[Sequence[int]]], texts: Sequence[str]) -> Counter[int]:
    """How often each token id occurs in ``texts``.

    Args:
        encode: many texts in, the token ids of each out.
    """
    return Counter(token for ids in encode(texts) for token in ids)


def same_on_covered(
    old: Callable[[Sequence[str]], Iterable[Sequence[int]]],
    new: Callable[[Sequence[str]], Iterable[Sequence[int]]],
    kept: Sequence[int],
    texts: Sequence[str],
) -> None:
    """Compare two tokenizers on ``texts``; id i of the new one stands for id ``kept[i]`` of the old.

    Raises:
        StepFailed: a text whose tokens are all kept is not tokenized as before.
    """
    there = set(kept)
    for number, (was, now) in enumerate(zip(old(texts), new(texts), strict=True)):
        if there.issuperset(was) and [kept[i] for i in now] != list(was):
            raise StepFailed(f"The cut tokenizer gives other tokens for text {number} of the training data.")


def kind_of(tokenizer: Json) -> str:
    """One of :data:`KINDS`.

    Raises:
        CannotCut: another kind, or one whose answers are random (BPE dropout).
    """
    model = tokenizer["model"]
    found = model.get("type")
    if found is None:  # files older than tokenizers 0.13
        found = "BPE" if "merges" in model else "Unigram" if isinstance(model["vocab"], list) else "WordLevel"
        found = "WordPiece" if "max_input_chars_per_word" in model else found
    if found not in KINDS:
        raise CannotCut(f"The tokenizer is of the kind {found!r}.", allowed=", ".join(KINDS))
    if model.get("dropout"):
        raise CannotCut(
            f"The tokenizer is a {found} with dropout: the same text gives other tokens every time.",
            fix='set "dropout" of the model in tokenizer.json to null',
        )
    return str(found)


def tokens(tokenizer: Json) -> dict[int, str]:
    """Every token by id: those of the model, then added ones that it does not know, each in the order of ids.

    Raises:
        CannotCut: two tokens share an id, or an added token has another id than the model gives it.
    """
    vocab = tokenizer["model"]["vocab"]
    pairs = enumerate(entry[0] for entry in vocab) if isinstance(vocab, list) else ((i, t) for t, i in vocab.items())
    model = dict(sorted(pairs))
    known = {token: i for i, token in model.items()}
    added = {}
    for token in sorted(tokenizer.get("added_tokens") or (), key=lambda t: int(t["id"])):
        if known.setdefault(token["content"], token["id"]) != token["id"]:
            raise CannotCut(
                f"The tokenizer ({kind_of(tokenizer)}) gives {token['content']!r} the id {known[token['content']]}, "
                f"and {token['id']} in its list of added tokens."
            )
        added[token["id"]] = token["content"]
    if len(model) != len(vocab) or any(model.get(i, t) != t for i, t in added.items()):
        raise CannotCut(f"Two tokens of the tokenizer ({kind_of(tokenizer)}) share an id.")
    return model | added


def closure(tokenizer: Json, keep: Collection[int | str]) -> set[int]:
    """Ids that must be kept so that ``keep`` (ids or token strings) can be: see the promises of this module.

    Raises:
        CannotCut: a kind of tokenizer that cannot be cut, or a token to be kept that it does not have.
    """
    kind = kind_of(tokenizer)
    names = tokens(tokenizer)
    ids = {token: i for i, token in names.items()}
    wanted = {ids.get(token, -1) if isinstance(token, str) else token for token in keep}
    if not wanted <= set(names):
        missing = [t for t in keep if (t not in ids if isinstance(t, str) else t not in names)]
        raise CannotCut(f"The tokenizer ({kind}) has no token {missing[0]!r}, which is to be kept.")
    wanted |= _fixed(tokenizer, names, ids)
    if kind == "BPE" and _spells_bytes(tokenizer, ids):
        wanted |= {ids[c] for c in _characters_in(tokenizer.get("decoder")) if c in ids}
    elif kind != "WordLevel":
        wanted.update(_alphabet(tokenizer, ids))
    if kind == "BPE":
        merges = Merges(tokenizer["model"])
        wanted |= {ids[part] for i in tuple(wanted) for part in merges.of(names[i])}
    return wanted


def cut(tokenizer: Json, keep: Collection[int | str]) -> tuple[Json, list[int]]:
    """A tokenizer that knows only ``keep`` (ids or token strings) and its closure. ``tokenizer`` is not changed.

    Args:
        tokenizer: content of a ``tokenizer.json``.

    Returns:
        Content of the new ``tokenizer.json``, and the old id of each new one: row i of the new embeddings is row
        ``kept[i]`` of the old. The order of ids stays.

    Raises:
        CannotCut: a kind of tokenizer that cannot be cut, or a token to be kept that it does not have.
    """
    wanted = closure(tokenizer, keep)
    kept = [i for i in tokens(tokenizer) if i in wanted]
    new = {old: i for i, old in enumerate(kept)}
    model = dict(tokenizer["model"])
    if isinstance(model["vocab"], list):
        model["vocab"] = [entry for i, entry in enumerate(model["vocab"]) if i in wanted]
        if model.get("unk_id") is not None:
            model["unk_id"] = new[model["unk_id"]]
    else:
        inside = sorted((i, token) for token, i in model["vocab"].items() if i in wanted)
        model["vocab"] = {token: new[i] for i, token in inside}
    if "merges" in model:
        merges = Merges(model)
        there = model["vocab"]
        model["merges"] = [
            merge
            for merge, (left, right) in zip(merges.lines, merges.ranks, strict=True)
            if left in there and right in there and merges.joined(left, right) in there
        ]
    made = {**tokenizer, "model": model}
    if tokenizer.get("added_tokens"):
        made["added_tokens"] = [{**token, "id": new[token["id"]]} for token in tokenizer["added_tokens"]]
    if tokenizer.get("padding"):
        made["padding"] = {**tokenizer["padding"], "pad_id": new[tokenizer["padding"]["pad_id"]]}
    if tokenizer.get("post_processor"):
        made["post_processor"] = _recoded(tokenizer["post_processor"], new.__getitem__)
    return made, kept


class Merges:
    """The merges of a BPE model, and what each token is put together from.

    Attributes:
        ranks: rank of each merge by (left, right), in order.
        lines: the merges as the file writes them, in the same order.
    """

    def __init__(self, model: Json) -> None:
        self.model = model
        self.ranks: dict[tuple[str, str], int] = {}
        self.lines: list[Any] = []
        self.parents: dict[str, list[tuple[str, str]]] = {}
        self._prefix = len(model.get("continuing_subword_prefix") or "")
        for line in model["merges"]:
            if isinstance(line, str) and line.startswith("#version"):
                continue
            pair = tuple(line.split(" ") if isinstance(line, str) else line)
            if len(pair) != 2 or pair in self.ranks:
                raise CannotCut(f"The tokenizer is a BPE with a merge that cannot be read or is there twice: {line!r}.")
            self.ranks[pair] = len(self.ranks)
            self.lines.append(line)
            self.parents.setdefault(self.joined(*pair), []).append(pair)

    def joined(self, left: str, right: str) -> str:
        """The token that merging the two makes."""
        return left + right[self._prefix :]

    def of(self, token: str) -> set[str]:
        """Every token on the way from characters to ``token``.

        Which merges make a token does not hang on the text around it: no merge crossed its edges, and those within are
        applied in the order they are applied when it stands alone. So merging it alone finds them. Should that not
        end in the token, everything that any merge could make it from is returned.
        """
        if token not in self.parents:
            return set()
        row, none = _spelled(self.model, token), len(self.ranks)
        passed = set(row)
        while len(row) > 1:
            rank, at = min((self.ranks.get(pair, none), i) for i, pair in enumerate(pairwise(row)))
            if rank == none:
                break
            row[at : at + 2] = [self.joined(row[at], row[at + 1])]
            passed.add(row[at])
        return passed if row == [token] else self._any(token)

    def _any(self, token: str) -> set[str]:
        passed, open_ = set[str](), [token]
        while open_:
            for part in {p for pair in self.parents.get(open_.pop(), ()) for p in pair} - passed:
                passed.add(part)
                open_.append(part)
        return passed


def _spelled(model: Json, token: str) -> list[str]:
    """The tokens of one character that would spell ``token``, whether the tokenizer has them or not."""
    prefix, suffix = model.get("continuing_subword_prefix") or "", model.get("end_of_word_suffix") or ""
    inner = bool(prefix) and token.startswith(prefix) and token != prefix
    last = bool(suffix) and token.endswith(suffix) and token != suffix
    text = token[len(prefix) if inner else 0 : len(token) - (len(suffix) if last else 0)]
    row = [(prefix if i or inner else "") + character for i, character in enumerate(text)]
    return [*row[:-1], row[-1] + suffix] if last and row else row


def _alphabet(tokenizer: Json, ids: Mapping[str, int]) -> Iterator[int]:
    """Tokens of one character, and tokens that hold a character which has none."""
    for token, i in ids.items():
        spelled = _spelled(tokenizer["model"], token)
        if len(spelled) == 1 or not all(character in ids for character in spelled):
            yield i


def _characters_in(part: Any) -> Iterator[str]:
    """Every character in the settings of a decoder: "▁" spelled in bytes would not be turned into a space."""
    if isinstance(part, dict):
        for name, value in part.items():
            yield from _characters_in(value) if name != "type" else ()
    elif isinstance(part, list):
        for value in part:
            yield from _characters_in(value)
    elif isinstance(part, str):
        yield from part


def _spells_bytes(tokenizer: Json, ids: Mapping[str, int]) -> bool:
    return bool(tokenizer["model"].get("byte_fallback")) and all(f"<0x{byte:02X}>" in ids for byte in range(256))


def _fixed(tokenizer: Json, names: Mapping[int, str], ids: Mapping[str, int]) -> set[int]:
    """Ids that are referred to (added, unknown, padding, post-processor), those of bytes, and the lowest score."""
    kind, model = kind_of(tokenizer), tokenizer["model"]
    fixed = {int(token["id"]) for token in tokenizer.get("added_tokens") or ()}
    unknown = model.get("unk_token")
    if unknown in ids:
        fixed.add(ids[unknown])
    elif kind == "WordLevel":
        raise CannotCut(f"The tokenizer is a {kind} without a token for unknown words; the words cut off need one.")
    if model.get("byte_fallback"):
        fixed |= {ids[token] for token in (f"<0x{byte:02X}>" for byte in range(256)) if token in ids}
    if kind == "Unigram":
        fixed.add(min(range(len(model["vocab"])), key=lambda i: model["vocab"][i][1]))
        if model.get("unk_id") is not None:
            fixed.add(model["unk_id"])
    if tokenizer.get("padding"):
        fixed.add(tokenizer["padding"]["pad_id"])
    if tokenizer.get("post_processor"):
        named: dict[int, int] = {}
        _recoded(tokenizer["post_processor"], lambda i: named.setdefault(i, i))
        fixed |= set(named)
    if not fixed <= set(names):
        raise CannotCut(f"The tokenizer ({kind}) refers to the ids {sorted(fixed - set(names))}, which no token has.")
    return fixed


def _recoded(processor: Json, new: Callable[[int], int]) -> Json:
    """A post-processor with ``new`` applied to every id in it."""
    kind = processor["type"]
    if kind == "Sequence":
        return {**processor, "processors": [_recoded(p, new) for p in processor["processors"]]}
    if kind == "TemplateProcessing":
        named = processor["special_tokens"].items()
        return {**processor, "special_tokens": {n: {**t, "ids": [new(i) for i in t["ids"]]} for n, t in named}}
    if kind in ("BertProcessing", "RobertaProcessing"):
        return {**processor, **{n: [processor[n][0], new(processor[n][1])] for n in ("sep", "cls")}}
    if kind == "ByteLevel":
        return processor
    raise CannotCut(f"The tokenizer has a post-processor of the kind {kind!r}.")
