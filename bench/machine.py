"""What a reader must know about the machine to weigh the figures."""

from __future__ import annotations

import os
import platform
import time
from pathlib import Path

from bench.folder import file_system_of

CONGESTION_CONTROL = Path("/proc/sys/net/ipv4/tcp_congestion_control")


def cpu_model(cpuinfo: str) -> str:
    """The model name in the text of /proc/cpuinfo, with the family where the name says little."""
    fields: dict[str, str] = {}
    for line in cpuinfo.splitlines():
        name, separator, value = line.partition(":")
        if separator:
            fields.setdefault(name.strip(), value.strip())
    model = fields.get("model name", platform.machine())
    if "cpu family" in fields:
        model += f" (family {fields['cpu family']}, model {fields.get('model', '?')})"
    return model


def parse_busy_seconds(stat: str, ticks: int) -> float:
    """Seconds that all cores together were not idle, from the text of /proc/stat (proc(5))."""
    user, nice, system, _idle, _waiting, *interrupts = map(int, stat.split("\n", 1)[0].split()[1:9])
    return (user + nice + system + sum(interrupts)) / ticks


class Strangers:
    """The cores' time that went neither to this process nor to the servers and loads it ran.

    Counted from construction, over children that have been waited for; what remains is other
    programs, the kernel's own threads, and a host that took the core away.
    """

    def __init__(self) -> None:
        self._busy, self._ours, self._began = self._now()

    def share(self) -> float:
        """Their part of one core since construction; it can reach the number of cores."""
        busy, ours, now = self._now()
        return max(0.0, (busy - self._busy) - (ours - self._ours)) / max(now - self._began, 1e-3)

    @staticmethod
    def _now() -> tuple[float, float, float]:
        busy = parse_busy_seconds(Path("/proc/stat").read_text(), os.sysconf("SC_CLK_TCK"))
        return busy, sum(os.times()[:4]), time.perf_counter()


def facts(folder: Path) -> dict[str, str]:
    """CPU, cores, kernel and its network, memory, file system of the served folder, Python."""
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "CPU": cpu_model(Path("/proc/cpuinfo").read_text()),
        "Cores": f"{os.cpu_count()}: one for the server, another for the load",
        "Kernel": f"{platform.system()} {platform.release()}",
        "Congestion control": CONGESTION_CONTROL.read_text().strip(),
        "Memory": f"{pages / 2**30:.0f} GiB",
        "File system": file_system_of(folder.resolve(), Path("/proc/mounts").read_text()),
        "Python": platform.python_version(),
    }
