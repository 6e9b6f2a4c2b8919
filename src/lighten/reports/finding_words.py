"""Texts of the report, in English and Chinese: what was found, and why a candidate did not win."""

from __future__ import annotations

FINDING: dict[str, tuple[str, str]] = {
    "state.winner": ("Winner found", "已选出优胜者"),
    "state.nothing_met": ("Nothing met the budget", "没有候选满足预算"),
    "state.interrupted": ("Interrupted", "运行被中断"),
    "say.gain.rows_per_second": (
        "The winner answers {ratio} as many rows per second as the original",
        "优胜者每秒处理的行数是原模型的 {times} 倍",
    ),
    "say.gain.lower": (
        "The winner’s {quantity} is {share} of the original’s ({ratio} better)",
        "优胜者的{quantity}仅为原模型的 {share}（{ratio}）",
    ),
    "say.gain.worse": ("The winner’s {quantity} is {share} of the original’s", "优胜者的{quantity}为原模型的 {share}"),
    "say.gain.higher": ("The winner’s {quantity} is {ratio} the original’s", "优胜者的{quantity}是原模型的 {times} 倍"),
    "say.gain.none": ("The winner meets the budget", "优胜者满足预算"),
    "say.quality.higher": (
        "on {n} unseen rows its {metric} is at most {loss} lower ({confidence} bound); you allowed {margin}.",
        "在 {n} 行从未见过的数据上，{metric}至多下降 {loss}（{confidence} 置信界），您允许的上限是 {margin}。",
    ),
    "say.quality.lower": (
        "on {n} unseen rows its {metric} is at most {loss} higher ({confidence} bound); you allowed {margin}.",
        "在 {n} 行从未见过的数据上，{metric}至多上升 {loss}（{confidence} 置信界），您允许的上限是 {margin}。",
    ),
    "say.quality.no_loss": (
        "on {n} unseen rows its {metric} is no worse ({confidence} bound); you allowed {margin}.",
        "在 {n} 行从未见过的数据上，{metric}没有变差（{confidence} 置信界），您允许的上限是 {margin}。",
    ),
    "say.and": ("{gain}, and {quality}", "{gain}；{quality}"),
    "say.also.higher": (
        "Its {metric} is at most {loss} lower; you allowed {margin}.",
        "{metric}至多下降 {loss}，允许上限为 {margin}。",
    ),
    "say.also.lower": (
        "Its {metric} is at most {loss} higher; you allowed {margin}.",
        "{metric}至多上升 {loss}，允许上限为 {margin}。",
    ),
    "say.also.no_loss": ("Its {metric} is no worse; you allowed {margin}.", "{metric}没有变差，允许上限为 {margin}。"),
    "say.interrupted": (
        "The run was stopped after {time}. {done} of {n} candidates were measured and are kept; no winner was proved.",
        "运行 {time} 后停止。{n} 个候选中已测量 {done} 个，结果已保留；尚未选出并验证优胜者。",
    ),
    "say.resume": ("Run the same command with --resume to go on.", "在同一命令后加上 --resume 即可继续。"),
    "say.opened": (
        "{rows} of the proof rows were opened by {runs} earlier runs or comparisons on this machine: this verdict is a "
        "little optimistic if anything was chosen after looking.",
        "验证数据中有 {rows} 行已被本机先前的 {runs} 次运行或比较打开过：如果其后作过任何选择，本次结论会略偏乐观。",
    ),
    "say.opened.once": (
        "{rows} of the proof rows were opened by an earlier run or comparison on this machine: this verdict is a "
        "little optimistic if anything was chosen after looking.",
        "验证数据中有 {rows} 行已被本机先前的一次运行或比较打开过：如果其后作过任何选择，本次结论会略偏乐观。",
    ),
    "say.power.can": (
        "{things} can be expected to rule out losses above {provable} in {metric}; you allow {margin}.",
        "按预期，{things}足以排除{metric}超过 {provable} 的损失；您允许 {margin}。",
    ),
    "say.power.cannot": (
        "{things} can be expected to prove {provable} in {metric}, not {margin}.",
        "按预期，{things}只能排除{metric}超过 {provable} 的损失，不足以证明 {margin}。",
    ),
    "why.winner": (
        "The cheapest whose quality is proved within the budget.",
        "质量已在预算内得到验证的候选中代价最低。",
    ),
    "why.original": ("The model as you brought it.", "您提供的原模型。"),
    "why.no_reason": ("No reason was recorded.", "未记录原因。"),
    "why.running": ("Not finished when the run ended.", "运行结束时尚未完成。"),
    "why.worse": (
        "Worse on the proof rows: {metric} changed by {difference} ({lower} to {upper}).",
        "在验证数据上变差：{metric}变化 {difference}（区间 [{lower}, {upper}]）。",
    ),
    "why.not_enough_data": (
        "Not enough data: {metric} may be {loss} worse, and {margin} was allowed.",
        "数据不足：{metric}可能变差 {loss}，而允许上限为 {margin}。",
    ),
    "why.floor": (
        "{metric} {value} is below the floor of {limit} on the select rows.",
        "在筛选数据上，{metric}为 {value}，低于下限 {limit}。",
    ),
    "why.floor.lower": (
        "{metric} {value} is above the limit of {limit} on the select rows.",
        "在筛选数据上，{metric}为 {value}，高于限值 {limit}。",
    ),
    "why.ceiling": ("{metric} {value} is over the ceiling of {limit}.", "{metric}为 {value}，超过上限 {limit}。"),
    "why.ceiling.higher": (
        "{metric} {value} is under the {limit} asked for.",
        "{metric}为 {value}，未达到要求的 {limit}。",
    ),
    "why.unknown": (
        "{metric} could not be measured, so the bound on it cannot be checked.",
        "{metric}无法测量，因此无法检验对它的限制。",
    ),
    "why.held": (
        "Proved to hold as well, but its {quantity} is {value}; the winner’s is {best}.",
        "质量同样通过验证，但{quantity}为 {value}，优胜者为 {best}。",
    ),
    "why.held.alone": ("Proved to hold.", "质量已通过验证。"),
    "why.beaten": ("{name} is cheaper and at least as good.", "{name} 代价更低，质量不逊。"),
    "why.untested": (
        "On the frontier; its turn in the sequence of tests never came.",
        "位于前沿上，但验证序列未进行到它。",
    ),
    "why.unproved": ("Was not tested on the proof rows.", "未在验证数据上检验。"),
    "status.winner": ("winner", "优胜者"),
    "status.original": ("original", "原模型"),
    "status.held": ("holds", "质量保持"),
    "status.worse": ("worse", "变差"),
    "status.not_enough_data": ("not enough data", "数据不足"),
    "status.below_floor": ("misses a floor", "未达质量下限"),
    "status.over_ceiling": ("over a ceiling", "超出上限"),
    "status.beaten": ("beaten", "被支配"),
    "status.untested": ("not tested", "未检验"),
    "status.failed": ("failed", "失败"),
    "status.stopped": ("stopped early", "提前终止"),
    "status.running": ("not finished", "未完成"),
    "verdict.holds": ("holds", "质量保持"),
    "verdict.worse": ("worse", "变差"),
    "verdict.not_enough_data": ("not enough data", "数据不足"),
    "say.unsure": (
        "How much better is unsure: the machine was disturbed while it was measured. Measure again when it is quiet: "
        "{command}",
        "改善的幅度并不确定：测量时机器受到干扰。请在机器空闲时重新测量：{command}",
    ),
}
"""Key -> (English, Chinese)."""
