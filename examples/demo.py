"""What `make serve` serves: a folder with something of everything, open to be changed.

The folder is a copy in `.cache/demo`, so that it can be changed without harm; what was uploaded
into it stays. Below `/river/` the pictures are sent 1000 bytes at a time with a rest of 10 ms after
each, all else as fast as it goes. A program beside the server, `gauge.py`, keeps a log and a stream
growing.

    python examples/demo.py [--port 4000] [--folder .cache/demo]
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Awaitable
from contextlib import ExitStack
from pathlib import Path
from shutil import copytree

from gauge import YEAR, YEAR_BEGAN, lines_between

import riverrun
from riverrun.apps.mounts import Mounts
from riverrun.cli.folder import CHANGES, STREAMS, FolderSettings, open_folder
from riverrun.server import Vitals

EXAMPLES = Path(__file__).resolve().parent
FOLDER = EXAMPLES.parent / ".cache" / "demo"
LITTLE_BY_LITTLE = riverrun.Shape(chunk_size=1000, delay=0.01)
PICTURES = (".jpg", ".webp")
MINUTE = 60.0


def prepare(folder: Path) -> None:
    """Fill the folder; what is there and is not ours stays as it is."""
    copytree(EXAMPLES / "demo", folder, dirs_exist_ok=True)
    copytree(EXAMPLES / "river", folder / "river", dirs_exist_ok=True)
    for name in ("archive", "live"):
        (folder / name).mkdir(exist_ok=True)
    archive = folder / "archive" / "year.log"
    if not archive.exists():
        print("A year of a gauge is being measured; that takes some seconds, once", flush=True)
        with archive.with_suffix(".new").open("w") as log:
            log.writelines(lines_between(YEAR_BEGAN, YEAR_BEGAN + YEAR, MINUTE))
        archive.with_suffix(".new").rename(archive)


def demo(folder: Path, flows: riverrun.Flows, vitals: Vitals) -> riverrun.Handler:
    """The folder as `riverrun serve` has it, and the river little by little."""
    settings = FolderSettings(
        hidden=False,
        cors=None,
        allow=frozenset((*CHANGES, STREAMS, "steer")),
        upload_size=None,
        upload_expiry=None,
        keep_free=None,
        page=True,
    )
    everything = open_folder(str(folder), settings, flows, vitals)

    def river(request: riverrun.Request, response: riverrun.Response) -> Awaitable[None]:
        if request.url.path.endswith(PICTURES):
            response.flow.shape = LITTLE_BY_LITTLE
        return everything(request, response)

    return Mounts(everything, {"/river": river})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=4000)
    parser.add_argument("--folder", type=Path, default=FOLDER)
    options = parser.parse_args()
    prepare(options.folder)
    with ExitStack() as running:

        def started(server: riverrun.Server) -> None:
            address = f"http://127.0.0.1:{server.port}/"
            log, stream = options.folder / "live" / "gauge.log", f"{address}v1/stream/gauge"
            gauge = [sys.executable, EXAMPLES / "gauge.py", log, stream]
            running.callback(subprocess.Popen(gauge).terminate)  # noqa: S603 - ours
            print(f"{address}       pictures, a film, sound, streams; drop files on it")
            print(f"{address}river/ the same server at 1000 bytes every 10 ms")
            print("Ctrl-C stops", flush=True)

        flows, vitals = riverrun.Flows(), Vitals()
        riverrun.run(
            demo(options.folder, flows, vitals),
            port=options.port,
            options=riverrun.Options(flows=flows, vitals=vitals),
            started=started,
        )


if __name__ == "__main__":
    main()
