"""Texts of the report, in English and Chinese: how a run ended without a clear winner."""

from __future__ import annotations

ENDING: dict[str, tuple[str, str]] = {
    "say.constant.worse": (
        "The original is worse than always answering “{answer}”: on {rows} its {metric} is {original}, and that of "
        "the constant answer {share} (difference from {lower} to {upper}, 95% bounds). Check what its labels mean "
        "before you rely on anything below.",
        "原模型比始终回答“{answer}”还差：在 {rows} 上，其{metric}为 {original}，而固定答案为 {share}"
        "（差值介于 {lower} 与 {upper} 之间，95% 置信界）。在依赖下文的任何结论之前，请先核对标签的含义。",
    ),
    "say.constant.not_enough_data": (
        "The original is not shown to be better than always answering “{answer}”: on {rows} its {metric} is "
        "{original}, and that of the constant answer {share} (difference from {lower} to {upper}, 95% bounds). "
        "Whatever is proved below is proved of such a model.",
        "没有证据表明原模型优于始终回答“{answer}”：在 {rows} 上，其{metric}为 {original}，而固定答案为 {share}"
        "（差值介于 {lower} 与 {upper} 之间，95% 置信界）。下文所证明的一切，都只是关于这样一个模型的。",
    ),
    "constant.select": ("{n} select rows", "{n} 行 select 数据"),
    "constant.proof": ("{n} proof rows", "{n} 行验证数据"),
    "constant.data": ("{n} rows of the data", "{n} 行数据"),
    "state.missed": ("Proved, but over a ceiling", "质量已验证，但超出上限"),
    "state.unproved": ("Not proved", "未能验证"),
    "say.nothing_met.nearest": (
        "Nothing met the budget: candidate {number} ({name}) came nearest, with {missed}.",
        "没有候选满足预算：最接近的是候选 {number}（{name}），其{missed}。",
    ),
    "say.nothing_met.refuted": (
        "Nothing met the budget: candidate {number} ({name}) meets it on the select rows, but not in the proof. {why}",
        "没有候选满足预算：候选 {number}（{name}）在筛选数据上满足预算，但未通过验证。{why}",
    ),
    "say.nothing_met": ("Nothing met the budget.", "没有候选满足预算。"),
    "say.missed": (
        "Quality is proved, but in the last measurement every candidate that holds missed a ceiling: candidate "
        "{number} ({name}) came nearest, with {missed}.",
        "质量已得到验证，但在最后一次测量中，所有质量保持的候选都超出了上限："
        "最接近的是候选 {number}（{name}），其{missed}。",
    ),
    "say.missed.else": ("It meets everything else.", "其余条件均已满足。"),
    "say.missed.else_select": (
        "It meets everything else on the select rows; its quality was not put to the proof.",
        "其余条件在筛选数据上均已满足；其质量尚未经过验证。",
    ),
    "say.unproved": (
        "Nothing is proved: the original failed on the proof rows ({reason}).",
        "未能完成验证：原模型在验证数据上运行失败（{reason}）。",
    ),
    "say.unproved.more": (
        "{done} of {n} candidates were measured and are kept. Run the same command with --resume to try the proof "
        "again.",
        "{n} 个候选中已测量 {done} 个，结果已保留。在同一命令后加上 --resume 可重新进行验证。",
    ),
    "say.cheaper": (
        "Candidate {number} ({name}) was measured cheaper still ({value}, the winner {best}), but its quality was not "
        "proved.",
        "候选 {number}（{name}）测得的代价更低（{value}，优胜者为 {best}），但其质量未经验证。",
    ),
    "say.close": (
        "{metric}: {value} measured, ±{spread}; you asked for {limit}. Another measurement may say the opposite.",
        "{metric}：测得 {value}，±{spread}；您要求 {limit}。再次测量可能得出相反的结果。",
    ),
    "bound.over": (
        "{metric} {value}{spread} where you allow {limit} ({excess} over)",
        "{metric}为 {value}{spread}，上限为 {limit}（超出 {excess}）",
    ),
    "bound.under": (
        "{metric} {value}{spread} where you ask for {limit} ({excess} short)",
        "{metric}为 {value}{spread}，要求至少 {limit}（差 {excess}）",
    ),
    "bound.points": (
        "{metric} {value} where you ask for {limit} ({excess} short)",
        "{metric}为 {value}，要求至少 {limit}（差 {excess}）",
    ),
    "bound.unknown": ("{metric} that could not be measured", "{metric}无法测量"),
    "bound.spread": (" (±{spread})", "（±{spread}）"),
    "bound.and": (" and ", "，"),
    "accept.title": ("To accept it", "若可接受，请运行"),
    "empty.time": (
        "No candidate was tried: of the {time} s, {spent} s were used before the search began, and {reserve} s are "
        "kept for the proof. Give more time with --time.",
        "没有尝试任何候选：在 {time} 秒中，搜索开始之前已用去 {spent} 秒，另为验证保留 {reserve} 秒。"
        "请用 --time 给出更多时间。",
    ),
    "empty.engines": ("Engines were left out: {names}.", "以下引擎未被使用：{names}。"),
    "empty.steps": (
        "Steps were left out because they take too long for this time: {names}. Give more time with --time.",
        "以下步骤所需时间过长，未予尝试：{names}。请用 --time 给出更多时间。",
    ),
    "empty.conversions": (
        "What needs these conversions was left out: {names}.",
        "需要以下转换的做法未予尝试：{names}。",
    ),
    "empty.failed": (
        "All {n} candidates failed; the first: {first}",
        "全部 {n} 个候选均告失败；第一个的原因：{first}",
    ),
    "empty.nothing": (
        "No candidate was tried: no step and no engine here fits this model as it is.",
        "没有尝试任何候选：现有步骤与引擎均不适用于此模型。",
    ),
    "empty.dearer": (
        "What keeps the floors and ceilings costs no less than the original.",
        "满足全部下限与上限的候选，其代价并不低于原模型。",
    ),
    "empty.unheld": (
        "No candidate is likely to keep the floors: by the select rows none was worth a proof.",
        "没有候选可能保持质量下限：依筛选数据判断，均不值得进行验证。",
    ),
}
"""Key -> (English, Chinese)."""
