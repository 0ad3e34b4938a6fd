"""Who may read by which name."""

from __future__ import annotations

import pytest

from riverrun.errors import HTTPError
from riverrun.http.headers import Fields
from riverrun.http.origins import check_reader
from riverrun.http.request import Request


@pytest.mark.parametrize(
    ("client", "answered"),
    [
        ("127.0.0.1", False),
        ("192.168.1.4", False),
        ("fe80::1%eth0", False),
        ("::ffff:10.0.0.1", False),
        ("", False),  # a Unix socket
        ("8.8.8.8", True),
        ("::ffff:8.8.8.8", True),
        ("2001:4860:4860::8888", True),
    ],
)
def test_a_public_name_is_for_clients_of_public_addresses(client: str, answered: bool) -> None:
    request = Request("GET", b"/", Fields([(b"host", b"rebound.example.com")]))
    request.client = client
    if answered:
        check_reader(request)
    else:
        with pytest.raises(HTTPError):
            check_reader(request)
    check_reader(request, ("rebound.example.com",))
