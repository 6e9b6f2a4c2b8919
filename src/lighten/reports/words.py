"""Every text of the report in English and Chinese, in one table. Placeholders are in braces, the same in both."""

from __future__ import annotations

from string import Formatter

from lighten.core.coverage import ENGLISH
from lighten.reports.ending_words import ENDING
from lighten.reports.language_words import LANGUAGE
from lighten.reports.proof_words import PROOF

LANGS = ("en", "zh")

WORDS: dict[str, tuple[str, str]] = {
    **ENDING,
    **LANGUAGE,
    **PROOF,
    # the page
    "page.title": ("lighten report: {model}", "lighten 报告：{model}"),
    "page.skip": ("Skip to the content", "跳到正文"),
    "page.language": ("Language", "语言"),
    "page.sections": ("Sections", "章节"),
    "page.colon": (": ", "："),
    "page.made": (
        "Made by lighten {version}, {started}, in {time}.",
        "由 lighten {version} 生成；开始时间 {started}，用时 {time}。",
    ),
    "page.copy": ("Copy", "复制"),
    "page.copied": ("Copied", "已复制"),
    # states of a run
    "state.winner": ("Winner found", "已选出优胜者"),
    "state.nothing_met": ("Nothing met the budget", "没有候选满足预算"),
    "state.interrupted": ("Interrupted", "运行被中断"),
    # the sentences on top
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
    # why a candidate did not win
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
    # statuses, short
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
    # the frontier
    "frontier.title": ("Frontier", "帕累托前沿"),
    "frontier.lead": (
        "Every candidate that was measured: what it costs against how good it is, on the select rows. "
        "Point at a mark to read it; choose it to find it in the table.",
        "所有完成测量的候选在筛选数据上的代价与质量。将指针移到标记上可查看数值，点选可在表格中定位。",
    ),
    "frontier.bars": ("Bars are 95% intervals.", "误差线为 95% 区间。"),
    "frontier.label": ("{metric} against {quantity}, {n} candidates", "{metric}与{quantity}的关系，共 {n} 个候选"),
    "frontier.empty": ("No candidate has both numbers yet.", "尚无候选同时具备这两项数值。"),
    "frontier.floor": ("floor {limit}", "下限 {limit}"),
    "frontier.floor.lower": ("at most {limit}", "不超过 {limit}"),
    "frontier.best": ("less is better ↑", "越低越好 ↑"),
    "frontier.ceiling": ("ceiling {limit}", "上限 {limit}"),
    "frontier.less": ("← less is better", "← 越低越好"),
    "frontier.more": ("more is better →", "越高越好 →"),
    "frontier.log": ("log scale", "对数坐标"),
    "frontier.interval": ("95% interval {low} to {high}", "95% 区间 {low} 至 {high}"),
    "mark.original": ("original", "原模型"),
    "mark.stock": ("stock tools", "现成工具"),
    "mark.winner": ("winner", "优胜者"),
    "mark.frontier": ("on the frontier", "位于前沿"),
    "mark.beaten": ("beaten", "被支配"),
    "mark.missed": ("misses the budget", "不满足预算"),
    # the ladder
    "ladder.title": ("Baselines", "基线对比"),
    "ladder.lead": (
        "What each step up from a plain script brings. Ratios are against the original, measured in turns "
        "with it in one run; above 1× is better.",
        "从最朴素的脚本开始，逐级对比。倍率以原模型为基准，两者在同一次运行中交替测量；大于 1× 表示更好。",
    ),
    "rung.naive": ("Naive: eager, 32-bit float", "朴素：即时执行 FP32"),
    "rung.tuned": ("Tuned 32-bit float", "优化后的 FP32"),
    "rung.stock": ("Stock int8", "现成 INT8 量化"),
    "rung.ours": ("lighten", "lighten"),
    "ladder.missing": ("not measured", "未测量"),
    # the proof
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
    # nearest misses
    "nearest.title": ("Nearest misses", "最接近的候选"),
    "nearest.lead": (
        "What each lacks. Loosen that bound, or give the search more time or data.",
        "各自未满足的条件如下。可以放宽相应限制，或者为搜索提供更多时间与数据。",
    ),
    # flips
    "flips.title": ("What changed", "预测变化"),
    "flips.lead": (
        "Rows of the proof part that the winner answers differently. Equal accuracy can hide such changes.",
        "验证数据中，优胜者与原模型答案不同的行。准确率相同也可能掩盖这类变化。",
    ),
    "flips.none": ("Not one answer changed.", "所有答案均未改变。"),
    "flips.broke": ("Only the original was right", "仅原模型正确"),
    "flips.fixed": ("Only the winner is right", "仅优胜者正确"),
    "flips.moved": ("Both wrong, differently", "两者皆错，但答案不同"),
    "flips.count": ("{n} of {total} shown", "显示 {n} / {total} 条"),
    "flips.text": ("text", "文本"),
    "flips.label": ("label", "标签"),
    # groups
    "groups.title": ("Groups", "分组"),
    "groups.lead": ("Accuracy in each group of the proof rows.", "验证数据中各分组的准确率。"),
    "groups.group": ("group", "分组"),
    "groups.rows": ("rows", "行数"),
    "groups.change": ("change", "变化"),
    # candidates
    "candidates.title": ("All candidates", "全部候选"),
    "candidates.lead": (
        "{n} candidates: {ok} measured, {failed} failed or stopped. Measured on the select rows.",
        "共 {n} 个候选：完成测量 {ok} 个，失败或终止 {failed} 个。数值均在筛选数据上测得。",
    ),
    "candidates.filter": ("Filter by name, recipe or reason", "按名称、配方或原因筛选"),
    "candidates.all": ("all", "全部"),
    "candidates.shown": ("shown", "条结果"),
    "column.name": ("candidate", "候选"),
    "column.status": ("outcome", "结果"),
    "column.why": ("why", "原因"),
    "column.original": ("original", "原模型"),
    "column.winner": ("winner", "优胜者"),
    "column.candidate": ("candidate", "候选"),
    "column.quantity": ("quantity", "指标"),
    "recipe.none": ("no step", "无步骤"),
    # terminal tables
    "table.more": ("A wider terminal shows: {names}.", "更宽的终端还会显示：{names}。"),
    "table.measured": ("Measured", "测量结果"),
    # lineage, data, environment, reproduce
    "lineage.title": ("How the winner was made", "优胜者的制作过程"),
    "lineage.brought": ("as brought", "原始输入"),
    "lineage.step": ("step", "步骤"),
    "lineage.format": ("format", "格式"),
    "lineage.id": ("content hash", "内容哈希"),
    "lineage.time": ("time", "用时"),
    "data.title": ("Data", "数据"),
    "data.source": ("source", "来源"),
    "data.labels": ("labels", "标签"),
    **{
        f"coverage.{key}": (ENGLISH[key], chinese)
        for key, chinese in {
            "cut": "{model} 每条文本最多读取 {limit} 个词元，其余部分看不到；超过此长度的有：{parts}。",
            "part": "{part}部分 {texts} 条中的 {cut} 条（{share}）",
            "between": "、",
            "or": " 或 ",
            "unknown": "您的文本中有 {share} 的词元是 {model} 不认识的：它的词表不是为这种语言或文字制作的，"
            "只能靠其余内容猜测。请换用认识该语言的模型，例如 {models}。",
        }.items()
    },
    "part.train": ("train", "训练"),
    "part.tune": ("tune", "调优"),
    "part.select": ("select", "筛选"),
    "part.proof": ("proof", "验证"),
    "environment.title": ("Environment", "运行环境"),
    "environment.cpu": ("processor", "处理器"),
    "environment.flags": ("instruction sets", "指令集"),
    "environment.cores": ("cores in the machine", "机器核心数"),
    "environment.cores_allowed": ("cores allowed", "可用核心数"),
    "environment.memory": ("memory in the machine", "机器内存"),
    "environment.memory_allowed": ("memory allowed", "可用内存"),
    "environment.system": ("system", "操作系统"),
    "environment.python": ("Python", "Python 版本"),
    "environment.libraries": ("libraries", "依赖库版本"),
    "environment.bandwidth": ("memory bandwidth", "内存带宽"),
    "environment.memory_bandwidth": ("memory bandwidth", "内存带宽"),
    "environment.rates": ("measured rates", "实测速率"),
    "environment.read_bandwidth": ("memory bandwidth, reading only", "内存带宽（只读）"),
    "environment.versions": ("libraries", "依赖库版本"),
    "environment.id": ("hash of this record", "本记录的哈希"),
    "environment.arithmetic": ("matrix product, float32", "FP32 矩阵乘吞吐"),
    "environment.lead": (
        "Absolute numbers belong to this machine; ratios travel better.",
        "绝对数值只适用于这台机器，倍率更具可比性。",
    ),
    "ratio.unsure": ("{ratio}, unsure", "{ratio}，不确定"),
    "say.unsure": (
        "How much better is unsure: the machine was disturbed while it was measured. Measure again when it is quiet: "
        "{command}",
        "改善的幅度并不确定：测量时机器受到干扰。请在机器空闲时重新测量：{command}",
    ),
    "ratio.spread": (
        "± is half the interquartile range of the rounds in which both took turns. A ratio is unsure when the machine "
        "was disturbed while it was measured, or when the rounds differ too much.",
        "± 为各轮倍率四分位距的一半（双方在每轮中交替运行）。测量时机器受到干扰或各轮相差过大的倍率标为“不确定”。",
    ),
    "budget.title": ("Budget", "预算"),
    "budget.keep": ("keep", "保持"),
    "budget.under": ("stay under", "不超过"),
    "budget.minimize": ("minimize", "最小化"),
    "budget.maximize": ("maximize", "最大化"),
    "reproduce.title": ("Reproduce", "复现"),
    "reproduce.lead": ("The same command makes the same candidates again.", "用同一条命令可重新得到相同的候选。"),
    "paths.title": ("Files", "文件"),
    # quantities: names in running text
    "quantity.p50": ("median latency", "中位延迟"),
    "quantity.p95": ("p95 latency", "P95 延迟"),
    "quantity.p99": ("p99 latency", "P99 延迟"),
    "quantity.rows_per_second": ("throughput", "吞吐量"),
    "quantity.cpu": ("CPU time", "CPU 时间"),
    "quantity.memory": ("peak memory", "内存峰值"),
    "quantity.size": ("size on disk", "磁盘占用"),
    "quantity.load": ("load time", "加载时间"),
    "quantity.energy": ("energy", "能耗"),
    "quantity.accuracy": ("accuracy", "准确率"),
    "quantity.worst_group": ("worst-group accuracy", "最差分组准确率"),
    "quantity.macro_f1": ("macro-F1", "宏平均 F1"),
    "quantity.log_loss": ("log loss", "对数损失"),
    "quantity.flips": ("share of changed answers", "答案变化率"),
    "quantity.brier": ("Brier score", "Brier 分数"),
    "quantity.calibration_error": ("calibration error", "校准误差"),
    # numbers
    "number.unknown": ("unknown", "未知"),
    "number.unknown_because": ("{quantity}: unknown ({reason})", "{quantity}：未知（{reason}）"),
    "number.point": ("{value} point", "{value} 个百分点"),
    "number.points": ("{value} points", "{value} 个百分点"),
    "number.pt": ("{value} pt", "{value} 个百分点"),
    "number.seconds": ("{value} s", "{value} 秒"),
    "number.minutes": ("{minutes} min {seconds} s", "{minutes} 分 {seconds} 秒"),
    "number.hours": ("{hours} h {minutes} min", "{hours} 小时 {minutes} 分"),
    "unit.nats": ("nats", "奈特"),
    "unit.squared error": ("squared error", "平方误差"),
    "unit.rows/s": ("rows/s", "行/秒"),
    "unit.s/1000 rows": ("s per 1,000 rows", "秒/千行"),
    "unit.J/1000 rows": ("J per 1,000 rows", "焦/千行"),
}
"""Key -> (English, Chinese)."""


def say(lang: str, key: str, **values: object) -> str:
    """The text behind ``key`` in ``lang`` (``"en"`` or ``"zh"``) with its placeholders filled.

    Raises:
        KeyError: no such key, or a placeholder without a value.
        ValueError: no such language.
    """
    if lang not in LANGS:
        raise ValueError(f"no such language: {lang!r}")
    text = WORDS[key][LANGS.index(lang)]
    if lang == "en":
        return text.format(**values)
    said = ""
    for literal, name, _, _ in Formatter().parse(text):
        said = _join(said, literal)
        if name is not None:
            said = _join(said, str(values[name]))
    return said


def _join(left: str, right: str) -> str:
    """Chinese typesetting: a space between a Chinese character and a Latin one or a digit, none between two Chinese."""
    left_han, right_han = _is_han(left.rstrip(" ")[-1:]), _is_han(right.lstrip(" ")[:1])
    if left_han and right_han:
        return left.rstrip(" ") + right.lstrip(" ")
    touching = left[-1:].isalnum() or left[-1:] == "%", right[:1].isalnum()
    return f"{left} {right}" if left_han != right_han and all(touching) else left + right


def _is_han(character: str) -> bool:
    return "\u4e00" <= character <= "\u9fff"


def quantity(lang: str, name: str) -> str:
    """Name of a quantity in running text; the name itself when the table does not know it."""
    key = f"quantity.{name}"
    return say(lang, key) if key in WORDS else name


def capital(text: str) -> str:
    """``text`` with a capital first letter."""
    return text[:1].upper() + text[1:]
