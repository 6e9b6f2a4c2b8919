"""Drop the tokens that the data never uses, and their rows of the embeddings.

In small encoders half of the weights are embeddings, and a data set of sentences uses half of the vocabulary or less.
Text of kept tokens gets exactly the answers it got; a word whose token is gone is spelled in smaller ones, which costs
some quality: the less text was counted, the more rows must be spared (2,000 sentences: a point or two; 13,000: 0.2).
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from lighten.core.errors import ModelError
from lighten.core.step import Needs, Step, setting
from lighten.nets import vocabulary
from lighten.nets.training.embedding import take_rows
from lighten.readers.text import Encoder

if TYPE_CHECKING:
    from torch import nn

    from lighten.nets.language.network import LanguageNetwork
    from lighten.nets.network import Network

LANGUAGE_KINDS = ("BPE", "llama", "gpt2")
"""Kinds of tokenizers of language models that can be cut: of ``tokenizer.json``, and as GGUF calls them."""

PLACEHOLDER = re.compile(r"[\[<]\S+[\]>]")
"""Tokens that look like ``[unused7]`` or ``<extra_id_7>``: rows that wait for a use; text does not give them."""

NO_LIMIT = 2**31 - 1
"""Tokens; for counting and comparing: of a word that the limit cuts in two, both halves must be known."""


@dataclass(frozen=True)
class Vocabulary(Step):
    """Keep the tokens that the training data uses, what they are made of, and a share of the others."""

    title: ClassVar[tuple[str, str]] = (
        "vocabulary cut to the tokens of your data plus {spare:%} of the original",
        "词表裁剪至您数据所用的词元，另加原词表的 {spare:%}",
    )
    consumes: ClassVar[tuple[str, ...]] = ("hf", "hf-causal")
    needs: ClassVar[frozenset[str]] = frozenset({"train"})
    lossy: ClassVar[bool] = True
    wants_recovery: ClassVar[bool] = False
    extra: ClassVar[str] = "train"

    min_count: int = setting(1, "How often the training data must use a token for it to stay.", unit="times", low=1)
    spare: float = setting(
        0.2,
        "Share of the original vocabulary that stays beyond that, for words that the training data lacks: "
        "tokens it uses more rarely first, then the original order, which in most vocabularies is by frequency.",
        unit="fraction",
        low=0.0,
        high=1.0,
        search=(0.2, 0.1, 0.05, 0.02, 0.0),
    )

    def check(self, facts: Mapping[str, Any]) -> str:
        """A tokenizer that cannot be cut is refused here when the facts tell its kind, and else by :meth:`run`."""
        kind = facts.get("tokenizer")
        if facts.get("language") and kind in LANGUAGE_KINDS:
            return ""
        if facts and kind is None and "vocabulary" not in facts:
            return "the network reads no words"
        if kind is None or kind in vocabulary.KINDS:
            return ""
        return f"the tokenizer is of the kind {kind!r}; kinds that can be cut: {', '.join(vocabulary.KINDS)}"

    def reshapes(self, facts: Mapping[str, Any]) -> bool:
        """A language model predicts every token, so each that is gone costs; an encoder only reads them."""
        return bool(facts.get("language"))

    def share(self, facts: Mapping[str, Any] | None = None) -> float:
        """Share of a language model's bytes that stays; text of one language uses about a tenth of the tokens."""
        if not facts or not facts.get("language"):
            return 1.0
        words = facts["vocabulary"] * facts["hidden"] / facts["parameters"]
        return float(1.0 - words * max(0.0, 0.9 - self.spare))

    def run(self, model: Network | LanguageNetwork, needs: Needs) -> Network | LanguageNetwork:
        """Cut the tokenizer of ``model`` and the rows of its embeddings, in place.

        Raises:
            CannotCut: a tokenizer that cannot be cut.
            ModelError: a network with fewer rows of embeddings than its tokenizer has tokens.
            StepFailed: text of kept tokens is not tokenized as before.
        """
        assert needs.train is not None
        from lighten.nets.language.network import LanguageNetwork

        if isinstance(model, LanguageNetwork):
            from lighten.nets.language.texts import texts_of
            from lighten.nets.language.vocabulary import cut_language

            # Choices and answers as they stand behind a prompt: alone they may be other tokens.
            prompts = needs.train.texts[:1]
            offered = (prompt + choice for choice in getattr(needs.task, "choices", ()) for prompt in prompts)
            texts = (str(getattr(needs.task, "prefix", "")), *texts_of(needs.train, needs.task), *offered)
            return cut_language(
                model, texts, min_count=self.min_count, spare=self.spare, threads=needs.threads, watch=needs.watch
            )
        old, texts = model.reader, needs.train.texts
        assert isinstance(old, Encoder)
        tokenizer = json.loads(old.source)
        whole = Encoder(old.source, max_tokens=NO_LIMIT, pad_id=old.pad_id, settings=old.settings)
        counts = vocabulary.used(whole, texts)
        needs.watch.progress(1, 3, f"the training data uses {len(counts)} tokens")
        made, kept = vocabulary.cut(tokenizer, self._keep(model.net, old, tokenizer, counts))
        new = {i: row for row, i in enumerate(kept)}
        source, settings, pad = (
            json.dumps(made, ensure_ascii=False),
            recoded_settings(old.settings, new),
            new[old.pad_id],
        )
        whole_new = Encoder(source, max_tokens=NO_LIMIT, pad_id=pad, settings=settings)
        vocabulary.same_on_covered(whole, whole_new, kept, texts)
        needs.watch.progress(2, 3, f"kept {len(kept)} of {len(vocabulary.tokens(tokenizer))} tokens")
        keep_rows(model.net, kept)
        model.reader = whole_new.with_limit(old.max_tokens)
        return model

    def _keep(self, net: nn.Module, reader: Encoder, tokenizer: vocabulary.Json, counts: Counter[int]) -> set[int]:
        names = vocabulary.tokens(tokenizer)
        special = special_names(reader.settings)
        keep = {i for i, n in counts.items() if n >= self.min_count} | {reader.pad_id}
        keep |= {i for ids in named_ids(net.config).values() for i in ids if i in names}
        keep |= {i for i, token in names.items() if token in special}
        if positions_follow_padding(net):
            keep |= {i for i in names if i <= reader.pad_id}
        keep = vocabulary.closure(tokenizer, keep)
        rest = [i for i, token in names.items() if i not in keep and not PLACEHOLDER.fullmatch(token)]
        rest.sort(key=lambda i: (-counts[i], i))
        return keep | set(rest[: round(self.spare * len(names))])


def keep_rows(net: nn.Module, kept: list[int]) -> None:
    """Keep the rows ``kept`` of the embedding and the head; recode ids in the config, those of no row stay.

    Raises:
        ModelError: the embedding has fewer rows than the tokenizer has tokens.
    """
    take_rows(net, kept)
    new = {i: row for row, i in enumerate(kept)}
    for name, ids in named_ids(net.config).items():
        value = [new.get(i, i) for i in ids]
        setattr(net.config, name, value if isinstance(getattr(net.config, name), list) else value[0])


def named_ids(config: Any) -> dict[str, list[int]]:
    """Token ids in a network's config by the name of their entry, such as ``pad_token_id``; those not set left out."""
    found = {n: v if isinstance(v, list) else [v] for n, v in vars(config).items() if n.endswith("_token_id")}
    return {name: ids for name, ids in found.items() if all(isinstance(i, int) for i in ids)}


def special_names(settings: Mapping[str, Any]) -> set[str]:
    """Tokens that ``tokenizer_config.json`` names, such as its ``pad_token``."""
    named = (value for name, value in settings.items() if name.endswith("_token"))
    return {str(v["content"]) if isinstance(v, dict) else v for v in named if isinstance(v, (str, dict))}


def recoded_settings(settings: Mapping[str, Any], new: Mapping[int, int]) -> dict[str, Any]:
    """``tokenizer_config.json`` with its table of added tokens under their new ids.

    Raises:
        ModelError: the table names an id that the tokenizer does not have.
    """
    table = settings.get("added_tokens_decoder")
    if table is None:
        return dict(settings)
    unknown = sorted(i for i in table if int(i) not in new)
    if unknown:
        raise ModelError(f"tokenizer_config.json lists added tokens that tokenizer.json does not have: {unknown}.")
    return {**settings, "added_tokens_decoder": {str(new[int(i)]): token for i, token in table.items()}}


def positions_follow_padding(net: nn.Module) -> bool:
    """Whether positions are counted from the padding id (RoBERTa and its kin), so that it must stay where it is."""
    tokens = net.get_input_embeddings()
    others = (module for module in net.modules() if module is not tokens)
    return any(getattr(module, "padding_idx", None) is not None for module in others)
