"""Put a real run into both READMEs: the frontier picture and the table of ``benchmarks/encoder.py``.

python benchmarks/readme.py RUN_FOLDER
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

from lighten.core.summary import Summary
from lighten.reports.describe import headline
from lighten.reports.figure import write_svg

ROOT = Path(__file__).parent.parent
HEADS = {
    "en": ("rung", "accuracy", "p50 ms", "rows/s", "× p50", "× rows/s"),
    "zh": ("方案", "准确率", "p50（毫秒）", "行/秒", "p50 倍数", "行/秒倍数"),
}
UNDER = {
    "en": "`{command}`, where ORIGINAL is `sample:minilm` fine-tuned by lighten, on {cores} cores of {cpu}. All rungs "
    "in one interleaved run on the same requests, tokenizer included (`python benchmarks/encoder.py`); ratios are "
    "against the first row, accuracy is on {n:,} proof rows.",
    "zh": "`{command}`，其中 ORIGINAL 是由 lighten 微调的 `sample:minilm`；{cpu} 的 {cores} 个核心。"
    "所有方案在同一次交错运行中处理相同的请求，包含分词（`python benchmarks/encoder.py`）；"
    "倍数以第一行为基准，准确率来自 {n:,} 条证明数据。",
}


def section(summary: Summary, record: dict[str, list[dict[str, float | str]]], lang: str, picture: str) -> str:
    """What stands between the markers, in one language."""
    heads = HEADS[lang]
    lines = [f"**{headline(summary, lang)}**", "", f"![{headline(summary, lang)}]({picture})", ""]
    lines += [f"| {' | '.join(heads)} |", f"| --- {'| ---: ' * (len(heads) - 1)}|"]
    for row in record["rows"]:
        cells = [f"{row['accuracy']:.2%}", f"{row['p50_ms']:.2f}", f"{row['rows_per_second']:,.0f}"]
        cells += [f"{row['times_p50']:.1f}", f"{row['times_rows']:.1f}"]
        lines.append(f"| {row['rung']} | {' | '.join(cells)} |")
    words = re.sub(r" --out \S+", "", summary.command).replace(f"optimize {summary.model}", "optimize ORIGINAL")
    facts = {"command": words, "cores": summary.environment["cores_allowed"], "cpu": summary.environment["cpu"]}
    return "\n".join([*lines, "", UNDER[lang].format(**facts, n=summary.data.rows["proof"])])


def main() -> None:
    """Write the pictures and both pages."""
    summary = Summary.load(Path(sys.argv[1]) / "summary.json")
    record = json.loads((ROOT / "benchmarks" / "out" / "encoder.json").read_text(encoding="utf-8"))
    (ROOT / "docs").mkdir(exist_ok=True)
    for lang, page in (("en", "README.md"), ("zh", "README.zh-CN.md")):
        picture = f"docs/frontier.{lang}.svg"
        write_svg(summary, ROOT / picture, lang)
        path = ROOT / page
        text = path.read_text(encoding="utf-8")
        new = section(summary, record, lang, picture)
        head, rest = text.split("<!-- run -->", 1)
        path.write_text(
            f"{head}<!-- run -->\n{new}\n<!-- /run -->{rest.split('<!-- /run -->', 1)[1]}", encoding="utf-8"
        )


if __name__ == "__main__":
    main()
