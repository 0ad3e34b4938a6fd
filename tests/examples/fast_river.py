"""The river's program without the rest between two chunks, for files of any size."""

import asyncio
import sys
from pathlib import Path

import riverrun

PICTURE = Path(sys.argv[2])
SIZE = PICTURE.stat().st_size


async def river(request: riverrun.Request, response: riverrun.Response) -> None:
    response.headers["content-length"] = str(SIZE)
    async with riverrun.open_file(PICTURE, high_water_mark=65536) as source:
        async for chunk in source:
            await response.write(chunk)
            source.pause()
            await asyncio.sleep(0)
            source.resume()
    await response.end()


if __name__ == "__main__":
    riverrun.run(river, host="127.0.0.1", port=int(sys.argv[1]))
