"""A router between namespaces: one TUN device for each address list, and
weather on the first of them, which is somebody's bad access to the network.

    router.py DEVICE=ADDRESS[,ADDRESS…] DEVICE=… …

The devices are made here and vanish with this process; whoever started it
moves and addresses them. Weather comes as lines of JSON on standard input:

    {"loss": 0.05, "delay": 0.05, "jitter": 0.01, "rate": 300000, "dark": false}

in shares, seconds and bit/s, each way alike; each line is answered by the
packets that passed and were dropped since the last. It ends with its input.
"""

import fcntl
import heapq
import json
import os
import random
import select
import socket
import struct
import sys
import time

TUNSETIFF = 0x400454CA
IFF_TUN, IFF_NO_PI = 0x0001, 0x1000
# How much the narrow place holds, in seconds.
QUEUE = 0.3

SEED = 0x5077000D


def device(name):
    fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    request = struct.pack("16sH22s", name.encode(), IFF_TUN | IFF_NO_PI, b"")
    fcntl.ioctl(fd, TUNSETIFF, request)
    return fd


class Router:
    def __init__(self, plan):
        self.fds, self.ways = [], {}
        for entry in plan:
            name, addresses = entry.split("=")
            fd = device(name)
            self.fds.append(fd)
            for address in addresses.split(","):
                self.ways[socket.inet_aton(address)] = fd
        self.bad = self.fds[0]
        self.weather = {}
        self.free = {True: 0.0, False: 0.0}
        self.waiting = []
        self.count = self.passed = self.dropped = 0
        self.dice = random.Random(SEED)

    def take(self, fd):
        for _ in range(64):
            try:
                packet = os.read(fd, 2048)
            except (BlockingIOError, OSError):
                return
            to = self.ways.get(packet[16:20]) if packet[0] >> 4 == 4 else None
            if to is None or to == fd:
                continue
            at = self.fate(fd == self.bad, len(packet)) if self.bad in (fd, to) else time.monotonic()
            if at is None:
                self.dropped += 1
                continue
            self.count += 1
            heapq.heappush(self.waiting, (at, self.count, to, packet))

    def fate(self, leaves, length):
        """When the packet arrives, if it does."""
        now, weather = time.monotonic(), self.weather
        if weather.get("dark") or self.dice.random() < weather.get("loss", 0):
            return None
        at = now
        if weather.get("rate"):
            start = max(self.free[leaves], now)
            if start - now > QUEUE:
                return None
            at = self.free[leaves] = start + length * 8 / weather["rate"]
        return at + weather.get("delay", 0) + self.dice.random() * weather.get("jitter", 0)

    def deliver(self):
        now = time.monotonic()
        while self.waiting and self.waiting[0][0] <= now:
            _, _, to, packet = heapq.heappop(self.waiting)
            try:
                os.write(to, packet)
                self.passed += 1
            except OSError:
                # The device is down, or being moved.
                self.dropped += 1

    def run(self):
        print(json.dumps({"seed": SEED}), flush=True)
        while True:
            wait = max(0.0, self.waiting[0][0] - time.monotonic()) if self.waiting else 1.0
            ready, _, _ = select.select([*self.fds, sys.stdin], [], [], wait)
            for fd in ready:
                if fd is not sys.stdin:
                    self.take(fd)
                    continue
                line = sys.stdin.readline()
                if not line:
                    return
                self.weather = json.loads(line)
                print(json.dumps({"passed": self.passed, "dropped": self.dropped}), flush=True)
                self.passed = self.dropped = 0
            self.deliver()


Router(sys.argv[1:]).run()
