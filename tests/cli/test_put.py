"""`riverrun put`, as a program, to `riverrun serve --allow upload` and to other servers."""

from __future__ import annotations

import hashlib
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.cli.programs import PROGRAM, answer, environment, eventually, running, started
from tests.support.cutting_proxy import proxy_in_thread
from tests.support.serving import Serving, serving

MIB = 1024 * 1024
DATA = hashlib.shake_256(b"river").digest(20 * MIB)
VERIFIED = "digest verified"

PLAIN = """
async def handler(request, response):
    if request.method != "PUT":
        raise OSError
    size = 0
    async for chunk in request:
        size += len(chunk)
    response.status = 201
    await response.end()
"""


@pytest.fixture
def here(here: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the program runs, with a file to put; its state is below it, in `.state`."""
    monkeypatch.setenv("XDG_STATE_HOME", str(here / ".state"))
    (here / "big.iso").write_bytes(DATA)
    return here


def records(here: Path) -> list[Path]:
    return list((here / ".state" / "riverrun" / "uploads").glob("*.json"))


@contextmanager
def taking_uploads(served: Path) -> Iterator[Serving]:
    with serving(served, "--allow", "upload,overwrite") as server:
        yield server


def test_a_file_arrives_whole_over_connections_that_are_cut(served: Path, here: Path) -> None:
    with (
        taking_uploads(served) as server,
        proxy_in_thread(server.port, seed=5, shortest=2 * MIB, longest=8 * MIB) as proxy,
    ):
        url = f"http://127.0.0.1:{proxy.port}/"
        ended = answer("put", "big.iso", url, folder=here)
    assert proxy.cuts >= 2
    assert (ended.returncode, ended.stdout) == (0, "")
    assert ended.stderr == (
        f"big.iso: 21.0 MB at {url}big.iso, {proxy.cuts} lost connections, {VERIFIED}\n"
    )
    assert (served / "big.iso").read_bytes() == DATA
    assert records(here) == []


def on_disk(served: Path) -> int:
    """How much of an unfinished upload the server has written."""
    return max((path.stat().st_size for path in (served / ".riverrun").rglob("*")), default=0)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_the_same_command_goes_on_where_it_was_stopped(
    served: Path, here: Path, number: int
) -> None:
    with (
        taking_uploads(served) as server,
        proxy_in_thread(server.port, seed=2, shortest=7 * MIB, longest=9 * MIB) as proxy,
    ):
        url = f"http://127.0.0.1:{proxy.port}/big.iso"
        proxy.hold_after(5 * MIB)
        with started((*PROGRAM, "put", "big.iso", url), folder=here) as process:
            # What has only left the proxy is lost with the connection.
            eventually(lambda: proxy.sent >= 5 * MIB and on_disk(served) > 4 * MIB)
            process.send_signal(number)
            _, errors = process.communicate(timeout=20)
        assert len(records(here)) == 1
        proxy.mend()
        before = proxy.sent
        ended = answer("put", "big.iso", url, folder=here)
        # Heads come on top of what was missing.
        assert proxy.sent - before < len(DATA) - 4 * MIB
    if number == signal.SIGINT:
        assert process.returncode == 130
        assert errors.decode().startswith("interrupted at ")
        assert "the same command goes on" in errors.decode()
    assert ended.returncode == 0
    assert "went on from" in ended.stderr
    assert (served / "big.iso").read_bytes() == DATA
    assert records(here) == []


def test_a_folder_arrives_with_all_below_it(served: Path, here: Path) -> None:
    (here / "photos" / "old").mkdir(parents=True)
    (here / "photos" / "a [1] é.jpg").write_bytes(b"first")
    (here / "photos" / "old" / "b?.jpg").write_bytes(b"second")
    with taking_uploads(served) as server:
        ended = answer("put", "photos", "big.iso", f"{server.address}/in/", folder=here)
        assert ended.stderr == f"{server.address}/in/: 3 files, 21.0 MB\n"
        assert ended.returncode == 0
        ended = answer("put", "photos", f"{server.address}/other", folder=here)
        assert ended.stderr == f"photos: 2 files, 11 bytes at {server.address}/other/\n"
        ended = answer("put", "photos", f"{server.address}/", folder=here)
        assert ended.stderr == f"photos: 2 files, 11 bytes at {server.address}/photos/\n"
    found = {
        str(path.relative_to(served)): path.read_bytes()
        for path in served.rglob("*")
        if path.is_file() and ".riverrun" not in path.parts
    }
    assert found == {
        "in/photos/a [1] é.jpg": b"first",
        "in/photos/old/b?.jpg": b"second",
        "in/big.iso": DATA,
        "other/a [1] é.jpg": b"first",
        "other/old/b?.jpg": b"second",
        "photos/a [1] é.jpg": b"first",
        "photos/old/b?.jpg": b"second",
    }
    assert records(here) == []


def test_files_that_have_arrived_are_not_sent_again(served: Path, here: Path) -> None:
    (here / "photos").mkdir()
    (here / "photos" / "a").write_bytes(b"a")
    (here / "photos" / "b").write_bytes(b"b")
    (served / "b").mkdir()
    with taking_uploads(served) as server:
        url = f"{server.address}/"
        ended = answer("put", "photos/a", "photos/b", url, folder=here)
        assert ended.returncode == 2
        assert ended.stderr.startswith("riverrun: photos/b: the server refuses: 409 Conflict")
        (served / "b").rmdir()
        ended = answer("put", "photos/a", "photos/b", url, folder=here)
        assert ended.returncode == 0
        assert ended.stderr == f"{url}: 2 files, 2 bytes, 1 of them was there already\n"
    assert (served / "b").read_bytes() == b"b"


def test_what_is_there_is_kept_if_that_is_wanted(served: Path, here: Path) -> None:
    (served / "big.iso").write_bytes(b"before")
    with taking_uploads(served) as server:
        ended = answer("put", "big.iso", f"{server.address}/", "--no-overwrite", folder=here)
    assert ended.returncode == 2
    assert ended.stderr == (
        "riverrun: big.iso: another file stands there, and stays because of --no-overwrite\n"
    )
    assert (served / "big.iso").read_bytes() == b"before"


@pytest.mark.parametrize("options", [(), ("--no-overwrite",)])
@pytest.mark.parametrize("name", ["big.iso", "small"])
def test_a_file_that_stands_there_already_is_success(
    served: Path, here: Path, name: str, options: tuple[str, ...]
) -> None:
    (here / "small").write_bytes(b"a few words")
    with serving(served, "--allow", "upload") as server:
        url = f"{server.address}/{name}"
        assert answer("put", name, url, folder=here).returncode == 0
        eventually(lambda: bool(server.answered()))
        received = server.answered()
        ended = answer("put", name, url, *options, folder=here)
        eventually(lambda: len(server.answered()) > len(received))
    size = "21.0 MB" if name == "big.iso" else "11 bytes"
    assert ended.stderr == f"{name}: {size} at {url}, was there already, {VERIFIED}\n"
    assert ended.returncode == 0
    assert records(here) == []


@pytest.mark.parametrize("size", [len(DATA), 5])
def test_another_file_that_stands_there_is_said_to(served: Path, here: Path, size: int) -> None:
    (served / "big.iso").write_bytes(bytes(size))
    with serving(served, "--allow", "upload") as server:
        ended = answer("put", "big.iso", f"{server.address}/", folder=here)
    assert ended.returncode == 2
    assert ended.stderr == (
        "riverrun: big.iso: another file stands there, and the server does not let it be replaced;"
        " it would have to allow that: riverrun serve --allow upload,overwrite\n"
    )
    assert (served / "big.iso").read_bytes() == bytes(size)


def test_an_empty_folder_is_said_to_be_one(served: Path, here: Path) -> None:
    (here / "photos").mkdir()
    with taking_uploads(served) as server:
        ended = answer("put", "photos", f"{server.address}/", folder=here)
    assert (ended.returncode, ended.stderr) == (0, "photos: there are no files in it\n")


def test_pieces_can_be_smaller(served: Path, here: Path) -> None:
    with taking_uploads(served) as server:
        url = f"{server.address}/big.iso"
        ended = answer("put", "big.iso", url, "--piece-size", "7MB", "--quiet", folder=here)
        assert (ended.returncode, ended.stderr) == (0, "")
        eventually(lambda: [line["method"] for line in server.answered()].count("PATCH") == 3)
    assert (served / "big.iso").read_bytes() == DATA


def test_a_server_without_resumption_gets_a_plain_put(here: Path) -> None:
    (here / "plain.py").write_text(PLAIN)
    with running("run", "plain.py:handler", "--port", "0", folder=here) as server:
        url = f"http://127.0.0.1:{server.port}/big.iso"
        ended = answer("put", "big.iso", url, "--retries", "0", folder=here)
    assert ended.stderr.splitlines() == [
        "big.iso: the server takes no resumable uploads: this one cannot be resumed",
        f"big.iso: 21.0 MB at {url}, the server gives no digest to check",
    ]
    assert ended.returncode == 0


def test_what_cannot_be_put_is_one_line(served: Path, here: Path, unused_tcp_port: int) -> None:
    nobody = f"127.0.0.1:{unused_tcp_port}"
    with serving(served) as server:
        at = server.address
        cases = [
            (
                ("big.iso", f"{at}/"),
                "big.iso: the server refuses: 405 Method Not Allowed: PUT is not allowed here",
            ),
            (("none", f"{at}/"), "none: No such file or directory"),
            (("big.iso", "big.iso", f"{at}/x"),
             f"{at}/x: several files go to a folder; end its address with a slash"),
            (("big.iso", f"http://{nobody}/"),
             f"big.iso: cannot connect to {nobody}: Connection refused"),
            (("big.iso", "there"), "there is not an address; write http://HOST/PATH"),
            (("big.iso",), "missing argument 'FILE...'"),
        ]  # fmt: skip
        for arguments, message in cases:
            ended = answer("put", *arguments, folder=here)
            assert (ended.returncode, ended.stdout, ended.stderr) == (
                2,
                "",
                f"riverrun: {message}\n",
            )
    assert records(here) == []


@contextmanager
def putting_input(url: str, here: Path) -> Iterator[subprocess.Popen[bytes]]:
    """`riverrun put -`, whose standard input is the test's to write."""
    with subprocess.Popen(
        (*PROGRAM, "put", "-", url),
        cwd=here,
        env=environment({}),
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def test_the_output_of_a_program_arrives_over_connections_that_are_cut(
    served: Path, here: Path
) -> None:
    with (
        taking_uploads(served) as server,
        proxy_in_thread(server.port, seed=5, shortest=2 * MIB, longest=8 * MIB) as proxy,
    ):
        url = f"http://127.0.0.1:{proxy.port}/dump.sql"
        with putting_input(url, here) as process:
            _, errors = process.communicate(DATA, timeout=60)
    assert process.returncode == 0, errors
    assert proxy.cuts >= 1
    assert errors.decode().startswith(f"standard input: 21.0 MB at {url}, ")
    assert errors.decode().endswith(f"{VERIFIED}\n")
    assert (served / "dump.sql").read_bytes() == DATA


def test_input_that_is_interrupted_leaves_nothing(served: Path, here: Path) -> None:
    with taking_uploads(served) as server:
        url = f"{server.address}/dump.sql"
        with putting_input(url, here) as process:
            assert process.stdin is not None
            process.stdin.write(DATA[:MIB])
            process.stdin.flush()
            waiting = served / ".riverrun" / "uploads"
            eventually(lambda: sum(path.stat().st_size for path in waiting.iterdir()) == MIB)
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=20)
        assert process.returncode == 130
        assert errors == b"interrupted; the server keeps nothing, the same command begins anew\n"
        assert list(waiting.iterdir()) == []
    assert [path.name for path in served.iterdir()] == [".riverrun"]


def test_input_needs_a_name(served: Path, here: Path) -> None:
    with taking_uploads(served) as server:
        ended = answer("put", "-", f"{server.address}/", folder=here)
    assert ended.returncode == 2
    assert ended.stderr.endswith("standard input has no name; end the address with one\n")
