"""Where the peers' programs are, which versions they have, and where those from indexes live."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROGRAMS = ROOT / "bench" / "programs"
VENV = ROOT / ".venv-bench"
NODE_MODULES = VENV / "node" / "node_modules"
_REQUIREMENTS = ROOT / "bench" / "requirements.txt"
_PACKAGES = ROOT / "bench" / "package.json"
_VERSION = re.compile(r"\d+(?:\.\d+)+\S*")


def installed(name: str) -> str | None:
    """The path of a program of this system."""
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin:/sbin")


def in_bench_venv(name: str) -> str | None:
    """The path of a program in the peers' venv."""
    return shutil.which(name, path=VENV / "bin")


def in_product_venv(name: str) -> str | None:
    """The path of a program beside the Python that runs this, or in the working tree's .venv."""
    return shutil.which(name, path=os.pathsep.join((f"{sys.prefix}/bin", f"{ROOT}/.venv/bin")))


def prepare_venv() -> str | None:
    """Make the peers' venv, unless it is there and has what requirements.txt asks for.

    Returns:
        Why it could not be made, or None. The peers in it are then listed as missing.
    """
    pip = [str(VENV / "bin" / "pip"), "install", "--quiet", "--requirement", str(_REQUIREMENTS)]
    return _prepare(VENV, _REQUIREMENTS, [[sys.executable, "-m", "venv", str(VENV)], pip])


def prepare_node() -> str | None:
    """Install what package.json asks for beside the peers' venv, unless it is there.

    Returns:
        Why it could not be done, or None. The peers from npm are then listed as missing.
    """
    npm = installed("npm")
    if npm is None:
        return "npm is not installed"
    home = NODE_MODULES.parent
    home.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(_PACKAGES, home / _PACKAGES.name)
    quietly = ("--no-package-lock", "--no-audit", "--no-fund", "--loglevel=error")
    return _prepare(home, _PACKAGES, [[npm, "install", "--prefix", str(home), *quietly]])


def node_package_version(package: str) -> str | None:
    """The version of an installed package from npm."""
    with contextlib.suppress(OSError):
        facts = json.loads((NODE_MODULES / package / "package.json").read_text())
        return str(facts["version"])
    return None


def _prepare(home: Path, list_of_packages: Path, commands: list[list[str]]) -> str | None:
    wanted = hashlib.sha256(list_of_packages.read_bytes()).hexdigest()
    stamp = home / f"{list_of_packages.stem}.sha256"
    with contextlib.suppress(OSError):
        if stamp.read_text() == wanted:
            return None
    for command in commands:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            return (done.stderr.strip().splitlines() or ["no message"])[-1]
    (home / ".gitignore").write_text("*\n")
    stamp.write_text(wanted)
    return None


def first_version(text: str) -> str | None:
    """The first thing in `text` that looks like a version."""
    found = _VERSION.search(text)
    return found[0] if found else None


def version_from(program: str | None, *arguments: str) -> str | None:
    """The version a program says it has."""
    if program is None:
        return None
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        done = subprocess.run(
            [program, *arguments], capture_output=True, text=True, timeout=10, check=False
        )
        # What a program says when it fails is no version, and may hold a path.
        return None if done.returncode else first_version(done.stdout + done.stderr)
    return None


@functools.cache
def package_version(python: str | None, package: str) -> str | None:
    """The version of a package in the venv of that Python."""
    question = f"import importlib.metadata as m; print(m.version({package!r}))"
    return version_from(python, "-c", question)
