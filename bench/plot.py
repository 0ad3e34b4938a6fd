"""Small SVG pictures that can be read on a light page and on a dark one.

Two kinds: lines over categories on a logarithmic scale (ratios over file sizes), and bars (costs).
A picture brings its own background, because a page's theme and the reader's system may differ.
Text is SVG text, so a picture needs no font and stays searchable.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from html import escape

WIDTH = 820
_LABEL_GAP = 17
_STYLE = """
svg { font: 13px system-ui, sans-serif; }
.page { fill: #ffffff; } .text { fill: #1f2328; } .quiet { fill: #59636e; }
.grid { stroke: #d1d9e0; } .even { stroke: #59636e; }
.c0 { --c: #0550ae; } .c1 { --c: #9a6700; } .c2 { --c: #1a7f37; } .c3 { --c: #8250df; }
.c4 { --c: #bc4c00; } .c5 { --c: #bf3989; } .c6 { --c: #0a6c74; } .c7 { --c: #59636e; }
.line { stroke: var(--c); fill: none; stroke-width: 1.6; } .mark { fill: var(--c); }
.strong .line { stroke-width: 4; } .strong text { font-weight: 700; }
@media (prefers-color-scheme: dark) {
 .page { fill: #0d1117; } .text { fill: #f0f6fc; } .quiet { fill: #9198a1; }
 .grid { stroke: #2f3742; } .even { stroke: #9198a1; }
 .c0 { --c: #58a6ff; } .c1 { --c: #d4a72c; } .c2 { --c: #56d364; } .c3 { --c: #bc8cff; }
 .c4 { --c: #f0883e; } .c5 { --c: #f778ba; } .c6 { --c: #39c5cf; } .c7 { --c: #9198a1; }
}
"""
_COLOURS = 8


@dataclass(frozen=True)
class Series:
    """One peer's figures, one a category; None where there is none."""

    label: str
    values: list[float | None]
    strong: bool = False


@dataclass(frozen=True)
class Plot:
    """A finished picture, and what it shows in words."""

    description: str
    svg: str


def ratio_lines(title: str, categories: list[str], series: list[Series], even: str) -> Plot:
    """Ratios as lines on a logarithmic scale, with the line of the peer they are taken to at 1.

    Args:
        title: What is shown; also the picture's description.
        categories: From left to right.
        series: The lines.
        even: The name at the line of 1.
    """
    height, left, right, top, bottom = 430, 64, 200, 56, 44
    present = [value for line in series for value in line.values if value]
    low, high = decades(min([*present, 0.9]), max([*present, 1.1]))

    def x(index: int) -> float:
        # The last one stands at the edge, next to the names of the lines.
        share = index / (len(categories) - 1) if len(categories) > 1 else 0.5
        return left + 36 + (WIDTH - left - right - 46) * share

    def y(value: float) -> float:
        share = math.log(value / low) / math.log(high / low)
        return height - bottom - share * (height - top - bottom)

    body = [_text(left, 28, title, "text title")]
    for tick in ticks(low, high):
        body.append(_rule(left, WIDTH - right, y(tick), "grid"))
        body.append(_text(left - 8, y(tick) + 4, f"{tick:g}", "quiet", "end"))
    body.append(_rule(left, WIDTH - right, y(1), "even", dash="6 4"))
    for index, category in enumerate(categories):
        body.append(_text(x(index), height - 16, category, "text", "middle"))
    ends = [(y(1), -1)]
    for number, line in enumerate(series):
        points = [(x(i), y(value)) for i, value in enumerate(line.values) if value]
        if not points:
            continue
        ends.append((points[-1][1], number))
        path = " ".join(f"{px:.1f},{py:.1f}" for px, py in points)
        dots = "".join(
            f'<circle class="mark" cx="{px:.1f}" cy="{py:.1f}" r="{5 if line.strong else 3.5}"/>'
            for px, py in points
        )
        body.append(
            f'<g class="{_classes(number, line)}">'
            f'<polyline class="line" points="{path}"/>{dots}</g>'
        )
    placed = spread([position for position, _ in ends], _LABEL_GAP, top, height - bottom)
    for position, (end, number) in zip(placed, ends, strict=True):
        where = WIDTH - right + 26
        body.append(
            f'<line class="grid" x1="{WIDTH - right + 2}" y1="{end:.1f}"'
            f' x2="{where - 4}" y2="{position:.1f}"/>'
        )
        if number < 0:
            body.append(_text(where, position + 4, even, "quiet"))
        else:
            label = _text(where, position + 4, series[number].label, "mark")
            body.append(f'<g class="{_classes(number, series[number])}">{label}</g>')
    return Plot(title, _document(title, height, body))


def bar_panels(title: str, labels: list[str], panels: list[Series], strong: str) -> Plot:
    """One panel of bars a figure, one bar a label, longest as wide as its panel.

    Args:
        title: What is shown; also the picture's description.
        labels: From top to bottom.
        panels: Each a figure by label, with its name and unit as its label.
        strong: The label that stands out.
    """
    left, top, row, gap = 170, 84, 26, 70
    height = top + row * len(labels) + 20
    panel_width = (WIDTH - left - gap * len(panels)) / max(1, len(panels))
    body = [_text(24, 28, title, "text title")]
    for index, label in enumerate(labels):
        weight = "strong" if label == strong else ""
        name = _text(left - 10, top + row * index + 16, label, "text", "end")
        body.append(f'<g class="{weight}">{name}</g>')
    for column, panel in enumerate(panels):
        start = left + column * (panel_width + gap)
        body.append(_text(start, top - 14, panel.label, "quiet"))
        longest = max([value for value in panel.values if value], default=1.0)
        for index, value in enumerate(panel.values):
            baseline = top + row * index
            if value is None:
                body.append(_text(start, baseline + 16, "-", "quiet"))
                continue
            width = max(1.0, panel_width * max(value, 0.0) / longest)
            colour = 0 if labels[index] == strong else _COLOURS - 1
            body.append(
                f'<g class="c{colour}"><rect class="mark" x="{start:.1f}" y="{baseline + 3}"'
                f' width="{width:.1f}" height="{row - 8}" rx="2"/></g>'
            )
            body.append(_text(start + width + 6, baseline + 16, short(value), "text"))
    return Plot(title, _document(title, height, body))


def decades(low: float, high: float) -> tuple[float, float]:
    """The range widened to the ticks around it."""
    below = [tick for tick in _one_two_five() if tick <= low]
    above = [tick for tick in _one_two_five() if tick >= high]
    return max(below, default=low), min(above, default=high)


def ticks(low: float, high: float) -> list[float]:
    """The ones, twos and fives within the range."""
    return [tick for tick in _one_two_five() if low <= tick <= high]


def spread(positions: list[float], gap: float, low: float, high: float) -> list[float]:
    """Positions moved as little as keeps them `gap` apart, their order kept, below `high`."""
    order = sorted(range(len(positions)), key=positions.__getitem__)
    placed = list(positions)
    floor = low
    for index in order:
        placed[index] = floor = max(floor, placed[index])
        floor += gap
    ceiling = high
    for index in reversed(order):
        placed[index] = ceiling = min(ceiling, placed[index])
        ceiling -= gap
    return placed


def short(value: float) -> str:
    """A figure in about three digits."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _one_two_five() -> list[float]:
    return [step * 10.0**power for power in range(-4, 5) for step in (1, 2, 5)]


def _classes(number: int, line: Series) -> str:
    return f"c{number % _COLOURS}{' strong' if line.strong else ''}"


def _text(x: float, y: float, text: str, classes: str, anchor: str = "start") -> str:
    return (
        f'<text class="{classes}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">'
        f"{escape(text)}</text>"
    )


def _rule(left: float, right: float, y: float, classes: str, dash: str = "none") -> str:
    return (
        f'<line class="{classes}" x1="{left}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"'
        f' stroke-dasharray="{dash}"/>'
    )


def _document(title: str, height: int, body: list[str]) -> str:
    return "\n".join(
        [
            (
                f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}"'
                f' width="{WIDTH}" height="{height}" role="img">'
            ),
            f"<title>{escape(title)}</title>",
            f"<style>{_STYLE}.title {{ font-size: 16px; font-weight: 600; }}</style>",
            f'<rect class="page" width="{WIDTH}" height="{height}" rx="8"/>',
            *body,
            "</svg>\n",
        ]
    )
