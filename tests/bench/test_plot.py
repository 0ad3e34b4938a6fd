"""Pictures: well-formed, with every label, and labels that do not lie on one another."""

from xml.etree import ElementTree as ET

import pytest
from bench.plot import Series

from bench import plot


def test_lines_are_well_formed_and_labelled() -> None:
    drawn = plot.ratio_lines(
        "Speed <against> nginx",
        ["1 KiB", "1 GiB"],
        [Series("riverrun", [1.0, 1.4], strong=True), Series("other", [None, 0.05])],
        even="nginx = 1",
    )
    root = ET.fromstring(drawn.svg)
    texts = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"riverrun", "other", "nginx = 1", "1 KiB", "1 GiB"} <= set(texts)
    assert "prefers-color-scheme: dark" in drawn.svg


def test_a_series_without_figures_is_not_drawn() -> None:
    drawn = plot.ratio_lines("t", ["a"], [Series("absent", [None])], even="nginx = 1")
    assert "absent" not in drawn.svg


def test_bars_are_as_long_as_their_figures() -> None:
    drawn = plot.bar_panels("t", ["a", "b", "c"], [Series("KiB", [10.0, 5.0, None])], strong="a")
    bars = [
        float(bar.attrib["width"])
        for bar in ET.fromstring(drawn.svg).iter("{http://www.w3.org/2000/svg}rect")
        if bar.attrib["class"] == "mark"
    ]
    assert len(bars) == 2
    assert bars[0] == pytest.approx(2 * bars[1], abs=0.2)


@pytest.mark.parametrize(
    ("positions", "expected"),
    [
        ([10.0, 50.0], [10.0, 50.0]),
        ([50.0, 52.0], [50.0, 60.0]),
        ([99.0, 98.0, 20.0], [100.0, 90.0, 20.0]),
    ],
)
def test_labels_keep_their_distance(positions: list[float], expected: list[float]) -> None:
    assert plot.spread(positions, gap=10, low=0, high=100) == expected


def test_the_scale_reaches_around_the_figures() -> None:
    assert plot.decades(0.03, 1.7) == (0.02, 2.0)
    assert plot.ticks(0.02, 2.0) == pytest.approx([0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0])
