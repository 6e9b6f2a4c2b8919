"""Train back on the original's logits: what it answers, and how sure it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from lighten.core.errors import StepFailed
from lighten.core.step import Needs, Step, setting
from lighten.nets.language.network import LanguageNetwork
from lighten.nets.language.schedule import LanguageSchedule
from lighten.nets.language.teacher import LanguageTeacher
from lighten.nets.language.texts import texts_of
from lighten.nets.language.training import learn
from lighten.nets.language.windows import planned, windows
from lighten.nets.network import Network
from lighten.nets.training.lesson import Lesson, taught_loss
from lighten.nets.training.precision import using_threads
from lighten.nets.training.rows import fit
from lighten.nets.training.schedule import Schedule


@dataclass(frozen=True)
class LogitDistillation(Step):
    """The smaller network learns the original's logits, mixed with the labels' loss.

    A classifier learns them by squared error. A language model learns the original's distribution over the next token
    by its divergence, and the text itself beside it; the teacher is in memory meanwhile, without the rows nobody needs.
    """

    title: ClassVar[tuple[str, str]] = (
        "trained to answer as the original does, passes: {epochs}",
        "训练其答案与原模型一致，{epochs} 遍",
    )
    consumes: ClassVar[tuple[str, ...]] = ("hf", "hf-causal")
    needs: ClassVar[frozenset[str]] = frozenset({"train", "tune", "teacher"})
    extra: ClassVar[str] = "train"

    epochs: float = setting(
        3.0, "Passes over the training rows; parts of one for language models only.", low=0.05, high=100
    )
    learning_rate: float = setting(
        1e-4, "Peak rate for a network 384 wide; scaled by 384 / width.", low=1e-7, high=1e-1
    )
    batch_rows: int = setting(32, "Rows per update, of a classifier.", unit="rows", low=1, high=1024)
    alpha: float = setting(
        0.1,
        "Weight of the labels, or of a language model's text; the teacher has the rest.",
        unit="fraction",
        low=0.0,
        high=1.0,
        search=(0.1, 0.5),
    )
    temperature: float = setting(
        1.0, "Of both distributions of a language model, when they are compared.", low=0.1, high=20.0, search=(1.0, 2.0)
    )

    top: int = setting(
        0,
        "Likeliest tokens of a language model's original that are kept of each place, found before the training, so "
        "that it need not stay in memory; the others count as one. 0: all, found beside the training.",
        low=0,
        high=65_536,
    )

    def check(self, facts: Mapping[str, Any]) -> str:
        """Refuses a temperature where logits are compared by their squared difference."""
        if facts and not facts.get("language") and (self.temperature != 1.0 or self.top):
            return "temperature and top are for language models; a classifier's logits are learnt as they are"
        if facts and not facts.get("language") and (self.epochs < 1 or self.epochs != int(self.epochs)):
            return f"a classifier learns for whole epochs, not for {self.epochs}"
        return ""

    def run(self, model: Network | LanguageNetwork, needs: Needs) -> Network | LanguageNetwork:
        """Train in place; the best weights of a classifier seen on ``tune`` stay.

        Raises:
            StepFailed: the teacher has other classes or no token of the student's, or the loss became infinite or NaN.
        """
        if needs.train is None or needs.tune is None or needs.teacher is None:
            raise StepFailed("Distilling needs a teacher and rows to train and to tune on.")
        if isinstance(model, LanguageNetwork):
            return self._language(model, needs)
        answers = np.asarray(needs.teacher.logits(needs.train), dtype=np.float32)
        if answers.shape != (len(needs.train), model.columns):
            raise StepFailed(
                f"The teacher answers {list(answers.shape)} for {len(needs.train)} rows.",
                allowed=f"[{len(needs.train)}, {model.columns}], as the student answers",
            )
        lesson = Lesson(answers, np.full(len(needs.train), self.alpha), temperature=0.0)
        loss = taught_loss(needs.train, needs.task, lesson)
        schedule = Schedule(epochs=round(self.epochs), learning_rate=self.learning_rate, batch_rows=self.batch_rows)
        fit(
            model,
            needs.train,
            needs.tune,
            needs.task,
            loss,
            schedule,
            seed=needs.seed,
            threads=needs.threads,
            watch=needs.watch,
        )
        return model

    def _language(self, model: LanguageNetwork, needs: Needs) -> LanguageNetwork:
        assert needs.train is not None and needs.teacher is not None
        schedule = LanguageSchedule(self.epochs, self.learning_rate * (384 / model.net.config.hidden_size))
        original = needs.teacher.network()
        texts = texts_of(needs.train, needs.task)
        teacher = LanguageTeacher(original, model, texts, schedule.longest)
        del original
        if self.top:
            batches = planned(windows(model, texts, schedule.longest), schedule, needs.seed)
            with using_threads(needs.threads):
                teacher.remember(batches, self.top, self.temperature)
        learn(model, needs, schedule, objective=teacher.objective(self.alpha, self.temperature))
        return model
