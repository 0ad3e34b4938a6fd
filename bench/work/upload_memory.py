"""The memory that one very long upload takes at its peak."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench import uploads
from bench.folder import SIZES, bring_into_page_cache, file_name
from bench.model import Metric, Target
from bench.peers import UPLOADS
from bench.work.tables import UPLOAD_COST

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.process import Trial

SOURCE = "1GiB"
FIRST = "1MiB"
MEMORY = Metric("upload memory", "A long upload", "KiB", UPLOAD_COST, "lower")


@dataclass(frozen=True)
class UploadMemory:
    """One PUT, ten times as long as the file it is sent from."""

    name: str = "upload-memory"
    needs: str = UPLOADS
    quick: bool = False
    once: bool = True
    metrics: tuple[Metric, ...] = (MEMORY,)
    targets: tuple[Target, ...] = (
        Target(
            "Memory a long upload takes",
            (MEMORY.name,),
            against=None,
            at_most=1024,
            unit="KiB",
            digits=0,
        ),
    )
    method: str = (
        "A long upload: one PUT of 10 GiB to disk, or of 4 GiB where fewer than 15 GiB are free"
        " (how many is among the settings below), sent by sendfile. Memory is the peak of the"
        " resident set size of the server's tree, as the kernel keeps it, less what it was on the"
        " idle server before, which had taken one upload of 1 MiB. The page cache belongs to the"
        " kernel and is in no peer's figure. It is measured in the first round only."
    )

    def measure(self, trial: Trial) -> Mapping[str, float]:
        """The peak during the upload, less the peak after a small one."""
        bring_into_page_cache(trial.folder / file_name(SOURCE))
        size = trial.settings.long_upload_gib << 30
        os.sync()
        with trial.server(self.needs) as server:
            # Beforehand, so that what a server loads on first use is not counted.
            uploads.put(server, trial.folder / file_name(FIRST), SIZES[FIRST])
            uploads.stored_file(server.folder, SIZES[FIRST]).unlink()
            server.forget_peak()
            before = server.peak_bytes()
            uploads.put(server, trial.folder / file_name(SOURCE), size)
            after = server.peak_bytes()
            uploads.stored_file(server.folder, size).unlink()
        os.sync()
        return {MEMORY.name: (after - before) / 1024}


WORKS = (UploadMemory(),)
