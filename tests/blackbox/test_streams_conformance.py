"""The conformance suite that the authors of the Durable Streams protocol have published."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.cli.programs import running, tool

HERE = Path(__file__).parent
HANDLER = f"{HERE / 'streams_handler.py'}:handler"
TESTS = 332  # that the suite has without the optional subscriptions
# Tests of expiry wait for seconds, so they wait together; on a busy machine the others would make
# them late.
WAITING = "TTL|Expir"
PATIENCE = 30_000  # milliseconds for one test: the usual 5 s are little on a busy machine
PARTS = (
    ("-t", WAITING, "--sequence.concurrent", "--maxConcurrency=12"),
    ("-t", f"^(?!.*({WAITING}))"),
)


@pytest.mark.timeout(300)
def test_every_test_that_the_suite_runs_passes(
    judges: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STREAMS_FOLDER", str(tmp_path / "logs"))
    passed = 0
    with running("run", HANDLER, "--port", "0", "--log", "none", folder=tmp_path) as program:
        for part in PARTS:
            told = run_part(judges, program.port, part, tmp_path / "report.json")
            assert failures(told) == []
            passed += told["numPassedTests"]
    assert passed == TESTS


def run_part(judges: Path, port: int, options: tuple[str, ...], report: Path) -> dict[str, Any]:
    """What the suite tells of those of its tests that the options choose."""
    report.unlink(missing_ok=True)
    program = (tool("node"), "node_modules/vitest/vitest.mjs", "run", "conformance.test.mjs")
    finished = subprocess.run(
        [
            *program,
            *options,
            f"--testTimeout={PATIENCE}",
            "--reporter=json",
            f"--outputFile={report}",
        ],
        cwd=judges,
        env={**os.environ, "STREAMS_ADDRESS": f"http://127.0.0.1:{port}"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert report.exists(), finished.stderr.decode(errors="replace")
    told: dict[str, Any] = json.loads(report.read_text())
    return told


def failures(told: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        (test["fullName"], "\n".join(test["failureMessages"]))
        for file in told["testResults"]
        for test in file["assertionResults"]
        if test["status"] == "failed"
    ]
