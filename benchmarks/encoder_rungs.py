"""What the toolkits give for a fine-tuned text classifier on a CPU, each as its own documentation recommends it.

A rung answers single requests, and many rows at once in whichever of its documented ways is the fastest here: batches
of rows sorted by length, several requests in flight. Sources:

- torch: ``torch.inference_mode``, bfloat16 weights, ``torch.compile`` with dynamic shapes and frozen weights.
- ONNX Runtime: "Thread management" (threads inside an operator; ``run`` of a session may be called by several threads),
  the transformer optimizer for BERT, dynamic quantization after it.
- OpenVINO: "High-level performance hints": LATENCY for one request at a time, THROUGHPUT with ``AsyncInferQueue`` for
  many; bfloat16 is its default where the processor has it. NNCF: post-training quantization of a transformer.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from turns import Rung

Logits = NDArray[np.float32]
Answer = Callable[[list[str]], Logits]
"""Texts to [n, classes]."""
Encoded = dict[str, NDArray[np.int64]]
BATCHES = (16, 32, 64)
TRIAL_ROWS = 192


def sorted_batches(texts: Sequence[str], size: int) -> list[list[int]]:
    """Numbers of the texts in batches of texts that are about as long, so that little is padded."""
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
    return [order[begin : begin + size] for begin in range(0, len(order), size)]


def in_order(batches: Sequence[Sequence[int]], answers: Sequence[Logits]) -> Logits:
    """Answers to batches, in the order of the texts."""
    found = np.concatenate(answers)
    back = np.empty_like(found)
    back[np.concatenate([np.asarray(batch) for batch in batches])] = found
    return back


class Toolkits:
    """Builds the rungs of one model.

    Args:
        model: a folder of transformers. calibration: texts for static quantization.
        threads: cores that each rung may use. scratch: an empty folder.
    """

    def __init__(self, model: Path, calibration: list[str], threads: int, scratch: Path) -> None:
        from transformers import AutoTokenizer

        self.model, self.calibration, self.threads, self.scratch = model, calibration, threads, scratch
        self.tokenizer = AutoTokenizer.from_pretrained(model)

    def rungs(self) -> Iterator[tuple[str, Rung]]:
        """Every rung that works here, with its name; a rung that does not says why on stderr."""
        for name, make in self._makers().items():
            began = time.perf_counter()
            try:
                rung = make()
                rung.one([self.calibration[0]])
                rung.settle(self.calibration[:TRIAL_ROWS])
            except Exception as error:  # noqa: BLE001 - whatever a toolkit says, the others go on, and it is told
                said = " ".join(str(error).split())[:300]
                print(f"{name} does not work here: {type(error).__name__}: {said}", file=sys.stderr, flush=True)
                continue
            print(f"{name}: {rung.way}, ready after {time.perf_counter() - began:.0f} s", file=sys.stderr, flush=True)
            yield name, rung

    def _makers(self) -> dict[str, Callable[[], Rung]]:
        import torch

        return {
            "torch eager fp32": lambda: self._torch(torch.float32),
            "torch eager bf16": lambda: self._torch(torch.bfloat16),
            "torch.compile fp32": lambda: self._torch(torch.float32, compiled=True),
            "torch.compile bf16": lambda: self._torch(torch.bfloat16, compiled=True),
            "onnxruntime fp32": lambda: self._onnxruntime(self._onnx()),
            "onnxruntime fp32, BERT optimizer": lambda: self._onnxruntime(self._fused()),
            "onnxruntime dynamic int8": lambda: self._onnxruntime(self._dynamic(self._onnx(), "dynamic.onnx")),
            "onnxruntime dynamic int8, BERT optimizer": lambda: self._onnxruntime(
                self._dynamic(self._fused(), "fused-dynamic.onnx")
            ),
            "openvino f32": lambda: self._openvino(self._read(), INFERENCE_PRECISION_HINT="f32"),
            "openvino default precision": lambda: self._openvino(self._read()),
            "openvino NNCF static int8": lambda: self._openvino(self._static()),
        }

    def _encode(self, texts: list[str]) -> Encoded:
        return dict(self.tokenizer(texts, padding=True, truncation=True, max_length=512, return_tensors="np"))

    def _batched(self, answer: Answer) -> dict[str, Answer]:
        """One batch after the other, in batches of each size."""

        def way(size: int) -> Answer:
            def run(texts: list[str]) -> Logits:
                batches = sorted_batches(texts, size)
                return in_order(batches, [answer([texts[i] for i in batch]) for batch in batches])

            return run

        return {f"batches of {size}": way(size) for size in BATCHES}

    def _torch(self, dtype: Any, *, compiled: bool = False) -> Rung:
        import torch
        from transformers import AutoModelForSequenceClassification

        torch.set_num_threads(self.threads)
        net = AutoModelForSequenceClassification.from_pretrained(self.model, dtype=dtype).eval()
        run = net
        if compiled:
            import torch._inductor.config as inductor

            inductor.freezing = True
            run = torch.compile(net, dynamic=True)

        def answer(texts: list[str]) -> Logits:
            with torch.inference_mode():
                tensors = {name: torch.from_numpy(value) for name, value in self._encode(texts).items()}
                found: Logits = run(**tensors).logits.float().numpy()
                return found

        return Rung(answer, self._batched(answer))

    def _onnx(self) -> Path:
        """The model as ONNX, exported once."""
        exported = self.scratch / "model.onnx"
        if exported.is_file():
            return exported
        import onnx
        import torch
        from transformers import AutoModelForSequenceClassification

        net = AutoModelForSequenceClassification.from_pretrained(self.model).eval()
        example = {k: torch.from_numpy(v) for k, v in self._encode(["a b c", "d e f g"]).items()}
        free = {k: {0: torch.export.Dim("batch"), 1: torch.export.Dim("tokens")} for k in example}
        torch.onnx.export(
            net, (), exported, kwargs=example, input_names=list(example), dynamic_shapes=free, dynamo=True,
            external_data=False, verbose=False,
        )  # fmt: skip
        graph = onnx.load(exported)
        graph.graph.ClearField("value_info")  # else onnxruntime's quantizer refuses the file
        onnx.save(graph, exported)
        return exported

    def _fused(self) -> Path:
        """The same after ONNX Runtime's own optimizer for BERT.

        Raises:
            ValueError: it found nothing to fuse.
        """
        path = self.scratch / "fused.onnx"
        if path.is_file():
            return path
        from onnxruntime.transformers.optimizer import optimize_model
        from transformers import AutoConfig

        config = AutoConfig.from_pretrained(self.model)
        made = optimize_model(
            str(self._onnx()), "bert", num_heads=config.num_attention_heads, hidden_size=config.hidden_size
        )
        fused = {name: count for name, count in made.get_fused_operator_statistics().items() if count}
        if not fused:
            raise ValueError("the optimizer fused nothing of this graph")
        made.save_model_to_file(str(path))
        return path

    def _dynamic(self, path: Path, name: str) -> Path:
        import onnx
        from onnxruntime.quantization import QuantType, quantize_dynamic

        extra = {"DefaultTensorType": onnx.TensorProto.FLOAT}  # of what the optimizer's own operators give
        quantize_dynamic(path, self.scratch / name, weight_type=QuantType.QInt8, extra_options=extra)
        return self.scratch / name

    def _onnxruntime(self, path: Path) -> Rung:
        import onnxruntime as ort

        def session(threads: int) -> Any:
            options = ort.SessionOptions()
            options.intra_op_num_threads = threads
            return ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])

        wide, narrow = session(self.threads), session(1)
        names = {one.name for one in wide.get_inputs()}

        def by(chosen: Any, texts: list[str]) -> Logits:
            found: Logits = chosen.run(None, {k: v for k, v in self._encode(texts).items() if k in names})[0]
            return found

        def several(size: int) -> Answer:
            def run(texts: list[str]) -> Logits:
                batches = sorted_batches(texts, size)
                with ThreadPoolExecutor(self.threads) as pool:
                    return in_order(batches, list(pool.map(lambda b: by(narrow, [texts[i] for i in b]), batches)))

            return run

        ways = self._batched(lambda texts: by(wide, texts))
        ways |= {f"{self.threads} requests of {size} at once, a thread each": several(size) for size in BATCHES}
        return Rung(lambda texts: by(wide, texts), ways)

    def _read(self) -> Any:
        import openvino as ov

        return ov.Core().read_model(self._onnx())

    def _static(self) -> Any:
        import nncf

        items = [self._encode([text]) for text in self.calibration]
        return nncf.quantize(
            self._read(), nncf.Dataset(items), model_type=nncf.ModelType.TRANSFORMER, subset_size=len(items)
        )

    def _openvino(self, graph: Any, **settings: str) -> Rung:
        import openvino as ov

        def compiled(hint: str) -> Any:
            common = {"PERFORMANCE_HINT": hint, "INFERENCE_NUM_THREADS": self.threads, **settings}
            return ov.Core().compile_model(graph, "CPU", common)

        quick, wide = compiled("LATENCY"), compiled("THROUGHPUT")
        names = {name for one in quick.inputs for name in one.names}

        def inputs(texts: list[str]) -> Encoded:
            return {k: v for k, v in self._encode(texts).items() if k in names}

        def one(texts: list[str]) -> Logits:
            found: Logits = quick(inputs(texts))[0]
            return found

        def in_flight(size: int) -> Answer:
            def run(texts: list[str]) -> Logits:
                batches = sorted_batches(texts, size)
                answers: list[Any] = [None] * len(batches)
                queue = ov.AsyncInferQueue(wide)  # as many requests as the device finds best
                queue.set_callback(lambda request, i: answers.__setitem__(i, request.get_output_tensor(0).data.copy()))
                for i, batch in enumerate(batches):
                    queue.start_async(inputs([texts[row] for row in batch]), i)
                queue.wait_all()
                return in_order(batches, answers)

            return run

        ways = {f"batches of {size} in flight, THROUGHPUT": in_flight(size) for size in (8, *BATCHES)}
        return Rung(one, {**ways, **self._batched(one)})
