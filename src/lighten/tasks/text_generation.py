"""Text generation: a language model on documents, on prompts with an answer, or on prompts with choices."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, ClassVar, cast

import numpy as np

from lighten.core.data_options import COMMON, DataOptions, NewRows, Samples
from lighten.core.errors import BuildFailed, InputError
from lighten.core.language import ChoiceSession, LanguageSession
from lighten.core.language_codes import BYTES, NATS, answer_code
from lighten.core.prediction import Prediction
from lighten.core.priors import Cost, Priors, Requests
from lighten.core.rows import Rows
from lighten.core.session import Session
from lighten.core.task import Data, Task, check_options
from lighten.tasks._classification import chosen, largest_is_right, most_frequent
from lighten.tasks._language import ANSWERS, CHOICES, DOCUMENTS, Asking, PromptedSession, RankedSession

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from lighten.data.prompts import Template

SAMPLES, SAMPLE_WORDS, SAMPLE_TOKENS = 4, 12, 48
"""Sample continuations: how many, words of a document that each begins with, tokens that each goes on for."""
WORDS = re.compile(r"\s*(?:[\u2e80-\u9fff\uac00-\ud7ff]|[^\s\u2e80-\u9fff\uac00-\ud7ff]{1,40})")
"""A word with the space before it; where words stand without spaces, a character."""
VARIANT = Cost(60.0, 0.4)
"""Calibrating, quantizing and measuring one of them, and what judging it adds as a part of what the original took: 116
to 128 s where that was 197 s, on documents; 72 and 108 s where it was 56 s, on prompts."""
SETTINGS = Cost(20.0, 0.25)
"""The same for timing settings of the engine side by side."""
READ = Priors(
    VARIANT, SETTINGS, learning=1.15, proving=1.45, passes=1.0, part=0.1, least=0.3, first=0.46, slow_answers=True
)
"""Of documents. Most of what an answer costs is the output layer, which is cut before it learns: 430 s a pass over rows
that took 600 s to answer, with 0.47 of the bytes. A second pass over 399 documents did harm, and the time is another
network's. Of the bytes most are the vocabulary. Layers or neurons that went are not made up for in less than 0.3 of a
pass. The original answers slowest; finalists answer the proof after it in 1.45 times its seconds together."""
PROMPTED = replace(READ, learning=3.2, passes=2.0)
"""Of prompts, of which an answer reads few probabilities: 306 s a pass where the answers took 152 s."""


@dataclass(frozen=True)
class TextGeneration(Asking, Task):
    """What a language model says of the user's own text.

    Documents are scored token by token; the measure is bits per byte, which does not depend on the tokenizer. Prompts
    with an answer are continued greedily and compared with it. Choices are ranked by their likelihood after the prompt.
    """

    options: ClassVar[tuple[str, ...]] = ("prompt", "answer", "choices", "shots")
    models: ClassVar[str] = "a language model"
    deadline: ClassVar[float] = 600.0  # language models think longer
    patient: ClassVar[bool] = True

    @property
    def metrics(self) -> tuple[str, ...]:
        """See :meth:`Task.metrics`."""
        return {
            DOCUMENTS: ("bits_per_byte", "token_flips"),
            ANSWERS: ("exact_match", "answer_flips"),
            CHOICES: ("accuracy", "macro_f1", "worst_group", "log_loss", "brier", "calibration_error", "flips"),
        }[self.evidence]

    @property
    def writes(self) -> bool:
        """See :meth:`Task.writes`."""
        return self.evidence != CHOICES

    @property
    def speeds(self) -> tuple[str, ...]:
        """See :meth:`Task.speeds`."""
        every = ("decode", "load", "memory", "prefill", "size", "streams", "throughput")
        return every if self.evidence == DOCUMENTS else ("latency", *every)

    @property
    def unlabelled(self) -> tuple[str, ...]:
        """See :meth:`Task.unlabelled`."""
        return {
            DOCUMENTS: ("bits_per_byte", "token_flips"),
            ANSWERS: ("answer_flips",),
            CHOICES: ("flips",),
        }[self.evidence]

    @property
    def requests(self) -> Requests:
        """See :meth:`Task.requests`: few, because each one takes seconds.

        Prompts are short, and share what stands before them: as many as make that count little.
        """
        return Requests(singles=48, batch=2 if self.evidence == DOCUMENTS else 16, fitted=False)

    @property
    def priors(self) -> Priors:
        """See :meth:`Task.priors`."""
        return READ if self.evidence == DOCUMENTS else PROMPTED

    @property
    def needs_prompt(self) -> bool:
        """See :meth:`Task.needs_prompt`: whatever is right after one prompt is not after another."""
        return self.evidence != DOCUMENTS

    @property
    def facts(self) -> Mapping[str, str]:
        """See :meth:`Task.facts`: ``evidence``."""
        return {"evidence": self.evidence}

    def cost(self, options: DataOptions) -> str:
        """See :meth:`Task.cost`: seconds a token, where the model writes."""
        return "cpu" if options.choices else "tpot"

    def columns(self, labels: int) -> int:
        """See :meth:`Task.columns`."""
        return self.width

    def read(self, source: str | Path, options: DataOptions, *, seed: int) -> Data:
        """See :meth:`Task.read`: documents, prompts with an answer, or prompts with choices."""
        from lighten.data.language import read_language

        check_options(self, options, f"a task of {self.models}")
        words = {name: getattr(options, name) for name in (*COMMON, "prompt", "answer", "choices", "shots", "known")}
        data = read_language(source, seed=seed, **words)
        settings: dict[str, Any] = dict(data.task)
        return Data(replace(self, **settings), data.parts, dict(data.columns))

    def read_new(self, source: str | Path, options: DataOptions, labels: Sequence[str]) -> NewRows:
        """See :meth:`Task.read_new`.

        Raises:
            InputError: nobody says which column has the right answers.
        """
        from lighten.data.language import read_rows

        answer = options.answer if self.evidence == ANSWERS else None
        if self.evidence == ANSWERS and answer is None:
            raise InputError("Nobody says which column has the right answers.", fix="give --answer COLUMN")
        rows, notes = read_rows(
            source,
            prompt=None if self.evidence == DOCUMENTS else options.prompt,
            answer=answer,
            choices=labels,
            known=options.known,
            **{name: getattr(options, name) for name in COMMON},
        )
        return NewRows(rows, tuple(labels), (), notes)

    def read_inputs(self, source: str | Path | Sequence[str], options: DataOptions) -> Sequence[Any]:
        """See :meth:`Task.read_inputs`: the columns that the prompt shows; else whole texts."""
        if not isinstance(source, str | Path):
            raise InputError(f"{len(source)} files were given.", allowed="one file or folder of texts, or -")
        from lighten.data.language import read_inputs
        from lighten.data.prompts import cell_text

        whole = self.evidence == DOCUMENTS
        rows = read_inputs(source, prompt=options.prompt, text=options.text, documents=whole, known=options.known)
        return list(rows) if options.prompt else [cell_text(cell) for row in rows for cell in row.values()]

    def item_of(self, row: Any, options: DataOptions) -> Any:
        """See :meth:`Task.item_of`: the prompt, without the examples before it; a text fills its one gap.

        Raises:
            InputError: the prompt has other gaps than the row has values.
        """
        from lighten.data.prompts import parse_template

        if isinstance(row, PurePath):
            return super().item_of(row, options)
        template: Template | None = parse_template(options.prompt) if options.prompt else None
        names = dict.fromkeys(template.fields) if template else {}
        if isinstance(row, str):
            if len(names) > 1:
                raise InputError("The prompt shows several columns, and a text was given.", fix=_example(names))
            return template.render(dict.fromkeys(names, row)) if template else row
        missing = [name for name in names if name not in row]
        if template is None or missing:
            seen = f"The prompt shows {', '.join(missing)}" if missing else "There is no prompt for columns"
            raise InputError(f"{seen}, and {', '.join(row) or 'nothing'} was given.", fix=_example(names))
        return template.render(row)

    def adapt(self, options: DataOptions, labels: Sequence[str]) -> tuple[Task, tuple[str, ...]]:
        """See :meth:`Task.adapt`: a prompt, a column of answers, choices.

        Raises:
            InputError: they do not fit together. DataError: broken templates or choices.
        """
        from lighten.data.prompts import checked_choices, parse_template

        check_options(self, options, self.models)
        if options.answer is not None and options.choices:
            raise InputError("Both --answer and --choices were given.", fix="leave one of them out")
        offered = () if options.answer is not None else tuple(labels)
        if options.choices:
            offered = checked_choices(options.choices)
        if offered:
            space = parse_template(options.prompt).space if options.prompt is not None else " "
            return replace(self, evidence=CHOICES, choices=tuple(space + one for one in offered)), offered
        if options.answer is not None:
            return replace(self, evidence=ANSWERS, choices=()), ()
        if self.evidence == DOCUMENTS:
            raise InputError("--prompt was given, but neither --answer nor --choices.", fix="say what is right")
        return self, ()

    def labels_of(self, known: Sequence[str]) -> tuple[str, ...]:
        """See :meth:`Task.labels_of`: the choices, without the space that follows the prompt."""
        return tuple(known or (choice.strip() for choice in self.choices)) if self.evidence == CHOICES else ()

    def wrap(self, session: Session) -> Session:
        """See :meth:`Task.wrap`."""
        if isinstance(session, ChoiceSession):
            return RankedSession(self, session)
        if not isinstance(session, LanguageSession):
            raise BuildFailed("This engine opened a model that is no language model.")
        return PromptedSession(self, session)

    def predict(self, session: Session, inputs: Sequence[Any], labels: Sequence[str]) -> list[Prediction]:
        """See :meth:`Task.predict`: the likeliest choice, what is answered, or the bits per byte of a document."""
        if self.evidence == ANSWERS:
            return [Prediction(answer) for answer in cast(PromptedSession, session).replies(inputs)]
        answers = session.run(inputs)
        if self.evidence == CHOICES:
            return chosen(answers, labels)
        bits = answers[:, NATS].astype(np.float64) / np.log(2.0) / answers[:, BYTES]
        return [Prediction(measures={"bits_per_byte": value}) for value in bits.tolist()]

    def samples(self, rows: Rows, labels: Sequence[str]) -> Samples | None:
        """See :meth:`Task.samples`: whole prompts, or the first words of documents that go on."""
        shown = tuple(beginnings(rows, whole=self.evidence != DOCUMENTS))
        until = "" if self.evidence == DOCUMENTS else self.until
        return Samples(shown, tuple(self.prefix + text for text in shown), SAMPLE_TOKENS, until)

    def loss(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Mean cross entropy of the next token in nats. logits: [tokens, vocabulary]; targets: [tokens] int64."""
        from torch.nn.functional import cross_entropy

        return cross_entropy(logits.float(), targets)

    def distance(self, logits: Tensor, teacher: Tensor) -> Tensor:
        """The divergence. logits, teacher: [tokens, vocabulary]."""
        return self.divergence(logits, teacher)

    def constant(self, learned: Rows, rows: Rows, labels: Sequence[str]) -> tuple[str, NDArray[Any]] | None:
        """See :meth:`Task.constant`: the choice that most rows have, or the most frequent answer."""
        if self.evidence == DOCUMENTS or not len(learned):
            return None
        if self.evidence == CHOICES:
            return most_frequent(learned, rows, labels)
        codes = [answer_code(text) for text in learned.references]
        code = Counter(codes).most_common(1)[0][0]
        return learned.references[codes.index(code)], np.full((len(rows), 1), code, dtype=np.float64)

    def right(self, outputs: NDArray[Any], rows: Rows) -> NDArray[Any]:
        """Whether the likeliest choice, or the answer, is right. outputs: of the task's session. Returns [n] bool."""
        if self.evidence == DOCUMENTS:
            raise ValueError("a document is more or less likely, not right or wrong")
        if self.evidence == CHOICES:
            return largest_is_right(outputs, rows)
        return np.asarray(outputs[:, 0] == np.array([answer_code(text) for text in rows.references]))


def beginnings(rows: Rows, *, whole: bool) -> list[str]:
    """Up to ``SAMPLES`` texts spread over the rows: whole prompts, or the first words of documents that go on."""
    found: Sequence[str] = rows.texts
    if not whole:
        cut = ["".join(WORDS.findall(text)[:SAMPLE_WORDS]).strip() for text in rows.texts]
        found = [begin for begin, text in zip(cut, rows.texts, strict=True) if len(begin) < len(text.strip())] or cut
    found = [text for text in dict.fromkeys(found) if text.strip()]
    most = min(SAMPLES, len(found))
    return [found[i * len(found) // most] for i in range(most)]


def _example(names: Mapping[str, object]) -> str:
    if len(names) < 2:
        return "give texts"
    return f"give a mapping for each row: {{{', '.join(f'{name!r}: ...' for name in names)}}}"
