"""`riverrun get`: a file or a folder of a server comes here."""

from __future__ import annotations

from pathlib import Path

from riverrun.cli.screen import Screen, size_of
from riverrun.cli.transfers import Transfers, TransferSettings, counted, run_transfers
from riverrun.client import (
    DescriptorSink,
    Download,
    FolderError,
    RemoteFile,
    Session,
    download,
    fetch,
    is_same,
    walk,
)
from riverrun.client.names import is_folder, name_of
from riverrun.client.part_file import part_names
from riverrun.client.session import parse_address
from riverrun.errors import RiverrunError
from riverrun.io.threads import in_thread

STANDARD_OUTPUT = 1
TO_STANDARD_OUTPUT = "-"


def get_files(url: str, file: str | None, settings: TransferSettings) -> None:
    """Get what is at `url`, to `file`."""
    screen = Screen(quiet=settings.quiet)
    transfers = Transfers(screen, several=False)
    getting = _Getting(url, file, settings, screen, transfers)
    run_transfers(screen, transfers, getting.run())


class _Getting:
    """One `riverrun get`."""

    def __init__(
        self,
        url: str,
        file: str | None,
        settings: TransferSettings,
        screen: Screen,
        transfers: Transfers,
    ) -> None:
        self._url = url
        self._file = file
        self._settings = settings
        self._screen = screen
        self._transfers = transfers

    async def run(self) -> None:
        url = str(parse_address(self._url))
        async with Session(self._settings.patience) as session:
            if self._file == TO_STANDARD_OUTPUT:
                await self._write_out(url, session)
            elif is_folder(url):
                await self._get_folder(url, session)
            else:
                try:
                    await self._get_file(url, self._destination(url), session)
                except FolderError as error:
                    await self._get_folder(error.url, session)

    async def _write_out(self, url: str, session: Session) -> None:
        view = self._transfers.start(url)
        try:
            if is_folder(url):
                raise FolderError(url)
            fetched = await fetch(url, DescriptorSink(STANDARD_OUTPUT), session, view)
        except (OSError, RiverrunError) as error:
            self._transfers.fail("standard output" if isinstance(error, OSError) else url, error)
        else:
            self._transfers.succeed(fetched.size)
            if fetched.lost or fetched.verified:
                self._screen.line(_summary(url, fetched.size, 0, fetched.lost, fetched.verified))

    async def _get_file(self, url: str, path: Path, session: Session) -> None:
        view = self._transfers.start(path.name)
        try:
            got = await download(url, path, progress=view, session=session)
        except FolderError:
            raise
        except (OSError, RiverrunError) as error:
            self._transfers.fail(url, error)
            return
        self._transfers.succeed(got.size)
        if not self._transfers.several or got.resumed_at:
            self._screen.line(_told(got))

    async def _get_folder(self, url: str, session: Session) -> None:
        folder = Path(self._file or name_of(url))
        files: list[RemoteFile] = []
        async for found in walk(url, session, self._screen.file(url)):
            if isinstance(found, RemoteFile):
                files.append(found)
            else:
                place = folder / found
                await in_thread(lambda: place.mkdir(parents=True, exist_ok=True))  # noqa: B023
        self._transfers.several = True
        self._screen.expect(len(files), sum(file.size or 0 for file in files))
        already = 0
        for file in files:
            path = folder / file.path
            if await in_thread(lambda: _is_here(path, file)):  # noqa: B023
                already += 1
                self._transfers.succeed(file.size or 0)
                continue
            try:
                await self._get_file(file.url, path, session)
            except FolderError as error:  # it was a file when the folder was listed
                self._transfers.fail(file.url, error)
        size = sum(file.size or 0 for file in files)
        text = f"{folder}: {counted(len(files) - self._transfers.failed, 'file')}, {size_of(size)}"
        if already:
            text += f", {already} of them were here already"
        self._screen.line(text)

    def _destination(self, url: str) -> Path:
        if self._file is None:
            return Path(name_of(url))
        path = Path(self._file)
        return path / name_of(url) if path.is_dir() or self._file.endswith("/") else path


def _is_here(path: Path, file: RemoteFile) -> bool:
    """Whether an earlier run has got the file, as far as its folder's listing tells."""
    part, _ = part_names(path)
    return is_same(path, file.size, file.modified) and not part.exists()


def _told(got: Download) -> str:
    if got.already:
        check = ", digest verified" if got.verified else ""
        return f"{got.path}: is here already, {size_of(got.size)}{check}"
    return _summary(str(got.path), got.size, got.resumed_at, got.lost, got.verified)


def _summary(name: str, size: int, resumed_at: int, lost: int, verified: bool) -> str:
    text = f"{name}: {size_of(size)}"
    if resumed_at:
        text += f", went on from {size_of(resumed_at)}"
    if lost:
        text += f", {counted(lost, 'lost connection')}"
    return text + (", digest verified" if verified else ", the server gives no digest to check")
