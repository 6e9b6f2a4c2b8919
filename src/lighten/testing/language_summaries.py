"""Summaries of invented runs of language models, for the tests of the report. The numbers claim nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from lighten.core.budget import Budget, Constraint
from lighten.core.power import Power
from lighten.core.result import HIGHER, LOWER, Candidate, Result
from lighten.core.summary import Continuation, DataFacts, Link, Rung, Summary, TestedRecord, Winner
from lighten.proof import judge_counts
from lighten.proof.verdict import Direction, State, Verdict

SELECT, PROOF = 65, 121
BITS, SIZE = 1.3157, 253.1
SPEEDS: Mapping[str, tuple[float, str, str]] = {
    "tpot": (10.9, "ms", LOWER),
    "decode": (91.7, "tok/s", HIGHER),
    "ttft": (88.0, "ms", LOWER),
    "decode_cpu": (21.6, "s/1000 tokens", LOWER),
    "decode4": (148.0, "tok/s", HIGHER),
    "decode16": (301.0, "tok/s", HIGHER),
    "prefill": (854.0, "tok/s", HIGHER),
    "rows_per_second": (1.42, "rows/s", HIGHER),
    "cpu": (1380.0, "s/1000 rows", LOWER),
}
"""Of the original: value, unit, direction."""
COMPARED = {
    "tpot": "ms/byte", "decode": "bytes/s", "decode_cpu": "s/1000 bytes", "decode4": "bytes/s", "decode16": "bytes/s",
    "prefill": "bytes/s",
}  # fmt: skip
"""Units in which models are compared where a token is not a token of the other."""

STEPS: Mapping[str, Mapping[str, Any]] = {
    "dequantize": {"use": "export.dequantize"},
    "spare": {"use": "prune.vocabulary", "min_count": 1, "spare": 0.1},
    "tight": {"use": "prune.vocabulary", "min_count": 1, "spare": 0.0},
    "trained": {"use": "train.full", "epochs": 0.6, "learning_rate": 0.0001, "batch_rows": 32},
    "gguf": {"use": "quantize.gguf", "format": "IQ4_NL", "head": "Q5_0", "more": 0.1},
    "q4": {"use": "quantize.gguf", "format": "Q4_0", "head": "Q4_0", "more": 0.0},
    "hmm": {"use": "train.hmm", "states": 64, "iterations": 15},
    "ngram": {"use": "train.ngram", "order": 6},
    "layers": {"use": "prune.layers", "keep": 0.8},
}

# key, name, steps, engine, role, times as fast, bits more in per cent, times as small, state, reason
RUN: tuple[tuple[int, str, str, str, str, float, float, float, str, str], ...] = (
    (0, "as it is @ llama", "", "llama", "original", 1.0, 0.0, 1.0, "ok", ""),
    (1, "hmm(states=64) @ numpy", "hmm", "numpy", "stock", 672.0, 146.4, 1532.0, "ok", ""),
    (2, "ngram(order=6) @ numpy", "ngram", "numpy", "stock", 536.0, 46.3, 248.0, "ok", ""),
    (3, "as it is @ eager", "", "eager", "stock", 0.13, -0.2, 0.24, "ok", ""),
    (4, "as it is @ llama(flash=off)", "", "llama", "stock", 1.03, 0.0, 1.0, "ok", ""),
    (5, "gguf(format=Q4_0) @ llama", "q4", "llama", "stock", 1.06, 9.8, 1.05, "ok", ""),
    (6, "vocabulary(spare=0.1) + gguf @ llama", "spare trained gguf", "llama", "search", 1.9, -1.1, 2.5, "ok", ""),
    (7, "vocabulary(spare=0) + gguf @ llama", "tight trained gguf", "llama", "search", 2.3, 0.3, 3.1, "ok", ""),
    (8, "vocabulary(spare=0) + gguf(Q4_0) @ llama", "tight trained q4", "llama", "search", 2.4, 1.9, 3.2, "ok", ""),
    (9, "layers(keep=0.8) + gguf @ llama", "layers trained gguf", "llama", "search", 2.2, 7.4, 1.2, "ok", ""),
    (10, "vocabulary(spare=0.2) @ ov", "spare", "ov", "search", 0, 0, 0, "failed", "BuildFailed: no such operator"),
)
TITLES = {
    "export.dequantize": ("float weights read out of the GGUF file", "由 GGUF 文件还原浮点权重"),
    "prune.vocabulary": (
        "vocabulary cut to the tokens of your data plus {spare:%} of the original",
        "词表裁剪至您数据所用的词元，另加原词表的 {spare:%}",
    ),
    "train.full": ("all weights trained on your data, passes: {epochs}", "在您的数据上训练全部权重 {epochs} 遍"),
    "quantize.gguf": (
        "quantized: matrices {format} or finer, embedding {head} or finer, {more:%} more bytes where they help most",
        "量化：矩阵至少 {format}，词嵌入至少 {head}，另有 {more:%} 的字节用在收益最大之处",
    ),
    "train.ngram": (
        "byte n-grams counted in your text, up to {order} bytes long",
        "统计您文本中的字节 n-gram，最长 {order} 字节",
    ),
    "llama": ("llama.cpp", "llama.cpp"),
    "numpy": ("NumPy, lighten’s own arithmetic", "NumPy（lighten 自带的运算）"),
}
"""As the plug-ins have them."""
ROOFLINE = {
    0: (0.61, 0.42),
    3: (0.31, 0.2),
    4: (0.63, 0.42),
    5: (0.66, 0.6),
    6: (0.7, 1.1),
    7: (0.72, 1.14),
    8: (0.74, 1.2),
}


def documents() -> Summary:
    """A run on documents that found a winner; cheap baselines were tried and are far off."""
    candidates = tuple(_candidate(*row) for row in RUN)
    won = candidates[7]
    verdicts = (bits_verdict(0.0042, 0.0087, "holds"),)
    return Summary(
        state="winner",
        model="sample:gemma",
        task="text_generation",
        budget=Budget(
            (Constraint("bits_per_byte", 0.01, "ratio", "bits_per_byte<=+1%"),),
            (Constraint("memory", 400.0, "", "memory<=400MB"),),
            "tpot",
        ),
        data=DataFacts(
            "sample:reviews/movie-documents",
            {"train": 709, "tune": 37, "select": SELECT, "proof": PROOF},
            (),
            ("A document is ten sentences in the order of the file.",),
        ),
        candidates=candidates,
        winner=Winner.of(won, "runs/movies/winner"),
        verdicts=verdicts,
        frontier=(6, 7),
        baseline=(Rung("naive", 0), Rung("tuned", 4), Rung("stock", 5), Rung("ours", 7)),
        tested=(TestedRecord(6, (bits_verdict(-0.0108, -0.0061, "holds"),)), TestedRecord(7, verdicts)),
        lineage=(
            Link("5f1c" * 16, {}, "", "gguf", 0.0),
            Link("11aa" * 16, dict(STEPS["dequantize"]), "5f1c" * 16, "hf-causal", 16.2),
            Link("a902" * 16, dict(STEPS["tight"]), "11aa" * 16, "hf-causal", 36.4),
            Link("0b7e" * 16, dict(STEPS["trained"]), "a902" * 16, "hf-causal", 514.1),
            Link("c3d4" * 16, dict(STEPS["gguf"]), "0b7e" * 16, "gguf", 71.9),
        ),
        continuations=_continuations(),
        titles=TITLES,
        baselines=(1, 2),
        writes=True,
        packed=True,
        roofline={str(key): {"decode": decode, "prefill": prefill} for key, (decode, prefill) in ROOFLINE.items()},
        environment={
            "cpu": "Example CPU @ 2.60 GHz",
            "flags": ["avx2", "avx512f", "avx512_vnni"],
            "cores allowed": 2,
            "memory allowed": "16.0 GB",
            "memory bandwidth": "15.5 GB/s",
            "arithmetic": "171.3 GFLOP/s (float32, numpy's BLAS)",
            "system": "Linux 6.1.0 x86_64",
            "python": "3.11.2",
            "versions": {"lighten": "0.1.0", "xllamacpp": "2026.10", "torch": "2.13.0"},
            "id": "0f1e2d3c4b5a6978",
            "read bandwidth": "24.8 GB/s",
        },
        paths={"run": "runs/movies", "winner": "runs/movies/winner", "report": "runs/movies/report.html"},
        command='lighten optimize sample:gemma --data sample:reviews/movie-documents --keep "bits_per_byte<=+1%" '
        "--under memory<=400MB --minimize tpot --task text-generation --seed 0 --out runs/movies",
        lighten="0.1.0",
        started="2025-01-15T09:30:00+00:00",
        seconds=1876.0,
    )


def answers() -> Summary:
    """A run on prompts with an answer; the ladder has no stock rung, and an n-gram model keeps the floor as well."""
    run = documents()
    right = {0: 0.71, 2: 0.708, 6: 0.712, 7: 0.706}
    candidates = tuple(
        replace(c, results=_answered(c, right.get(c.key, 0.6)) if c.state == "ok" else {}) for c in run.candidates
    )
    verdicts = (judge_counts(2088, 41, 29, 2950, 0.02, "exact_match").to_json(),)
    return replace(
        run,
        budget=Budget((Constraint("exact_match", 0.02, "points", "exact_match>=-2pt"),), (), "decode"),
        data=replace(run.data, source="questions.csv"),
        candidates=candidates,
        winner=Winner.of(candidates[7], "runs/questions/winner"),
        verdicts=verdicts,
        tested=(TestedRecord(7, verdicts),),
        power=(Power("exact_match", 2950, 0.02, 0.0102),),
        baseline=(Rung("naive", 0), Rung("ours", 7)),
        continuations=(Continuation("Where was the treaty signed?\nAnswer:", " Paris", ""),),
    )


def baseline_won() -> Summary:
    """A run on documents whose generous floor an n-gram model keeps: it wins, and no language model is needed."""
    run = documents()
    verdicts = (bits_verdict(0.461, 0.502, "holds", 0.6),)
    return replace(
        run,
        budget=Budget((Constraint("bits_per_byte", 0.6, "ratio", "bits_per_byte<=+60%"),), (), "tpot"),
        winner=Winner.of(run.candidates[2], "runs/movies/winner"),
        verdicts=verdicts,
        tested=(TestedRecord(2, verdicts),),
        baseline=(Rung("naive", 0), Rung("stock", 2), Rung("ours", 2)),
        lineage=(),
        continuations=(),
    )


def hostile(mark: str = "<script>document.title='pwned'</script><img src=x onerror=alert(1)>\x1b[31m\u202e") -> Summary:
    """A run in which both models and the user's prompts try to break out."""
    run = documents()
    named = tuple(replace(c, name=f"{mark}{c.name}") for c in run.candidates)
    three = (Continuation(mark, f"{mark} \ud800", f"{mark}\n{'W' * 400}"), Continuation("a", "", " "))
    return replace(run, candidates=named, continuations=three)


def bits_verdict(more: float, most: float, state: State, margin: float = 0.01) -> dict[str, Any]:
    """A verdict on bits per byte. more, most, margin: shares of the original's that are more, at most, and allowed."""
    direction: Direction = "lower"
    verdict = Verdict(
        metric="bits_per_byte",
        state=state,
        original=BITS,
        candidate=BITS * (1 + more),
        direction=direction,
        difference=-BITS * more,
        lower=-BITS * most,
        upper=-BITS * (2 * more - most),
        margin=BITS * margin,
        confidence=0.95,
        n=PROOF,
        units=PROOF,
        b=None,
        c=None,
        needed=None,
        method="bootstrap over rows, wider of percentile and BCa",
    )
    return verdict.to_json()


def _candidate(
    key: int, name: str, steps: str, engine: str, role: str, fast: float, more: float, small: float, state: str,
    reason: str,
) -> Candidate:  # fmt: skip
    recipe = tuple(STEPS[step] for step in steps.split())
    results: dict[str, Result] = {}
    bytewise = engine == "numpy"

    def add(meter: str, value: float, unit: str, direction: str, n: int, ratio: float | None) -> None:
        spread = None if ratio is None else abs(value) * 0.02
        varies = ratio if n > 1 and key else None  # what is measured once has no rounds
        compared = COMPARED.get(meter, "")
        own = compared or unit if bytewise else unit
        results[meter] = Result(
            f"{key:04x}" * 16, engine, "cpu", meter, value, own, direction, n, spread, ratio=ratio,
            ratio_spread=varies and 0.04 * varies, rounds=5 if varies else 0, ratio_unit=compared,
        )  # fmt: skip

    if state == "ok":
        add("bits_per_byte", BITS * (1 + more / 100), "bits/byte", LOWER, SELECT, None)
        add("token_flips", min(0.99, abs(more) / 20 + 0.06 * bool(key)), "fraction", LOWER, 1040, None)
        for meter, (value, unit, direction) in SPEEDS.items():
            add(meter, value * fast if direction == HIGHER else value / fast, unit, direction, 141, fast)
        memory = 60 + 426 / small**0.9
        add("memory", memory, "MB", LOWER, 1, 486 / memory)
        add("size", SIZE / small, "MB", LOWER, 1, small)
        add("load", 1.1 / small, "s", LOWER, 1, small)
    return Candidate(
        key, name, recipe, engine, {}, state, reason, f"{key:04x}" * 16 if state == "ok" else "", results, role,
        30.0 + 41.0 * key,
    )  # fmt: skip


def _answered(candidate: Candidate, right: float) -> dict[str, Result]:
    kept = {n: r for n, r in candidate.results.items() if n not in ("bits_per_byte", "token_flips")}
    first = candidate.results["bits_per_byte"]
    exact = replace(first, meter="exact_match", value=right, unit="fraction", direction=HIGHER, n=1000)
    flips = replace(first, meter="answer_flips", value=0.031 * bool(candidate.key), unit="fraction", n=1000)
    return {"exact_match": exact, "answer_flips": flips, **kept}


def _continuations() -> tuple[Continuation, ...]:
    return (
        Continuation(
            "The performances are uniformly good, and the script has more than its",
            " share of laughs. The film is a bit of a mess, but it is a mess that is worth seeing.",
            " share of laughs. It is a film that is both funny and moving, and it is a film that deserves to be seen.",
        ),
        Continuation(
            "What begins as a quiet family drama turns, about halfway through, into",
            " a thriller.\nThe director knows how to build tension, but he does not know when to stop.",
            " a thriller that never quite finds its feet.\nThe cast does what it can.",
        ),
        Continuation("这部电影的开头很慢，但是", "后来越来越精彩，演员的表演也很自然。", "到了后半段才真正好看起来。"),
        Continuation(
            "Nobody who saw the first one will be surprised by how this",
            " one ends. It is a sequel that does not need to exist, made by people who do not need the money.",
            " one ends.",
        ),
    )
