"""Two aiortc ends in one process, on loopback: how long it takes from an offer
that is accepted to the first picture that the answerer decodes.

Prints {"first_frame_ms": [...]}, one value for each call.
"""

import asyncio
import json
import sys
import time

from tracks import Camera, Tone, connection

CALLS = int(sys.argv[1]) if len(sys.argv) > 1 else 9


def band(number, plane):
    """Grey, with a band at the top that changes."""
    bright = plane.line_size * 40
    level = bytes([16 + number % 200])
    return level * bright + b"\x80" * (plane.buffer_size - bright)


async def call():
    alice, bob = connection(), connection()
    for pc in (alice, bob):
        pc.addTrack(Camera(1280, 720, band))
        pc.addTrack(Tone())
    seen = asyncio.get_running_loop().create_future()

    async def watch(track):
        await track.recv()
        if not seen.done():
            seen.set_result(time.perf_counter())

    @bob.on("track")
    def took(track):
        if track.kind == "video":
            asyncio.ensure_future(watch(track))

    await alice.setLocalDescription(await alice.createOffer())

    accepted = time.perf_counter()
    await bob.setRemoteDescription(alice.localDescription)
    await bob.setLocalDescription(await bob.createAnswer())
    await alice.setRemoteDescription(bob.localDescription)
    first = await seen - accepted
    await asyncio.gather(alice.close(), bob.close())
    return first * 1000


async def main():
    print(json.dumps({"first_frame_ms": [await call() for _ in range(CALLS)]}))


asyncio.run(main())
