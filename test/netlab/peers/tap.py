"""Prints every UDP datagram from or to port 5353 that passes an interface, as one JSON line.

Usage: tap.py INTERFACE. Says "tapping" first. When standard input ends it prints what has already arrived and
ends: with code 0, or with 1 when the kernel had no room for a frame.
"""

import base64
import json
import select
import socket
import struct
import sys
import time

ETH_P_ALL = 3
SOL_PACKET, PACKET_ADD_MEMBERSHIP, PACKET_STATISTICS, PACKET_MR_PROMISC = 263, 1, 6, 1
SO_TIMESTAMPNS = 35
UDP, IPV6_FRAGMENT, MDNS = 17, 44, 5353


def mac(raw):
    return ":".join(f"{byte:02x}" for byte in raw)


def ipv4(packet):
    """Source, destination, TTL, whether it is a fragment, and what follows; None unless it starts a UDP datagram."""
    fragment = struct.unpack_from("!H", packet, 6)[0]
    if packet[9] != UDP or fragment & 0x1FFF:
        return None
    src, dst = (socket.inet_ntop(socket.AF_INET, packet[i : i + 4]) for i in (12, 16))
    end = struct.unpack_from("!H", packet, 2)[0]
    return src, dst, packet[8], bool(fragment & 0x2000), packet[(packet[0] & 15) * 4 : end]


def ipv6(packet):
    """The same for IPv6."""
    length, protocol, limit = struct.unpack_from("!HBB", packet, 4)
    body, fragment = packet[40 : 40 + length], False
    if protocol == IPV6_FRAGMENT:
        protocol, offset = body[0], struct.unpack_from("!H", body, 2)[0]
        body, fragment = body[8:], True
        if offset & 0xFFF8:
            return None
    if protocol != UDP:
        return None
    src, dst = (socket.inet_ntop(socket.AF_INET6, packet[i : i + 16]) for i in (8, 24))
    return src, dst, limit, fragment, body


def describe(frame, outgoing, now):
    """The frame as a record; None if it is something else."""
    parse = {0x0800: ipv4, 0x86DD: ipv6}.get(struct.unpack_from("!H", frame, 12)[0])
    parsed = parse(frame[14:]) if parse else None
    if parsed is None:
        return None
    src, dst, ttl, fragment, datagram = parsed
    sport, dport, length = struct.unpack_from("!HHH", datagram)
    if MDNS not in (sport, dport):
        return None
    return {
        "tMs": now * 1000,
        "outgoing": outgoing,
        "srcMac": mac(frame[6:12]),
        "dstMac": mac(frame[0:6]),
        "src": src,
        "dst": dst,
        "sport": sport,
        "dport": dport,
        "ttl": ttl,
        "fragment": fragment,
        "payload": base64.b64encode(datagram[8:length]).decode(),
    }


def monotonic(stamp):
    """The monotonic time of a kernel's time stamp, which is a wall time."""
    while True:
        before, wall, after = time.monotonic(), time.time(), time.monotonic()
        if after - before < 1e-4:  # Or else this process was interrupted between the two.
            return before - (wall - stamp)


def record(tap):
    frame, ancillary, _, address = tap.recvmsg(65535, 64)
    # When the frame passed, however late this process comes to read it.
    seconds, nanoseconds = struct.unpack("qq", ancillary[0][2])
    try:
        packet = describe(frame, address[2] == socket.PACKET_OUTGOING, monotonic(seconds + nanoseconds / 1e9))
    except (struct.error, IndexError):
        return  # Too short for what it claims to be: not a datagram.
    if packet is not None:
        print(json.dumps(packet), flush=True)


def arrived(tap):
    """Records what waits in the socket."""
    try:
        while True:
            record(tap)
    except BlockingIOError:
        pass


def main():
    interface = sys.argv[1]
    tap = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    tap.setblocking(False)
    tap.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 24)
    tap.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    # A bridge hands up unicast between its ports only to the promiscuous.
    membership = struct.pack("IHH8s", socket.if_nametoindex(interface), PACKET_MR_PROMISC, 0, b"")
    tap.setsockopt(SOL_PACKET, PACKET_ADD_MEMBERSHIP, membership)
    tap.bind((interface, ETH_P_ALL))
    print("tapping", flush=True)
    while sys.stdin not in select.select([tap, sys.stdin], [], [])[0]:
        arrived(tap)
    arrived(tap)
    _, dropped = struct.unpack("II", tap.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8))
    if dropped:
        sys.exit(f"the kernel dropped {dropped} frames")


if __name__ == "__main__":
    main()
