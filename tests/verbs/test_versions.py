"""Versions of a server that runs are shown, switched, loaded and unloaded, and no request notices."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from lighten.core import catalog
from lighten.core.artifact import Artifact
from lighten.core.errors import InputError
from lighten.core.recipe import record_of
from lighten.serve.keys import make_key
from lighten.testing.serving import running
from lighten.verbs.versions import KEY, versions

LABELS = ("even", "odd")


def model(folder: Path) -> Path:
    """What the fake engine opens: texts are even or odd by their length."""
    folder.mkdir(parents=True)
    (folder / "fake.txt").write_text("fake", encoding="utf-8")
    engine = catalog.load("engines", "fake")()
    meta = {"labels": list(LABELS), "asked": {"use": "text_classification"}, "engine": record_of(engine)}
    return Artifact.seal(folder, format="fake", meta=meta).path


class Client(threading.Thread):
    """Asks again and again over one connection, and keeps whatever is wrong."""

    def __init__(self, address: str, number: int, over: threading.Event) -> None:
        super().__init__()
        self.wrong: list[str] = []
        self.by: dict[str, int] = {}
        self._connection = HTTPConnection(address.removeprefix("http://"), timeout=30)
        self._number, self._over = number, over

    def run(self) -> None:
        """Until it is over."""
        asked = 0
        try:
            while not self._over.is_set():
                asked += 1
                text = "x" * (1 + (asked * 7 + self._number) % 90)
                self._connection.request("POST", "/predict/m", json.dumps({"inputs": [text]}))
                reply = self._connection.getresponse()
                told = json.loads(reply.read())
                if reply.status != 200 or told["predictions"][0]["label"] != LABELS[len(text) % 2]:
                    self.wrong.append(f"{reply.status} {told}")
                else:
                    self.by[told["version"]] = self.by.get(told["version"], 0) + 1
        except Exception as error:  # noqa: BLE001 - whatever it is, it is the test's to see
            self.wrong.append(repr(error))
        finally:
            self._connection.close()


@pytest.mark.usefixtures("fake_engine")
def test_no_request_is_lost_while_versions_are_switched_loaded_and_unloaded(tmp_path: Path) -> None:
    first, second = model(tmp_path / "1"), model(tmp_path / "2")
    with running(f"m={first}", f"m:2={second}") as server:
        at = server.address
        over = threading.Event()
        clients = [Client(at, number, over) for number in range(3)]
        for client in clients:
            client.start()
        try:
            for version in ("1", "2", "1", "2"):
                assert versions("m", at=at, serve=version).models[0].serve == version
            assert versions("m", at=at, canary="1=0.5").models[0].canary is not None
            versions("m", at=at, load="2")
            (found,) = versions("m", at=at, serve="1", unload="2").models
            assert [one.state for one in found.versions] == ["ready", "unloaded"]
            (second / "fake.txt").write_text("something else", encoding="utf-8")
            with pytest.raises(InputError, match=r"fake\.txt"):
                versions("m", at=at, serve="2")
            (first / "fake.txt").write_text("something else", encoding="utf-8")
            with pytest.raises(InputError, match=r"fake\.txt"):
                versions("m", at=at, load="1")
            (found,) = versions("m", at=at).models
            assert found.serve == "1" and found.versions[0].state == "ready" and "fake.txt" in found.versions[1].failure
        finally:
            over.set()
            for client in clients:
                client.join(30)
        assert [client.wrong for client in clients] == [[], [], []]
        assert all(client.by.get("1", 0) > 0 and client.by.get("2", 0) > 0 for client in clients)


@pytest.mark.usefixtures("fake_engine")
def test_a_file_says_it_all_and_an_operator_may_change_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = {version: model(tmp_path / version) for version in ("1", "2")}
    secret, other = make_key(tmp_path / "keys", "anna"), make_key(tmp_path / "keys", "ci")
    config = tmp_path / "serve.toml"
    config.write_text(
        f'keys = "./keys"\noperators = ["anna"]\nport = 1\n[models.m]\nversions = {{1 = "{made["1"]}", 2 = "2"}}\n'
        'shadow = {version = "2", share = 1.0}\n',
        encoding="utf-8",
    )
    with running("--config", str(config)) as server:
        at = server.address
        for key, words in (("", "needs a key"), (other, "'ci' is no operator's")):
            monkeypatch.setenv(KEY, key)
            with pytest.raises(InputError, match=words) as error:
                versions("m", at=at, rollback=True)
        assert "--operator" in error.value.fix
        (found,) = versions(at=at, key=secret).models
        assert (found.serve, found.disagreement is not None, [one.roles for one in found.versions]) == (
            "1", True, [("serves",), ("shadow",)],
        )  # fmt: skip
        monkeypatch.setenv(KEY, secret)
        assert versions("m", at=at, shadow="none").models[0].shadow is None


@pytest.mark.parametrize(
    ("given", "seen"),
    [
        ({"serve": "2"}, "No model was named"),
        ({"name": "m", "canary": "2"}, "--canary is '2'"),
        ({"name": "m", "shadow": "2=x"}, "--shadow is '2=x'"),
        ({"name": "m", "shadow": "2=1.5"}, "--shadow is"),
        ({"name": "m", "rollback": True, "serve": "2"}, "--rollback says"),
        ({"at": "ftp://x"}, "no address"),
        ({"at": "http://x:port"}, "no address"),
        ({"at": "127.0.0.1:1"}, "No server answers"),
    ],
)
def test_what_cannot_be_asked_is_refused_here(given: dict[str, Any], seen: str) -> None:
    with pytest.raises(InputError, match=seen):
        versions(**given)


@pytest.mark.parametrize(
    ("status", "body", "seen"),
    [
        (200, b"<html>", "no server of lighten's"),
        (200, b"{}", "another version of lighten"),
        (502, b"[]", "answers 502"),
        (409, b'{"error": "as Triton says it"}', "as Triton says it"),
    ],
)
def test_what_is_no_server_of_ours_is_told(status: int, body: bytes, seen: str) -> None:
    class Other(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        log_message: Callable[..., None] = lambda *_: None

    with HTTPServer(("127.0.0.1", 0), Other) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        with pytest.raises(InputError, match=seen):
            versions(at=f"http://127.0.0.1:{server.server_port}")
        thread.join(30)
