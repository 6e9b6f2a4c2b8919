"""Texts about a search for hyperparameters, in English and Chinese."""

from __future__ import annotations

SWEEP: dict[str, tuple[str, str]] = {
    "sweep.title": ("Search for settings", "超参数搜索"),
    "sweep.found": (
        "Its settings are those of the best of {n} trials, which took {time}; with them it learned from the tune rows, "
        "too, so only the proof rows score it.",
        "所用设置取自 {n} 次试验中最好的一次（试验共用时 {time}）；最终训练也用了调优数据，因此只由验证数据评分。",
    ),
    "sweep.lead": (
        "Every trial trains the same model with other settings and is judged on {judged} of tune. Of {n}, {stopped} "
        "were stopped early, because others were better at the same point of their training; {failed} came apart. The "
        "best one was trial {winner}. The first one has the settings that suit the model when nothing is searched.",
        "每次试验以不同设置训练同一模型，并用调优数据中的 {judged}评分。{n} 次试验中，{stopped} 次因在同一训练进度上"
        "落后而提前停止，{failed} 次发散。最好的是第 {winner} 次试验。第 1 次试验采用不搜索时的默认设置。",
    ),
    "sweep.rows": ("{n} rows", "{n} 行"),
    "sweep.windows": ("{n} windows of text", "{n} 段文本"),
    "sweep.chance": (
        "One standard error of a score on {n} rows is {error} points: smaller differences are mostly chance, and the "
        "best of many scores is likely too high. The proof rows were never looked at while searching.",
        "在 {n} 行上得分的标准误为 {error} 个百分点：小于它的差别多属偶然，多次试验中的最高分也偏乐观。"
        "搜索期间从未查看验证数据。",
    ),
    "sweep.fewer": (
        "{asked} trials were asked for; the time allowed {n}.",
        "要求 {asked} 次试验；时间只允许 {n} 次。",
    ),
    "sweep.given": ("Given, not searched: {given}.", "由您指定、未参与搜索：{given}。"),
    "sweep.by_trial": ("Score by trial", "各次试验得分"),
    "sweep.by_trial.loss": ("Loss by trial", "各次试验损失"),
    "sweep.across": ("number of the trial", "试验编号"),
    "sweep.best": ("best so far", "当前最好"),
    "sweep.finished": ("finished", "完成"),
    "sweep.stopped": ("stopped early", "提前停止"),
    "sweep.failed": ("came apart", "发散"),
    "sweep.at": ("stopped at {share}", "在 {share} 处停止"),
    "sweep.importance": ("Importance of the settings", "各设置的重要性"),
    "sweep.importance.lead": (
        "How much of the difference between trials goes with each setting ({method}), by their scores at {share} of "
        "the training, the first point at which all were compared.",
        "各设置在试验得分差异中所占的份额（{method}），依据各次试验在训练进度 {share} 处（首次统一比较时）的得分。",
    ),
    "sweep.importance.none": (
        "Which settings matter is not known: too few trials, or scores that do not differ.",
        "无法判断哪些设置更重要：试验太少，或得分没有差别。",
    ),
    "intervals.label": ("{title}, {n} values with their bounds", "{title}，共 {n} 项及其上下界"),
    "bars.label": ("{title}, {n} bars", "{title}，共 {n} 项"),
    "sweep.trials": ("Trials, the best first", "试验，最好者在前"),
    "sweep.trials.shown": (
        "The best {shown} of {n}; all are in result.json.",
        "显示最好的 {shown} 次，共 {n} 次；全部见 result.json。",
    ),
    "sweep.trial": ("Trial", "试验"),
    "sweep.winner": ("won", "获胜"),
    "sweep.default": ("default", "默认"),
    "sweep.state": ("State", "状态"),
    "sweep.score": ("Score", "得分"),
    "sweep.loss": ("Loss", "损失"),
    "sweep.time": ("Time", "用时"),
    "sweep.learning_rate": ("Learning rate", "学习率"),
    "sweep.batch_rows": ("Batch", "批大小"),
    "sweep.epochs": ("Passes", "遍数"),
    "sweep.weight_decay": ("Weight decay", "权重衰减"),
    "sweep.dropout": ("Dropout", "随机失活"),
    "sweep.label_smoothing": ("Label smoothing", "标签平滑"),
    "training.sweep": ("Search", "搜索用时"),
    "training.sweep.of": ("{n} trials", "{n} 次试验"),
    "training.last": ("of the last training, all sittings together", "最终训练，历次运行合计"),
    "curves.lead.last": (
        "Of the last training, across: passes over the rows of train and tune. Nothing was held out of it; its last "
        "weights are kept.",
        "最终训练；横轴：训练与调优数据的遍数。未留出数据，保留最后的权重。",
    ),
}
