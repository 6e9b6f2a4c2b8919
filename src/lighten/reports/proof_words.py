"""Texts of the report, in English and Chinese: the proof, its methods, and what rows can prove."""

from __future__ import annotations

PROOF: dict[str, tuple[str, str]] = {
    "proof.title": ("Proof", "验证"),
    "proof.lead": (
        "Judged once, on rows that nothing in this run had seen. Quality holds when the bound of the loss stays within "
        "what you allowed.",
        "仅检验一次，所用数据在本次运行中此前从未使用过。只有当损失的置信界不超过允许的上限时，才判定质量保持。",
    ),
    "proof.none": ("No candidate reached the proof.", "没有候选进入验证阶段。"),
    "proof.difference": ("difference", "差异"),
    "proof.lower": ("lower bound", "置信下界"),
    "proof.upper": ("upper bound", "置信上界"),
    "proof.margin": ("allowed loss", "允许的损失"),
    "proof.rows": ("proof rows", "验证行数"),
    "proof.units": ("independent units", "独立单元数"),
    "proof.b": ("only the original right", "仅原模型正确"),
    "proof.c": ("only the candidate right", "仅候选正确"),
    "proof.part": ("{metric} (proof)", "{metric}（验证）"),
    "proof.method": ("{confidence} one-sided bounds; {method}", "单侧 {confidence} 置信界；方法：{method}"),
    "proof.allowed": ("allowed", "允许"),
    "proof.sequence": ("Order of tests, from the safest to the cheapest", "检验顺序（从最稳妥到代价最低）"),
    "proof.ends": ("The first that does not hold ends the sequence.", "一旦某个候选未能保持质量，序列即告结束。"),
    "proof.power": ("What these rows can prove", "数据的证明能力"),
    "proof.drawing": (
        "{metric}: difference {difference}, from {lower} to {upper}; allowed loss {margin}",
        "{metric}：差异 {difference}，区间 [{lower}, {upper}]；允许的损失 {margin}",
    ),
    "say.quality.level_higher": (
        "on {n} unseen rows its {metric} is at least {value} ({confidence} bound); you asked for {floor}.",
        "在 {n} 行从未见过的数据上，{metric}不低于 {value}（{confidence} 置信界），您的要求是不低于 {floor}。",
    ),
    "say.quality.level_lower": (
        "on {n} unseen rows its {metric} is at most {value} ({confidence} bound); you asked for {floor}.",
        "在 {n} 行从未见过的数据上，{metric}不高于 {value}（{confidence} 置信界），您的要求是不高于 {floor}。",
    ),
    "say.quality.group_higher": (
        "in every group of unseen rows its {metric} is at most {loss} lower ({confidence} bound; the group {group}, "
        "{rows} rows, decides); you allowed {margin}.",
        "在从未见过的数据的每个分组上，{metric}至多下降 {loss}（{confidence} 置信界；起决定作用的分组是 {group}，"
        "{rows} 行），您允许的上限是 {margin}。",
    ),
    "say.quality.group_no_loss": (
        "in every group of unseen rows its {metric} is no worse ({confidence} bound; the group {group}, {rows} rows, "
        "decides); you allowed {margin}.",
        "在从未见过的数据的每个分组上，{metric}没有变差（{confidence} 置信界；起决定作用的分组是 {group}，{rows} 行），"
        "您允许的上限是 {margin}。",
    ),
    "say.quality.group_level_higher": (
        "in every group of unseen rows its {metric} is at least {value} ({confidence} bound; the group {group}, {rows} "
        "rows, decides); you asked for {floor}.",
        "在从未见过的数据的每个分组上，{metric}不低于 {value}（{confidence} 置信界；起决定作用的分组是 {group}，"
        "{rows} 行），您的要求是不低于 {floor}。",
    ),
    "say.also.level_higher": (
        "Its {metric} is at least {value}; you asked for {floor}.",
        "{metric}不低于 {value}，要求不低于 {floor}。",
    ),
    "say.also.level_lower": (
        "Its {metric} is at most {value}; you asked for {floor}.",
        "{metric}不高于 {value}，要求不高于 {floor}。",
    ),
    "say.also.group_higher": (
        "In every group its {metric} is at most {loss} lower (the group {group}, {rows} rows, decides); you allowed "
        "{margin}.",
        "在每个分组上，{metric}至多下降 {loss}（起决定作用的分组是 {group}，{rows} 行），允许上限为 {margin}。",
    ),
    "say.also.group_no_loss": (
        "In every group its {metric} is no worse (the group {group}, {rows} rows, decides); you allowed {margin}.",
        "在每个分组上，{metric}没有变差（起决定作用的分组是 {group}，{rows} 行），允许上限为 {margin}。",
    ),
    "say.also.group_level_higher": (
        "In every group its {metric} is at least {value} (the group {group}, {rows} rows, decides); you asked for "
        "{floor}.",
        "在每个分组上，{metric}不低于 {value}（起决定作用的分组是 {group}，{rows} 行），要求不低于 {floor}。",
    ),
    "within.worst_group": ("accuracy", "准确率"),
    "why.level.worse.higher": (
        "Too low on the proof rows: {metric} is {difference} ({lower} to {upper}), and {margin} was asked for.",
        "在验证数据上过低：{metric}为 {difference}（区间 [{lower}, {upper}]），要求不低于 {margin}。",
    ),
    "why.level.worse.lower": (
        "Too high on the proof rows: {metric} is {difference} ({lower} to {upper}), and {margin} was asked for.",
        "在验证数据上过高：{metric}为 {difference}（区间 [{lower}, {upper}]），要求不高于 {margin}。",
    ),
    "why.level.not_enough_data.higher": (
        "Not enough data: {metric} may be as low as {bound}, and {margin} was asked for.",
        "数据不足：{metric}可能低至 {bound}，而要求不低于 {margin}。",
    ),
    "why.level.not_enough_data.lower": (
        "Not enough data: {metric} may be as high as {bound}, and {margin} was asked for.",
        "数据不足：{metric}可能高达 {bound}，而要求不高于 {margin}。",
    ),
    "why.group": ("The group {group} decides, with {n} rows.", "起决定作用的分组是 {group}，共 {n} 行。"),
    "why.needed.all.rows": ("About {needed} rows would settle it.", "约需 {needed} 行数据才能得出结论。"),
    "why.needed.all.units": (
        "About {needed} independent units would settle it.",
        "约需 {needed} 个独立单元才能得出结论。",
    ),
    "why.needed.group.rows": (
        "About {needed} rows of this group would settle it.",
        "该分组约需 {needed} 行数据才能得出结论。",
    ),
    "why.needed.group.units": (
        "About {needed} independent units of this group would settle it.",
        "该分组约需 {needed} 个独立单元才能得出结论。",
    ),
    "proof.value": ("value", "取值"),
    "proof.asked": ("asked for", "要求"),
    "proof.file": (
        "The original is the file as you brought it, weights rounded as they are; no float weights were read from it.",
        "原模型即您提供的文件本身（权重保持其量化状态），而不是由它还原出的浮点权重。",
    ),
    "proof.group": ("group that decides", "起决定作用的分组"),
    "proof.values": ("original → candidate", "原模型 → 候选"),
    "method.tango": ("Tango score interval", "Tango 得分区间"),
    "method.tango_exact": (
        "Tango score interval, exact where answers changed one way only",
        "Tango 得分区间；若答案只朝一个方向变化，则用精确区间",
    ),
    "method.exact": ("exact binomial interval (Clopper and Pearson)", "精确二项区间（Clopper–Pearson）"),
    "method.bootstrap": (
        "bootstrap over independent units, the widest of percentile, BCa and a t interval for skewed values",
        "以独立单元为单位的自助法，取百分位法、BCa 法与偏态 t 区间中最宽者",
    ),
    "method.both": (
        "the wider of Tango’s score interval and the paired bootstrap over independent units",
        "取 Tango 得分区间与配对自助法（以独立单元为单位）中较宽者",
    ),
    "method.exact_units": (
        "the wider of the exact binomial interval and the bootstrap over independent units",
        "取精确二项区间与自助法（以独立单元为单位）中较宽者",
    ),
    "proof.drawing.level": (
        "{metric}: {difference}, from {lower} to {upper}; asked for {margin}",
        "{metric}：{difference}，区间 [{lower}, {upper}]；要求 {margin}",
    ),
    "say.power.level": (
        "{things} prove that {metric} keeps {floor} if the candidate shows {value} on them.",
        "若候选在{things}上的{metric}达到 {value}，即可证明其满足 {floor} 的要求。",
    ),
    "power.rows": ("{n} proof rows", "{n} 行验证数据"),
    "power.documents": ("{n} proof documents", "{n} 篇验证文档"),
    "power.units": ("{n} independent units of the proof part", "验证数据中的 {n} 个独立单元"),
    "power.group": ("{n} proof rows of the smallest group ({which})", "最小分组（{which}）的 {n} 行验证数据"),
    "power.group_units": (
        "{n} independent units of the smallest group ({which})",
        "最小分组（{which}）的 {n} 个独立单元",
    ),
    "power.class": ("{n} proof rows of the rarest class ({which})", "最稀有类别（{which}）的 {n} 行验证数据"),
    "power.class_units": (
        "{n} independent units of the rarest class ({which})",
        "最稀有类别（{which}）的 {n} 个独立单元",
    ),
}
"""Key -> (English, Chinese)."""
