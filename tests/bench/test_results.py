"""Medians, ratios within a round, and targets held against them."""

import pytest
from bench.model import Target
from bench.results import PeerFacts, Results, VoidReading


def results(readings: dict[str, dict[str, list[float | None]]]) -> Results:
    return Results(
        rounds=3,
        command="python -m bench",
        date="2030-01-02",
        machine={"CPU": "a chip"},
        settings={"seconds": 3.0},
        methods=["Small files: so."],
        peers=[PeerFacts("nginx", "nginx", "plain", "1.2")],
        readings=readings,
    )


def test_the_ratio_is_taken_within_a_round_before_the_median() -> None:
    run = results({"1KiB": {"nginx": [100.0, 50.0, 10.0], "riverrun": [90.0, 50.0, 8.0]}})
    assert run.ratios("1KiB", "riverrun", "nginx") == [0.9, 1.0, 0.8]
    assert run.median_ratio("1KiB", "riverrun", "nginx") == 0.9


def test_a_round_in_which_either_is_void_gives_no_ratio() -> None:
    run = results({"1KiB": {"nginx": [100.0, None, 10.0], "riverrun": [None, 50.0, 8.0]}})
    assert run.ratios("1KiB", "riverrun", "nginx") == [0.8]
    assert run.values("1KiB", "riverrun") == [50.0, 8.0]


def test_what_was_never_measured_has_neither() -> None:
    run = results({})
    assert run.median("1KiB", "riverrun") is None
    assert run.median_ratio("1KiB", "riverrun", "nginx") is None


def test_readings_keep_their_round_when_an_earlier_one_was_void() -> None:
    run = results({})
    run.record(2, "nginx", "1KiB", 7.0)
    assert run.readings == {"1KiB": {"nginx": [None, None, 7.0]}}


@pytest.mark.parametrize(
    ("target", "reached", "met"),
    [
        (Target("t", ("1KiB",), at_least=0.80), 0.8, True),
        (Target("t", ("1KiB",), at_least=0.81), 0.8, False),
        (Target("t", ("1KiB", "1GiB"), at_least=0.80), 0.5, False),
        (Target("t", ("cpu",), at_most=0.85), 0.75, True),
        (Target("t", ("cpu", "1KiB"), at_most=0.75), 0.8, False),
        (Target("t", ("stalled",), against=None, at_most=12), 12.5, False),
        (Target("t", ("1KiB", "nowhere"), at_least=0.1), None, None),
        (Target("t", ("1KiB",), peer="caddy", at_least=0.1), None, None),
    ],
)
def test_a_target_is_met_by_the_figures_alone(
    target: Target, reached: float | None, met: bool | None
) -> None:
    run = results(
        {
            "1KiB": {"nginx": [10.0], "riverrun": [8.0]},
            "1GiB": {"nginx": [2.0], "riverrun": [1.0]},
            "cpu": {"nginx": [0.4], "riverrun": [0.3]},
            "stalled": {"riverrun": [12.5]},
        }
    )
    verdict = run.judge(target)
    assert verdict.reached == (None if reached is None else pytest.approx(reached))
    assert verdict.met is met


def test_json_keeps_everything() -> None:
    run = results({"1KiB": {"nginx": [None, 1.5]}})
    run.voids.append(VoidReading(1, "nginx", "1KiB", "socket errors"))
    assert Results.from_json(run.to_json()) == run
