"""`riverrun get`, as a program, from `riverrun serve`."""

from __future__ import annotations

import hashlib
import os
import pty
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.cli.programs import PROGRAM, answer, environment, eventually, started
from tests.support.cutting_proxy import proxy_in_thread
from tests.support.serving import Serving, serving

from riverrun.cli.screen import size_of

MIB = 1024 * 1024
DATA = hashlib.shake_256(b"river").digest(20 * MIB)
SIZE = 6 * MIB
VERIFIED = "digest verified"


@contextmanager
def serving_slowly(served: Path) -> Iterator[Serving]:
    """Serve a file of `SIZE` bytes, so that there is time to stop whoever gets it."""
    (served / "big.iso").write_bytes(DATA[:SIZE])
    with serving(served, "--rate", "4MB/s") as server:
        yield server


def stop_in_the_middle(url: str, here: Path, number: int) -> tuple[int, str]:
    """Get a file until a part of it has come; return the exit status and what was said."""
    part = here / ".big.iso.part"
    with started((*PROGRAM, "get", url), folder=here) as process:
        eventually(lambda: part.exists() and part.stat().st_size > MIB)
        process.send_signal(number)
        _, errors = process.communicate(timeout=20)
    assert not (here / "big.iso").exists()
    return process.returncode, errors.decode()


def served_bytes(server: Serving, target: str) -> list[int]:
    return [line["bytes"] for line in server.answered() if line["target"] == target]


def test_a_file_comes_whole_over_connections_that_are_cut(served: Path, here: Path) -> None:
    (served / "big.iso").write_bytes(DATA)
    with (
        serving(served) as server,
        proxy_in_thread(server.port, seed=5, shortest=2 * MIB, longest=8 * MIB) as proxy,
    ):
        ended = answer("get", f"http://127.0.0.1:{proxy.port}/big.iso", folder=here)
    assert proxy.cuts >= 2
    cuts = f"{proxy.cuts} lost connection{'s' if proxy.cuts > 1 else ''}"
    assert (ended.returncode, ended.stdout) == (0, "")
    assert ended.stderr == f"big.iso: 21.0 MB, {cuts}, {VERIFIED}\n"
    assert (here / "big.iso").read_bytes() == DATA


def test_after_a_kill_the_same_command_goes_on(served: Path, here: Path) -> None:
    with serving_slowly(served) as server:
        url = f"{server.address}/big.iso"
        stop_in_the_middle(url, here, signal.SIGKILL)
        there = (here / ".big.iso.part").stat().st_size
        ended = answer("get", url, folder=here)
        assert server.statuses("/big.iso", at_least=2) == [200, 206]
        assert served_bytes(server, "/big.iso")[1] == SIZE - there
    assert ended.returncode == 0
    assert ended.stderr == f"big.iso: 6.3 MB, went on from {size_of(there)}, {VERIFIED}\n"
    assert (here / "big.iso").read_bytes() == DATA[:SIZE]
    assert list(here.iterdir()) == [here / "big.iso"]


def test_ctrl_c_keeps_what_has_come_and_says_how_to_go_on(served: Path, here: Path) -> None:
    with serving_slowly(served) as server:
        status, said = stop_in_the_middle(f"{server.address}/big.iso", here, signal.SIGINT)
        there = (here / ".big.iso.part").stat().st_size
        ended = answer("get", f"{server.address}/big.iso", folder=here)
    assert status == 130
    # What it shows is told now and then, so it may be behind what is there.
    assert re.fullmatch(
        r"interrupted at [\d.]+ [kM]?B of 6.3 MB; the same command goes on from what is there\n",
        said,
    )
    assert there > 0
    assert ended.returncode == 0
    assert "went on from" in ended.stderr
    assert (here / "big.iso").read_bytes() == DATA[:SIZE]


def test_a_file_that_has_changed_since_comes_anew(served: Path, here: Path) -> None:
    with serving_slowly(served) as server:
        url = f"{server.address}/big.iso"
        stop_in_the_middle(url, here, signal.SIGINT)
        (served / "big.iso").write_bytes(b"other")
        ended = answer("get", url, folder=here)
    assert ended.stderr.splitlines()[0] == "big.iso: it has changed on the server; begins anew"
    assert (here / "big.iso").read_bytes() == b"other"


def test_a_folder_comes_with_all_below_it_and_only_once(served: Path, here: Path) -> None:
    (served / "photos" / "old").mkdir(parents=True)
    (served / "photos" / "a [1].jpg").write_bytes(b"first")
    (served / "photos" / "old" / "b.jpg").write_bytes(b"second")
    (served / "photos" / "empty").mkdir()
    with serving(served) as server:
        url = f"{server.address}/photos"
        for address in (url, f"{url}/"):
            ended = answer("get", address, folder=here)
            assert ended.returncode == 0
        assert ended.stderr == "photos: 2 files, 11 bytes, 2 of them were here already\n"
        assert len(served_bytes(server, "/photos/old/b.jpg")) == 1
        assert answer("get", f"{url}/", "mine", "--quiet", folder=here).stderr == ""
    for name in ("photos", "mine"):
        found = sorted(str(path.relative_to(here / name)) for path in (here / name).rglob("*"))
        assert found == ["a [1].jpg", "empty", "old", "old/b.jpg"]


def test_a_file_of_a_folder_that_cannot_be_had_does_not_keep_the_others(
    served: Path, here: Path
) -> None:
    (served / "a").write_bytes(b"a")
    (served / "b").write_bytes(b"b")
    (here / "mine" / "a").mkdir(parents=True)
    with serving(served) as server:
        ended = answer("get", f"{server.address}/", "mine", folder=here)
    assert ended.returncode == 2
    assert ended.stderr.splitlines() == [
        f"riverrun: {server.address}/a: mine/a: Is a directory",
        "mine: 1 file, 2 bytes",
    ]
    assert (here / "mine" / "b").read_bytes() == b"b"


def test_standard_output_gets_the_bytes_and_nothing_else(served: Path, here: Path) -> None:
    (served / "big.iso").write_bytes(DATA)
    with (
        serving(served) as server,
        proxy_in_thread(server.port, seed=8, shortest=2 * MIB, longest=9 * MIB) as proxy,
        (here / "out").open("wb") as out,
        subprocess.Popen(
            (*PROGRAM, "get", f"http://127.0.0.1:{proxy.port}/big.iso", "-"),
            env=environment({}),
            stdout=subprocess.PIPE,
            stderr=out,
        ) as process,
    ):
        written, _ = process.communicate(timeout=20)
        assert written == DATA
        assert process.returncode == 0
    assert proxy.cuts >= 1


def test_ctrl_c_does_not_wait_for_a_reader_that_has_stopped(served: Path, here: Path) -> None:
    (served / "big.iso").write_bytes(DATA)
    with (
        serving(served) as server,
        started((*PROGRAM, "get", f"{server.address}/big.iso", "-"), folder=here) as process,
    ):
        assert process.stdout is not None
        process.stdout.read(1)
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130


def test_a_reader_that_leaves_is_one_line(served: Path, here: Path) -> None:
    (served / "big.iso").write_bytes(DATA)
    with (
        serving(served) as server,
        started((*PROGRAM, "get", f"{server.address}/big.iso", "-"), folder=here) as process,
    ):
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(1)
        process.stdout.close()
        assert process.wait(20) == 2
        assert process.stderr.read() == b"riverrun: standard output: Broken pipe\n"


def test_what_cannot_be_had_is_one_line(served: Path, here: Path, unused_tcp_port: int) -> None:
    (served / "file").write_bytes(b"x")
    (here / "folder").mkdir()
    (here / "folder" / "file").mkdir()
    with serving(served) as server:
        at = server.address
        nobody = f"127.0.0.1:{unused_tcp_port}"
        cases = [
            ((f"{at}/none",), f"{at}/none: the server refuses: 404 Not Found"),
            ((f"{at}/none/",), "the server refuses: 404 Not Found"),
            ((f"http://{nobody}/f",),
             f"http://{nobody}/f: cannot connect to {nobody}: Connection refused"),
            (("localhost/f",), "localhost/f is not an address; write http://HOST/PATH"),
            (("ftp://a/f",), "ftp://a/f is not an address; write http://HOST/PATH"),
            ((f"{at}/file", "none/file"), f"{at}/file: none/.file.part: No such file or directory"),
            ((f"{at}/file", "folder"), f"{at}/file: folder/file: Is a directory"),
            ((f"{at}/", "-"), f"{at}/: {at}/ is a folder"),
            ((f"{at}/file", "--retries", "x"), "--retries: 'x' is not a number of retries"),
        ]  # fmt: skip
        for arguments, message in cases:
            ended = answer("get", *arguments, folder=here)
            assert (ended.returncode, ended.stdout, ended.stderr) == (
                2,
                "",
                f"riverrun: {message}\n",
            )
    assert [entry.name for entry in here.iterdir()] == ["folder"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_a_full_disk_is_one_line(served: Path, here: Path) -> None:
    (served / "file").write_bytes(b"x" * MIB)
    with serving(served) as server, Path("/dev/full").open("wb") as full:
        ended = subprocess.run(
            (*PROGRAM, "get", f"{server.address}/file", "-"),
            env=environment({}),
            stdout=full,
            stderr=subprocess.PIPE,
            timeout=20,
            check=False,
        )
    assert ended.returncode == 2
    assert ended.stderr == b"riverrun: standard output: No space left on device\n"


def test_a_terminal_shows_a_bar(served: Path, here: Path) -> None:
    shown = b""
    with serving_slowly(served) as server:
        master, slave = pty.openpty()
        process = subprocess.Popen(
            (*PROGRAM, "get", f"{server.address}/big.iso"),
            cwd=here,
            env=environment({"TERM": "xterm", "COLUMNS": "100"}),
            stderr=slave,
        )
        os.close(slave)
        try:
            while chunk := os.read(master, 65536):
                shown += chunk
        except OSError:
            pass  # the other end of a terminal is gone
        assert process.wait(20) == 0
        os.close(master)
    assert "━".encode() in shown
    assert b"MB/s" in shown
    assert b"big.iso: 6.3 MB" in shown


def test_the_client_is_not_loaded_for_other_commands(here: Path) -> None:
    script = (
        "import sys\nfrom riverrun.cli.program import status_of\n"
        "status_of(sys.argv[1:])\n"
        "print(*(name for name in ('httpx', 'rich') if name in sys.modules))"
    )
    for arguments in (("--version",), ("get", "--help"), ("put", "--help"), ("get", "--retries=x")):
        ended = subprocess.run(
            (PROGRAM[0], "-c", script, *arguments),
            cwd=here,
            env=environment({}),
            capture_output=True,
            text=True,
            timeout=20,
            check=True,
        )
        assert ended.stdout.splitlines()[-1] == ""


def test_settings_can_be_in_the_file_and_the_environment(served: Path, here: Path) -> None:
    (served / "file").write_bytes(b"x")
    (here / "riverrun.toml").write_text("[get]\nquiet = true\nretries = 2\n")
    with serving(served) as server:
        assert answer("get", f"{server.address}/file", folder=here).stderr == ""
        ended = answer("get", f"{server.address}/file", folder=here, RIVERRUN_QUIET="no")
    assert ended.stderr == "file: is here already, 1 byte, digest verified\n"
