"""What the program answers without serving, and that it does not load the server for it."""

import subprocess
import sys
from pathlib import Path

import pytest
from tests.cli.programs import DEADLINE, PROGRAM, ROOT, answer, environment

import riverrun

ALONE = f"""
import sys, types
package = types.ModuleType("riverrun")  # without the public names, which import every room
package.__path__ = [{str(ROOT / "src" / "riverrun")!r}]
package.__version__ = "0"
sys.modules["riverrun"] = package
from riverrun.cli.program import status_of
status = status_of(sys.argv[1:])
heavy = ("asyncio", "riverrun.server", "riverrun.apps", "riverrun.flows", "uvloop", "rich")
print(status, *(name for name in heavy if name in sys.modules), file=sys.stderr)
"""


def test_the_version_is_that_of_the_package(tmp_path: Path) -> None:
    ended = answer("--version", folder=tmp_path)
    assert (ended.returncode, ended.stdout) == (0, f"riverrun {riverrun.__version__}\n")


@pytest.mark.parametrize("arguments", [(), ("--help",), ("-h",)])
def test_help_shows_the_commands(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    ended = answer(*arguments, folder=tmp_path)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "riverrun serve ~/Videos" in ended.stdout
    assert "riverrun run app.py:handler" in ended.stdout


@pytest.mark.parametrize("command", ["serve", "run"])
def test_the_help_of_a_command_has_every_option_and_an_example(
    tmp_path: Path, command: str
) -> None:
    ended = answer(command, "--help", folder=tmp_path, COLUMNS="80")
    assert (ended.returncode, ended.stderr) == (0, "")
    for option in ("--host", "--port", "--unix", "--fd", "--rate", "--chunk-size", "--delay",
                   "--log", "--log-file", "--open", "--config"):  # fmt: skip
        assert f"  {option} " in ended.stdout
    assert f"Examples:\n    riverrun {command} " in ended.stdout
    assert max(map(len, ended.stdout.splitlines())) <= 80


@pytest.mark.parametrize("module", ["click", "riverrun.cli.declaring", "riverrun.cli.commands"])
def test_ctrl_c_while_it_loads_is_a_quiet_interrupt(tmp_path: Path, module: str) -> None:
    script = f"""
import os, signal, sys
class Impatient:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Impatient())
from riverrun.cli import main
main(["serve", "--port", "0"])
"""
    ended = subprocess.run(
        (sys.executable, "-P", "-c", script),
        cwd=tmp_path,
        env=environment({}),
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    assert (ended.returncode, ended.stdout, ended.stderr.strip()) == (130, "", "")


def test_an_unknown_command_is_one_line(tmp_path: Path) -> None:
    ended = answer("servo", folder=tmp_path)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == "riverrun: no such command 'servo'. Did you mean 'serve'?\n"


@pytest.mark.parametrize(
    "arguments",
    [("--help",), ("serve", "--help"), ("run", "-h"), ("--version",), ("serve", "--port=x")],
)
def test_help_and_mistakes_do_not_load_the_server(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    ended = subprocess.run(
        (sys.executable, "-P", "-c", ALONE, *arguments),
        cwd=tmp_path,
        env=environment({}),
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=True,
    )
    assert ended.stderr.splitlines()[-1] == ("2" if "--port=x" in arguments else "0")


def test_serving_does_not_load_what_draws_progress(tmp_path: Path) -> None:
    script = "import sys, riverrun.cli.commands; print('rich' in sys.modules)"
    ended = subprocess.run(
        (sys.executable, "-c", script),
        env=environment({}),
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=True,
    )
    assert ended.stdout == "False\n"


def test_a_reader_of_the_help_that_leaves_is_no_trouble(tmp_path: Path) -> None:
    process = subprocess.Popen(
        (*PROGRAM, "serve", "--help"),
        env=environment({}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    with process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        process.wait(DEADLINE)
        assert process.stderr.read() == b""
