"""A picture that appears while it loads: open http://127.0.0.1:4000/ and watch the river run.

Each chunk is written, then the source rests for 10 ms. The picture comes from `draw_river.py`.
"""

import asyncio
import sys
from pathlib import Path

import riverrun

PICTURE = Path(__file__).parent / "river" / "river.webp"
SIZE = PICTURE.stat().st_size


async def river(request: riverrun.Request, response: riverrun.Response) -> None:
    response.headers["content-type"] = "image/webp"
    response.headers["content-length"] = str(SIZE)
    response.headers["access-control-allow-origin"] = "*"
    async with riverrun.open_file(PICTURE, high_water_mark=1000) as source:
        async for chunk in source:
            await response.write(chunk)
            source.pause()
            await asyncio.sleep(0.01)
            source.resume()
    await response.end()


if __name__ == "__main__":
    riverrun.run(river, host="127.0.0.1", port=int(sys.argv[1]) if sys.argv[1:] else 4000)
