"""Train a language model on the user's text through low-rank additions to its matrices, then merge them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from lighten.core.errors import StepFailed
from lighten.core.step import Needs, Step, setting
from lighten.nets.language.network import LanguageNetwork
from lighten.nets.language.schedule import LanguageSchedule
from lighten.nets.language.training import learn
from lighten.nets.training.low_rank import add, linears, merge


@dataclass(frozen=True)
class Lora(Step):
    """Low-rank adaptation (Hu et al. 2021): a third less arithmetic and far less memory than training all weights."""

    title: ClassVar[tuple[str, str]] = (
        "low-rank additions (rank {rank}) trained on your data and merged, passes: {epochs}",
        "在您的数据上训练秩为 {rank} 的低秩增量 {epochs} 遍并合并",
    )
    consumes: ClassVar[tuple[str, ...]] = ("hf-causal",)
    needs: ClassVar[frozenset[str]] = frozenset({"train", "tune"})
    extra: ClassVar[str] = "train"

    epochs: float = setting(1.0, "Passes over the training text; parts of one are allowed.", low=0.05, high=100)
    rank: int = setting(16, "Rank of the additions.", low=1, high=1024)
    learning_rate: float = setting(4e-4, "Peak rate of the additions.", low=1e-7, high=1e-1)
    alpha: float = setting(32.0, "Scale of the additions, as a multiple of one over the rank.", low=0.01, high=1e4)
    embeddings: bool = setting(False, "Train the embeddings as well, all of their weights.")

    def run(self, model: LanguageNetwork, needs: Needs) -> LanguageNetwork:
        """Train, then merge, in place.

        Raises:
            StepFailed: the loss became infinite or NaN.
        """
        if needs.train is None or needs.tune is None:
            raise StepFailed("Training needs texts to train and to tune on.")
        net = model.net
        head = net.get_output_embeddings()
        maps = {name: one for name, one in linears(net, net.parameters()).items() if one is not head}
        added = add(maps, self.rank, self.alpha, needs.seed)
        trained = [parameter for one in added.values() for parameter in (one.down, one.up)]
        if self.embeddings:
            trained.append(net.get_input_embeddings().weight)
        learn(model, needs, LanguageSchedule(self.epochs, self.learning_rate), parameters=trained)
        merge(added)
        return model
