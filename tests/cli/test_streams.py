"""`riverrun append` and `riverrun tail`, as programs in pipes, with `riverrun serve`."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import pytest
from tests.cli.programs import PROGRAM, answer, environment, eventually, read_until
from tests.support.cutting_proxy import proxy_in_thread
from tests.support.serving import Serving, serving

DEADLINE = 30
BINARY = "application/octet-stream"
DATA = hashlib.shake_256(b"stream").digest(2 * 1024 * 1024)


@pytest.fixture
def server(served: Path) -> Iterator[Serving]:
    with serving(served, "--allow", "streams") as server:
        yield server


def address(port: int, name: str = "s") -> str:
    return f"http://127.0.0.1:{port}/v1/stream/{name}"


@contextmanager
def piped(
    *arguments: str, folder: Path, stdout: int = subprocess.PIPE
) -> Iterator[subprocess.Popen[bytes]]:
    """A program with pipes on all sides."""
    process = subprocess.Popen(
        (*PROGRAM, *arguments),
        cwd=folder,
        env=environment({}),
        stdin=subprocess.PIPE,
        stdout=stdout,
        stderr=subprocess.PIPE,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def append(
    url: str, data: bytes, *options: str, folder: Path
) -> subprocess.CompletedProcess[bytes]:
    with piped("append", url, *options, folder=folder) as process:
        output, errors = process.communicate(data, timeout=DEADLINE)
    return subprocess.CompletedProcess((), process.returncode, output, errors)


def tail(url: str, *options: str, folder: Path) -> subprocess.CompletedProcess[bytes]:
    with piped("tail", url, *options, folder=folder) as process:
        output, errors = process.communicate(timeout=DEADLINE)
    return subprocess.CompletedProcess((), process.returncode, output, errors)


def test_lines_are_read_as_they_are_written_until_the_stream_is_closed(
    server: Serving, here: Path
) -> None:
    url = address(server.port)
    with piped("append", url, "--close", folder=here) as writer:
        assert writer.stdin is not None
        writer.stdin.write(b"one\n")
        writer.stdin.flush()
        eventually(lambda: answer("tail", url, "--no-follow", folder=here).stdout == "one\n")
        with piped("tail", url, folder=here) as reader:
            assert reader.stdout is not None
            assert read_until(reader.stdout.fileno(), "one\n") == "one\n"
            for word in (b"two\n", b"thr"):
                writer.stdin.write(word)
                writer.stdin.flush()
                assert read_until(reader.stdout.fileno(), word.decode()) == word.decode()
            _, said = writer.communicate(timeout=DEADLINE)
            rest, errors = reader.communicate(timeout=DEADLINE)
            assert (reader.returncode, rest, errors) == (0, b"", b"")
    assert (writer.returncode, said) == (0, f"{url}: 11 bytes appended\n".encode())


@pytest.mark.parametrize("from_file", [False, True])
def test_bytes_come_as_they_were(server: Serving, here: Path, from_file: bool) -> None:
    url = address(server.port)
    command = (*PROGRAM, "append", url, "--type", BINARY, "--quiet")
    if from_file:
        (here / "data").write_bytes(DATA)
        with (here / "data").open("rb") as file:
            ended = subprocess.run(command, stdin=file, env=environment({}), check=False)
    else:
        ended = subprocess.run(command, input=DATA, env=environment({}), check=False)
    assert ended.returncode == 0
    read = tail(url, "--no-follow", folder=here)
    assert (read.returncode, read.stdout == DATA, read.stderr) == (0, True, b"")


def test_each_line_is_a_message_of_json(server: Serving, here: Path) -> None:
    url = address(server.port)
    lines = b'{"a": 1}\n\n{"text": "two\\nlines"}\r\n[1, 2]'
    assert append(url, lines, "--type", "application/json", folder=here).returncode == 0
    assert append(url, b'"again"\n', folder=here).returncode == 0  # it knows what the stream holds
    read = tail(url, "--no-follow", folder=here).stdout
    assert read == b'{"a": 1}\n{"text": "two\\nlines"}\n[1, 2]\n"again"\n'


def test_what_is_no_json_is_told_by_its_line_and_what_came_before_stays(
    server: Serving, here: Path
) -> None:
    url = address(server.port)
    ended = append(url, b'{"a": 1}\n\n1, 2\n3\n', "--type", "application/json", folder=here)
    assert ended.returncode == 2
    assert ended.stderr.startswith(f"riverrun: {url}: line 3 is not JSON: ".encode())
    assert ended.stderr.count(b"\n") == 1
    assert tail(url, "--no-follow", folder=here).stdout == b'{"a": 1}\n'


def test_a_first_line_that_is_no_json_leaves_no_stream(server: Serving, here: Path) -> None:
    url = address(server.port)
    for line in (b"{no\n", b"[1"):
        assert append(url, line, "--type", "application/json", folder=here).returncode == 2
        assert b"404" in tail(url, "--no-follow", folder=here).stderr
    assert append(url, b"", "--type", "application/json", folder=here).returncode == 0
    assert tail(url, "--no-follow", folder=here).returncode == 0


@pytest.mark.parametrize("options", [(), ("--allow", "upload,overwrite,delete")])
def test_where_streams_are_not_allowed_it_is_said_how_to_and_no_file_is_made(
    served: Path, here: Path, options: tuple[str, ...]
) -> None:
    (served / "v1" / "stream").mkdir(parents=True)
    (served / "v1" / "stream" / "file").write_bytes(b"a file")
    with serving(served, *options) as server:
        for name, said in (("s", b"riverrun serve --allow streams"), ("file", b"no stream")):
            ended = append(address(server.port, name), b"text", folder=here)
            assert ended.returncode == 2
            assert said in ended.stderr
        assert b"riverrun serve --allow streams" in tail(address(server.port), folder=here).stderr
        with urlopen(address(server.port, "file")) as answer:
            assert answer.read() == b"a file"
    assert [path.name for path in (served / "v1" / "stream").iterdir()] == ["file"]


@pytest.mark.parametrize("kind", ["text/plain", "application/json"])
def test_an_answer_is_gone_on_with_where_it_was_cut_however_often(
    server: Serving, here: Path, kind: str
) -> None:
    """No connection carries more than a part of the one answer that there is."""
    url = address(server.port)
    lines = b"".join(b'"%d %s"\n' % (number, b"x" * 90) for number in range(20_000))
    assert append(url, lines, "--type", kind, "--close", folder=here).returncode == 0
    with proxy_in_thread(server.port, seed=5, shortest=50_000, longest=200_000) as proxy:
        read = tail(address(proxy.port), "--no-follow", folder=here)
        assert (read.returncode, read.stdout == lines) == (0, True)
        assert proxy.cuts >= 10
        assert proxy.received < 2 * len(lines)


@pytest.mark.parametrize("kind", ["text/plain", "application/json"])
def test_nothing_is_lost_or_there_twice_over_connections_that_are_cut(
    server: Serving, here: Path, kind: str
) -> None:
    lines: list[bytes] = []
    chance = random.Random(kind)
    with proxy_in_thread(server.port, seed=3, shortest=10_000, longest=100_000) as proxy:
        url = address(proxy.port)
        with (
            piped("append", url, "--type", kind, "--close", folder=here) as writer,
            (here / "read").open("wb") as output,
        ):
            assert writer.stdin is not None

            def write_some() -> None:
                assert writer.stdin is not None
                for _ in range(10):
                    lines.append(b'"%d %s"\n' % (len(lines), b"x" * chance.randrange(400)))
                    writer.stdin.write(lines[-1])
                writer.stdin.flush()

            write_some()
            eventually(lambda: b" 200 " in _asked(server.port))
            with piped("tail", url, folder=here, stdout=output.fileno()) as reader:
                while proxy.cuts < 4:
                    assert len(lines) < 20_000
                    write_some()
                    time.sleep(0.02)
                proxy.mend()
                write_some()
                _, said = writer.communicate(timeout=DEADLINE)
                assert writer.returncode == 0, said
                _, said = reader.communicate(timeout=DEADLINE)
                assert reader.returncode == 0, said
    assert (here / "read").read_bytes().splitlines(keepends=True) == lines


def _asked(port: int) -> bytes:
    return subprocess.run(
        ["curl", "-sI", address(port)], capture_output=True, check=False, timeout=DEADLINE
    ).stdout


def test_both_go_on_when_the_server_is_killed_and_comes_again(served: Path, here: Path) -> None:
    first = serving(served, "--allow", "streams")
    with first as server:
        port = server.port
        url = address(port)
        append(url, b"0\n", folder=here)
        with (
            piped("append", url, "--close", folder=here) as writer,
            piped("tail", url, folder=here) as reader,
        ):
            assert writer.stdin is not None
            assert reader.stdout is not None
            read = read_until(reader.stdout.fileno(), "0\n")
            for number in range(1, 20):
                if number == 10:
                    os.kill(server.pid, signal.SIGKILL)
                if number == 12:
                    second = serving(served, "--allow", "streams", "--port", str(port))
                    second.__enter__()
                writer.stdin.write(b"%d\n" % number)
                writer.stdin.flush()
                if number not in (10, 11):
                    read += read_until(reader.stdout.fileno(), f"{number}\n")
            _, said = writer.communicate(timeout=DEADLINE)
            rest, _ = reader.communicate(timeout=DEADLINE)
            second.__exit__(None, None, None)
    assert (writer.returncode, reader.returncode) == (0, 0)
    assert read + rest.decode() == "".join(f"{number}\n" for number in range(20))
    assert b"lost connection" in said


def test_a_slow_reader_slows_tail_and_gets_everything(server: Serving, here: Path) -> None:
    url = address(server.port)
    append(url, DATA, "--type", BINARY, "--close", folder=here)
    with piped("tail", url, folder=here) as reader:
        assert reader.stdout is not None
        time.sleep(1)  # it waits for the pipe meanwhile
        assert reader.poll() is None
        assert reader.stdout.read() == DATA
        assert reader.wait(DEADLINE) == 0


def test_tail_ends_quietly_when_its_reader_has_had_enough(server: Serving, here: Path) -> None:
    url = address(server.port)
    append(url, b"line\n" * 100_000, folder=here)
    with piped("tail", url, folder=here) as reader:
        assert reader.stdout is not None
        assert reader.stdout.readline() == b"line\n"
        reader.stdout.close()
        assert reader.wait(DEADLINE) == 0
        assert reader.stderr is not None
        assert reader.stderr.read() == b""


def test_ctrl_c_ends_both_cleanly(server: Serving, here: Path) -> None:
    url = address(server.port)
    with piped("append", url, folder=here) as writer:
        assert writer.stdin is not None
        writer.stdin.write(b"half a line")
        writer.stdin.flush()
        eventually(lambda: answer("tail", url, "--no-follow", folder=here).stdout != "")
        writer.send_signal(signal.SIGINT)
        assert writer.wait(DEADLINE) == 130
        assert writer.stderr is not None
        assert writer.stderr.read() == f"{url}: 11 bytes appended, interrupted\n".encode()
    with piped("tail", url, folder=here) as reader:
        assert reader.stdout is not None
        read_until(reader.stdout.fileno(), "half a line")
        reader.send_signal(signal.SIGINT)
        output, errors = reader.communicate(timeout=DEADLINE)
        assert (reader.returncode, output, errors) == (130, b"", b"")


def test_from_now_only_what_comes(server: Serving, here: Path) -> None:
    url = address(server.port)
    append(url, b"before\n", folder=here)
    assert tail(url, "--from", "now", "--no-follow", folder=here).stdout == b""
    with piped("tail", url, "--from", "now", folder=here) as reader:
        assert reader.stdout is not None
        eventually(lambda: any("long-poll" in line["target"] for line in server.answered())
                   or _waits(server))  # fmt: skip
        append(url, b"after\n", "--close", folder=here)
        output, _ = reader.communicate(timeout=DEADLINE)
    assert output == b"after\n"


def _waits(server: Serving) -> bool:
    """Whether a first answer has been given, behind which the long-poll begins."""
    return sum("offset=now" in line["target"] for line in server.answered()) >= 2


@pytest.mark.parametrize(
    ("command", "path", "why"),
    [
        ("tail", "/v1/stream/none", "404 Not Found"),
        ("tail", "/v1/stream/s?offset=x", "400 Bad Request"),
        ("append", "/v1/stream/closed", "409 Conflict: The stream is closed"),
        ("tail", "/a.txt", "is no stream"),
        ("append", "/a.txt", "is no stream"),
    ],
)
def test_what_cannot_be_is_said_in_a_line(
    command: str, path: str, why: str, server: Serving, served: Path, here: Path
) -> None:
    (served / "a.txt").write_text("a file")
    append(address(server.port), b"x", folder=here)
    append(address(server.port, "closed"), b"x", "--close", folder=here)
    offset = ("--from", "x") if "?" in path else ()
    url = f"http://127.0.0.1:{server.port}{path.partition('?')[0]}"
    with piped(command, url, *offset, folder=here) as process:
        output, errors = process.communicate(b"more", timeout=DEADLINE)
    assert (process.returncode, output) == (2, b"")
    assert why in errors.decode()
    assert errors.count(b"\n") == 1
    assert errors.startswith(b"riverrun: ")


def test_who_waits_is_there_before_the_server(served: Path, here: Path) -> None:
    with serving(served, "--allow", "streams") as server:
        port = server.port
        url = address(port)
        append(url, b"before ", folder=here)
    (here / "riverrun.toml").write_text("[tail]\nwait = true\n")
    with (
        piped("append", url, "--close", "--wait", folder=here) as writer,
        piped("tail", url, folder=here) as reader,
    ):
        assert writer.stdin is not None
        writer.stdin.write(b"early\n")
        writer.stdin.close()
        for process in (writer, reader):
            assert process.stderr is not None
            said = read_until(process.stderr.fileno(), "tries again")
            assert f"cannot connect to 127.0.0.1:{port}: Connection refused" in said
        with serving(served, "--allow", "streams", "--port", str(port)):
            for process in (writer, reader):
                assert process.wait(DEADLINE) == 0
            assert reader.stdout is not None
            assert reader.stdout.read() == b"before early\n"


def test_nobody_there_and_no_address(here: Path) -> None:
    for command in ("append", "tail"):
        ended = answer(command, "http://127.0.0.1:1/v1/stream/s", folder=here)
        assert (ended.returncode, ended.stderr.count("\n")) == (2, 1)
        assert "cannot connect to 127.0.0.1:1" in ended.stderr
        ended = answer(command, "nonsense", folder=here)
        assert (ended.returncode, ended.stderr) == (
            2, "riverrun: nonsense is not an address; write http://HOST/PATH\n"
        )  # fmt: skip
