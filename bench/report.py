"""The page: results as Markdown. Every word about a figure is derived from the figure."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

from bench.model import BASELINE, Metric, Target

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bench.plot import Plot
    from bench.results import PeerFacts, Results, Verdict

NOT_MEASURED = "-"
_FULLY_BUSY = 90.0

_OPENING = f"""\
riverrun beside other servers: the same folder, one core for the server, another for the load, over
the loopback interface, in the same run. Ratios are medians of the ratios to {BASELINE} within each
round."""

_ON_BUSY_CORES = """\
A peer that used less than its whole core was waiting for the load, for the disk, or for other
programs, not the load for it: its rate then says too little, and the CPU a request or a GB is what
to compare."""

_AGAIN = """\
`make bench`, or `python -m bench --help` for parts of it. Linux with two cores, wrk and taskset are
needed; peers that are not installed are left out and named."""


def markdown(
    results: Results,
    metrics: Iterable[Metric],
    targets: Iterable[Target],
    plots: Iterable[tuple[str, Plot]] = (),
) -> str:
    """The whole page.

    Args:
        results: The run.
        metrics: What can be shown; those without a reading are left out.
        targets: What riverrun is meant to reach.
        plots: Pictures with their addresses relative to the page.
    """
    shown = [metric for metric in metrics if results.readings.get(metric.name)]
    parts = [
        "# Benchmarks",
        _OPENING,
        f"Made on {results.date} with `{results.command}`, {_count(results.rounds, 'round')}.",
        *(f"![{plot.description}]({address})" for address, plot in plots),
        "## Reach",
        "What riverrun is meant to reach, and what this run gives.",
        reach([results.judge(target) for target in targets]),
    ]
    for heading in dict.fromkeys(metric.table for metric in shown):
        columns = [metric for metric in shown if metric.table == heading]
        parts += [f"## {heading}", *_tables(results, columns), limited_by_load(results, columns)]
    parts += [
        "## What was measured",
        "\n".join(f"- {method}" for method in results.methods),
        _ON_BUSY_CORES,
        "## Who was measured",
        peers(results.peers),
        "## Where",
        _facts(results),
    ]
    if results.strangers:
        parts.append(_strangers(results.strangers))
    if results.voids:
        parts += ["## What does not count", _voids(results)]
    parts += [
        "## Doing it again",
        _AGAIN,
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def table(heads: list[str], rows: Iterable[list[str]]) -> str:
    """A Markdown table, its first column to the left and the others to the right."""
    lines = [heads, ["---", *["---:"] * (len(heads) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def reach(verdicts: Iterable[Verdict]) -> str:
    """The table of targets."""
    rows = []
    for verdict in verdicts:
        target = verdict.target
        sign, bound = ("≥", target.at_least)
        if bound is None:
            sign, bound = ("≤", target.at_most)
        unit = f" {target.unit}" if target.unit else ""
        reached = number(verdict.reached, target.digits)
        word = {True: "met", False: "**not met**", None: "not measured"}[verdict.met]
        rows.append(
            [
                target.title,
                f"{sign} {number(bound, target.digits)}{unit}",
                reached + (unit if verdict.reached is not None else ""),
                word,
            ]
        )
    return table(["Target", "Meant", "Reached", ""], rows)


def peers(facts: Iterable[PeerFacts]) -> str:
    """The table of peers with versions, settings, and why one is absent."""
    rows = [
        [
            fact.title,
            fact.version or NOT_MEASURED,
            f"Absent: {fact.absent}." if fact.absent else fact.note,
        ]
        for fact in facts
    ]
    return "\n".join(
        f"| {' | '.join(line)} |"
        for line in [["Peer", "Version", "What is on and off"], ["---"] * 3, *rows]
    )


def limited_by_load(results: Results, metrics: Iterable[Metric]) -> str:
    """Names the figures that something other than the server limited; empty without any."""
    found = []
    for metric in metrics:
        for fact in results.peers:
            busy = results.median(metric.core, fact.name) if metric.core else None
            if busy is not None and busy < _FULLY_BUSY:
                found.append(f"{fact.title} at {metric.title} ({busy:.0f}%)")
    if not found:
        return ""
    return f"Not limited by the server, whose use of its core was: {', '.join(found)}."


def measured(results: Results, metrics: Iterable[Metric]) -> list[PeerFacts]:
    """The peers that have a reading of any of these metrics, in the order of the table."""
    readings = [results.readings.get(metric.name, {}) for metric in metrics]
    return [fact for fact in results.peers if any(fact.name in each for each in readings)]


def number(value: float | None, digits: int) -> str:
    """A figure with thousands set off, or a dash where there is none."""
    return NOT_MEASURED if value is None else f"{value:,.{digits}f}"


def _tables(results: Results, metrics: list[Metric]) -> Iterable[str]:
    relative = [metric for metric in metrics if metric.relative]
    if relative:
        yield f"Against {BASELINE} ({_directions(relative)}):"
        yield table(
            ["", *(metric.title for metric in relative)],
            (
                [
                    fact.title,
                    *(
                        number(results.median_ratio(metric.name, fact.name, BASELINE), 2)
                        for metric in relative
                    ),
                ]
                for fact in measured(results, relative)
            ),
        )
    yield f"Medians, and the least and the greatest reading ({_directions(metrics)}):"
    yield table(
        ["", *(f"{metric.title}, {metric.unit}" for metric in metrics)],
        (
            [fact.title, *(_with_spread(results, metric, fact.name) for metric in metrics)]
            for fact in measured(results, metrics)
        ),
    )


def _directions(metrics: list[Metric]) -> str:
    directions = {metric.better for metric in metrics}
    if len(directions) != 1:
        return "not all in the same direction"
    return {"higher": "higher is better", "lower": "lower is better", None: "for reading only"}[
        directions.pop()
    ]


def _with_spread(results: Results, metric: Metric, peer: str) -> str:
    values = results.values(metric.name, peer)
    median = number(results.median(metric.name, peer), metric.digits)
    if len(values) < 2:
        return median
    low, high = number(min(values), metric.digits), number(max(values), metric.digits)
    return f"{median} ({low} to {high})"


def _facts(results: Results) -> str:
    settings = {name.replace("_", " "): f"{value:g}" for name, value in results.settings.items()}
    facts = {**results.machine, **settings}
    return "\n".join(f"- {name[0].upper()}{name[1:]}: {value}" for name, value in facts.items())


def _strangers(shares: list[float]) -> str:
    return (
        "Other programs, the kernel's own threads and the host took"
        f" {statistics.median(shares):.0%} of a core during the median reading,"
        f" {max(shares):.0%} during the worst."
    )


def _voids(results: Results) -> str:
    return "\n".join(
        f"- Round {void.round}, {void.peer}, {void.work}: {void.reason}." for void in results.voids
    )


def _count(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
