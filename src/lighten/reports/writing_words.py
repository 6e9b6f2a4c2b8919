"""Texts of the report, in English and Chinese: models that write, cheap baselines, the roofline."""

from __future__ import annotations

WRITING: dict[str, tuple[str, str]] = {
    "say.bits.more": (
        "on {n} unseen documents text costs {change} more bits ({confidence} sure: at most {loss} more); you allowed "
        "{margin}.",
        "在 {n} 篇从未见过的文档上，同样的文本多用 {change} 的比特（{confidence} 置信度下至多多用 {loss}），"
        "您允许的上限是 {margin}。",
    ),
    "say.bits.fewer": (
        "on {n} unseen documents text costs {change} fewer bits ({confidence} sure: at most {loss} more); you allowed "
        "{margin} more.",
        "在 {n} 篇从未见过的文档上，同样的文本少用 {change} 的比特（{confidence} 置信度下至多多用 {loss}），"
        "您允许多用 {margin}。",
    ),
    "say.bits.same": (
        "on {n} unseen documents text costs as many bits as before ({confidence} sure: at most {loss} more); you "
        "allowed {margin}.",
        "在 {n} 篇从未见过的文档上，同样的文本所用比特数不变（{confidence} 置信度下至多多用 {loss}），"
        "您允许的上限是 {margin}。",
    ),
    "say.bits.no_loss": (
        "on {n} unseen documents text costs {change} fewer bits ({confidence} sure: no more than before); you allowed "
        "{margin} more.",
        "在 {n} 篇从未见过的文档上，同样的文本少用 {change} 的比特（{confidence} 置信度下不多于原模型），"
        "您允许多用 {margin}。",
    ),
    "say.bits.level": (
        "on {n} unseen documents it needs at most {value} ({confidence} bound); you asked for {floor}.",
        "在 {n} 篇从未见过的文档上，至多需要 {value}（{confidence} 置信界），您的要求是不超过 {floor}。",
    ),
    "say.baseline.winner": (
        "The winner is a cheap baseline ({words}): for this budget no model like the original is needed.",
        "优胜者是一个低成本基线（{words}）：就这一预算而言，并不需要原模型这样的模型。",
    ),
    "say.baseline.good": (
        "A cheap baseline keeps the floors as well: {name} ({words}). You may not need a model like the original.",
        "有一个低成本基线同样达到质量下限：{name}（{words}）。您或许并不需要原模型这样的模型。",
    ),
    "baseline.missed": (
        "No cheap baseline keeps the floors ({names}).",
        "没有一个低成本基线达到质量下限（{names}）。",
    ),
    "ratio.bytes": (
        "A token of one vocabulary is not a token of another: ratios of writing and reading compare the bytes of "
        "text, a token standing for as many as it holds in your own text.",
        "不同词表的词元并不等价：生成与读取的倍率按文本字节数比较，每个词元按其在您自己的文本中平均所占的字节数折算。",
    ),
    "baseline.bytes": (
        "The tokens of these baselines are bytes: their speeds are bytes per second and their time per token is per "
        "byte, while a token of most language models is about four bytes.",
        "这些基线的词元就是字节：其速度为每秒字节数，每词元用时即每字节用时；而多数语言模型的一个词元约合四个字节。",
    ),
    "roofline.share": ("{share} of roofline", "本机上限的 {share}"),
    "roofline.lead": (
        "The roofline is the most that this machine allows: in writing, the measured memory bandwidth over the bytes "
        "of weights that each token reads; in reading a prompt, the measured float32 matrix rate over two operations "
        "for each weight and token.",
        "“本机上限”指这台机器所能达到的极限：生成时为实测内存带宽除以每个词元需读取的权重字节数；"
        "读取提示时为实测 FP32 矩阵乘吞吐除以每个权重每个词元两次运算。",
    ),
    "roofline.above": (
        "More than 100% is possible: small integers are multiplied faster than float32, and what fits into the "
        "processor’s cache is read faster than memory.",
        "超过 100% 是可能的：小整数的乘法快于 FP32，而能放入处理器缓存的数据读取快于内存。",
    ),
    "tokens.changed": (
        "At {share} of {n} places in the select documents the most likely next token is another than the original’s. "
        "This is no loss in itself; bits per byte says what it costs.",
        "在筛选文档的 {n} 处位置中，有 {share} 的最可能词元与原模型不同。这本身不算损失，其代价由每字节比特数衡量。",
    ),
    "answers.changed": (
        "{share} of the {n} prompts of the select part get another answer than from the original.",
        "在筛选部分的 {n} 条提示中，有 {share} 的答案与原模型不同。",
    ),
    "answers.counts": (
        "On the proof part {b} prompts were answered right by the original only, {c} by the winner only.",
        "在验证数据上，仅原模型答对的提示有 {b} 条，仅优胜者答对的有 {c} 条。",
    ),
    "flips.tokens": (
        "Where the winner would write something else than the original.",
        "优胜者会写出与原模型不同内容的地方。",
    ),
    "continuations.title": ("Side by side", "续写对照"),
    "continuations.lead": (
        "What both models write after the same beginnings from the proof part, always the most likely token. Samples "
        "to look at, no measure.",
        "两个模型对验证数据中相同开头的续写，每一步都取最可能的词元。仅供查看，不作为衡量依据。",
    ),
    "continuations.nothing": ("(nothing)", "（无输出）"),
    "rung.baseline": ("Cheap baseline", "低成本基线"),
}
"""Key -> (English, Chinese)."""
