"""Floods a LAN with multicast DNS packets from made-up sources.

Usage: flood.py INTERFACE KIND COUNT PER_SECOND SOURCES [NETWORK]. The sources are the first SOURCES addresses from
.50 on of NETWORK, a /24 such as the default 10.77.0. Prints "done" when COUNT packets have left.
"""

import random
import socket
import struct
import sys
import time

PTR, TXT, SRV, A = 12, 16, 33, 1
INTERNET, TOP_BIT = 1, 0x8000
RESPONSE, TRUNCATED = 0x8400, 0x0200
SERVICE = b"\x07_lmserv\x04_tcp\x05local\x00"
TO_SERVICE = b"\xc0\x0c"
MAX_FRAGMENT = 1480


def text(value):
    return bytes([len(value)]) + value


def record(name, kind, ttl, data, flush=0):
    return name + struct.pack("!HHIH", kind, INTERNET | flush, ttl, len(data)) + data


def message(flags, questions=(), answers=()):
    head = struct.pack("!6H", 0, flags, len(questions), len(answers), 0, 0)
    return head + b"".join(questions) + b"".join(answers)


def question(unicast=0):
    return SERVICE + struct.pack("!HH", PTR, INTERNET | unicast)


def node(*strings):
    """A node like any other, with an identity, a name, a host and an endpoint of its own."""
    unique = b"%016x" % random.getrandbits(64)
    instance = text(b"flood-" + unique) + SERVICE
    host = text(b"host-" + unique) + b"\x05local\x00"
    location = struct.pack("!HHH", 0, 0, random.randrange(1, 65536)) + host
    identity = text(b"id=" + unique * 2)
    address = bytes([10, 77, 0, random.randrange(50, 250)])
    return [
        record(SERVICE, PTR, 4500, instance),
        record(instance, SRV, 120, location, TOP_BIT),
        record(instance, TXT, 4500, text(b"info=flood") + identity + b"".join(map(text, strings)), TOP_BIT),
        record(host, A, 120, address, TOP_BIT),
    ]


def pointer():
    return record(SERVICE, PTR, 4500, text(b"%016x" % random.getrandbits(64)) + SERVICE)


def known_answer():
    return record(TO_SERVICE, PTR, 4500, text(b"%010x" % random.getrandbits(40)) + TO_SERVICE)


def half_garbage():
    counts = [random.randrange(4) for _ in range(4)]
    return struct.pack("!6H", 0, random.choice((0, RESPONSE)), *counts) + random.randbytes(random.randrange(1000))


KINDS = {
    "nodes": lambda: message(RESPONSE, answers=node()),
    "fat-nodes": lambda: message(RESPONSE, answers=node(*(b"%03x" % key for key in range(2000)))),
    "pointers": lambda: message(RESPONSE, answers=[pointer()]),
    "garbage": lambda: random.randbytes(random.randrange(1400)),
    "half-garbage": half_garbage,
    "asks": lambda: message(0, [question()]),
    "direct-asks": lambda: message(0, [question(TOP_BIT)]),
    "legacy-asks": lambda: message(0, [question()]),
    "endless-asks": lambda: message(TRUNCATED, [question()], [known_answer() for _ in range(50)]),
}


def checksum(data):
    total = sum(struct.unpack("!10H", data))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF


def frames(mac, source, port, payload):
    """The datagram to the group, in as many fragments as it takes."""
    datagram = struct.pack("!4H", port, 5353, 8 + len(payload), 0) + payload
    number = random.getrandbits(16)
    for start in range(0, len(datagram), MAX_FRAGMENT):
        part = datagram[start : start + MAX_FRAGMENT]
        more = 0x2000 if start + MAX_FRAGMENT < len(datagram) else 0
        fields = [0x45, 0, 20 + len(part), number, more | start // 8, 255, 17, 0, source, b"\xe0\x00\x00\xfb"]
        fields[7] = checksum(struct.pack("!BBHHHBBH4s4s", *fields))
        yield b"\x01\x00\x5e\x00\x00\xfb" + mac + b"\x08\x00" + struct.pack("!BBHHHBBH4s4s", *fields) + part


def main():
    interface, kind = sys.argv[1:3]
    count, per_second, sources = map(int, sys.argv[3:6])
    network = bytes(map(int, (sys.argv[6:] or ["10.77.0"])[0].split(".")))
    raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    raw.bind((interface, 0))
    mac = raw.getsockname()[4]
    port = 40000 if kind == "legacy-asks" else 5353
    begin = time.monotonic()
    for number in range(count):
        source = network + bytes([50 + number % sources])
        for frame in frames(mac, source, port, KINDS[kind]()):
            raw.send(frame)
        ahead = begin + (number + 1) / per_second - time.monotonic()
        if ahead > 0.005:
            time.sleep(ahead)
    print("done", flush=True)


main()
