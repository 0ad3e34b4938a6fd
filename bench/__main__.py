"""The command line: python -m bench."""

from __future__ import annotations

import argparse
import datetime as dt
import os
import shlex
import shutil
import signal
import sys
import tempfile
import time
from dataclasses import asdict, replace
from pathlib import Path

from bench import folder, machine, page, peers, rounds, work
from bench.model import Settings
from bench.results import Results
from bench.tools import ROOT, prepare_node, prepare_venv

PAGE = ROOT / "docs" / "benchmarks.md"
_PATH_OPTIONS = ("--json", "--page", "--render", "--folder")


def main(arguments: list[str]) -> int:
    """Run what the arguments ask for; returns the exit status."""
    options = _parser().parse_args(arguments)
    if options.render:
        _show(Results.from_json(options.render.read_text()), options.page or PAGE)
        return 0
    try:
        chosen_peers = peers.choose(_names(options.only))
        chosen_works = work.choose(_names(options.work), quick=options.quick)
    except ValueError as error:
        return _refuse(str(error))
    if reason := _unfit(options.server_core, options.load_core):
        return _refuse(reason)
    if reason := prepare_venv():
        _say(f"the peers' venv could not be made: {reason}")
    if reason := prepare_node():
        _say(f"the peers from npm could not be installed: {reason}")
    # Ended from outside, this still leaves no server behind: every `with` runs to its end.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    os.sched_setaffinity(0, {options.load_core})
    # A server of ours is not compiled anew with each start, as `make` sees to as well.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    settings = Settings.quick() if options.quick else Settings()
    partial = options.quick or options.only or options.work
    target = options.page or (None if partial else PAGE)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=options.folder) as name:
        served = Path(name)
        room = folder.long_upload_gib(shutil.disk_usage(served).free, settings.long_upload_gib)
        settings = replace(settings, long_upload_gib=room)
        folder.fill(served)
        trials, facts = rounds.muster(chosen_peers, served, settings, options.server_core, _say)
        results = Results(
            rounds=options.rounds or (2 if options.quick else 5),
            command=command_without_paths(arguments),
            date=_today(),
            machine=machine.facts(served),
            settings=asdict(settings),
            methods=list(dict.fromkeys(each.method for each in chosen_works)),
            peers=facts,
        )

        def keep() -> None:
            results.date = _today()
            if options.json:
                options.json.write_text(results.to_json())

        began = time.perf_counter()
        rounds.run(trials, chosen_works, results, _say, after_round=keep)
        _say(f"done in {time.perf_counter() - began:.0f} s")
    _show(results, target)
    return 0


def command_without_paths(arguments: list[str]) -> str:
    """The command for the page: what changes the figures, not where files are on this machine."""
    kept, skip = [], False
    for argument in arguments:
        if skip:
            skip = False
        elif argument in _PATH_OPTIONS:
            skip = True
        elif argument.partition("=")[0] not in _PATH_OPTIONS:
            kept.append(argument)
    return shlex.join(["python", "-m", "bench", *kept])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m bench",
        description="The peers, side by side. A whole run writes docs/benchmarks.md; a partial one"
        " (--quick, --only, --work) prints its tables.",
        epilog=f"peers: {', '.join(peer.name for peer in peers.PEERS)};"
        f" works: {', '.join(each.name for each in work.ALL)}",
        allow_abbrev=False,
    )
    parser.add_argument("--quick", action="store_true", help="fewer seconds, part of the works")
    parser.add_argument("--only", metavar="PEER,PEER", help="these peers, and nginx")
    parser.add_argument("--work", metavar="NAME,NAME", help="these works")
    parser.add_argument("--rounds", type=int, metavar="N", help="5, or 2 with --quick")
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep every reading there")
    parser.add_argument("--page", type=Path, metavar="FILE", help="write the page there")
    parser.add_argument(
        "--render", type=Path, metavar="FILE", help="write the page from kept readings; run nothing"
    )
    parser.add_argument("--folder", type=Path, help="make the served files below it")
    parser.add_argument("--server-core", type=int, default=0, metavar="N")
    parser.add_argument("--load-core", type=int, default=1, metavar="N")
    return parser


def _names(text: str | None) -> list[str] | None:
    return text.split(",") if text else None


def _unfit(server_core: int, load_core: int) -> str | None:
    if not sys.platform.startswith("linux"):
        return "this needs Linux (/proc, taskset)"
    if missing := [name for name in ("taskset", "wrk") if not shutil.which(name)]:
        return f"not installed: {', '.join(missing)}"
    if not {server_core, load_core} <= os.sched_getaffinity(0) or server_core == load_core:
        return f"cores {server_core} and {load_core} are not two cores of this machine"
    return None


def _show(results: Results, target: Path | None) -> None:
    if target is None:
        print(page.text(results))
    else:
        page.write(results, target)
        _say(f"wrote {target.name}")


def _today() -> str:
    return dt.datetime.now(dt.UTC).date().isoformat()


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _refuse(reason: str) -> int:
    _say(f"bench: {reason}")
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
