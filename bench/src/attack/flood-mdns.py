"""Floods a LAN with announcements of _lmserv._tcp by multicast DNS, from made-up sources.

Usage: flood.py INTERFACE FRAMES PER_SECOND SOURCES [ID...]. The sources are the addresses from 10.77.1.0 on. Each frame
is a whole node of its own; with IDs it says that it is one of these. Prints "done" when all frames have left.
"""

import random
import socket
import struct
import sys
import time

PTR, TXT, SRV, A = 12, 16, 33, 1
INTERNET, FLUSH = 1, 0x8001
SERVICE = b"\x07_lmserv\x04_tcp\x05local\x00"
FIRST_SOURCE = 10 << 24 | 77 << 16 | 1 << 8


def text(value):
    return bytes([len(value)]) + value


def record(name, kind, ttl, data, of=FLUSH):
    return name + struct.pack("!HHIH", kind, of, ttl, len(data)) + data


def node(source, ids):
    """A node with a name, a host and an endpoint of its own at the address of the source."""
    unique = b"%016x" % random.getrandbits(64)
    instance = text(b"flood-" + unique) + SERVICE
    host = text(b"host-" + unique) + b"\x05local\x00"
    location = struct.pack("!HHH", 0, 0, random.randrange(1, 65536)) + host
    identity = random.choice(ids) if ids else unique * 2
    answers = [
        record(SERVICE, PTR, 4500, instance, INTERNET),
        record(instance, SRV, 120, location),
        record(instance, TXT, 4500, text(b"info=flood") + text(b"id=" + identity)),
        record(host, A, 120, source),
    ]
    return struct.pack("!6H", 0, 0x8400, 0, len(answers), 0, 0) + b"".join(answers)


def checksum(data):
    total = sum(struct.unpack("!10H", data))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF


def frame(mac, source, payload):
    """The datagram to the group."""
    datagram = struct.pack("!4H", 5353, 5353, 8 + len(payload), 0) + payload
    fields = [0x45, 0, 20 + len(datagram), random.getrandbits(16), 0, 255, 17, 0, source, b"\xe0\x00\x00\xfb"]
    fields[7] = checksum(struct.pack("!BBHHHBBH4s4s", *fields))
    header = struct.pack("!BBHHHBBH4s4s", *fields)
    return b"\x01\x00\x5e\x00\x00\xfb" + mac + b"\x08\x00" + header + datagram


def main():
    interface = sys.argv[1]
    frames, per_second, sources = map(int, sys.argv[2:5])
    ids = [one.encode() for one in sys.argv[5:]]
    raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    raw.bind((interface, 0))
    mac = raw.getsockname()[4]
    begin = time.monotonic()
    for number in range(frames):
        source = (FIRST_SOURCE + number % sources).to_bytes(4, "big")
        raw.send(frame(mac, source, node(source, ids)))
        ahead = begin + (number + 1) / per_second - time.monotonic()
        if ahead > 0.005:
            time.sleep(ahead)
    print("done", flush=True)


main()
