"""Put a real run into both READMEs: the frontier picture and the baseline ladder.

python benchmarks/readme.py RUN_FOLDER
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from lighten.core.summary import Summary
from lighten.reports.describe import headline
from lighten.reports.figure import write_svg
from lighten.reports.numbers import times
from lighten.reports.words import say
from lighten.store.summaries import load_summary

ROOT = Path(__file__).parent.parent
HEADS = {
    "en": ("rung", "accuracy", "p50 ms", "rows/s", "× p50", "× rows/s"),
    "zh": ("方案", "准确率", "p50（毫秒）", "行/秒", "p50 倍数", "行/秒倍数"),
}
UNDER = {
    "en": "`{command}` on {cores} cores of {cpu}. All rungs in one interleaved run on the same requests, "
    "tokenizer included; ratios are against the first row, accuracy is on the select part; the verdict is on {n:,} "
    "other rows.",
    "zh": "`{command}`；{cpu} 的 {cores} 个核心。"
    "所有方案在同一次交错运行中处理相同的请求，包含分词；"
    "倍数以第一行为基准，准确率来自筛选数据，结论来自另外 {n:,} 条数据。",
}


def section(summary: Summary, lang: str, picture: str) -> str:
    """What stands between the markers, in one language."""
    heads = HEADS[lang]
    lines = [f"**{headline(summary, lang)}**", "", f"![{headline(summary, lang)}]({picture})", ""]
    lines += [f"| {' | '.join(heads)} |", f"| --- {'| ---: ' * (len(heads) - 1)}|"]
    for rung in summary.baseline:
        candidate = summary.candidate(rung.key)
        if candidate is None:
            continue
        accuracy, p50, rate = (candidate.results[name] for name in ("accuracy", "p50", "rows_per_second"))
        cells = [f"{accuracy.value:.2%}", f"{p50.value:.2f}", f"{rate.value:,.0f}"]
        cells += [times(one.ratio or 1.0, one.ratio_spread) for one in (p50, rate)]
        lines.append(f"| {say(lang, f'rung.{rung.rung}')}: {candidate.name} | {' | '.join(cells)} |")
    words = re.sub(r" --out \S+", "", summary.command)
    facts = {"command": words, "cores": summary.environment["cores allowed"], "cpu": summary.environment["cpu"]}
    return "\n".join([*lines, "", UNDER[lang].format(**facts, n=summary.data.rows["proof"])])


def main() -> None:
    """Write the pictures and both pages."""
    summary = load_summary(Path(sys.argv[1]) / "summary.json")
    (ROOT / "docs").mkdir(exist_ok=True)
    for lang, page in (("en", "README.md"), ("zh", "README.zh-CN.md")):
        picture = f"docs/frontier.{lang}.svg"
        write_svg(summary, ROOT / picture, lang)
        path = ROOT / page
        text = path.read_text(encoding="utf-8")
        new = section(summary, lang, picture)
        head, rest = text.split("<!-- run -->", 1)
        path.write_text(
            f"{head}<!-- run -->\n{new}\n<!-- /run -->{rest.split('<!-- /run -->', 1)[1]}", encoding="utf-8"
        )


if __name__ == "__main__":
    main()
