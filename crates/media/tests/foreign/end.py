"""The aiortc end of the interoperation tests: JSON lines in and out.

Sends a moving picture and a tone; decodes what comes and reports of it.
"""

import array
import asyncio
import fractions
import json
import math
import sys
import time

import aioice.ice
from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCPeerConnection,
    RTCSessionDescription,
    VideoStreamTrack,
)
from aiortc.sdp import candidate_from_sdp
from av import AudioFrame, VideoFrame

aioice.ice.get_host_addresses = lambda use_ipv4, use_ipv6: ["127.0.0.1"]

report = {"frames": 0, "width": 0, "loud": False}


def say(message):
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


class Bar(VideoStreamTrack):
    """A bar that wanders over grey."""

    number = 0

    async def recv(self):
        pts, time_base = await self.next_timestamp()
        width, height = 320, 240
        frame = VideoFrame(width, height, "yuv420p")
        at = (self.number * 4) % (width - 20)
        self.number += 1
        row = bytes([128] * at + [235] * 20 + [128] * (width - 20 - at))
        plane = frame.planes[0]
        pad = bytes(plane.line_size - width)
        plane.update((row + pad) * height)
        for chroma in frame.planes[1:]:
            chroma.update(bytes([128]) * chroma.buffer_size)
        frame.pts, frame.time_base = pts, time_base
        return frame


class Tone(MediaStreamTrack):
    kind = "audio"
    began = None
    samples = 0

    async def recv(self):
        if self.began is None:
            self.began = time.time()
        wait = self.began + self.samples / 48000 - time.time()
        if wait > 0:
            await asyncio.sleep(wait)
        frame = AudioFrame(format="s16", layout="mono", samples=960)
        wave = array.array("h")
        for i in range(960):
            wave.append(int(12000 * math.sin((self.samples + i) * 440 * math.tau / 48000)))
        frame.planes[0].update(wave.tobytes())
        frame.pts = self.samples
        frame.sample_rate = 48000
        frame.time_base = fractions.Fraction(1, 48000)
        self.samples += 960
        return frame


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
    pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    pc.createDataChannel("sotto", negotiated=True, id=0)
    pc.on("track", lambda track: asyncio.ensure_future(drain(track)))
    for track in [Tone(), Bar(), Bar()]:
        pc.addTrack(track)

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
