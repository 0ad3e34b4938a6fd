import socket
from pathlib import Path

import pytest

import riverrun
from riverrun.cli.greeting import Greeting, pace
from riverrun.cli.listening import Place, describe
from riverrun.flows import Shape
from riverrun.http.limits import Limits

HERE = Place("http://127.0.0.1:4000/", "http://127.0.0.1:4000/")
BEYOND = Place("http://10.0.0.1:4000/", "http://10.0.0.1:4000/", beyond_this_machine=True)


def test_a_greeting_says_what_where_and_how_to_stop() -> None:
    assert Greeting("serves /srv", HERE, "read only", None, Limits()).text() == (
        f"riverrun {riverrun.__version__} serves /srv\n"
        "http://127.0.0.1:4000/\n"
        "read only\n"
        "Ctrl-C stops, when running transfers are done or after 30 s; twice, at once\n"
    )


def test_a_greeting_says_how_bodies_are_shaped_and_who_can_come() -> None:
    shape = Shape(rate=500_000.0, chunk_size=1000, delay=0.01)
    greeting = Greeting("runs app:river", BEYOND, None, shape, Limits(graceful_timeout=0.0))
    assert greeting.text() == (
        f"riverrun {riverrun.__version__} runs app:river\n"
        "http://10.0.0.1:4000/\n"
        "open to whoever can reach this machine\n"
        "bodies go at 500 kB/s, in chunks of 1 kB, 10 ms apart\n"
        "Ctrl-C stops\n"
    )


@pytest.mark.parametrize(
    ("shape", "text"),
    [
        (Shape(rate=1e6), "at 1 MB/s"),
        (Shape(chunk_size=65536), "in chunks of 64 KiB"),
        (Shape(delay=1.5), "1500 ms apart"),
    ],
)
def test_the_pace_tells_only_what_is_set(shape: Shape, text: str) -> None:
    assert pace(shape) == text


def test_a_tcp_listener_is_a_url() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        assert describe(listener) == Place(url, url)


def test_every_address_is_opened_by_the_nearest() -> None:
    with socket.socket() as listener:
        listener.bind(("0.0.0.0", 0))
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        text = f"{url} and every other address of this machine"
        assert describe(listener) == Place(text, url, beyond_this_machine=True)


def test_an_ipv6_address_stands_in_brackets() -> None:
    with socket.socket(socket.AF_INET6) as listener:
        try:
            listener.bind(("::1", 0))
        except OSError:
            pytest.skip("this machine has no IPv6")
        url = f"http://[::1]:{listener.getsockname()[1]}/"
        assert describe(listener) == Place(url, url)


def test_no_browser_opens_a_unix_socket(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "s"))
        assert describe(listener) == Place(f"unix:{tmp_path}/s", None)
