"""The page: laid out from the readings, and saying of them only what they say."""

from dataclasses import replace

from bench.model import Metric, Target
from bench.results import PeerFacts, Results, VoidReading

from bench import page, report

SPEED = Metric("1KiB", "1 KiB", "requests/s", "Speed", "higher", 0, relative=True)
UNASKED = Metric("nothing", "Nothing", "s", "Nowhere", None)
TARGETS = (
    Target("1 KiB file, of nginx", ("1KiB",), at_least=0.80),
    Target("Memory", ("stalled",), against=None, at_most=12, unit="KiB", digits=1),
)


def run(riverrun: float = 900.0) -> Results:
    return Results(
        rounds=2,
        command="python -m bench --rounds 2",
        date="2030-01-02",
        machine={"CPU": "a chip"},
        settings={"seconds": 3.0},
        methods=["Small files: so."],
        peers=[
            PeerFacts("nginx", "nginx", "sendfile on", "1.2"),
            PeerFacts("riverrun", "riverrun", "log off", "0.1"),
            PeerFacts("caddy", "Caddy", "log off", absent="not installed (somewhere)"),
        ],
        readings={"1KiB": {"nginx": [1000.0, 1000.0], "riverrun": [riverrun, riverrun]}},
    )


def test_the_page_shows_ratios_medians_and_spread() -> None:
    text = report.markdown(run(), [SPEED, UNASKED], TARGETS)
    assert "| riverrun | 0.90 |" in text
    assert "| riverrun | 900 (900 to 900) |" in text
    assert "higher is better" in text
    assert "Nowhere" not in text


def test_the_page_says_when_how_and_where() -> None:
    text = report.markdown(run(), [SPEED], TARGETS)
    assert "Made on 2030-01-02 with `python -m bench --rounds 2`, 2 rounds." in text
    assert "- CPU: a chip" in text
    assert "- Seconds: 3" in text


def test_an_absent_peer_is_listed_with_the_reason() -> None:
    text = report.markdown(run(), [SPEED], TARGETS)
    assert "| Caddy | - | Absent: not installed (somewhere). |" in text
    assert "| Caddy | - |" in text


def test_a_table_leaves_out_who_has_no_figure_in_it() -> None:
    results = run()
    results.readings["put"] = {"riverrun": [1.0, 1.0]}
    put = Metric("put", "1 GiB PUT", "GB/s", "Uploads", "higher", 2, relative=True)
    table = report.markdown(results, [SPEED, put], TARGETS).partition("## Uploads")[2]
    assert "| riverrun | 1.00 (1.00 to 1.00) |" in table
    assert "| nginx |" not in table.partition("## What was measured")[0]


def test_the_reach_follows_the_figures() -> None:
    verdicts = [run(900.0).judge(TARGETS[0]), run(700.0).judge(TARGETS[0])]
    met, missed = report.reach([*verdicts]).splitlines()[2:]
    assert met == "| 1 KiB file, of nginx | ≥ 0.80 | 0.90 | met |"
    assert missed == "| 1 KiB file, of nginx | ≥ 0.80 | 0.70 | **not met** |"


def test_a_target_without_figures_is_neither_met_nor_missed() -> None:
    assert "| Memory | ≤ 12.0 KiB | - | not measured |" in report.reach([run().judge(TARGETS[1])])


def test_a_figure_that_the_load_limited_is_marked() -> None:
    metric = replace(SPEED, core="1KiB core")
    results = run()
    results.readings["1KiB core"] = {"nginx": [22.0, 24.0], "riverrun": [99.0, 99.0]}
    assert report.limited_by_load(results, [metric]).endswith("nginx at 1 KiB (23%).")
    results.readings["1KiB core"]["nginx"] = [99.0, 99.0]
    assert report.limited_by_load(results, [metric]) == ""


def test_void_readings_are_owned_up_to() -> None:
    results = replace(run(), voids=[VoidReading(2, "nginx", "1KiB", "socket errors: read 3")])
    text = report.markdown(results, [SPEED], TARGETS)
    assert "- Round 2, nginx, 1KiB: socket errors: read 3." in text


def test_what_other_programs_took_is_said() -> None:
    text = report.markdown(replace(run(), strangers=[0.01, 0.02, 0.5]), [SPEED], TARGETS)
    assert "took 2% of a core during the median reading, 50% during the worst." in text


def test_pictures_leave_out_what_is_absent() -> None:
    drawn = page.pictures(run())
    assert set(drawn) == {"throughput"}
    assert "riverrun" in drawn["throughput"].svg
    assert "Caddy" not in drawn["throughput"].svg
