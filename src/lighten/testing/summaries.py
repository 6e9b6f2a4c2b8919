"""Summaries of invented runs, for the tests of the report. The numbers are made up and claim nothing."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from lighten.core.budget import Budget, Constraint
from lighten.core.outcome import Bound, Nearest, Reason
from lighten.core.power import Power
from lighten.core.result import HIGHER, LOWER, Candidate, Result
from lighten.core.summary import DataFacts, Flip, Group, Link, Rung, Summary, TestedRecord, Winner
from lighten.proof import judge_counts, judge_rate

SELECT, PROOF = 2305, 5766
ACCURACY, P50 = 0.8921, 12.4

STEPS: Mapping[str, Mapping[str, Any]] = {
    "3 layers": {"use": "prune.layers", "keep": 3},
    "2 layers": {"use": "prune.layers", "keep": 2},
    "1 layer": {"use": "prune.layers", "keep": 1},
    "half width": {"use": "prune.width", "share": 0.5},
    "vocabulary": {"use": "prune.vocabulary", "cover": 0.9999},
    "distilled": {"use": "distill.logits", "epochs": 3, "rate": 0.0003},
    "int8 dynamic": {"use": "quantize.int8_dynamic"},
    "int8 static": {"use": "quantize.int8_static", "rows": 300},
}

TITLES = {
    "prune.layers": ("layers dropped (kept: {keep})", "删减层（保留：{keep}）"),
    "distill.logits": (
        "trained to answer as the original does, passes: {epochs}",
        "训练其答案与原模型一致，{epochs} 遍",
    ),
    "quantize.int8_static": (
        "8-bit integers, activations scaled beforehand on your data",
        "INT8 量化，激活用您的数据预先标定",
    ),
    "ort": ("ONNX Runtime", "ONNX Runtime"),
    "ov": ("OpenVINO", "OpenVINO"),
}
"""As the plug-ins have them."""

# key, steps, engine, role, times as fast, accuracy lost in points, times as small, state, reason
RUN: tuple[tuple[int, str, str, str, float, float, float, str, str], ...] = (
    (0, "", "torch", "original", 1.0, 0.0, 1.0, "ok", ""),
    (1, "", "ov", "stock", 1.9, 0.0, 1.0, "ok", ""),
    (2, "int8 dynamic", "ort", "stock", 2.2, 1.5, 3.6, "ok", ""),
    (3, "int8 static", "ov", "stock", 3.1, 1.0, 3.7, "ok", ""),
    (4, "", "ort", "search", 1.7, 0.0, 1.0, "ok", ""),
    (5, "3 layers + distilled", "ov", "search", 3.6, 0.3, 1.3, "ok", ""),
    (6, "3 layers + distilled + int8 static", "ov", "search", 7.1, 0.35, 4.6, "ok", ""),
    (7, "3 layers + distilled + int8 dynamic", "ort", "search", 4.6, 0.7, 4.4, "ok", ""),
    (8, "2 layers + distilled + int8 static", "ov", "search", 10.4, 0.85, 5.3, "ok", ""),
    (9, "1 layer + distilled + int8 static", "ov", "search", 16.8, 4.2, 6.0, "ok", ""),
    (10, "half width + distilled + int8 static", "ov", "search", 5.2, 1.9, 5.1, "ok", ""),
    (11, "half width + distilled", "ov", "search", 2.8, 1.6, 1.5, "ok", ""),
    (12, "vocabulary + int8 static", "ov", "search", 3.2, 0.9, 6.2, "ok", ""),
    (13, "vocabulary + 3 layers + distilled + int8 static", "ov", "search", 6.9, 0.5, 9.1, "ok", ""),
    (14, "2 layers + distilled", "ort", "search", 4.9, 0.7, 1.5, "ok", ""),
    (15, "1 layer + distilled", "ort", "search", 8.1, 23.5, 1.6, "ok", ""),
    (16, "half width + int8 dynamic", "ort", "search", 0, 0, 0, "stopped", "StoppedEarly: 6.1 points behind at 25 %"),
    (17, "2 layers + int8 static", "ort", "search", 0, 0, 0, "failed", "SessionCrashed: killed by signal 11 (SIGSEGV)"),
    (18, "int8 static", "ort", "search", 0, 0, 0, "failed", "BuildFailed: node /bert/encoder/layer.0/MatMul refused"),
)
FRONTIER = (1, 5, 6, 8, 9)


def winner() -> Summary:
    """A run that found a winner: every part of the report has something to show."""
    candidates = tuple(_candidate(*row) for row in RUN)
    won = candidates[6]
    verdicts = _verdicts(5057, 87, 72)
    return Summary(
        state="winner",
        model="sample:minilm",
        budget=_budget(),
        data=DataFacts(
            "sample:reviews",
            {"train": 12685, "tune": 2306, "select": SELECT, "proof": PROOF},
            ("negative", "positive"),
            ("641 rows appear twice; each pair went into the same part.", "12 rows without a text were left out."),
        ),
        candidates=candidates,
        winner=Winner.of(won, "runs/reviews/winner"),
        verdicts=verdicts,
        frontier=FRONTIER,
        baseline=(Rung("naive", 0), Rung("tuned", 1), Rung("stock", 3), Rung("ours", 6)),
        power=(Power("accuracy", PROOF, 0.01, 0.0073), Power("worst_group", 2651, 0.02, 0.0108)),
        tested=(
            TestedRecord(5, _verdicts(5083, 61, 52)),
            TestedRecord(6, verdicts),
            TestedRecord(8, _verdicts(5003, 141, 90)),
        ),
        flips=_flips(),
        groups=(
            Group("movie", 2651, 0.8578, 0.8563),
            Group("newspaper", 1138, 0.8822, 0.8761),
            Group("product", 928, 0.9105, 0.9084),
            Group("tweets", 1049, 0.9666, 0.9638),
        ),
        lineage=(
            Link("5f1c" * 16, {}, "", "hf", 0.0),
            Link("a902" * 16, dict(STEPS["3 layers"]), "5f1c" * 16, "hf", 1.4),
            Link("0b7e" * 16, dict(STEPS["distilled"]), "a902" * 16, "hf", 412.7),
            Link("c3d4" * 16, {"use": "export.openvino"}, "0b7e" * 16, "openvino", 8.2),
            Link("77aa" * 16, dict(STEPS["int8 static"]), "c3d4" * 16, "openvino-int8", 31.9),
        ),
        titles=TITLES,
        environment={
            "cpu": "Example CPU @ 2.60 GHz",
            "flags": ["avx2", "avx512f", "avx512_vnni"],
            "cores": 16,
            "cores_allowed": 4,
            "memory": 67_000_000_000,
            "memory_allowed": 16_000_000_000,
            "system": "Linux 6.1.0 x86_64",
            "python": "3.11.2",
            "libraries": {"lighten": "0.1.0", "openvino": "2025.3.0", "onnxruntime": "1.22.1", "torch": "2.8.0"},
            "bandwidth": 38.2,
            "arithmetic": 310.5,
        },
        paths={"run": "runs/reviews", "winner": "runs/reviews/winner", "report": "runs/reviews/report.html"},
        command='lighten optimize sample:minilm --data sample:reviews --keep "accuracy>=-1pt" '
        '--keep "worst_group>=-2pt" --under "p95<=8ms" --minimize cpu --seed 0 --out runs/reviews',
        lighten="0.1.0",
        started="2025-01-15T09:30:00+00:00",
        seconds=2754.0,
    )


def nothing_met() -> Summary:
    """The same run under a ceiling that only broken candidates reach; one was tested and lacked data."""
    run = winner()
    undecided = _verdicts(4814, 330, 310)
    return replace(
        run,
        state="nothing_met",
        winner=None,
        budget=replace(run.budget, under=(Constraint("p95", 2.2, "", "p95<=2.2ms"),)),
        verdicts=undecided,
        tested=(TestedRecord(8, undecided),),
        baseline=run.baseline[:3],
        flips=(),
        groups=(),
        lineage=(),
    )


def near_miss() -> Summary:
    """The same run under a ceiling on size that the nearest candidate misses by little; nothing was proved."""
    run = nothing_met()
    size = Constraint("size", 9.0, "", "size<=9MB")
    over = Bound("size", "MB", LOWER, "size<=9MB", "ceiling", 9.24, 0.0, 9.0, "missed")
    return replace(
        run,
        budget=replace(run.budget, under=(size,)),
        verdicts=(),
        tested=(),
        nearest=Nearest(13, (over,), f"{run.command} --under 'size<=9.3MB' --resume"),
    )


def missed() -> Summary:
    """The same run; what is proved was over a ceiling when it was measured for the last time."""
    run = winner()
    over = Bound("p95", "ms", LOWER, "p95<=3ms", "ceiling", 3.71, 0.22, 3.0, "missed")
    return replace(
        run,
        state="missed",
        winner=None,
        budget=replace(run.budget, under=(Constraint("p95", 3.0, "", "p95<=3ms"),)),
        baseline=run.baseline[:3],
        flips=(),
        groups=(),
        lineage=(),
        tested=run.tested[:2],
        nearest=Nearest(6, (over,), f"{run.command} --under 'p95<=4ms' --resume", proved=1),
    )


def unproved() -> Summary:
    """The same run; the original could not be asked on the proof rows."""
    run = winner()
    return replace(
        run,
        state="unproved",
        winner=None,
        verdicts=(),
        tested=(),
        baseline=(),
        flips=(),
        groups=(),
        lineage=(),
        reason="SessionTimeout: The process did not answer in 120 seconds.",
    )


def untried() -> Summary:
    """A run whose time was over before anything was tried."""
    run = nothing_met()
    reasons = (
        Reason("time", {"time": "60", "spent": "41", "reserve": "30"}),
        Reason("engines", {"names": "ov (OpenVINO is not installed)"}),
    )
    return replace(
        run,
        candidates=run.candidates[:1],
        frontier=(),
        baseline=run.baseline[:1],
        verdicts=(),
        tested=(),
        reasons=reasons,
    )


def contradicted() -> Summary:
    """The winner, within the spread of its ceiling, with a candidate measured cheaper at last that was never proved."""
    run = winner()
    close = Bound("p95", "ms", LOWER, "p95<=3.5ms", "ceiling", 3.71, 0.3, 3.5, "close")
    return replace(run, ceilings=(close,), cheaper=8)


def interrupted() -> Summary:
    """The same run, stopped by the user while the eighth candidate was being made."""
    run = winner()
    running = replace(run.candidates[7], state="running", results={}, artifact="", seconds=0.0)
    return replace(
        run,
        state="interrupted",
        winner=None,
        candidates=(*run.candidates[:7], running),
        frontier=(1, 5, 6),
        verdicts=(),
        tested=(),
        baseline=run.baseline[:3],
        flips=(),
        groups=(),
        lineage=(),
        seconds=771.0,
    )


def bare() -> Summary:
    """A winner on data without groups, with no flip at all and one gate."""
    run = winner()
    verdicts = (judge_counts(357, 0, 0, 400, 0.01).to_json(),)
    return replace(
        run,
        budget=Budget((run.budget.keep[0],), (), "rows_per_second"),
        verdicts=verdicts,
        tested=(TestedRecord(6, verdicts),),
        flips=(),
        groups=(),
        power=(Power("accuracy", 400, 0.01, 0.0248),),
    )


def asked_for() -> Summary:
    """A winner of which a value was asked, and a loss in every group; the group that decides is named."""
    run = winner()
    floor = Constraint("accuracy", 0.88, "", "accuracy>=0.88")
    value = judge_rate([True] * 5144 + [False] * (PROOF - 5144), 0.88, "accuracy", original=ACCURACY)
    group = replace(judge_counts(540, 6, 5, 600, 0.02, "worst_group"), group="tweets")
    verdicts = (value.to_json(), group.to_json())
    power = (
        Power("accuracy", PROOF, 0.88, 0.8871, kind="absolute"),
        Power("worst_group", 600, 0.02, 0.0227, of="group", which="tweets", least=0.005, enough=149),
    )
    return replace(
        run,
        budget=replace(run.budget, keep=(floor, run.budget.keep[1])),
        verdicts=verdicts,
        tested=(TestedRecord(6, verdicts),),
        power=power,
    )


def hostile(
    mark: str = "<script>document.title='pwned'</script><img src=x onerror=\"document.title='pwned'\">",
) -> Summary:
    """A run in which every text that a user, a model or a library can choose tries to break out."""
    run = winner()
    long = "ẞ" * 300
    candidates = tuple(
        replace(c, name=f"{mark}{c.name}", reason=mark if c.reason else "", engine=f"{c.engine}{mark}")
        for c in run.candidates
    )
    group = {**judge_counts(540, 6, 5, 600, 0.02, "worst_group").to_json(), "group": mark}
    flips = tuple(replace(f, text=f"{mark}\x1b[31m\u202e{f.text}", label=mark, original=mark) for f in run.flips)
    return replace(
        run,
        model=f"{mark}|`{long}`",
        candidates=candidates,
        winner=Winner.of(candidates[6], f"{mark}/winner"),
        verdicts=(*run.verdicts[:1], group),
        power=(Power("worst_group", 600, 0.02, 0.0227, of="group", which=mark),),
        flips=(*flips, Flip(f"lone \ud800 {long}", mark, mark, mark, mark, "broke")),
        groups=tuple(replace(g, name=mark) for g in run.groups),
        data=DataFacts(mark, {mark: 3}, (mark,), (mark,)),
        environment={mark: {mark: [mark]}},
        paths={mark: mark},
        lineage=tuple(replace(one, step={"use": mark, mark: mark}, format=mark) for one in run.lineage),
        command=f"lighten {mark} --data '{mark}'",
    )


def _budget() -> Budget:
    keep = (
        Constraint("accuracy", 0.01, "points", "accuracy>=-1pt"),
        Constraint("worst_group", 0.02, "points", "worst_group>=-2pt"),
    )
    return Budget(keep, (Constraint("p95", 8.0, "", "p95<=8ms"),), "cpu")


def _verdicts(both: int, b: int, c: int) -> tuple[dict[str, Any], ...]:
    group = judge_counts(2651 * both // 6000, round(b * 0.5), round(c * 0.48), 2651, 0.02, "worst_group")
    return judge_counts(both, b, c, PROOF, 0.01).to_json(), group.to_json()


def _candidate(
    key: int, steps: str, engine: str, role: str, fast: float, lost: float, small: float, state: str, reason: str
) -> Candidate:
    recipe = tuple(STEPS[name] for name in steps.split(" + ") if name)
    name = f"{steps or ('original' if role == 'original' else 'float32')} @ {engine}"
    results: dict[str, Result] = {}

    def add(
        meter: str, value: float | None, unit: str, direction: str, n: int, ratio: float | None, note: str = ""
    ) -> None:
        spread = None if value is None or (direction == HIGHER and unit == "fraction") else abs(value) * 0.02
        varies = ratio if n > 1 and key else None  # what is measured once has no rounds
        results[meter] = Result(
            f"{key:04x}" * 16, engine, "cpu", meter, value, unit, direction, n, spread, ratio=ratio, note=note,
            ratio_spread=varies and 0.04 * varies, rounds=5 if varies else 0,
        )  # fmt: skip

    if state == "ok":
        tail = 1.9 if engine == "ov" else 1.6
        single = fast**0.9
        add("p50", P50 / single, "ms", LOWER, 600, single)
        add("p95", P50 * tail / single, "ms", LOWER, 600, single * 1.6 / tail)
        add("rows_per_second", 168 * fast, "rows/s", HIGHER, 5, fast)
        add("cpu", 23.1 / fast, "s/1000 rows", LOWER, 5, fast)
        add("memory", 118 + 350 / math.sqrt(small), "MB", LOWER, 1, 468 / (118 + 350 / math.sqrt(small)))
        add("size", 91.3 / small, "MB", LOWER, 1, small)
        add("energy", None, "J/1000 rows", LOWER, 0, None, "unknown: no counter that this user may read")
        add("accuracy", ACCURACY - lost / 100, "fraction", HIGHER, SELECT, None)
        add("worst_group", 0.8578 - 1.3 * lost / 100, "fraction", HIGHER, 1060, None)
    return Candidate(
        key, name, recipe, engine, {}, state, reason, f"{key:04x}" * 16 if state == "ok" else "", results, role,
        41.0 + 3.7 * key,
    )  # fmt: skip


def _flips() -> tuple[Flip, ...]:
    texts = (
        ("Not the triumph the trailer promised, but I was never bored for a minute.", "movie", "broke"),
        ("The battery lasts; everything else about this phone makes you wish it did not.", "product", "broke"),
        ("Well, that went about as well as could be expected :/", "tweets", "broke"),
        ("电池很耐用，但屏幕在阳光下几乎看不清。", "product", "broke"),
        ("A slow first act pays off handsomely, for those who are still awake.", "movie", "fixed"),
        ("Officials called the talks constructive, a word they use when nothing happened.", "newspaper", "fixed"),
        ("omg this update... i just cannot even", "tweets", "fixed"),
    )
    made = []
    for i, (text, group, kind) in enumerate(texts * 3):
        label, other = ("positive", "negative") if i % 2 else ("negative", "positive")
        was, became = (label, other) if kind == "broke" else (other, label)
        made.append(Flip(text, label, was, became, group, kind))
    return tuple(made)
