"""What is read from /proc, and from the text of other tools."""

from pathlib import Path

import pytest
from bench.process import Site

from bench import folder, machine, peers, process, tools

STAT = (
    "4711 (a (b) c) S 42 4711 4711 0 -1 4194560 497 0 3 0 250 150 30 20 20 0 1 0 110718 10502144"
    " 1662 18446744073709551615"
)


def test_cpu_counts_children_that_were_waited_for() -> None:
    assert process.parse_stat(STAT, ticks=100) == process.Stat(parent=42, cpu_seconds=4.5)


def test_pss_is_read_in_bytes() -> None:
    assert process.parse_pss("5555-6666 ---p\nRss:  900 kB\nPss:  120 kB\nPss_Dirty: 1 kB\n") == (
        120 * 1024
    )


def test_the_peak_is_read_in_bytes() -> None:
    assert process.parse_peak("VmPeak: 900 kB\nVmHWM:\t  120 kB\nVmRSS:\t 80 kB\n") == 120 * 1024


def test_the_tree_is_everything_below_its_root() -> None:
    parents = {2: 1, 3: 2, 4: 3, 5: 1, 6: 4}
    assert sorted(process.descendants(2, parents)) == [2, 3, 4, 6]


def test_the_innermost_mount_decides_the_file_system() -> None:
    mounts = "/dev/a / ext4 rw 0 0\ntmpfs /tmp tmpfs rw 0 0\ntmpfs /tmpfoo xfs rw 0 0\n"
    assert folder.file_system_of(Path("/tmp/x"), mounts) == "tmpfs"
    assert folder.file_system_of(Path("/srv"), mounts) == "ext4"


def test_a_core_is_busy_when_neither_idle_nor_waiting() -> None:
    text = "cpu  100 10 200 9000 700 5 15 70 0 0\ncpu0 1 1 1 1 1 1 1 1 0 0\n"
    assert machine.parse_busy_seconds(text, ticks=100) == 4.0


def test_the_cpu_is_named_by_model_and_family() -> None:
    text = "model name\t: A Chip\ncpu family\t: 26\nmodel\t\t: 2\n\nmodel name\t: A Chip\n"
    assert machine.cpu_model(text) == "A Chip (family 26, model 2)"


@pytest.mark.parametrize(
    ("text", "version"),
    [("nginx version: nginx/1.22.1\n", "1.22.1"), ("v20.20.2\n", "20.20.2"), ("none", None)],
)
def test_a_version_is_found_in_what_a_program_prints(text: str, version: str | None) -> None:
    assert tools.first_version(text) == version


def test_a_program_that_fails_has_no_version() -> None:
    assert tools.version_from("/bin/sh", "-c", "echo 1.2.3; exit 1") is None
    assert tools.version_from("/bin/sh", "-c", "echo 1.2.3") == "1.2.3"


def test_nginx_is_configured_for_this_work() -> None:
    site = Site(Path("/srv/files"), Path("/srv/scratch"), 4000)
    text = peers.nginx_configuration(site, as_root=False)
    for line in ("worker_processes 1;", "sendfile on;", "tcp_nopush on;", "access_log off;"):
        assert line in text
    assert "listen 127.0.0.1:4000;" in text
    assert "user root;" not in text
    assert "user root;" in peers.nginx_configuration(site, as_root=True)


def test_nginx_changes_files_only_where_it_is_to_take_them(tmp_path: Path) -> None:
    site = Site(tmp_path, tmp_path, 4000)
    nginx = peers.PEERS[0]
    for ability, expected in ((peers.FILES, False), (peers.UPLOADS, True)):
        nginx.services[ability].arguments(site)
        text = (tmp_path / "nginx.conf").read_text()
        assert ("dav_methods PUT;" in text) is expected


@pytest.mark.parametrize(
    ("free_gib", "wanted", "size"), [(100, 10, 10), (15, 10, 10), (14, 10, 4), (14, 2, 2)]
)
def test_a_long_upload_is_shorter_where_the_disk_has_no_room(
    free_gib: int, wanted: int, size: int
) -> None:
    assert folder.long_upload_gib(free_gib << 30, wanted) == size
