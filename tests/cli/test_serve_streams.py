"""``riverrun serve --allow streams``: what is appended is there again when it comes back."""

from __future__ import annotations

import json
from http.client import HTTPConnection
from pathlib import Path

from tests.cli.programs import running

FREE_PORT = ("--port", "0", "--log", "none")
TEXT = {"Content-Type": "text/plain"}


def ask(
    port: int, method: str, target: str, body: bytes = b"", fields: dict[str, str] | None = None
) -> tuple[int, bytes]:
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method, target, body or None, fields or {})
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def test_streams_are_kept_in_the_folder(tmp_path: Path) -> None:
    for created, content in ((201, b"one"), (200, b"oneone")):
        with running("serve", "--allow", "streams", *FREE_PORT, folder=tmp_path) as program:
            port = program.port
            assert ask(port, "PUT", "/v1/stream/a/b", fields=TEXT)[0] == created
            assert ask(port, "POST", "/v1/stream/a/b", b"one", TEXT)[0] == 204
            assert ask(port, "GET", "/v1/stream/a/b?offset=-1") == (200, content)
            status, body = ask(port, "GET", "/~/streams")
            assert status == 200
            (entry,) = json.loads(body)
            assert (entry["name"], entry["path"]) == ("a/b", "/v1/stream/a/b")
            assert (entry["content_type"], entry["size"]) == ("text/plain", len(content))
            assert (entry["closed"], entry["tail"][-4:]) == (False, f"{len(content):04}")
    assert [path.name for path in tmp_path.iterdir()] == [".riverrun"]


def test_streams_are_not_there_unless_allowed(tmp_path: Path) -> None:
    with running("serve", "--allow", "upload", *FREE_PORT, folder=tmp_path) as program:
        assert ask(program.port, "GET", "/v1/stream/a")[0] == 404
        assert ask(program.port, "GET", "/~/streams")[0] == 404


def test_a_reader_of_events_does_not_keep_the_server_from_stopping(tmp_path: Path) -> None:
    with running("serve", "--allow", "streams", *FREE_PORT, folder=tmp_path) as program:
        assert ask(program.port, "PUT", "/v1/stream/a", fields=TEXT)[0] == 201
        connection = HTTPConnection("127.0.0.1", program.port, timeout=10)
        connection.request("GET", "/v1/stream/a?offset=-1&live=sse")
        response = connection.getresponse()
        assert response.readline() == b"event: control\n"
        program.process.terminate()
        assert program.process.wait(5) == 0
        assert response.read().endswith(b"\n\n")  # to its end: nothing was cut
        connection.close()


def test_what_streams_bring_to_the_disk_is_counted(tmp_path: Path) -> None:
    def commits(port: int) -> float:
        lines = ask(port, "GET", "/~/metrics")[1].decode().splitlines()
        (line,) = (line for line in lines if line.startswith("riverrun_log_commits_total "))
        return float(line.split()[1])

    with running("serve", "--allow", "streams", *FREE_PORT, folder=tmp_path) as program:
        port = program.port
        assert commits(port) == 0
        assert ask(port, "PUT", "/v1/stream/a", fields=TEXT)[0] == 201
        created = commits(port)
        assert created >= 1
        assert ask(port, "POST", "/v1/stream/a", b"one", TEXT)[0] == 204
        assert commits(port) == created + 1
        assert ask(port, "GET", "/v1/stream/a?offset=-1")[1] == b"one"
        assert commits(port) == created + 1
