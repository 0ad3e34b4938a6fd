from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riverrun.http.hosts import Host, check_host, parse_host


@pytest.mark.parametrize(
    ("value", "host"),
    [
        (b"example.com", Host("example.com", None)),
        (b"EXAMPLE.com:8080", Host("example.com", 8080)),
        (b"localhost:4000", Host("localhost", 4000)),
        (b"example.com:", Host("example.com", None)),  # port = *DIGIT
        (b"example.com:00080", Host("example.com", 80)),
        (b"example.com:65535", Host("example.com", 65535)),
        (b"example.com.", Host("example.com.", None)),
        (b"a_b", Host("a_b", None)),
        (b"a!$&'()*+,;=~b", Host("a!$&'()*+,;=~b", None)),
        (b"caf%C3%A9.fr", Host("caf%c3%a9.fr", None)),
        (b"xn--caf-dma.fr", Host("xn--caf-dma.fr", None)),
        (b"127.0.0.1:80", Host("127.0.0.1", 80)),
        (b"999.999.999.999", Host("999.999.999.999", None)),  # a registered name then
        (b"[::1]", Host("[::1]", None)),
        (b"[::1]:8080", Host("[::1]", 8080)),
        (b"[2001:DB8::7]:443", Host("[2001:db8::7]", 443)),
        (b"[::ffff:192.0.2.1]", Host("[::ffff:192.0.2.1]", None)),
        (b"a" * 255 + b":12345", Host("a" * 255, 12345)),
    ],
)
def test_a_valid_host(value: bytes, host: Host) -> None:
    assert parse_host(value) == host
    assert check_host(value)


@pytest.mark.parametrize(
    "value",
    [
        b"",  # RFC 9110, 4.2.1: an http URI has a host
        b":80",
        b"user@example.com",  # RFC 9110, 4.2.4
        b"user:password@example.com",
        b"@example.com",
        b"example.com/",
        b"example.com?",
        b"example.com#",
        b"http://example.com",
        b"exam ple.com",
        b" example.com",
        b"example.com ",
        b"example.com\n",
        b"example.com\r\nX: y",
        b"a.example, b.example",
        b"example.com\0",
        b"caf\xc3\xa9.fr",
        b"a%zz",
        b"a%",
        b"a\\b",
        b'a"b',
        b"a<b>",
        b"a^b",
        b"a|b",
        b"example.com:http",
        b"example.com:-1",
        b"example.com:+1",
        b"example.com:65536",
        b"example.com:123456",
        b"example.com:80:80",
        b"::1",
        b"[::1",
        b"::1]",
        b"[]",
        b"[:]",
        b"[1::2::3]",
        b"[::1]x",
        b"[::1]]",
        b"[127.0.0.1]",
        b"[fe80::1%25eth0]",
        b"[fe80::1%eth0]",
        b"[v1.x]",  # a version of the address that does not exist
        b"[example.com]",
        b"a" * 262,
    ],
)
def test_an_invalid_host(value: bytes) -> None:
    assert parse_host(value) is None
    assert not check_host(value)


@given(st.binary(max_size=300) | st.text("[]:.%@af09", max_size=30).map(str.encode))
def test_any_value_is_a_host_or_none(value: bytes) -> None:
    host = parse_host(value)
    if host is not None:
        assert value.lower().startswith(host.name.encode())
        assert host.port is None or 0 <= host.port <= 65535
