"""The page of an exported folder: what it is, what was proved of it, how it is opened; English, then Chinese."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

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
        "asked": "{rows} inputs were asked of this folder by a program without lighten, and of the model: all answers "
        "are the same{apart}.",
        "equal": ", to the last digit",
        "apart": ", and no probability is further apart than {apart:.1g}",
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
        "asked": "用不含 lighten 的程序向此文件夹与原模型各询问 {rows} 个输入：答案全部一致{apart}。",
        "equal": "，各位数字完全相同",
        "apart": "，概率相差不超过 {apart:.1g}",
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
    made = words["made"].format(version=facts.version, format=facts.format, way=way)
    parts = [f"# {words['title'].format(name=plain(facts.name), title=facts.title[number])}", facts.about[number], made]
    if facts.labels:
        parts.append(words["classes"].format(labels=words["and"].join(plain(label) for label in facts.labels)))
    parts += [f"## {words['proof']}", verdict, f"## {words['same']}", same_sentence(facts.rows, facts.apart, lang)]
    parts.append(f"## {words['open']}")
    for one in facts.ways:
        parts += [f"### {one.title[number]}", fenced(one.code, one.language)]
    return "\n\n".join([*parts, words["licence"]])


def same_sentence(rows: int, apart: float | None, lang: str) -> str:
    """That the answers are the same, with the numbers."""
    words = WORDS[lang]
    if not rows:
        return words["copied"]
    close = "" if apart is None else words["apart"].format(apart=apart) if apart else words["equal"]
    return words["asked"].format(rows=rows, apart=close)
