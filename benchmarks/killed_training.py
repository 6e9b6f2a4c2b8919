"""Kill a real training with signal 9 at ten random moments, take it up each time, and compare what it ends with.

    python benchmarks/killed_training.py [--kills 10] [--epochs 1] [--workers 1] [--seed 0]

MiniLM on the tweets of ``sample:reviews``, a checkpoint after every update. A sitting is killed up to four seconds
after its first checkpoint, by signal 9 and with all that it has started; the last one is left alone. The SHA-256 of the
final weights is that of a training which nobody killed, or the script ends with 1.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

WORDS = ["train", "sample:minilm", "--data", "sample:reviews/tweets", "--seed", "1", "--quiet"]
MODEL = Path("model") / "model.safetensors"


def started(out: Path, given: argparse.Namespace) -> subprocess.Popen[bytes]:
    """``lighten train`` in a process group of its own; takes up what is there."""
    words = [sys.executable, "-m", "lighten", *WORDS, "--epochs", str(given.epochs), "--workers", str(given.workers)]
    words += ["--out", str(out), *(["--resume"] if out.exists() else [])]
    variables = {**os.environ, "LIGHTEN_CHECKPOINT_SECONDS": "0"}
    return subprocess.Popen(words, env=variables, stdout=subprocess.DEVNULL, start_new_session=True)


def newest(out: Path) -> float:
    """When the checkpoint was written last; 0 without one."""
    return max((one.stat().st_mtime for one in (out / "checkpoint").glob("*")), default=0.0)


def killed(out: Path, given: argparse.Namespace, draw: random.Random) -> bool:
    """One sitting; whether it was killed before it ended by itself."""
    began, process = time.time(), started(out, given)
    while process.poll() is None:
        try:
            if newest(out) > began:
                break
        except FileNotFoundError:  # it was replaced just now
            continue
        time.sleep(0.05)
    try:
        process.wait(draw.uniform(0.0, 4.0))
        return False
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return True


def digest(out: Path) -> str:
    """Of the final weights."""
    return hashlib.sha256((out / MODEL).read_bytes()).hexdigest()


def main() -> None:
    """Train, kill, take up, compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--epochs", type=float, default=1.0)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    given = parser.parse_args()
    draw = random.Random(given.seed)
    with tempfile.TemporaryDirectory(prefix="lighten-") as scratch:
        whole, broken = Path(scratch) / "whole", Path(scratch) / "broken"
        if started(whole, given).wait():
            sys.exit("the training that nobody killed failed")
        expected, kills = digest(whole), 0
        print(f"not killed: {expected}", flush=True)
        while kills < given.kills and killed(broken, given, draw):
            kills += 1
            print(f"killed, {kills}", flush=True)
        if kills < given.kills:
            print(f"it ended by itself after {kills} kills; more epochs make room for more")
        elif started(broken, given).wait():
            sys.exit("the last sitting failed")
        print(f"killed {kills} times: {digest(broken)}")
        if digest(broken) != expected:
            sys.exit("the weights differ")


if __name__ == "__main__":
    main()
