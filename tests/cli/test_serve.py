"""`riverrun serve`, as a program."""

import json
import os
import signal
import socket
import stat
import subprocess
import time
from pathlib import Path

import pytest
from tests.cli.programs import (
    DEADLINE,
    PROGRAM,
    answer,
    ask,
    eventually,
    listens,
    running,
    started,
)

import riverrun

FREE_PORT = ("--port", "0")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "videos"
    folder.mkdir()
    (folder / "one.txt").write_text("riverrun")
    (folder / ".two").write_text("hidden")
    return folder


def test_a_folder_is_served_on_a_free_port(folder: Path) -> None:
    with running("serve", *FREE_PORT, folder=folder) as program:
        assert program.greeting == [
            f"riverrun {riverrun.__version__} serves {folder}",
            f"http://127.0.0.1:{program.port}/",
            "read only",
            "Ctrl-C stops, when running transfers are done or after 30 s; twice, at once",
        ]
        assert program.port > 0
        assert program.fetch("/one.txt") == (200, b"riverrun")
        assert program.fetch("/.two")[0] == 404
        status, output, errors = program.stop()
        assert (status, errors) == (0, "")
        assert '"GET /one.txt" 200 8' in output


def test_the_folder_is_an_argument(folder: Path) -> None:
    with running("serve", folder.name, *FREE_PORT, folder=folder.parent) as program:
        assert program.greeting[0].endswith(f"serves {folder}")
        assert program.fetch("/one.txt")[0] == 200


def test_hidden_names_and_other_origins_are_let_in_when_asked(folder: Path) -> None:
    with running("serve", "--hidden", "--cors", *FREE_PORT, folder=folder) as program:
        assert program.greeting[2] == "read only, hidden names too, by pages of any origin"
        assert program.fetch("/.two") == (200, b"hidden")
        with program.get("/one.txt") as response:
            assert response.getheader("access-control-allow-origin") == "*"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_it_well(folder: Path, number: int) -> None:
    with running("serve", *FREE_PORT, folder=folder) as program:
        assert program.stop(number) == (0, "", "")


def test_a_transfer_that_runs_is_finished_before_it_stops(folder: Path) -> None:
    (folder / "long").write_bytes(bytes(40_000))
    options = ("--chunk-size", "10kB", "--delay", "100ms", *FREE_PORT)
    with running("serve", *options, folder=folder) as program:
        with program.get("/long") as response:
            program.process.send_signal(signal.SIGINT)
            assert len(response.read()) == 40_000
        assert program.process.wait(DEADLINE) == 0


def test_a_second_signal_stops_it_at_once(folder: Path) -> None:
    (folder / "long").write_bytes(bytes(40_000))
    options = ("--chunk-size", "1000", "--delay", "1h", *FREE_PORT)
    with running("serve", *options, folder=folder) as program, program.get("/long"):
        program.process.send_signal(signal.SIGINT)
        eventually(lambda: not listens(socket.AF_INET, ("127.0.0.1", program.port)))
        assert program.process.poll() is None
        assert program.stop()[0] == 0


def test_bodies_are_shaped(folder: Path) -> None:
    (folder / "long").write_bytes(bytes(5000))
    options = ("--chunk-size", "1000", "--delay", "50ms", *FREE_PORT)
    with running("serve", *options, folder=folder) as program:
        assert program.greeting[3] == "bodies go in chunks of 1 kB, 50 ms apart"
        started = time.monotonic()
        assert program.fetch("/long") == (200, bytes(5000))
        assert time.monotonic() - started >= 0.2


def test_the_file_and_the_environment_set_what_the_command_line_does_not(folder: Path) -> None:
    (folder.parent / "riverrun.toml").write_text(
        '[serve]\npath = "videos"\nport = 0\nlog = "none"\nrate = "1 MB/s"\nhidden = true\n'
        '[limits]\ngraceful-timeout = "1s"\n'
    )
    with running("serve", "--no-hidden", folder=folder.parent, RIVERRUN_RATE="2MB/s") as program:
        assert program.greeting[0].endswith(f"serves {folder}")
        assert program.greeting[2:] == [
            "read only",
            "bodies go at 2 MB/s",
            "Ctrl-C stops, when running transfers are done or after 1 s; twice, at once",
        ]
        assert program.fetch("/one.txt") == (200, b"riverrun")
        assert program.stop() == (0, "", "")


def test_the_limits_of_the_file_are_kept(folder: Path) -> None:
    (folder / "riverrun.toml").write_text("[limits]\nfield-count = 5\n")
    fields = {f"x-{n}": "1" for n in range(9)}
    with (
        running("serve", *FREE_PORT, folder=folder) as program,
        program.get("/one.txt", **fields) as response,
    ):
        assert response.status == 431


def test_a_log_in_json_has_standard_output_for_itself(folder: Path) -> None:
    with running("serve", "--log", "json", *FREE_PORT, folder=folder) as program:
        program.fetch("/one.txt")
        program.fetch("/none")
        _, output, _ = program.stop()
    lines = [json.loads(line) for line in output.splitlines()]
    assert [(line["target"], line["status"]) for line in lines] == [
        ("/one.txt", 200),
        ("/none", 404),
    ]


def test_a_log_can_go_to_a_file_and_is_added_to_it(folder: Path, tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    log.write_text("first\n")
    with running("serve", "--log-file", str(log), *FREE_PORT, folder=folder) as program:
        program.fetch("/one.txt")
        assert program.stop() == (0, "", "")
    first, second = log.read_text().splitlines()
    assert first == "first"
    assert '"GET /one.txt" 200' in second


def test_a_unix_socket_is_listened_on_and_removed(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "r.sock"
    with running("serve", "--unix", str(path), folder=folder) as program:
        assert program.greeting[1] == f"unix:{path}"
        assert stat.S_ISSOCK(path.stat().st_mode)
        assert ask(socket.AF_UNIX, str(path)) == b"HTTP/1.1 200 OK"
        assert program.stop()[0] == 0
    assert not path.exists()


def test_an_inherited_socket_is_listened_on(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        number = listener.fileno()
        with running("serve", "--fd", str(number), folder=folder, pass_fds=[number]) as program:
            assert program.port == listener.getsockname()[1]
            assert program.fetch("/one.txt") == (200, b"riverrun")


def test_a_browser_is_opened_once_it_listens(folder: Path, tmp_path: Path) -> None:
    browser = tmp_path / "browser"
    seen = tmp_path / "seen"
    browser.write_text(f'#!/bin/sh\necho "$1" > {seen}.part\nmv {seen}.part {seen}\n')
    browser.chmod(0o755)
    command = f"{browser} %s"
    with running("serve", "--open", *FREE_PORT, folder=folder, BROWSER=command) as program:
        eventually(seen.exists)
        assert seen.read_text() == f"http://127.0.0.1:{program.port}/\n"


def test_it_serves_when_its_output_is_closed(folder: Path, tmp_path: Path) -> None:
    """Sockets must not get the numbers of standard output and standard error then."""
    path = str(tmp_path / "r.sock")
    without_output = ("/bin/sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh")
    command = (*without_output, *PROGRAM, "serve", "--unix", path)
    with started(command, folder=folder, output=subprocess.DEVNULL) as process:
        eventually(lambda: listens(socket.AF_UNIX, path))
        assert ask(socket.AF_UNIX, path) == b"HTTP/1.1 200 OK"
        process.send_signal(signal.SIGINT)
        assert process.wait(DEADLINE) == 0


def test_it_serves_when_the_reader_of_its_output_has_left(folder: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        number, address = listener.fileno(), listener.getsockname()
        command = (*PROGRAM, "serve", "--fd", str(number))
        with started(command, folder=folder, output=writing, pass_fds=[number]) as process:
            os.close(writing)
            assert ask(socket.AF_INET, address) == b"HTTP/1.1 200 OK"
            assert ask(socket.AF_INET, address) == b"HTTP/1.1 200 OK"
            process.send_signal(signal.SIGINT)
            assert process.wait(DEADLINE) == 0


def test_a_port_in_use_is_one_line(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = answer("serve", "--port", str(port), folder=folder)
    assert (ended.returncode, ended.stdout, ended.stderr) == (
        2,
        "",
        f"riverrun: 127.0.0.1:{port} is in use; take another --port, or a free one with --port 0\n",
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("none",), "none does not exist"),
        (("one.txt",), "one.txt is not a folder"),
        (("--host", "192.0.2.1"), "192.0.2.1 is not an address of this machine"),
        (("--host", "a..b"), "a..b is neither an address nor a known host name"),
        (("--rate", "5 parsecs"), ("--rate: '5 parsecs' has an unknown unit; the units are "
         "B/s, kB/s, MB/s, GB/s, TB/s, KiB/s, MiB/s, GiB/s, TiB/s, "
         "bit/s, kbit/s, Mbit/s, Gbit/s")),
        (("--fd", "77"), "descriptor 77 is not open"),
        (("--fd", "1"), "descriptor 1 is not a listening socket"),
        (("--unix", "none/r.sock"), "none/r.sock: there is no folder none"),
        (("--unix", "one.txt"), "one.txt exists and is not a socket"),
        (("--unix", "a" * 200), f"cannot listen on {'a' * 200}: AF_UNIX path too long"),
        (("--log-file", "none/r.log", "--port", "0"), ("cannot write the log to none/r.log: "
         "No such file or directory")),
        (("--open", "--unix", "r.sock"), "--open: a browser cannot open unix:r.sock"),
        (("--prot", "1"), ("no such option '--prot'. "
         "(Did you mean one of: '--host', '--port', '--rate'?)")),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_one_line_and_status_2(
    folder: Path, arguments: tuple[str, ...], message: str
) -> None:
    ended = answer("serve", *arguments, folder=folder)
    assert (ended.returncode, ended.stdout, ended.stderr) == (2, "", f"riverrun: {message}\n")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_may_not_be_read_is_one_line(folder: Path) -> None:
    folder.chmod(0)
    try:
        ended = answer("serve", folder.name, folder=folder.parent)
    finally:
        folder.chmod(0o700)
    assert (ended.returncode, ended.stderr) == (
        2,
        "riverrun: videos may not be read by this user\n",
    )


def test_a_unix_socket_in_use_is_one_line(folder: Path) -> None:
    with socket.socket(socket.AF_UNIX) as taken:
        taken.bind(str(folder / "r.sock"))
        taken.listen()
        ended = answer("serve", "--unix", "r.sock", folder=folder)
    assert (ended.returncode, ended.stderr) == (2, "riverrun: r.sock is in use by another server\n")
