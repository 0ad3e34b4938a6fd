"""`riverrun run`, as a program."""

from pathlib import Path

import pytest
from tests.cli.programs import answer, running

import riverrun

APP = """
from words import WORD

async def handler(request, response):
    await response.end(WORD)

async def other(request, response):
    await response.end(b"other")

class Site:
    async def page(self, request, response):
        await response.end(b"page")

    async def __call__(self, request, response):
        await response.end(b"site")

site = Site()
value = 1

def three(scope, receive, send):
    pass
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "app.py").write_text(APP)
    (tmp_path / "words.py").write_text("WORD = b'word'\n")
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "app.py").write_text(APP)
    (tmp_path / "below" / "words.py").write_text("WORD = b'below'\n")
    (tmp_path / "broken.py").write_text("def fail():\n    return 1 / 0\n\nfail()\n")
    (tmp_path / "incomplete.py").write_text("import nowhere_at_all\n")
    (tmp_path / "unreadable.py").write_text("def (\n")
    return tmp_path


@pytest.mark.parametrize(
    ("target", "body"),
    [
        ("app:handler", b"word"),
        ("app:site", b"site"),
        ("app:site.page", b"page"),
        ("app.py:handler", b"word"),
        ("below.app:handler", b"word"),
        ("below/app.py:handler", b"below"),
    ],
)
def test_a_handler_is_found_in_a_module_or_a_file(folder: Path, target: str, body: bytes) -> None:
    with running("run", target, "--port", "0", folder=folder) as program:
        assert program.greeting[:2] == [
            f"riverrun {riverrun.__version__} runs {target}",
            f"http://127.0.0.1:{program.port}/",
        ]
        assert program.fetch() == (200, body)
        assert program.stop()[0] == 0


def test_a_file_can_be_anywhere(folder: Path) -> None:
    target = f"{folder}/below/app.py:handler"
    with running("run", target, "--port", "0", folder=Path("/")) as program:
        assert program.fetch() == (200, b"below")


def test_the_file_can_name_the_handler(folder: Path) -> None:
    (folder / "riverrun.toml").write_text(
        '[run]\ntarget = "app:handler"\nport = 0\nlog = "none"\nrate = "1MB/s"\n'
    )
    with running("run", folder=folder) as program:
        assert program.greeting[2] == "bodies go at 1 MB/s"
        assert program.fetch() == (200, b"word")
        assert program.stop() == (0, "", "")


HOW_TO = "write MODULE:HANDLER, like app:handler or app.py:handler"


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("app", f"'app' names no handler; {HOW_TO}"),
        ("app:", f"'app:' names no handler; {HOW_TO}"),
        (":handler", f"':handler' names no handler; {HOW_TO}"),
        ("a b:handler", f"'a b' is not the name of a module; {HOW_TO}"),
        (".app:handler", f"'.app' is not the name of a module; {HOW_TO}"),
        ("none:handler", "there is no module 'none', here or installed"),
        ("below.none:handler", "there is no module 'below.none', here or installed"),
        ("none.py:handler", "none.py does not exist"),
        ("./below:handler", "below does not exist"),
        ("app:none", "app has no 'none'; it has handler, other"),
        ("app:site.none", "app has no 'site.none'; it has handler, other"),
        ("words:handler", "words has no 'handler'"),
        ("app:value", "app:value is not a handler: it cannot be called"),
        ("app:three", "app:three is not a handler: it does not take a request and a response"),
    ],
)
def test_a_target_that_is_no_handler_is_one_line(folder: Path, target: str, message: str) -> None:
    ended = answer("run", target, "--port", "0", folder=folder)
    assert (ended.returncode, ended.stdout, ended.stderr) == (2, "", f"riverrun: {message}\n")


@pytest.mark.parametrize(
    ("target", "last_lines"),
    [
        ("broken:handler", ["ZeroDivisionError: division by zero",
                            "riverrun: broken failed while it was imported"]),
        ("broken.py:handler", ["ZeroDivisionError: division by zero",
                               "riverrun: broken.py failed while it was imported"]),
        ("incomplete:handler", ["ModuleNotFoundError: No module named 'nowhere_at_all'",
                                "riverrun: incomplete failed while it was imported"]),
        ("unreadable:handler", ["riverrun: unreadable failed while it was imported"]),
    ],
)  # fmt: skip
def test_a_module_that_fails_shows_where_in_its_own_code(
    folder: Path, target: str, last_lines: list[str]
) -> None:
    ended = answer("run", target, "--port", "0", folder=folder)
    lines = ended.stderr.splitlines()
    assert ended.returncode == 2
    assert lines[-len(last_lines) :] == last_lines
    assert target.partition(":")[0].removesuffix(".py") + ".py" in ended.stderr
    assert "riverrun/cli" not in ended.stderr
    assert "importlib" not in ended.stderr


def test_a_target_is_needed(folder: Path) -> None:
    ended = answer("run", folder=folder)
    assert ended.returncode == 2
    assert ended.stderr == "riverrun: missing argument 'MODULE:HANDLER'\n"
