"""Bringing peers and works together: round by round, every work asks every peer in turn.

The order of the peers turns by one each round, so none always comes first or always after the same
neighbour.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from bench.machine import Strangers
from bench.model import VoidReadingError
from bench.process import NotStartedError, Trial
from bench.results import PeerFacts, Results, VoidReading

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from bench.model import Settings, Work
    from bench.peers import Peer

Item = TypeVar("Item")


def rotated(items: Sequence[Item], turns: int) -> list[Item]:
    """The items in their order, beginning `turns` later, around the end."""
    turns %= max(1, len(items))
    return [*items[turns:], *items[:turns]]


def muster(
    peers: list[Peer],
    folder: Path,
    settings: Settings,
    server_core: int,
    say: Callable[[str], None],
) -> tuple[list[Trial], list[PeerFacts]]:
    """Start every peer once, to know who takes part; who does not is named with the reason."""
    trials, facts = [], []
    for peer in peers:
        trial = Trial(peer, folder, settings, server_core)
        fact = PeerFacts(peer.name, peer.title, peer.note, peer.version(), peer.variant_of)
        try:
            with trial.server(next(iter(peer.services))):
                trials.append(trial)
        except NotStartedError as error:
            fact = replace(fact, absent=str(error))
            say(f"{peer.name}: {error}\n{error.output}".rstrip())
        facts.append(fact)
    return trials, facts


def run(
    trials: list[Trial],
    works: list[Work],
    results: Results,
    say: Callable[[str], None],
    after_round: Callable[[], None] = lambda: None,
) -> None:
    """Fill `results`, calling `after_round` each time a round is complete."""
    for round_index in range(results.rounds):
        for work in works:
            if work.once and round_index:
                continue
            able = [trial for trial in trials if work.needs in trial.peer.services]
            for trial in rotated(able, round_index):
                label = f"round {round_index + 1}/{results.rounds}, {work.name}, {trial.peer.name}"
                strangers = Strangers()
                try:
                    figures = work.measure(trial)
                except (VoidReadingError, NotStartedError, OSError) as error:
                    reason = _reason(error)
                    void = VoidReading(round_index + 1, trial.peer.name, work.name, reason)
                    results.voids.append(void)
                    say(f"{label}: void, {reason}")
                    continue
                results.strangers.append(strangers.share())
                for metric, value in figures.items():
                    results.record(round_index, trial.peer.name, metric, value)
                shown = ", ".join(f"{name} {value:,.3f}" for name, value in figures.items())
                say(f"{label}: {shown}")
        after_round()


def _reason(error: Exception) -> str:
    # The text of an OSError can hold a path; its kind says enough.
    if isinstance(error, OSError):
        return (
            "nothing came in time" if isinstance(error, BlockingIOError) else type(error).__name__
        )
    return str(error)
