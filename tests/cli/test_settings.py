"""Where settings come from, which of them wins, and what is wrong with the others."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import click
import pytest

from riverrun.cli import commands
from riverrun.cli.limits import limit_readers
from riverrun.cli.listening import Address, choose_address
from riverrun.cli.program import program, status_of
from riverrun.cli.settings import Setting, Target, key_of, variable_of
from riverrun.http.limits import KIB, Limits


@dataclass(frozen=True)
class Settled:
    """What a command was given in the end."""

    address: Address
    values: dict[str, Any]


class Desk:
    """Runs a command up to the point where it would serve."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.set_variable = monkeypatch.setenv
        self.settled: list[Settled] = []

    def write(self, text: str, name: str = "riverrun.toml") -> None:
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)

    def settle(self, *arguments: str) -> Settled:
        assert status_of(arguments) == 0
        return self.settled.pop()

    def serve_folder(self, ctx: click.Context, path: str, **values: Any) -> None:
        self.settled.append(Settled(choose_address(ctx), {"path": path} | values["settings"]))

    def serve_target(self, ctx: click.Context, target: str, **values: Any) -> None:
        self.settled.append(Settled(choose_address(ctx), {"target": target} | values["shared"]))


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    desk = Desk(tmp_path, monkeypatch)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(commands, "serve_folder", desk.serve_folder)
    monkeypatch.setattr(commands, "serve_target", desk.serve_target)
    return desk


DEFAULTS = {
    "path": ".",
    "hidden": False,
    "cors": None,
    "allow": frozenset(),
    "upload_size": None,
    "upload_expiry": None,
    "keep_free": None,
    "page": True,
    "host": "127.0.0.1",
    "port": 4000,
    "unix": None,
    "fd": None,
    "rate": None,
    "client_rate": None,
    "total_rate": None,
    "chunk_size": None,
    "delay": None,
    "log": "text",
    "log_file": None,
    "open_browser": False,
    "limits": Limits(),
}
# How a setting is written, in the file, and what becomes of it.
WRITTEN = [
    ("path", "/srv", '"/srv"', "path", "/srv"),
    ("hidden", "yes", "true", "hidden", True),
    ("cors", "https://example.org", '"https://example.org"', "cors", "https://example.org"),
    ("allow", "upload,delete", '"upload, delete"', "allow", frozenset(("upload", "delete"))),
    ("upload-size", "2GB", '"2 GB"', "upload_size", 2_000_000_000),
    ("upload-expiry", "90s", '"90s"', "upload_expiry", 90.0),
    ("keep-free", "1kB", "1000", "keep_free", 1000),
    ("page", "no", "false", "page", False),
    ("host", "::1", '"::1"', "host", "::1"),
    ("port", "8000", "8000", "port", 8000),
    ("unix", "/run/r.sock", '"/run/r.sock"', "unix", "/run/r.sock"),
    ("fd", "3", "3", "fd", 3),
    ("rate", "8Mbit/s", '"1 MB/s"', "rate", 1e6),
    ("client-rate", "1MB/s", '"8 Mbit/s"', "client_rate", 1e6),
    ("total-rate", "1GB/s", '"1000 MB/s"', "total_rate", 1e9),
    ("chunk-size", "1kB", "1000", "chunk_size", 1000),
    ("delay", "10ms", '"10 ms"', "delay", 0.01),
    ("log", "json", '"json"', "log", "json"),
    ("log-file", "/var/log/r", '"/var/log/r"', "log_file", "/var/log/r"),
    ("open", "true", "true", "open_browser", True),
]


def test_nothing_has_to_be_set(desk: Desk) -> None:
    assert desk.settle("serve").values == DEFAULTS


@pytest.mark.parametrize(("key", "text", "_toml", "name", "value"), WRITTEN)
def test_every_setting_is_an_option(
    desk: Desk, key: str, text: str, _toml: str, name: str, value: object
) -> None:
    arguments = [text] if key == "path" else [f"--{key}={text}"]
    if isinstance(value, bool):
        arguments = [f"--{key}" if value else f"--no-{key}"]
    assert desk.settle("serve", *arguments).values == DEFAULTS | {name: value}


@pytest.mark.parametrize(("key", "text", "_toml", "name", "value"), WRITTEN)
def test_every_setting_is_a_variable(
    desk: Desk,
    key: str,
    text: str,
    _toml: str,
    name: str,
    value: object,
) -> None:
    desk.set_variable(variable_of(key), text)
    assert desk.settle("serve").values == DEFAULTS | {name: value}


@pytest.mark.parametrize(("key", "_text", "toml", "name", "value"), WRITTEN)
def test_every_setting_is_a_key_of_the_file(
    desk: Desk, key: str, _text: str, toml: str, name: str, value: object
) -> None:
    desk.write(f"[serve]\n{key} = {toml}\n")
    assert desk.settle("serve").values == DEFAULTS | {name: value}


def test_the_table_above_has_every_setting() -> None:
    parameters = program.commands["serve"].params
    keys = {key_of(setting) for setting in parameters if isinstance(setting, Setting | Target)}
    assert keys == {key for key, *_ in WRITTEN}


def test_the_command_line_comes_before_the_environment_and_that_before_the_file(desk: Desk) -> None:
    desk.write('[serve]\nport = 1\nrate = "1 B/s"\nhidden = true\n')
    desk.set_variable("RIVERRUN_PORT", "2")
    desk.set_variable("RIVERRUN_RATE", "2 B/s")
    values = desk.settle("serve", "--port", "3", "--no-hidden").values
    assert (values["port"], values["rate"], values["hidden"]) == (3, 2.0, False)


def test_an_empty_variable_is_none(desk: Desk) -> None:
    desk.set_variable("RIVERRUN_PORT", "")
    assert desk.settle("serve").values == DEFAULTS


def test_none_takes_away_what_the_file_sets(desk: Desk) -> None:
    desk.write('[serve]\nrate = "1 B/s"\nchunk-size = 1\ndelay = "1s"\ncors = "*"\n')
    values = desk.settle(
        "serve", "--rate=none", "--chunk-size=none", "--delay=none", "--cors=none"
    ).values
    assert values == DEFAULTS


def test_cors_alone_is_for_every_origin(desk: Desk) -> None:
    assert desk.settle("serve", "--cors").values["cors"] == "*"
    assert desk.settle("serve", "--cors", "--hidden").values["cors"] == "*"


def test_every_command_has_its_own_table(desk: Desk) -> None:
    desk.write('[serve]\nport = 1\n[run]\nport = 2\ntarget = "app:handler"\n')
    assert desk.settle("serve").values["port"] == 1
    run = desk.settle("run").values
    assert (run["port"], run["target"]) == (2, "app:handler")


def test_another_file_can_be_named(desk: Desk) -> None:
    desk.write("[serve]\nport = 1\n")
    desk.write("[serve]\nport = 2\n", "other.toml")
    assert desk.settle("serve", "--config", "other.toml").values["port"] == 2
    desk.set_variable("RIVERRUN_CONFIG", "other.toml")
    assert desk.settle("serve").values["port"] == 2


def test_paths_in_the_file_are_relative_to_it(desk: Desk) -> None:
    desk.write('[serve]\npath = "videos"\nlog-file = "r.log"\n', "etc/river.toml")
    values = desk.settle("serve", "--config", "etc/river.toml").values
    assert (values["path"], values["log_file"]) == ("etc/videos", "etc/r.log")


def test_a_tilde_in_the_file_is_home(desk: Desk) -> None:
    desk.set_variable("HOME", "/home/anna")
    desk.write('[serve]\npath = "~/Videos"\n')
    assert desk.settle("serve").values["path"] == "/home/anna/Videos"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("port = 1", "port: unknown table"),
        ("serve = 1", "serve: must be a table, [serve]"),
        ("[limit]", "limit: unknown table; did you mean limits?"),
        ("[serve]\nprot = 1", "[serve] prot: unknown key; did you mean port?"),
        ("[serve]\nchunk_size = 1", "[serve] chunk_size: unknown key; did you mean chunk-size?"),
        ("[serve]\nconfig = 'x'", "[serve] config: unknown key"),
        ("[serve]\nhelp = true", "[serve] help: unknown key"),
        ("[serve]\nport = '1'", "[serve] port: must be a whole number"),
        ("[serve]\nport = true", "[serve] port: must be a whole number"),
        ("[serve]\nport = 70000", "[serve] port: 70000 is not a port; the largest is 65535"),
        ("[serve]\nport = -1", "[serve] port: '-1' is not a port"),
        ("[serve]\nhost = 1", "[serve] host: must be a string"),
        ("[serve]\nhidden = 'yes'", "[serve] hidden: must be true or false"),
        ("[serve]\nrate = 500", ("[serve] rate: '500' has no unit; "
         "write 500kB/s, 1MiB/s or 8Mbit/s")),
        ("[serve]\ndelay = 0.5", "[serve] delay: must be a string or a whole number"),
        ("[serve]\ndelay = ['1s']", "[serve] delay: must be a string or a whole number"),
        ("[serve]\nlog = 'xml'", "[serve] log: 'xml' is not one of 'text', 'json', 'none'"),
        ("[run]\nhidden = true", "[run] hidden: unknown key"),
        ("[limits]\nhead-sise = 1", "[limits] head-sise: unknown key; did you mean head-size?"),
        ("[limits]\nhead-size = true", ("[limits] head-size: write a number with its unit, "
         "in quotes")),
        ("[limits]\nhead-timeout = 5", ("[limits] head-timeout: '5' has no unit; "
         "write 10ms, 1.5s or 2m")),
        ("[limits]\nhead-timeout = '0s'", "[limits] head-timeout: must be more than zero"),
        ("[limits]\nfield-count = '5'", "[limits] field-count: must be a whole number"),
        ("[limits]\nfield-count = -5", "[limits] field-count: must be a whole number"),
        ("[limits]\nhead-size = 'none'", ("[limits] head-size: 'none' is not a size; "
         "write 1000, 64KiB or 1.5MB")),
        ("[serve", "Expected ']' at the end of a table declaration (at end of document)"),
    ],
)  # fmt: skip
def test_a_mistake_in_the_file_is_one_line_with_file_and_key(
    desk: Desk, capfd: pytest.CaptureFixture[str], text: str, message: str
) -> None:
    desk.write(text)
    assert status_of(["serve"]) == 2
    assert capfd.readouterr() == ("", f"riverrun: riverrun.toml: {message}\n")


def test_the_whole_file_is_checked_whichever_command_reads_it(
    desk: Desk, capfd: pytest.CaptureFixture[str]
) -> None:
    desk.write("[serve]\nprot = 1\n")
    assert status_of(["run", "app:handler"]) == 2
    assert "[serve] prot" in capfd.readouterr().err


def test_a_file_that_is_named_must_be_there(desk: Desk, capfd: pytest.CaptureFixture[str]) -> None:
    assert status_of(["serve", "--config", "none.toml"]) == 2
    assert capfd.readouterr().err == "riverrun: none.toml: No such file or directory\n"


def test_a_file_that_is_not_text_is_refused(desk: Desk, capfd: pytest.CaptureFixture[str]) -> None:
    (desk.folder / "riverrun.toml").write_bytes(b"\xff\xfe")
    assert status_of(["serve"]) == 2
    error = capfd.readouterr().err
    assert error.startswith("riverrun: riverrun.toml: ")
    assert error.count("\n") == 1


LIMITS: dict[str, tuple[str, Any]] = {
    "head-size": ('"8KiB"', 8 * KIB),
    "field-count": ("50", 50),
    "connection-count": ("500", 500),
    "head-timeout": ('"5s"', 5.0),
    "chunk-extensions-size": ("0", 0),
    "trailers-size": ('"1kB"', 1000),
    "whole-body-size": ('"2 MB"', 2_000_000),
    "body-size": ('"5GiB"', 5 * KIB**3),
    "part-count": ("16", 16),
    "part-field-count": ("3", 3),
    "part-field-size": ('"1KiB"', KIB),
    "text-field-size": ('"1MiB"', KIB**2),
    "body-high-water-mark": ('"64KiB"', 64 * KIB),
    "response-high-water-mark": ("65536", 64 * KIB),
    "buffer-budget": ('"16MiB"', 16 * KIB**2),
    "stall-timeout": ('"1m"', 60.0),
    "minimum-rate": ('"1kB/s"', 1000.0),
    "keep-alive-timeout": ('"500ms"', 0.5),
    "pipelined-requests": ("1", 1),
    "linger-timeout": ("0", 0.0),
    "linger-size": ('"0 B"', 0),
    "graceful-timeout": ('"0s"', 0.0),
}


@pytest.mark.parametrize("key", sorted(limit_readers()))
def test_every_limit_is_a_key_of_the_file(desk: Desk, key: str) -> None:
    written, value = LIMITS[key]
    desk.write(f"[limits]\n{key} = {written}\n")
    limits = desk.settle("serve").values["limits"]
    name = key.replace("-", "_")
    assert {field.name for field in fields(Limits)} >= {name}
    assert limits == Limits(**{name: value})
    assert type(getattr(limits, name)) is type(value)


def test_a_limit_that_need_not_be_can_be_none(desk: Desk) -> None:
    desk.write('[limits]\nbody-size = "none"\n')
    assert desk.settle("serve").values["limits"] == Limits()


@pytest.mark.parametrize(
    ("arguments", "variables", "file", "address"),
    [
        ([], {}, "", Address("127.0.0.1", 4000)),
        (["--host=::1"], {}, "", Address("::1", 4000)),
        (["--unix=a"], {}, "", Address("127.0.0.1", 4000, unix="a")),
        (["--fd=3"], {}, "", Address("127.0.0.1", 4000, descriptor=3)),
        (["--port=1"], {}, "unix = '/a'", Address("127.0.0.1", 1)),
        (["--port=1"], {"RIVERRUN_FD": "3"}, "unix = '/a'", Address("127.0.0.1", 1)),
        ([], {"RIVERRUN_FD": "3"}, "unix = '/a'", Address("127.0.0.1", 4000, descriptor=3)),
        (["--unix=a"], {"RIVERRUN_PORT": "5"}, "", Address("127.0.0.1", 5, unix="a")),
    ],
)
def test_the_place_asked_for_most_explicitly_is_taken(
    desk: Desk,
    arguments: list[str],
    variables: dict[str, str],
    file: str,
    address: Address,
) -> None:
    for name, value in variables.items():
        desk.set_variable(name, value)
    desk.write(f"[serve]\n{file}\n")
    assert desk.settle("serve", *arguments).address == address


@pytest.mark.parametrize(
    ("arguments", "file", "hint"),
    [
        (["--unix=a", "--port=1"], "", "--unix and --port"),
        (["--unix=a", "--fd=1"], "", "--unix and --fd"),
        ([], "fd = 3\nhost = '::1'", "fd in the file and host in the file"),
    ],
)
def test_two_places_asked_for_alike_are_a_mistake(
    desk: Desk, capfd: pytest.CaptureFixture[str], arguments: list[str], file: str, hint: str
) -> None:
    desk.write(f"[serve]\n{file}\n")
    assert status_of(["serve", *arguments]) == 2
    assert capfd.readouterr().err == f"riverrun: {hint}: choose one place to listen\n"


@pytest.mark.parametrize(
    ("arguments", "variables", "message"),
    [
        (["--port=70000"], {}, "--port: 70000 is not a port; the largest is 65535"),
        (["--port=x"], {}, "--port: 'x' is not a port"),
        (["--rate=0B/s"], {}, "--rate: 0B/s is too small; none takes the limit away"),
        (["--delay=5"], {}, "--delay: '5' has no unit; write 10ms, 1.5s or 2m"),
        (["--cors", "videos"], {}, ("--cors: 'videos' is not an origin; "
         "write '*' or https://example.org")),
        ([], {"RIVERRUN_PORT": "x"}, "RIVERRUN_PORT: 'x' is not a port"),
        ([], {"RIVERRUN_RATE": "5"}, ("RIVERRUN_RATE: '5' has no unit; "
         "write 500kB/s, 1MiB/s or 8Mbit/s")),
        (["--log=a\nb"], {}, "--log: 'a\\nb' is not one of 'text', 'json', 'none'"),
        (["--port"], {}, "option '--port' requires an argument"),
        (["a", "b"], {}, "got unexpected extra argument (b)"),
        (["a", "b\nc"], {}, "got unexpected extra argument (b\\nc)"),
    ],
)  # fmt: skip
def test_a_mistake_names_the_option_or_the_variable(
    desk: Desk,
    capfd: pytest.CaptureFixture[str],
    arguments: list[str],
    variables: dict[str, str],
    message: str,
) -> None:
    for name, value in variables.items():
        desk.set_variable(name, value)
    assert status_of(["serve", *arguments]) == 2
    assert capfd.readouterr() == ("", f"riverrun: {message}\n")


def test_ctrl_c_before_it_listens_is_an_interrupt(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(commands, "serve_folder", interrupt)
    assert status_of(["serve"]) == 130
    assert capfd.readouterr().err.strip() == ""
