"""`riverrun put`: files, folders and what comes on standard input go to a server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from riverrun.cli.screen import Screen, size_of
from riverrun.cli.transfers import (
    FailedError,
    Transfers,
    TransferSettings,
    counted,
    run_transfers,
)
from riverrun.client import (
    Check,
    LocalFile,
    Session,
    Uploaded,
    UploadOptions,
    forget_done,
    upload,
    upload_stream,
    walk_folder,
)
from riverrun.client.descriptor_source import DescriptorSource
from riverrun.client.names import below, is_folder
from riverrun.client.session import parse_address
from riverrun.errors import RiverrunError
from riverrun.io.threads import in_thread

INPUT: Final = "standard input"
STANDARD_INPUT: Final = 0
CHECKS = {
    Check.VERIFIED: "digest verified",
    Check.GIVEN: "accepted with its digest",
    Check.UNKNOWN: "the server gives no digest to check",
}


def put_files(
    names: tuple[str, ...],
    url: str,
    settings: TransferSettings,
    *,
    overwrite: bool,
    piece_size: int | None,
) -> None:
    """Put the files and folders `names` at `url`, or below it if that ends in a slash."""
    screen = Screen(quiet=settings.quiet)
    transfers = Transfers(screen, several=False)
    run_transfers(
        screen,
        transfers,
        _put(names, url, settings, screen, transfers, UploadOptions(overwrite, piece_size)),
    )


def put_input(
    url: str, settings: TransferSettings, *, overwrite: bool, piece_size: int | None
) -> None:
    """Put what comes on standard input at `url`."""
    if is_folder(str(parse_address(url))):
        raise FailedError(f"{url}: standard input has no name; end the address with one")
    screen = Screen(quiet=settings.quiet)
    transfers = Transfers(screen, several=False)
    options = UploadOptions(overwrite, piece_size)
    run_transfers(screen, transfers, _put_input(url, settings, screen, transfers, options))


async def _put_input(
    url: str,
    settings: TransferSettings,
    screen: Screen,
    transfers: Transfers,
    options: UploadOptions,
) -> None:
    view = transfers.start(INPUT)
    source = DescriptorSource(STANDARD_INPUT)
    try:
        async with Session(settings.patience) as session:
            put = await upload_stream(
                source.chunks(), url, progress=view, session=session, options=options
            )
    except (OSError, RiverrunError) as error:
        transfers.fail(INPUT, error)
        return
    finally:
        source.stop()
    transfers.succeed(put.size)
    screen.line(_told(INPUT, put))


async def _put(
    names: tuple[str, ...],
    url: str,
    settings: TransferSettings,
    screen: Screen,
    transfers: Transfers,
    options: UploadOptions,
) -> None:
    address = str(parse_address(url))
    files = await in_thread(lambda: list(_locate(names, address)))
    transfers.several = len(files) > 1
    if transfers.several:
        options = UploadOptions(options.overwrite, options.piece_size, keep_records=True)
        screen.expect(len(files), sum(file.size for file in files))
    already = 0
    async with Session(settings.patience) as session:
        for file in files:
            view = transfers.start(file.path.name)
            try:
                put = await upload(
                    file.path, file.url, progress=view, session=session, options=options
                )
            except (OSError, RiverrunError) as error:
                transfers.fail(str(file.path), error)
                continue
            already += put.already
            transfers.succeed(put.size)
            if not transfers.several or put.resumed_at:
                screen.line(_told(str(file.path), put))
    if transfers.several:
        if not transfers.failed:
            await in_thread(lambda: forget_done([(file.path, file.url) for file in files], options))
        screen.line(_summary(names, files, already, transfers.failed, address))
    elif not files:
        screen.line(f"{', '.join(names)}: there are no files in it")


def _locate(names: tuple[str, ...], url: str) -> Iterator[LocalFile]:
    """The files that are meant, and where each goes. Raises `FailedError` and `OSError`."""
    if len(names) > 1 and not is_folder(url):
        raise FailedError(f"{url}: several files go to a folder; end its address with a slash")
    for name in names:
        path = Path(name)
        target = _address_of(path, url)
        if path.is_dir():
            yield from walk_folder(path, target)
        else:
            yield LocalFile(path, target, path.stat().st_size)


def _told(name: str, put: Uploaded) -> str:
    text = f"{name}: {size_of(put.size)} at {put.url}"
    if put.already:
        text += ", was there already"
    if put.resumed_at:
        text += f", went on from {size_of(put.resumed_at)}"
    if put.lost:
        text += f", {counted(put.lost, 'lost connection')}"
    return f"{text}, {CHECKS[put.check]}"


def _summary(
    names: tuple[str, ...], files: list[LocalFile], already: int, failed: int, url: str
) -> str:
    size = size_of(sum(file.size for file in files))
    text = f"{counted(len(files) - failed, 'file')}, {size}"
    if len(names) == 1:  # a folder
        text = f"{names[0]}: {text} at {_address_of(Path(names[0]), url)}".rstrip("/") + "/"
    else:
        text = f"{url}: {text}"
    if already:
        text += f", {already} of them {'was' if already == 1 else 'were'} there already"
    return text


def _address_of(path: Path, url: str) -> str:
    """Where a file or a folder goes: below `url` if that is the address of a folder."""
    return below(url, path.resolve().name) if is_folder(url) else url
