"""serve: what models are called, who answers among them, and what a file says of it."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from lighten.core.errors import InputError, UnknownName
from lighten.serve.limits import Limits
from lighten.serve.traffic import Share
from lighten.verbs.serve_options import ModelTable, Named, ServeOptions, name_of, named, plan_of, read_options

EXAMPLE = Path(__file__).parents[2] / "docs" / "serve.toml"


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("runs/reviews/winner", "reviews"),
        ("runs/reviews/", "reviews"),
        ("runs/my run!", "my-run"),
        ("/a/b/winner/", "b"),
        ("sample:minilm", "sample-minilm"),
        ("org/model-name", "model-name"),
    ],
)
def test_a_model_is_called_as_its_folder(model: str, name: str) -> None:
    assert name_of(model) == name


def test_a_folder_without_a_name_is_called_as_the_one_above(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "reviews" / "winner").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "reviews")
    assert name_of("winner") == name_of(".") == "reviews"


def test_names_and_versions_are_told() -> None:
    assert named(["a=x/y", "a:2=x/z", "runs/b/winner"]) == [
        Named("a", "1", "x/y"), Named("a", "2", "x/z"), Named("b", "1", "runs/b/winner"),
    ]  # fmt: skip


def test_two_models_of_one_name_need_versions() -> None:
    with pytest.raises(InputError, match="would both be called 'a'") as error:
        named(["a=x", "runs/a/winner"])
    assert "a:2=runs/a/winner" in error.value.fix
    with pytest.raises(InputError, match="No model was given"):
        plan_of([], {})
    with pytest.raises(InputError, match="says no name"):
        named(["/"])


def test_the_last_version_beside_canary_and_shadow_serves() -> None:
    plan = plan_of(["a=x", "a:2=y", "a:3=z"], {}, ["a:3=0.1"], ["a=runs/a/original:0.05"])
    traffic = plan.traffic["a"]
    assert (traffic.serving, traffic.canary, traffic.shadow) == ("2", Share("3", 0.1), Share("original", 0.05))
    assert plan.named[-1] == Named("a", "original", "runs/a/original") and plan.opened == list(plan.named)
    again = plan_of(["a:original=x"], {}, [], ["a=y/original:1"])
    assert again.traffic["a"].shadow == Share("shadow", 1.0)


@pytest.mark.parametrize("told", ["a", "a:2", "a:2=0", "a:2=1.1", "a:2=-1", "a=y:nan", "a=y:e", "a=y", "=y:0.1"])
def test_a_share_that_is_none_is_refused(told: str) -> None:
    with pytest.raises(InputError, match="--canary is") as error:
        plan_of(["a=x"], {}, [told])
    assert "NAME:VERSION=SHARE" in error.value.allowed


def test_shares_name_versions_that_there_are() -> None:
    with pytest.raises(UnknownName, match="no model named 'b'"):
        plan_of(["a=x"], {}, ["b:2=0.1"])
    with pytest.raises(UnknownName, match="version of 'a' named '2'"):
        plan_of(["a=x"], {}, ["a:2=0.1"])
    with pytest.raises(InputError, match="is left that answers"):
        plan_of(["a=x", "a:2=y"], {}, ["a:1=0.1"], ["a:2=0.1"])


def test_the_example_has_every_option_and_can_be_used() -> None:
    found = read_options(EXAMPLE)
    text = EXAMPLE.read_text(encoding="utf-8")
    for one in fields(ServeOptions):
        assert f"{one.name} =" in text or f"[{one.name}" in text, one.name
    for one in fields(ModelTable):
        assert f"{one.name} =" in text or f".{one.name}]" in text, one.name
    Limits().changed(found.told_limits)
    plan = plan_of([], found.models)
    assert plan.traffic["chat"].canary is not None and plan.unloaded


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "serve.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_is_read_and_what_it_names_lies_beside_it(tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    path = written(
        tmp_path,
        'port = 9000\nkeys = "./keys.txt"\n[limits]\ndeadline = 2.5\nbatch = 8\n[models]\na = "runs"\n'
        'b = {versions = {1 = "sample:minilm", 2 = "/y"}, serve = "1", shadow = {version = "2", share = 0.5}}\n',
    )
    found = read_options(path)
    assert (found.port, found.host, found.keys) == (9000, "127.0.0.1", str(tmp_path / "keys.txt"))
    assert found.told_limits == ["deadline=2.5", "batch=8"]
    later = read_options(written(tmp_path, 'review = "cases.db"\nlog = "-"\n[models]\na = "runs"\n'))
    assert (later.review, later.log) == (str(tmp_path / "cases.db"), "-")  # nothing lies there yet
    assert found.models["a"] == ModelTable({"1": str(tmp_path / "runs")})
    assert found.models["b"].versions == {"1": "sample:minilm", "2": "/y"}
    plan = plan_of([], found.models)
    assert (plan.traffic["b"].serving, plan.traffic["b"].shadow) == ("1", Share("2", 0.5))


def test_the_command_line_wins_over_the_file(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        'port = 9000\nreplicas = 2\n[models.a]\nversions = {1 = "/x"}\ncanary = {version = "2", share = 0.5}\n',
    )
    found = read_options(path).changed(port=9, host=None, operators=())
    assert (found.port, found.replicas) == (9, 2)
    plan = plan_of(["a=/z", "a:2=/y"], found.models, ["a:2=0.25"])
    assert plan.named == (Named("a", "1", "/z"), Named("a", "2", "/y"))
    assert plan.traffic["a"].canary == Share("2", 0.25)
    with pytest.raises(InputError, match="-1 replicas"):
        found.changed(replicas=-1)


@pytest.mark.parametrize(
    ("text", "seen", "help"),
    [
        ("prot = 1", "key of .*serve.toml named 'prot'", "port"),
        ('[models.a]\nversion = {1 = "x"}', "named 'version'", "versions"),
        ('[models.a]\nversions = {1 = "x"}\nshadow = {version = "1", shares = 1}', "'shares'", "share"),
        ('port = "8000"', "port is '8000'", "models"),
        ("port = true", "port is True", ""),
        ("models = 3", "models is 3", ""),
        ("[models.a]\nversions = 3", "versions is 3", ""),
        ("[models.a]\n", "versions is missing", ""),
        ('[models]\n"a/b" = "x"', "named 'a/b'", ""),
        ("a = ", "not valid TOML", ""),
        ('[limits]\nbatch = "x"', "batch is 'x'", ""),
    ],
)
def test_what_a_file_says_wrongly_is_named_with_the_nearest(tmp_path: Path, text: str, seen: str, help: str) -> None:
    with pytest.raises(InputError, match=seen) as error:
        read_options(written(tmp_path, text))
    assert help in f"{error.value.fix} {error.value.allowed}"


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_options(tmp_path / "nothing.toml")


@pytest.mark.parametrize(("table", "seen"), [
    (ModelTable({"1": "x"}, unloaded=("2",)), "named '2'"),
    (ModelTable({"1": "x", "2": "y"}, unloaded=("2",)), "takes part"),
    (ModelTable({"1": "x"}, serve="2"), "named '2'"),
    (ModelTable({"1": "x", "2": "y"}, canary=Share("2", float("nan"))), "share of a:2"),
    (ModelTable({"1": "x", "2": "y"}, serve="2", canary=Share("2", 0.1)), "left that answers"),
])  # fmt: skip
def test_a_table_that_contradicts_itself_is_refused(table: ModelTable, seen: str) -> None:
    tables: dict[str, Any] = {"a": table}
    with pytest.raises(InputError, match=seen):
        plan_of([], tables)
