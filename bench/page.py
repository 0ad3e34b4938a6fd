"""Putting a page together: which figures go into which picture, and the files on disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench import plot, report
from bench.model import BASELINE
from bench.work import METRICS, TARGETS
from bench.work.tables import COST, LATENCY, THROUGHPUT, UPLOAD_COST

if TYPE_CHECKING:
    from pathlib import Path

    from bench.model import Metric
    from bench.results import PeerFacts, Results

_OURS = "riverrun"


def text(results: Results) -> str:
    """The page without pictures."""
    return report.markdown(results, METRICS, TARGETS)


def write(results: Results, page: Path) -> None:
    """Write the page, and its pictures into a folder of the same name beside it."""
    folder = page.with_suffix("")
    folder.mkdir(parents=True, exist_ok=True)
    placed = []
    for name, picture in pictures(results).items():
        (folder / f"{name}.svg").write_text(picture.svg)
        placed.append((f"{folder.name}/{name}.svg", picture))
    page.write_text(report.markdown(results, METRICS, TARGETS, placed))


def pictures(results: Results) -> dict[str, plot.Plot]:
    """The pictures that the results have figures for, by file name."""
    drawn = {}
    # Variants differ from their peer by too little to be told apart in a picture.
    peers = [fact for fact in results.peers if not fact.variant_of and not fact.absent]
    speeds = [m for m in METRICS if m.table == THROUGHPUT and results.readings.get(m.name)]
    if speeds:
        drawn["throughput"] = plot.ratio_lines(
            f"Speed against {BASELINE}, by file size (logarithmic, higher is better)",
            [metric.title for metric in speeds],
            [
                plot.Series(
                    fact.title,
                    [results.median_ratio(m.name, fact.name, BASELINE) for m in speeds],
                    strong=fact.name == _OURS,
                )
                for fact in _ours_first(peers)
                if fact.name != BASELINE
            ],
            even=f"{BASELINE} = 1",
        )
    costs = [m for m in METRICS if m.table in (COST, LATENCY) and not m.name.startswith("first")]
    for name, title, metrics in (
        ("costs", "What it costs", costs),
        ("uploads", UPLOAD_COST, [m for m in METRICS if m.table == UPLOAD_COST]),
    ):
        if any(results.readings.get(metric.name) for metric in metrics):
            drawn[name] = _bars(f"{title} (lower is better)", results, peers, metrics)
    return drawn


def _bars(title: str, results: Results, peers: list[PeerFacts], metrics: list[Metric]) -> plot.Plot:
    shown = [metric for metric in metrics if results.readings.get(metric.name)]
    able = [fact for fact in report.measured(results, shown) if fact in peers]
    return plot.bar_panels(
        title,
        [fact.title for fact in able],
        [
            plot.Series(
                f"{metric.title}, {metric.unit}",
                [results.median(metric.name, fact.name) for fact in able],
            )
            for metric in shown
        ],
        strong=next((fact.title for fact in able if fact.name == _OURS), ""),
    )


def _ours_first(peers: list[PeerFacts]) -> list[PeerFacts]:
    return sorted(peers, key=lambda fact: fact.name != _OURS)
