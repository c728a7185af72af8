"""Floods a LAN with multicast DNS packets from made-up sources.

Usage: flood.py INTERFACE KIND COUNT SOURCES NETWORK. The sources are the first SOURCES addresses from .50 on of
NETWORK, a /24 such as 10.77.0. Prints "done" when COUNT packets have left.
"""

import random
import socket
import struct
import sys
import time

PTR, TXT, SRV, A = 12, 16, 33, 1
INTERNET, TOP_BIT = 1, 0x8000
RESPONSE = 0x8400
PER_SECOND = 5000
SERVICE = b"\x07_lmserv\x04_tcp\x05local\x00"


def text(value):
    return bytes([len(value)]) + value


def record(name, kind, ttl, data, flush=0):
    return name + struct.pack("!HHIH", kind, INTERNET | flush, ttl, len(data)) + data


def message(flags, questions=(), answers=()):
    head = struct.pack("!6H", 0, flags, len(questions), len(answers), 0, 0)
    return head + b"".join(questions) + b"".join(answers)


def question(unicast=0):
    return SERVICE + struct.pack("!HH", PTR, INTERNET | unicast)


def node():
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
        record(instance, TXT, 4500, text(b"info=flood") + identity, TOP_BIT),
        record(host, A, 120, address, TOP_BIT),
    ]


KINDS = {
    "nodes": lambda: message(RESPONSE, answers=node()),
    "garbage": lambda: random.randbytes(random.randrange(1400)),
    "direct-asks": lambda: message(0, [question(TOP_BIT)]),
    "legacy-asks": lambda: message(0, [question()]),
}


def checksum(data):
    total = sum(struct.unpack("!10H", data))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF


def frame(mac, source, port, payload):
    """The datagram to the group."""
    datagram = struct.pack("!4H", port, 5353, 8 + len(payload), 0) + payload
    fields = [0x45, 0, 20 + len(datagram), random.getrandbits(16), 0, 255, 17, 0, source, b"\xe0\x00\x00\xfb"]
    fields[7] = checksum(struct.pack("!BBHHHBBH4s4s", *fields))
    header = struct.pack("!BBHHHBBH4s4s", *fields)
    return b"\x01\x00\x5e\x00\x00\xfb" + mac + b"\x08\x00" + header + datagram


def main():
    interface, kind = sys.argv[1:3]
    count, sources = map(int, sys.argv[3:5])
    network = bytes(map(int, sys.argv[5].split(".")))
    raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    raw.bind((interface, 0))
    mac = raw.getsockname()[4]
    port = 40000 if kind == "legacy-asks" else 5353
    begin = time.monotonic()
    for number in range(count):
        source = network + bytes([50 + number % sources])
        raw.send(frame(mac, source, port, KINDS[kind]()))
        ahead = begin + (number + 1) / PER_SECOND - time.monotonic()
        if ahead > 0.005:
            time.sleep(ahead)
    print("done", flush=True)


main()
