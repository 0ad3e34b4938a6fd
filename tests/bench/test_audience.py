"""Messages that say when they were sent, found in whatever they come in."""

import pytest
from bench.audience import MESSAGE_SIZE, Heard, message, sent_times


def test_a_message_says_when_it_was_sent_and_has_its_size() -> None:
    told = message(12.5)
    assert len(told) == MESSAGE_SIZE
    assert sent_times(told) == [12.5]


@pytest.mark.parametrize("between", [b"", b"\r\n8b\r\nevent: data\ndata: "])
def test_several_are_found_whatever_lies_between(between: bytes) -> None:
    assert sent_times(between.join(map(message, (1.0, 2.0, 3.0)))) == [1.0, 2.0, 3.0]


def test_one_that_is_cut_is_counted_and_not_timed() -> None:
    told = message(1.0) + message(2.0)
    assert sent_times(told[: MESSAGE_SIZE + 5]) == [1.0]
    heard = Heard(marks=told[:5].count(b"@") + told[5:].count(b"@"))
    assert heard.messages == 2


def test_a_percentile_is_one_of_the_latencies() -> None:
    heard = Heard(latencies=[float(number) for number in range(100)])
    assert (heard.percentile(0.5), heard.percentile(0.99), heard.percentile(1.0)) == (50, 99, 99)
