"""What the toolkits give for a classifier of pictures on a CPU, each as its own documentation recommends it.

A rung answers single pictures, and many at once in whichever of its documented ways is the fastest here: batches of a
size, several requests in flight. All read the pictures with the same reader, lighten's. Sources:

- torch: ``torch.inference_mode``, channels last, bfloat16 weights, ``torch.compile``.
- ONNX Runtime: "Thread management", "Quantize ONNX models": static quantization in the QDQ format, per channel.
- OpenVINO: "High-level performance hints": LATENCY for one request at a time, THROUGHPUT with ``AsyncInferQueue`` for
  many; bfloat16 is its default where the processor has it. NNCF: post-training quantization.
"""

from __future__ import annotations

import copy
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from turns import Answer, Outputs, Rung

from lighten.core.item import Item
from lighten.nets.vision.network import open_vision

Pixels = NDArray[np.float32]
BATCHES = (1, 8, 32, 128)
TRIAL_ROWS = 256


class Toolkits:
    """Builds the rungs of one model.

    Args:
        model: a folder of transformers. calibration: pictures for static quantization.
        threads: cores that each rung may use. scratch: an empty folder.
    """

    def __init__(self, model: Path, calibration: Sequence[Item], threads: int, scratch: Path) -> None:
        import torch

        torch.set_num_threads(threads)
        self.calibration, self.threads, self.scratch = list(calibration), threads, scratch
        self.network = open_vision(model)
        self.name = next(iter(self.network.reader.axes()))

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

        last = torch.channels_last
        return {
            "torch eager fp32": lambda: self._torch(torch.float32),
            "torch eager fp32, channels last": lambda: self._torch(torch.float32, last),
            "torch eager bf16, channels last": lambda: self._torch(torch.bfloat16, last),
            "torch.compile fp32, channels last": lambda: self._torch(torch.float32, last, compiled=True),
            "onnxruntime fp32": lambda: self._onnxruntime(self._onnx()),
            "onnxruntime static int8": lambda: self._onnxruntime(self._static_onnx("MinMax")),
            "onnxruntime static int8, percentile": lambda: self._onnxruntime(self._static_onnx("Percentile")),
            "openvino f32": lambda: self._openvino(self._read(), INFERENCE_PRECISION_HINT="f32"),
            "openvino default precision": lambda: self._openvino(self._read()),
            "openvino NNCF static int8": lambda: self._openvino(self._static()),
        }

    def _pixels(self, items: Sequence[Item]) -> Pixels:
        reader = self.network.reader
        return reader.batch(reader(items))[self.name]

    def _rung(self, answer: Callable[[Pixels], Outputs], more: dict[str, Answer] | None = None) -> Rung:
        """One batch after the other, in batches of each size, beside ``more`` ways."""

        def way(size: int) -> Answer:
            return lambda items: np.concatenate([answer(self._pixels(some)) for some in cut(items, size)])

        ways = {f"batches of {size}": way(size) for size in BATCHES}
        return Rung(lambda items: answer(self._pixels(items)), {**ways, **(more or {})})

    def _torch(self, dtype: Any, layout: Any = None, *, compiled: bool = False) -> Rung:
        import torch

        layout = layout or torch.contiguous_format
        net = copy.deepcopy(self.network.net).to(dtype).to(memory_format=layout).eval()
        run = torch.compile(net, dynamic=False) if compiled else net

        def answer(pixels: Pixels) -> Outputs:
            with torch.inference_mode():
                given = torch.from_numpy(pixels).to(dtype).contiguous(memory_format=layout)
                found: Outputs = run(given).logits.float().numpy()
                return found

        return self._rung(answer)

    def _onnx(self) -> Path:
        """The model as ONNX, exported once."""
        exported = self.scratch / "model.onnx"
        if exported.is_file():
            return exported
        import onnx
        import torch

        net = copy.deepcopy(self.network.net).to(memory_format=torch.contiguous_format).eval()
        example = torch.from_numpy(self._pixels(self.calibration[:2]))
        torch.onnx.export(
            net, (), exported, kwargs={self.name: example}, input_names=[self.name],
            dynamic_shapes={self.name: {0: torch.export.Dim("batch")}}, dynamo=True, external_data=False, verbose=False,
        )  # fmt: skip
        graph = onnx.load(exported)
        graph.graph.ClearField("value_info")  # else onnxruntime's quantizer refuses the file
        onnx.save(graph, exported)
        return exported

    def _static_onnx(self, method: str) -> Path:
        from onnxruntime.quantization import (
            CalibrationDataReader,
            CalibrationMethod,
            QuantFormat,
            QuantType,
            quantize_static,
        )
        from onnxruntime.quantization.shape_inference import quant_pre_process

        ready, made = self.scratch / "ready.onnx", self.scratch / f"{method}.onnx"
        quant_pre_process(str(self._onnx()), str(ready), skip_symbolic_shape=True)
        left = iter([{self.name: self._pixels(some)} for some in cut(self.calibration, 10)])

        class Feeding(CalibrationDataReader):  # type: ignore[misc]
            def get_next(self) -> dict[str, Pixels] | None:
                return next(left, None)

        quantize_static(
            str(ready), str(made), Feeding(), quant_format=QuantFormat.QDQ, per_channel=True,
            activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8, calibrate_method=CalibrationMethod[method],
            extra_options={"CalibPercentile": 99.99} if method == "Percentile" else {},
        )  # fmt: skip
        return made

    def _onnxruntime(self, path: Path) -> Rung:
        import onnxruntime as ort

        def session(threads: int) -> Any:
            options = ort.SessionOptions()
            options.intra_op_num_threads = threads
            return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

        wide, narrow = session(self.threads), session(1)

        def several(size: int) -> Answer:
            def run(items: list[Any]) -> Outputs:
                with ThreadPoolExecutor(self.threads) as pool:
                    return np.concatenate(
                        list(pool.map(lambda b: narrow.run(None, {self.name: self._pixels(b)})[0], cut(items, size)))
                    )

            return run

        more = {f"{self.threads} requests of {size} at once, a thread each": several(size) for size in BATCHES}
        return self._rung(lambda pixels: wide.run(None, {self.name: pixels})[0], more)

    def _read(self) -> Any:
        import openvino as ov

        return ov.Core().read_model(self._onnx())

    def _static(self) -> Any:
        import nncf

        items = [self._pixels([item]) for item in self.calibration]
        return nncf.quantize(self._read(), nncf.Dataset(items), subset_size=len(items))

    def _openvino(self, graph: Any, **settings: str) -> Rung:
        import openvino as ov

        def compiled(hint: str) -> Any:
            common = {"PERFORMANCE_HINT": hint, "INFERENCE_NUM_THREADS": self.threads, **settings}
            return ov.Core().compile_model(graph, "CPU", common)

        quick, wide = compiled("LATENCY"), compiled("THROUGHPUT")

        def in_flight(size: int) -> Answer:
            def run(items: list[Any]) -> Outputs:
                batches = cut(items, size)
                answers: list[Any] = [None] * len(batches)
                queue = ov.AsyncInferQueue(wide)  # as many requests as the device finds best
                queue.set_callback(lambda request, i: answers.__setitem__(i, request.get_output_tensor(0).data.copy()))
                for i, batch in enumerate(batches):
                    queue.start_async({0: self._pixels(batch)}, i)
                queue.wait_all()
                return np.concatenate(answers)

            return run

        more = {f"batches of {size} in flight, THROUGHPUT": in_flight(size) for size in BATCHES}
        return self._rung(lambda pixels: quick(pixels)[0], more)


def cut(items: Sequence[Any], size: int) -> list[Sequence[Any]]:
    """Items in pieces of ``size``."""
    return [items[begin : begin + size] for begin in range(0, len(items), size)]
