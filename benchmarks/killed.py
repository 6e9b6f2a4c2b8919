"""Kill a run with signal 9 at five moments, resume it each time, and compare its study with an uninterrupted one.

    python benchmarks/killed.py [--candidates 5]

Uses a tiny network and made-up sentences, so that it takes minutes. Nothing finished may have been measured again, and
whatever both runs tried must be the same: artifact file by file, and answers. Which architectures are tried in which
engine follows from measured speeds, which no two runs share; how many recipes both have in common is printed.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from lighten.store.summaries import load_summary
from lighten.testing.studies import finished
from lighten.testing.tiny import tiny_network_folder, toy_rows

QUALITY = ("accuracy", "macro_f1", "log_loss", "calibration_error", "flips")


def main() -> None:
    """Run, kill, resume, compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--candidates", type=int, default=5)
    parser.add_argument(
        "--moments", type=float, nargs="*", default=[9, 14, 20, 26, 32], help="seconds after each start"
    )
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        tiny_network_folder(folder / "model", layers=4, labels=None)
        rows = toy_rows(2400, seed=0)
        lines = [json.dumps({"text": t, "label": str(y)}) for t, y in zip(rows.inputs, rows.targets, strict=True)]
        (folder / "rows.jsonl").write_text("\n".join(dict.fromkeys(lines)) + "\n", encoding="utf-8")

        def command(out: Path) -> list[str]:
            words = [sys.executable, "-m", "lighten", "optimize", str(folder / "model"), "-q", "--json"]
            words += ["--data", str(folder / "rows.jsonl"), "--keep", "accuracy>=-5pt", "--minimize", "throughput"]
            return [
                *words,
                "--candidates",
                str(asked.candidates),
                "--time",
                "30m",
                "--engines",
                "ort",
                "--out",
                str(out),
            ]

        whole, broken = folder / "whole", folder / "broken"
        subprocess.run(command(whole), check=False, stdout=subprocess.DEVNULL)
        repeated = 0
        for number, moment in enumerate(asked.moments):
            before = finished(broken)
            words = command(broken) + (["--resume"] if (broken / "manifest.json").is_file() else [])
            process = subprocess.Popen(words, stdout=subprocess.DEVNULL)
            time.sleep(moment)
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            after = finished(broken)
            repeated += sum(after.get(key) != record for key, record in before.items())
            print(f"killed {number + 1}: after {moment:g} s, with {len(after)} candidates finished", flush=True)
        before = finished(broken)
        subprocess.run([*command(broken), "--resume"], check=False, stdout=subprocess.DEVNULL)
        after = finished(broken)
        repeated += sum(after.get(key) != record for key, record in before.items())
        one, other = load_summary(whole / "summary.json"), load_summary(broken / "summary.json")
        mine, theirs = ({c.name: c for c in summary.candidates} for summary in (one, other))
        common = sorted(set(mine) & set(theirs))
        stock = {candidate.name for candidate in one.candidates if candidate.role != "search"}
        same = {
            "the original and the stock candidates": stock <= set(common),
            "number of candidates": len(one.candidates) == len(other.candidates),
            "artifacts": all(mine[name].artifact == theirs[name].artifact for name in common),
            "quality": all(mine[name].value(q) == theirs[name].value(q) for name in common for q in QUALITY),
            "nothing repeated": repeated == 0,
        }
        print(f"{len(common)} of {len(one.candidates)} recipes are common to both runs")
    for candidate in other.candidates:
        print(f"  {candidate.key}: {candidate.name}: {candidate.state}")
    for what, equal in same.items():
        print(f"{'same' if equal else 'DIFFERS'}  {what}")
    sys.exit(0 if all(same.values()) else 1)


if __name__ == "__main__":
    main()
