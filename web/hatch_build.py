"""Builds the page before it is packed, so that whoever installs a wheel needs no npm."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

BUILT = "src/riverrun/web/build/manifest.json"


class BuildPage(BuildHookInterface[Any]):
    """Runs npm where the page is to be packed and is not there yet: not for an editable install."""

    def initialize(self, version: str, _build_data: dict[str, Any]) -> None:
        root = Path(self.root)
        if version == "editable" or (root / BUILT).exists():
            return
        for command in ("ci", "run build"):
            subprocess.run(["npm", *command.split()], cwd=root / "web", check=True)
