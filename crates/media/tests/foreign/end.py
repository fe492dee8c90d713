"""The aiortc end of the interoperation tests: JSON lines in and out.

Sends a moving picture and a tone; decodes what comes and reports of it.
"""

import array
import asyncio
import json
import sys

from aiortc import RTCSessionDescription
from aiortc.sdp import candidate_from_sdp
from tracks import Camera, Tone, connection

WIDTH, HEIGHT = 320, 240

report = {"frames": 0, "width": 0, "loud": False}


def say(message):
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def bar(number, plane):
    """A bar that wanders over grey."""
    at = (number * 4) % (WIDTH - 20)
    row = bytes([128] * at + [235] * 20 + [128] * (WIDTH - 20 - at))
    pad = bytes(plane.line_size - WIDTH)
    return (row + pad) * HEIGHT


async def drain(track):
    while True:
        frame = await track.recv()
        if track.kind == "video":
            report["frames"] += 1
            report["width"] = frame.width
        else:
            wave = array.array("h", bytes(frame.planes[0]))
            if max(map(abs, wave), default=0) > 1000:
                report["loud"] = True


async def main():
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=1 << 20)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    pc = connection()
    pc.createDataChannel("sotto", negotiated=True, id=0)
    pc.on("track", lambda track: asyncio.ensure_future(drain(track)))
    pc.addTrack(Tone())
    for _ in ["camera", "screen"]:
        pc.addTrack(Camera(WIDTH, HEIGHT, bar))

    async def tell():
        while True:
            await asyncio.sleep(0.2)
            say({"report": report})

    teller = asyncio.ensure_future(tell())

    async def describe(description):
        await pc.setLocalDescription(description)
        local = pc.localDescription
        say({"description": {"type": local.type, "sdp": local.sdp}})

    early = []
    while line := await reader.readline():
        message = json.loads(line)
        if message.get("offer"):
            await describe(await pc.createOffer())
        if theirs := message.get("description"):
            await pc.setRemoteDescription(RTCSessionDescription(theirs["sdp"], theirs["type"]))
            if theirs["type"] == "offer":
                await describe(await pc.createAnswer())
        if ours := message.get("candidate"):
            early.append(ours)
        if pc.remoteDescription:
            for ours in early:
                if " 127.0.0.1 " not in ours["line"]:
                    continue
                candidate = candidate_from_sdp(ours["line"].removeprefix("candidate:"))
                candidate.sdpMid = ours["mid"]
                await pc.addIceCandidate(candidate)
            early.clear()
    teller.cancel()
    await pc.close()


asyncio.run(main())
