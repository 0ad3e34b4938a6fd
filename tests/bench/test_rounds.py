"""Who is asked what, in which order, and what becomes of failures."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from bench.model import Metric, Settings, Target, VoidReadingError
from bench.process import Trial
from bench.results import Results

from bench import __main__, peers, rounds, work


@dataclass
class Fake:
    """A work that writes down whom it was asked of, and fails for one of them."""

    name: str = "fake"
    needs: str = peers.FILES
    quick: bool = True
    once: bool = False
    method: str = "so"
    metrics: tuple[Metric, ...] = ()
    targets: tuple[Target, ...] = ()
    asked: list[str] = field(default_factory=list)

    def measure(self, trial: Trial) -> Mapping[str, float]:
        self.asked.append(trial.peer.name)
        if trial.peer.name == "caddy":
            raise VoidReadingError("socket errors")
        if trial.peer.name == "node":
            raise FileNotFoundError("/a/path/of/this/machine")
        return {"figure": float(len(self.asked))}


def ask(names: list[str], count: int, fake: Fake) -> Results:
    results = Results(count, "c", "d", {}, {}, [], [])
    trials = [Trial(peer, Path(), Settings(), 0) for peer in peers.choose(names)]
    rounds.run(trials, [fake], results, say=lambda _: None)
    return results


def test_every_round_visits_every_peer_in_a_rotated_order() -> None:
    fake = Fake()
    ask(["granian", "aiohttp"], 3, fake)
    assert fake.asked == [
        *("nginx", "granian", "aiohttp"),
        *("granian", "aiohttp", "nginx"),
        *("aiohttp", "nginx", "granian"),
    ]


def test_a_work_that_takes_long_is_asked_for_in_the_first_round_only() -> None:
    fake = Fake(once=True)
    results = ask(["granian"], 3, fake)
    assert fake.asked == ["nginx", "granian"]
    assert results.values("figure", "granian") == [2.0]


def test_a_failure_is_recorded_without_any_path_and_the_rest_goes_on() -> None:
    results = ask(["caddy", "node"], 1, Fake())
    assert [(void.peer, void.reason) for void in results.voids] == [
        ("caddy", "socket errors"),
        ("node", "FileNotFoundError"),
    ]
    assert results.values("figure", "nginx") == [1.0]


def test_a_peer_is_not_asked_for_work_it_cannot_do() -> None:
    fake = Fake(needs=peers.TUS)
    ask(["caddy"], 1, fake)
    assert fake.asked == []


def test_a_peer_is_asked_for_every_work_that_it_has_a_service_for() -> None:
    fake = Fake(needs=peers.TUS)
    ask(["tus-node", "riverrun"], 1, fake)
    assert fake.asked == ["tus-node", "riverrun"]


def test_nginx_takes_part_in_every_run() -> None:
    assert [peer.name for peer in peers.choose(["node"])] == ["nginx", "node"]


def test_unknown_names_are_refused() -> None:
    with pytest.raises(ValueError, match="no peer named nobody"):
        peers.choose(["nobody"])
    with pytest.raises(ValueError, match="no work named nothing"):
        work.choose(["nothing"], quick=False)


def test_a_quick_run_is_a_part_of_a_whole_one() -> None:
    quick = work.choose(None, quick=True)
    assert 0 < len(quick) < len(work.choose(None, quick=False)) == len(work.ALL)


def test_names_of_works_and_metrics_are_unique_and_targets_know_them() -> None:
    names = [each.name for each in work.ALL]
    metrics = [metric.name for metric in work.METRICS]
    assert len(set(names)) == len(names)
    assert len(set(metrics)) == len(metrics)
    assert {name for target in work.TARGETS for name in target.metrics} <= set(metrics)
    assert all((t.at_least is None) != (t.at_most is None) for t in work.TARGETS)


def test_the_command_on_the_page_names_no_file() -> None:
    arguments = ["--rounds", "3", "--json", "/x/y", "--page=/z", "--quick"]
    assert __main__.command_without_paths(arguments) == "python -m bench --rounds 3 --quick"
