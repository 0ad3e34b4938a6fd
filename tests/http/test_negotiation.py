from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riverrun.http.negotiation import acceptable_codings, choose_media_type

BROWSER = b"text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"


@pytest.mark.parametrize(
    ("accept", "offered", "chosen"),
    [
        (None, ("application/json", "text/html"), "application/json"),
        (b"", ("application/json", "text/html"), "application/json"),
        (b"*/*", ("application/json", "text/html"), "application/json"),
        (BROWSER, ("application/json", "text/html"), "text/html"),
        (b"text/html", ("application/json", "text/html"), "text/html"),
        (b"TEXT/HTML", ("application/json", "text/html"), "text/html"),
        (b"text/*", ("application/json", "text/html"), "text/html"),
        (b"image/png", ("application/json", "text/html"), None),
        (b"image/png, */*;q=0.1", ("application/json", "text/html"), "application/json"),
        # The examples of RFC 9110, 12.5.1
        (b"audio/*; q=0.2, audio/basic", ("audio/mpeg", "audio/basic"), "audio/basic"),
        (b"audio/*; q=0.2, audio/basic", ("audio/mpeg",), "audio/mpeg"),
        (
            b"text/plain; q=0.5, text/html, text/x-dvi; q=0.8, text/x-c",
            ("text/plain", "text/x-dvi", "text/x-c", "text/html"),
            "text/x-c",
        ),
        (b"text/plain; q=0.5, text/x-dvi; q=0.8", ("text/plain", "text/x-dvi"), "text/x-dvi"),
        # The most specific range counts, even to exclude.
        (b"*/*, text/html;q=0", ("text/html",), None),
        (b"*/*, text/html;q=0", ("text/html", "text/plain"), "text/plain"),
        (b"text/*;q=0, text/html", ("text/plain", "text/html"), "text/html"),
        (b"text/html;q=0, */*;q=0", ("text/html", "text/plain"), None),
        # Ranges with parameters
        (b"text/plain;format=flowed", ("text/plain",), None),
        (b"text/plain;format=flowed", ("text/plain;format=flowed",), "text/plain;format=flowed"),
        (
            b'text/plain;Format="FLOWED"',
            ("text/plain; format=flowed",),
            "text/plain; format=flowed",
        ),
        (b"text/plain", ("text/plain; charset=utf-8",), "text/plain; charset=utf-8"),
        # What is not valid is passed over.
        (b"text/html;q=2, text/plain;q=0.1", ("text/html", "text/plain"), "text/plain"),
        (b"text/html;q=-1, text/plain;q=0.1", ("text/html", "text/plain"), "text/plain"),
        (b"text/html;q=0.1234, text/plain;q=0.1", ("text/html", "text/plain"), "text/plain"),
        (b"*/html, text, /, text/plain;q=0.1", ("text/html", "text/plain"), "text/plain"),
        (b"nonsense", ("application/json", "text/html"), "application/json"),
        (b"text/html", (), None),
        (None, (), None),
    ],
)
def test_the_media_type_that_is_liked_best(
    accept: bytes | None, offered: tuple[str, ...], chosen: str | None
) -> None:
    assert choose_media_type(accept, offered) == chosen


# The table of RFC 9110, 12.5.1, without its row for a type that the field no longer names
@pytest.mark.parametrize(
    ("media_type", "weight"),
    [
        ("text/plain;format=flowed", 1.0),
        ("text/plain", 0.7),
        ("text/html", 0.3),
        ("image/jpeg", 0.5),
        ("text/plain;format=fixed", 0.4),
    ],
)
def test_the_most_specific_range_gives_the_weight(media_type: str, weight: float) -> None:
    accept = (
        b"text/*;q=0.3, text/plain;q=0.7, text/plain;format=flowed, "
        b"text/plain;format=fixed;q=0.4, */*;q=0.5"
    )
    better, worse = weight + 0.001, weight - 0.001
    probe = f"{accept.decode()}, probe/better;q={better:.3f}, probe/worse;q={worse:.3f}".encode()
    assert choose_media_type(probe, ("probe/worse", media_type)) == media_type
    if better <= 1:
        assert choose_media_type(probe, (media_type, "probe/better")) == "probe/better"


@pytest.mark.parametrize(
    ("accept_encoding", "offered", "codings"),
    [
        # Without the field anything may be sent, but nothing was asked for.
        (None, ("br", "gzip"), ["identity"]),
        # The examples of RFC 9110, 12.5.3
        (b"compress, gzip", ("br", "gzip"), ["gzip", "identity"]),
        (b"", ("br", "gzip"), ["identity"]),
        (b"*", ("br", "gzip"), ["br", "gzip", "identity"]),
        (b"compress;q=0.5, gzip;q=1.0", ("br", "gzip"), ["gzip", "identity"]),
        (b"gzip;q=1.0, identity; q=0.5, *;q=0", ("br", "gzip"), ["gzip", "identity"]),
        # By weight, then as offered
        (b"gzip, deflate, br, zstd", ("zstd", "br", "gzip"), ["zstd", "br", "gzip", "identity"]),
        (b"gzip;q=0.9, br;q=0.8", ("br", "gzip"), ["gzip", "br", "identity"]),
        (b"identity, gzip;q=0.5", ("gzip",), ["identity", "gzip"]),
        (b"gzip, identity", ("gzip",), ["gzip", "identity"]),
        (b"GZIP", ("gzip",), ["gzip", "identity"]),
        (b"x-gzip", ("gzip",), ["gzip", "identity"]),
        # Excluding
        (b"gzip;q=0", ("gzip",), ["identity"]),
        (b"*, br;q=0", ("br", "gzip"), ["gzip", "identity"]),
        (b"gzip, identity;q=0", ("gzip",), ["gzip"]),
        (b"gzip, *;q=0", ("gzip",), ["gzip"]),
        (b"identity;q=0", ("gzip",), []),
        (b"*;q=0", ("gzip",), []),
        (b"*;q=0, identity;q=0.001", ("gzip",), ["identity"]),
        # What is not valid is passed over.
        (b"gzip;q=x, br", ("br", "gzip"), ["br", "identity"]),
        (b";;;", ("br",), ["identity"]),
    ],
)
def test_the_codings_that_are_acceptable(
    accept_encoding: bytes | None, offered: tuple[str, ...], codings: list[str]
) -> None:
    assert acceptable_codings(accept_encoding, offered) == codings


OFFERED = ("application/json", "text/html")
PIECES = ["text", "html", "/", "*", ";", ",", "q", "=", "0", "1", ".", '"', " ", "gzip", "identity"]


@given(st.binary() | st.lists(st.sampled_from(PIECES)).map(lambda pieces: "".join(pieces).encode()))
def test_any_preference_can_be_read(value: bytes) -> None:
    assert choose_media_type(value, OFFERED) in (*OFFERED, None)
    assert set(acceptable_codings(value, ("br", "gzip"))) <= {"br", "gzip", "identity"}
