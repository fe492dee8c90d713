"""What an end of aiortc sends when it talks to us or to its own kind: pictures
that move and a tone. Ends are on loopback and ask no server who they are.
"""

import array
import asyncio
import fractions
import math
import time

import aioice.ice
from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCPeerConnection,
    VideoStreamTrack,
)
from av import AudioFrame, VideoFrame

aioice.ice.get_host_addresses = lambda use_ipv4, use_ipv6: ["127.0.0.1"]

RATE = 48000
# A whole number of waves: where it ends it begins.
SECOND = array.array(
    "h", (int(12000 * math.sin(i * 440 * math.tau / RATE)) for i in range(RATE))
)


def connection():
    return RTCPeerConnection(RTCConfiguration(iceServers=[]))


class Camera(VideoStreamTrack):
    """Pictures without color. `luma(number, plane)` draws what is bright."""

    def __init__(self, width, height, luma):
        super().__init__()
        self.size = (width, height)
        self.luma = luma
        self.number = 0

    async def recv(self):
        pts, time_base = await self.next_timestamp()
        frame = VideoFrame(*self.size, "yuv420p")
        bright, *colors = frame.planes
        bright.update(self.luma(self.number, bright))
        for plane in colors:
            plane.update(b"\x80" * plane.buffer_size)
        self.number += 1
        frame.pts, frame.time_base = pts, time_base
        return frame


class Tone(MediaStreamTrack):
    kind = "audio"
    began = None
    samples = 0

    async def recv(self):
        if self.began is None:
            self.began = time.time()
        await asyncio.sleep(max(0, self.began + self.samples / RATE - time.time()))
        frame = AudioFrame(format="s16", layout="mono", samples=960)
        at = self.samples % RATE
        frame.planes[0].update(SECOND[at : at + 960].tobytes())
        frame.pts, frame.sample_rate = self.samples, RATE
        frame.time_base = fractions.Fraction(1, RATE)
        self.samples += 960
        return frame
