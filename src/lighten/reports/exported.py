"""The page of an exported folder: what it is, what was proved of it, how it is opened; English, then Chinese."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Context

from lighten.core.target import Way
from lighten.reports.card import fenced, plain
from lighten.reports.words import LANGS

WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "title": "{name}: {title}",
        "proof": "Proof",
        "same": "The same answers",
        "open": "How to open it",
        "classes": "Classes, in the order of the outputs: {labels}.",
        "and": ", ",
        "none": "There is no summary of a run beside the model, so nothing is said here of what was proved. Ask again "
        "on data that nobody has used: `lighten compare ORIGINAL WINNER --data new.csv`.",
        "asked": "{rows} inputs{of} were asked of this folder by a program without lighten, and of the model: {same}.",
        "select": " (rows of the run)",
        "examples": " (built-in examples)",
        "texts": "all answers are the same",
        "equal": "all answers are the same, to the last digit",
        "labels": "all labels are the same, and no probability (1 - cosine of vectors) is further apart than {apart}",
        "close": "no probability is further apart than {apart}",
        "changed": "no probability is further apart than {apart}, and {changed} of them got another label, where two "
        "are as likely as one another within 0.02",
        "copied": "Its files are the model's, byte for byte.",
        "made": "Written by lighten {version} from a model of format {format}{way}.",
        "way": ", by way of {way}",
        "licence": "Licence: as the model that it was made from.",
    },
    "zh": {
        "title": "{name}：{title}",
        "proof": "验证",
        "same": "答案一致",
        "open": "如何打开",
        "classes": "类别（按输出顺序）：{labels}。",
        "and": "、",
        "none": "模型旁边没有运行摘要，因此这里不说明验证结果。请用无人用过的数据再次比较："
        "`lighten compare ORIGINAL WINNER --data new.csv`。",
        "asked": "用不含 lighten 的程序向此文件夹与原模型各询问 {rows} 个输入{of}：{same}。",
        "select": "（运行中的行）",
        "examples": "（内置示例）",
        "texts": "答案全部一致",
        "equal": "答案全部一致，各位数字完全相同",
        "labels": "标签全部一致，概率（向量为 1 - 余弦）相差不超过 {apart}",
        "close": "概率相差不超过 {apart}",
        "changed": "概率相差不超过 {apart}；其中 {changed} 个输入的标签不同，这两个标签的概率相差不超过 0.02",
        "copied": "其文件与模型逐字节相同。",
        "made": "由 lighten {version} 从 {format} 格式的模型写出{way}。",
        "way": "，经过 {way}",
        "licence": "许可证：与来源模型相同。",
    },
}


@dataclass(frozen=True, slots=True)
class ExportFacts:
    """What the page tells.

    Attributes:
        name: of the model. title, about: of the target, in English and Chinese.
        ways: to open it. verdict: what the run found, by language; empty where there is no run.
        labels: names of the classes. rows: that were asked; 0 where the files are the model's own.
        apart: largest difference of a probability; None where answers are texts.
        asked: where the rows are from: ``select`` of the run, ``examples``. changed: how many have another label that
            is as likely.
        format: of the model. way: conversions on the way. version: of lighten.
    """

    name: str
    title: tuple[str, str]
    about: tuple[str, str]
    ways: Sequence[Way]
    verdict: Mapping[str, str]
    labels: Sequence[str]
    rows: int
    apart: float | None
    asked: str
    changed: int
    format: str
    way: Sequence[str]
    version: str


def exported_page(facts: ExportFacts) -> str:
    """``README.md`` of an exported folder. Texts of the data are escaped."""
    return "\n\n---\n\n".join(_page(facts, lang) for lang in LANGS) + "\n"


def _page(facts: ExportFacts, lang: str) -> str:
    words, number = WORDS[lang], LANGS.index(lang)
    verdict = plain(facts.verdict[lang]) if lang in facts.verdict else words["none"]
    way = words["way"].format(way=", ".join(facts.way)) if facts.way else ""
    same = same_sentence(facts.rows, facts.apart, lang, asked=facts.asked, changed=facts.changed)
    made = words["made"].format(version=facts.version, format=facts.format, way=way)
    parts = [f"# {words['title'].format(name=plain(facts.name), title=facts.title[number])}", facts.about[number], made]
    if facts.labels:
        parts.append(words["classes"].format(labels=words["and"].join(plain(label) for label in facts.labels)))
    parts += [f"## {words['proof']}", verdict, f"## {words['same']}", same]
    parts.append(f"## {words['open']}")
    for one in facts.ways:
        parts += [f"### {one.title[number]}", fenced(one.code, one.language)]
    return "\n\n".join([*parts, words["licence"]])


def same_sentence(rows: int, apart: float | None, lang: str, *, asked: str = "", changed: int | None = None) -> str:
    """That the answers are the same, with the numbers.

    Args:
        rows: that were asked; 0 where the files are the model's own. apart: largest difference of a probability; None
            where answers are texts. asked: where the rows are from; empty to say nothing of it.
        changed: how many have another label that is as likely; None where nobody knows, and then nothing is said of
            labels.
    """
    words = WORDS[lang]
    if not rows:
        return words["copied"]
    if not apart:
        kind = "texts" if apart is None else "equal"
    else:
        kind = "close" if changed is None else "changed" if changed else "labels"
    same = words[kind].format(apart=_rounded_up(apart or 0.0), changed=changed)
    return words["asked"].format(rows=rows, of=words[asked] if asked else "", same=same)


def _rounded_up(value: float) -> str:
    """To one digit, and never to less than it is."""
    return f"{float(Context(prec=1, rounding=ROUND_CEILING).create_decimal(repr(value))):.1g}"
