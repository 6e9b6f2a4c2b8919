"""A folder in OpenVINO's format that optimum-intel and OpenVINO open."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from lighten.core.readers import reader_in
from lighten.core.target import RUN, Source, Target, Way
from lighten.targets._hf import CONFIG, config_of, fills, loader_code, no_classes, pinned, write_json, write_reading
from lighten.targets._openvino_folder import Graph, libraries, runtime, settings_of, write_graph
from lighten.targets._openvino_writer import FORMAT, ways_of_writer, write_writer
from lighten.targets._script import script


class Openvino(Target):
    """``config.json``, the reader's files and ``openvino_model.xml`` as the hub has them, and a program of its own."""

    title: ClassVar[tuple[str, str]] = ("an OpenVINO folder", "OpenVINO 文件夹")
    consumes: ClassVar[tuple[str, ...]] = ("openvino", "openvino-int8", FORMAT)
    extra: ClassVar[str] = "ov"

    def check(self, source: Source) -> str:
        """See :meth:`Target.check`."""
        return "" if self.writes(source) else no_classes(source)

    def check_answers(self, source: Source) -> str:
        """See :meth:`Target.check_answers`."""
        return "" if source.task.writes else no_classes(source)

    def write(self, source: Source, folder: Path) -> None:
        """See :meth:`Target.write`."""
        if self.writes(source):
            write_writer(source, folder)
            return
        reading, graph = reader_in(source.artifact.path).plain(), Graph(source.artifact)
        write_json(folder / CONFIG, config_of(source, reading))
        write_reading(reading, folder, graph.inputs)
        write_graph(source.artifact, graph, folder)
        (folder / RUN).write_text(script(reading, runtime(source)), encoding="utf-8")
        (folder / "requirements.txt").write_text(pinned(libraries(reading)), encoding="utf-8")

    def about(self, source: Source) -> tuple[str, str]:
        """See :meth:`Target.about`."""
        axes = (
            " optimum-intel frees every axis unless dynamic_shapes=False is said, and OpenVINO then answers some int8 "
            "networks for pictures wrongly.",
            "若不写 dynamic_shapes=False，optimum-intel 会放开所有维度，OpenVINO 对某些 int8 图片网络会给出错误答案。",
        )
        more = ("", "") if self.writes(source) or fills(reader_in(source.artifact.path).plain()) else axes
        return (
            "A network in OpenVINO's format with its config and the files of its reader, laid out as the Hugging "
            "Face hub has them. OpenVINO rounds more than the graph says where the processor is faster so; with the "
            f"settings of {RUN} it computes as it did when this model was measured.{more[0]}",
            "OpenVINO 格式的网络，附配置与读取器文件，按 Hugging Face hub 的布局存放。"
            f"在更快的处理器上，OpenVINO 会降低计算精度；使用 {RUN} 中的设置，则与测量时的计算一致。{more[1]}",
        )

    def ways(self, source: Source) -> Sequence[Way]:
        """See :meth:`Target.ways`."""
        if self.writes(source):
            return ways_of_writer(source)
        reading = reader_in(source.artifact.path).plain()
        settings = {name: str(one) for name, one in settings_of(source).items()}
        optimum = loader_code(reading, "optimum.intel", "OVModel", f"dynamic_shapes=False, ov_config={settings!r}")
        value = reading.example
        run = f"pip install -r requirements.txt\npython {RUN} {value!r}"
        alone = Way(("With OpenVINO alone", "只用 OpenVINO"), run)
        if fills(reading):
            return [alone]
        return [
            alone,
            Way(("With optimum-intel", "用 optimum-intel"), optimum, "python"),
        ]

    def writes(self, source: Source) -> bool:
        """See :meth:`Target.writes`."""
        return source.artifact.format == FORMAT
