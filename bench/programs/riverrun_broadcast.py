"""A channel in memory: what is posted to /channel/publish goes to all who read /channel/events.

Usage: python riverrun_broadcast.py FOLDER PORT
"""

import sys

import riverrun

broadcast = riverrun.Broadcast()


async def channel(request: riverrun.Request, response: riverrun.Response) -> None:
    if request.method == "POST":
        broadcast.publish(riverrun.render_event(await request.text()))
        await response.end()
        return
    events = response.events()
    while not broadcast.ended:  # nothing is kept: who falls behind goes on with what comes
        await broadcast.follow(events.response, broadcast.position)


riverrun.run(channel, port=int(sys.argv[2]))
