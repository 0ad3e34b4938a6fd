"""The program that measures what flows cost: they are out of its way, and it serves."""

from __future__ import annotations

import subprocess
import sys
import urllib.request
from pathlib import Path

from tests.examples.programs import free_port

import bench

PROGRAM = Path(bench.__file__).parent / "programs" / "riverrun_without_flows.py"
SHOWS_NAMES = """
import sys
source = open(sys.argv[1]).read().partition("from riverrun.cli")[0]
exec(compile(source, sys.argv[1], "exec"))
from riverrun.http.response import Response
from riverrun.server.vitals import Vitals
for way in (Response.try_end, Response._end_at_once, Response._begin, Vitals.settle):
    print(*way.__code__.co_names)
"""


def test_a_small_answer_never_asks_for_its_flow() -> None:
    names = subprocess.run(
        [sys.executable, "-c", SHOWS_NAMES, PROGRAM], capture_output=True, text=True, check=True
    ).stdout.split()
    assert {"has_room", "body_sent", "answered"} <= set(names)
    assert not {"opened_flow", "limited", "admits", "moved"} & set(names)


def test_it_serves_small_files(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(b"a" * 1024)
    port = free_port()
    with subprocess.Popen(
        [sys.executable, PROGRAM, tmp_path, str(port)], stderr=subprocess.PIPE, text=True
    ) as server:
        try:
            assert server.stderr is not None
            assert "serves" in server.stderr.readline()
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/a.bin", timeout=5) as answer:
                assert answer.read() == b"a" * 1024
        finally:
            server.terminate()
