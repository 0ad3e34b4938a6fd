"""The clients of tus that people have, over lines that break.

tuspy comes with the tools of development, tus-js-client by npm.
"""

from __future__ import annotations

import hashlib
import json
import random
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.cli.programs import tool
from tests.support.cutting_proxy import proxy_in_thread
from tests.support.serving import Serving, serving
from tusclient.client import TusClient
from tusclient.exceptions import TusCommunicationError

MIB = 1024 * 1024
BIG = 64 * MIB
UPLOADS = 20
ATTEMPTS = 200
PATIENCE = 100


@pytest.fixture
def inbox(tmp_path: Path) -> Iterator[Serving]:
    folder = tmp_path / "inbox"
    folder.mkdir()
    with serving(folder, "--allow", "upload") as server:
        yield server
    shutil.rmtree(tmp_path)  # pytest keeps it otherwise, and it is gigabytes


def files(folder: Path, size: int) -> list[Path]:
    """Twenty files of `size` bytes, each with noise of its own."""
    folder.mkdir()
    noise = random.Random(size).randbytes(size)
    paths = [folder / f"{number:02}.bin" for number in range(UPLOADS)]
    for number, path in enumerate(paths):
        path.write_bytes(number.to_bytes(4, "big") + noise[4:])
    return paths


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def endpoint(port: int) -> str:
    return f"http://127.0.0.1:{port}/~/tus/"


def send_by_tuspy(url: str, path: Path, *, checksum: bool) -> None:
    """Upload a file as a program would that does not give up."""
    with path.open("rb") as stream:
        uploader = TusClient(url).uploader(
            file_stream=stream,
            metadata={"filename": path.name},
            chunk_size=path.stat().st_size // 12 if checksum else BIG,
            retries=ATTEMPTS,
            retry_delay=0,
            upload_checksum=checksum,
        )
        for _ in range(ATTEMPTS):
            try:
                uploader.upload()
            # It gives up when it cannot begin; and Python takes a head that was cut for a whole
            # one, so that it reads no number where it wants an offset.
            except (TusCommunicationError, TypeError, ValueError):
                continue
            return
    raise AssertionError(f"{path.name} was given up")


def send_by_tus_js(
    judges: Path, url: str, paths: list[Path], **options: object
) -> list[dict[str, str]]:
    """Upload files; return what became of each."""
    command = [tool("node"), "tus_uploads.mjs", url, json.dumps(options)]
    finished = subprocess.run(
        [*command, *map(str, paths)],
        cwd=judges,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr.decode(errors="replace")
    return [json.loads(line) for line in finished.stdout.splitlines()]


@contextmanager
def bad_line(server: Serving, shortest: int, longest: int) -> Iterator[str]:
    """The address at which to upload by way of connections that are cut."""
    with proxy_in_thread(server.port, seed=7, shortest=shortest, longest=longest) as proxy:
        yield endpoint(proxy.port)
        assert proxy.cuts > UPLOADS / 2


def check_received(tmp_path: Path, sent: list[Path]) -> None:
    """All of them have come whole, and nothing else has."""
    inbox = tmp_path / "inbox"
    received = {path.name: digest(path) for path in inbox.iterdir() if path.is_file()}
    assert received == {path.name: digest(path) for path in sent}


@pytest.mark.parametrize(
    ("size", "shortest", "longest"), [(BIG, 2000, 40 * MIB), (200_000, 2000, 150_000)]
)
def test_tuspy_uploads_over_a_bad_line(
    inbox: Serving, tmp_path: Path, size: int, shortest: int, longest: int
) -> None:
    sent = files(tmp_path / "sent", size)
    with bad_line(inbox, shortest, longest) as url:
        for number, path in enumerate(sent):
            send_by_tuspy(url, path, checksum=number % 2 == 1)
    check_received(tmp_path, sent)


@pytest.mark.parametrize(
    ("size", "shortest", "longest"), [(BIG, 1, 40 * MIB), (200_000, 1, 150_000), (1000, 1, 3000)]
)
def test_tus_js_client_uploads_over_a_bad_line(
    inbox: Serving, judges: Path, tmp_path: Path, size: int, shortest: int, longest: int
) -> None:
    sent = files(tmp_path / "sent", size)
    with bad_line(inbox, shortest, longest) as url:
        outcomes = send_by_tus_js(judges, url, sent)
    assert [outcome.get("error") for outcome in outcomes] == [None] * UPLOADS
    check_received(tmp_path, sent)


@pytest.mark.parametrize(
    "options",
    [
        {"parallelUploads": 4},
        {"uploadDataDuringCreation": True},
        {"uploadLengthDeferred": True, "chunkSize": 3 * MIB},
        {"overridePatchMethod": True, "addRequestId": True, "chunkSize": 5 * MIB},
    ],
    ids=lambda options: next(iter(options)),
)
def test_tus_js_client_uploads_in_each_of_its_ways(
    inbox: Serving, judges: Path, tmp_path: Path, options: dict[str, object]
) -> None:
    sent = files(tmp_path / "sent", 8 * MIB)[:3]
    outcomes = send_by_tus_js(judges, endpoint(inbox.port), sent, **options)
    assert [outcome.get("error") for outcome in outcomes] == [None] * 3
    check_received(tmp_path, sent)
