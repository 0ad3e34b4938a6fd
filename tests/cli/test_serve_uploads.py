"""`riverrun serve --allow`, as a program: what it says may be changed, and who may not start."""

import http.client
from contextlib import closing
from pathlib import Path

import pytest
from tests.cli.programs import DEADLINE, answer, running

FREE_PORT = ("--port", "0")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "inbox"
    folder.mkdir()
    return folder


def put(port: int, path: str, body: bytes) -> int:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=DEADLINE)) as connection:
        connection.request("PUT", path, body)
        return connection.getresponse().status


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("--allow", "upload"), "allows: upload"),
        (("--allow", "delete, upload"), "allows: upload, delete"),
        (("--allow", "delete", "--allow", "upload"), "allows: upload, delete"),
        (
            ("--allow", "upload,overwrite", "--hidden"),
            "allows: upload, overwrite, hidden names too",
        ),
        (("--allow", "none"), "read only"),
        ((), "read only"),
    ],
)
def test_the_greeting_tells_what_may_be_changed(
    folder: Path, arguments: tuple[str, ...], line: str
) -> None:
    with running("serve", *arguments, *FREE_PORT, folder=folder) as program:
        assert program.greeting[2] == line


def test_what_is_allowed_can_be_done_and_nothing_else(folder: Path) -> None:
    with running("serve", "--allow", "upload", *FREE_PORT, folder=folder) as program:
        assert put(program.port, "/f", b"new") == 201
        assert put(program.port, "/f", b"other") == 403
        assert program.fetch("/f") == (200, b"new")
        status, _, errors = program.stop()
        assert (status, errors) == (0, "")
    assert (folder / "f").read_bytes() == b"new"


def test_nothing_can_be_changed_unless_it_is_allowed(folder: Path) -> None:
    with running("serve", *FREE_PORT, folder=folder) as program:
        assert put(program.port, "/f", b"new") == 405
    assert list(folder.iterdir()) == []


def test_the_limit_of_an_upload_can_be_set(folder: Path) -> None:
    options = ("--allow", "upload", "--upload-size", "3B")
    with running("serve", *options, *FREE_PORT, folder=folder) as program:
        assert put(program.port, "/f", b"abcd") == 413
        assert put(program.port, "/f", b"abc") == 201


@pytest.mark.parametrize("word", ["uploads", "upload,everything"])
def test_an_unknown_change_is_one_line_and_status_2(folder: Path, word: str) -> None:
    ended = answer("serve", "--allow", word, *FREE_PORT, folder=folder)
    unknown, known = word.rpartition(",")[2], "upload, overwrite, delete, streams, steer, watch"
    assert (ended.returncode, ended.stdout, ended.stderr) == (
        2,
        "",
        f"riverrun: --allow: {unknown!r} cannot be allowed; {known} can\n",
    )
    assert list(folder.iterdir()) == []


def test_a_second_server_is_one_line_and_status_2(folder: Path) -> None:
    second = ("serve", str(folder), "--allow", "upload", *FREE_PORT)
    with running(*second, folder=folder.parent):
        ended = answer(*second, folder=folder.parent)
        assert (ended.returncode, ended.stdout, ended.stderr) == (
            2,
            "",
            f"riverrun: another server changes {folder}\n",
        )


def test_a_second_server_may_read(folder: Path) -> None:
    (folder / "f").write_bytes(b"there")
    with (
        running("serve", "--allow", "upload", *FREE_PORT, folder=folder),
        running("serve", *FREE_PORT, folder=folder) as reader,
    ):
        assert reader.fetch("/f") == (200, b"there")
