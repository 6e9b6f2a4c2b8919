"""The directory is the registry, packages join it, and a broken package harms only itself."""

from __future__ import annotations

import gc
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import sleep

import pytest

from lighten.core import catalog
from lighten.core.errors import InputError, LightenError, MissingExtra, UnknownName
from lighten.testing.plugin import installed, plugin_package

STEP = '''"""Does nothing, for a test."""
from dataclasses import dataclass
from lighten.core.step import Step{imports}

@dataclass(frozen=True)
class Nothing(Step):
    consumes = ("hf",)
    extra = {extra!r}

    def run(self, model, needs):
        return model
'''


def step(imports: str = "", extra: str = "") -> str:
    return STEP.format(imports=f"\n{imports}" if imports else "", extra=extra)


@pytest.fixture
def packages(tmp_path: Path) -> Iterator[Path]:
    """Write packages here before the first look at the catalogue."""
    with installed(tmp_path):
        yield tmp_path


def test_names_come_from_the_directory_without_an_import() -> None:
    code = (
        "import sys; from lighten.core import catalog\n"
        "print(*[e.name for e in (*catalog.steps(), *catalog.entries('engines'), *catalog.entries('tasks'))])\n"
        "print(all(e.doc for e in catalog.steps()))\n"
        "print(not {'torch', 'numpy', 'onnx', 'lighten.quantize.int8_dynamic'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    listed, documented, light = done.stdout.splitlines()
    assert {"train.full", "prune.layers", "quantize.int8_dynamic", "ort", "text_classification"} <= set(listed.split())
    assert (documented, light) == ("True", "True")


def test_threads_may_look_at_the_same_time() -> None:
    """A thread that collects garbage in the middle of a parse lets another one parse, which counted its depth on."""
    paths = [path for path in sorted(Path(catalog.__file__).parent.parent.glob("quantize/int8_*.py")) for _ in range(2)]

    def first_line_at(depth: int, path: Path) -> str:
        return first_line_at(depth - 1, path) if depth else catalog.first_line(path)

    def let_others(phase: str, info: dict[str, int]) -> None:
        sleep(0.001)

    before = gc.get_threshold()
    gc.callbacks.append(let_others)
    gc.set_threshold(50)
    try:
        with ThreadPoolExecutor(2) as threads:
            found = list(threads.map(first_line_at, (0, 60) * (len(paths) // 2), paths))
    finally:
        gc.set_threshold(*before)
        gc.callbacks.remove(let_others)
    assert all(found)


def test_steps_come_in_the_order_of_a_recipe() -> None:
    kinds = [entry.kind for entry in catalog.steps()]
    assert kinds == sorted(kinds, key=catalog.STEP_KINDS.index)
    assert not any(entry.name.rpartition(".")[2].startswith("_") for entry in catalog.steps())


def test_the_class_is_found_by_its_name_and_back() -> None:
    task = catalog.load("tasks", "text_classification")
    assert catalog.name_of(task) == "text_classification"
    assert catalog.name_of(task()) == "text_classification"


def test_a_step_is_loaded_with_or_without_its_kind(packages: Path) -> None:
    plugin_package(packages, "prune", "nothing", step())
    assert catalog.load("prune", "nothing") is catalog.load("prune", "prune.nothing")
    assert catalog.load_step("prune.nothing").__name__ == "Nothing"
    with pytest.raises(UnknownName):
        catalog.load_step("nothing")


@pytest.mark.parametrize(
    ("kind", "name", "nearest"),
    [("engines", "ortt", "ort"), ("meters", "latncy", "latency"), ("prune", "layer", "prune.layers")],
)
def test_unknown_names_offer_the_nearest(kind: str, name: str, nearest: str) -> None:
    with pytest.raises(UnknownName, match=rf"did you mean '{nearest}'"):
        catalog.load(kind, name)


def test_an_unknown_kind_or_step_is_refused() -> None:
    with pytest.raises(UnknownName, match="engines"):
        catalog.load("engine", "ort")
    with pytest.raises(UnknownName, match=r"quantize\.int8_dynamic"):
        catalog.load_step("int8_dynamic")
    with pytest.raises(UnknownName):
        catalog.load_step("")


def test_what_the_catalogue_does_not_list_has_no_name() -> None:
    class Mine:
        pass

    with pytest.raises(InputError, match="in no catalog"):
        catalog.name_of(Mine())


def test_a_missing_library_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    for module in [m for m in sys.modules if m in ("lighten.prune.layers", "lighten.nets.encoders.network")]:
        monkeypatch.delitem(sys.modules, module)
    catalog._class_in.cache_clear()
    with pytest.raises(MissingExtra) as caught:
        catalog.load_step("prune.layers")
    assert caught.value.fix == "pip install 'lighten[train]'"
    assert "torch" in str(caught.value)
    catalog._class_in.cache_clear()


def test_a_package_whose_library_is_missing_is_named(packages: Path) -> None:
    plugin_package(packages, "prune", "lost", step("import no_such_library_anywhere"))
    with pytest.raises(InputError, match="lighten-plugin-prune-lost") as caught:
        catalog.load_step("prune.lost")
    assert "no_such_library_anywhere" in str(caught.value)
    assert catalog.load("tasks", "text_classification")


def test_a_package_for_another_version_of_lighten_is_named(packages: Path) -> None:
    plugin_package(packages, "prune", "old", step("from lighten.core.step import GoneLongAgo"))
    with pytest.raises(InputError, match="lighten-plugin-prune-old"):
        catalog.load_step("prune.old")


def test_a_broken_package_is_listed_and_harms_no_other(packages: Path) -> None:
    plugin_package(packages, "prune", "garbled", "def (:\n")
    plugin_package(packages, "prune", "absent", module="no_such_package_anywhere.part")
    plugin_package(packages, "prune", "fine", step())
    listed = {entry.name: entry.doc for entry in catalog.entries("prune")}
    assert listed["prune.fine"] == "Does nothing, for a test."
    assert listed["prune.garbled"] == ""
    assert listed["prune.absent"] == ""
    assert catalog.load_step("prune.fine")
    with pytest.raises(LightenError):
        catalog.load_step("prune.absent")


def test_two_packages_with_one_name_are_refused(packages: Path, tmp_path: Path) -> None:
    plugin_package(packages, "prune", "twin", step())
    second = packages / "lighten_other-1.0.dist-info"
    second.mkdir()
    (second / "METADATA").write_text("Metadata-Version: 2.1\nName: lighten-other\nVersion: 1.0\n")
    (second / "entry_points.txt").write_text("[lighten.prune]\ntwin = json\n")
    with pytest.raises(InputError, match=r"prune\.twin"):
        catalog.entries("prune")


def test_a_file_holds_exactly_one_class(packages: Path) -> None:
    plugin_package(packages, "prune", "none", '"""Nothing here."""\n')
    both = step() + "\n@dataclass(frozen=True)\nclass Another(Nothing):\n    pass\n"
    plugin_package(packages, "prune", "two", both)
    with pytest.raises(InputError, match="defines 0 classes of Step"):
        catalog.load_step("prune.none")
    with pytest.raises(InputError, match="defines 2 classes of Step"):
        catalog.load_step("prune.two")


def test_a_class_that_is_only_imported_does_not_count(packages: Path) -> None:
    module = plugin_package(packages, "prune", "first", step())
    plugin_package(packages, "prune", "second", step().replace("Nothing", "Own") + f"from {module} import Nothing\n")
    assert catalog.load_step("prune.second").__name__ == "Own"
