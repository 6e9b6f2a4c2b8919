"""A tokenizer for texts that bring none: byte pair encoding over their words, and as many tokens as texts have.

Words are taken apart at spaces and signs, in lower case. Of scripts without spaces, such as Chinese, each character is
a word: what stands together in such texts is the network's to learn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lighten.core.errors import ModelError

PAD, UNKNOWN = "[PAD]", "[UNK]"
LARGEST = 8_000
"""Tokens of a vocabulary where nobody says otherwise."""
WHOLE = 0.98
"""Share of the texts that is read whole where nobody says how long a text may be."""
LONGEST, SHORTEST, MULTIPLE = 512, 8, 8
"""Most and fewest tokens that are then read, and what their number is a multiple of."""
RARE = 2
"""Times that a pair must be seen to become a token."""


def tokenizer_of(texts: Sequence[str], wanted: Mapping[str, Any]) -> tuple[str, int]:
    """The text of ``tokenizer.json`` learned from ``texts``, and most tokens of a text that are read.

    Args:
        wanted: ``vocabulary`` (most tokens), ``length`` (of a text, in tokens), ``tokenizer`` (of the network itself,
            the text of its ``tokenizer.json``), where the network says them.

    Raises:
        ModelError: one of them is no number that makes sense.
    """
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

    if wanted.get("tokenizer"):
        made = Tokenizer.from_str(str(wanted["tokenizer"]))
    else:
        made = Tokenizer(models.BPE(unk_token=UNKNOWN))
        made.normalizer = normalizers.BertNormalizer(lowercase=True)
        made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        most = _count(wanted.get("vocabulary"), LARGEST, "vocabulary")
        trainer = trainers.BpeTrainer(
            vocab_size=most, min_frequency=RARE, special_tokens=[PAD, UNKNOWN], show_progress=False
        )
        made.train_from_iterator(texts, trainer)
    if wanted.get("length"):
        return made.to_str(), _count(wanted["length"], LONGEST, "length")
    lengths = [len(one.ids) for one in made.encode_batch_fast(list(texts))]
    enough = int(np.quantile(lengths, WHOLE, method="higher")) if lengths else SHORTEST
    return made.to_str(), min(max(-(-enough // MULTIPLE) * MULTIPLE, SHORTEST), LONGEST)


def _count(value: Any, usual: int, name: str) -> int:
    if value is None:
        return usual
    if not isinstance(value, int) or isinstance(value, bool) or value < SHORTEST:
        raise ModelError(f"The {name} of the network is {value!r}.", allowed=f"a whole number, {SHORTEST} or more")
    return value
