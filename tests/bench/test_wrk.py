"""What wrk prints, and when its figure does not count."""

import pytest
from bench.model import VoidReadingError

from bench import wrk

REPORT = """\
Running 3s test @ http://127.0.0.1:40001/1KiB.bin
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency   841.91us  120.10us   6.03ms   95.31%
    Req/Sec    71.86k     1.93k   74.34k    80.65%
  221659 requests in 3.10s, 271.43MB read
{trouble}Requests/sec:  71502.10
Transfer/sec:     87.56MB
"""


def test_a_clean_report_gives_the_rate_and_the_bytes() -> None:
    load = wrk.parse(REPORT.format(trouble=""))
    assert load.requests == 221659
    assert load.requests_per_second == 71502.10
    assert load.bytes_read == pytest.approx(271.43 * 1024 * 1024)


@pytest.mark.parametrize(
    ("trouble", "reason"),
    [
        ("  Socket errors: connect 0, read 3, write 0, timeout 1\n", "read 3, write 0, timeout 1"),
        ("  Non-2xx or 3xx responses: 17\n", "17 answers were not 2xx"),
    ],
)
def test_errors_void_the_figure(trouble: str, reason: str) -> None:
    with pytest.raises(VoidReadingError, match=reason):
        wrk.parse(REPORT.format(trouble=trouble))


@pytest.mark.parametrize(
    "output",
    ["", "unable to connect to 127.0.0.1:1 Connection refused\n"],
)
def test_no_report_voids_the_figure(output: str) -> None:
    with pytest.raises(VoidReadingError, match="no report"):
        wrk.parse(output)


def test_no_answer_at_all_voids_the_figure() -> None:
    silent = "  0 requests in 3.10s, 0.00B read\nRequests/sec:      0.00\n"
    with pytest.raises(VoidReadingError, match="no request was answered"):
        wrk.parse(silent)
