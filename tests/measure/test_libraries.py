"""Libraries that are installed and cannot be imported are told, with what their import said."""

from importlib.util import find_spec
from pathlib import Path

from lighten.measure.doctor import EXTRAS
from lighten.measure.environment import installed as versions_of
from lighten.measure.libraries import MODULES, broken_libraries, fix_of, reason_of
from lighten.testing.plugin import installed


def distribution(folder: Path, name: str, source: str, version: str = "1.0") -> None:
    """An installed package of one module."""
    (folder / f"{name.replace('-', '_')}.py").write_text(source, encoding="utf-8")
    record = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    record.mkdir()
    (record / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n", encoding="utf-8")


def test_what_raises_and_what_ends_the_process_is_told_and_what_works_is_not(tmp_path: Path) -> None:
    distribution(
        tmp_path,
        "raises-here",
        "try:\n    import nowhere_at_all\nexcept ImportError as e:\n    raise RuntimeError('later') from e\n",
    )
    distribution(tmp_path, "dies-here", "import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)\n", "2.1")
    distribution(tmp_path, "works-here", "")
    with installed(tmp_path):
        found = broken_libraries([("works-here", "raises-here"), ("dies-here", "works-here"), ("absent-here",)])
    by_name = {library.name: library for library in found}
    assert by_name.keys() == {"raises-here", "dies-here"}
    assert by_name["raises-here"].reason == "ModuleNotFoundError: No module named 'nowhere_at_all'"
    assert "SIGSEGV" in by_name["dies-here"].reason and by_name["dies-here"].version == "2.1"
    assert "pip uninstall dies-here" in by_name["dies-here"].fix


def test_torchvision_of_another_build_than_torch_is_named_as_the_cause() -> None:
    mixed = {"torch": "2.13.0+cpu", "torchvision": "0.28.0", "transformers": "5.0"}
    for name in ("transformers", "torchvision"):
        said = fix_of(name, mixed)
        assert "torchvision 0.28.0 was built for another torch than 2.13.0+cpu" in said
        assert "pip uninstall torchvision" in said and "the same index as that torch" in said
    assert "torchvision" not in fix_of("onnx", mixed)
    assert "torchvision" not in fix_of("transformers", {**mixed, "torchvision": "0.28.0+cpu"})


def test_the_first_cause_is_told_in_one_line() -> None:
    try:
        try:
            raise RuntimeError("operator torchvision::nms\n  does not exist")
        except RuntimeError as error:
            raise ImportError("Could not import module 'BertModel'") from error
    except ImportError as error:
        assert reason_of(error) == "RuntimeError: operator torchvision::nms does not exist"


def test_every_library_that_lighten_asks_for_is_imported_by_its_own_name() -> None:
    here = versions_of([name for group in EXTRAS.values() for name in group])
    modules = {name: MODULES.get(name, name.replace("-", "_")).partition(".")[0] for name in here}
    assert {name: module for name, module in modules.items() if find_spec(module) is None} == {}
