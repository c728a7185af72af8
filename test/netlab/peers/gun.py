"""Sends UDP datagrams from an interface: one order per line of standard input, "sent" or the error per line out.

Usage: gun.py INTERFACE. An order is JSON: payload (base64), to, toPort, from ("" for any), fromPort, ttl.
"""

import base64
import json
import socket
import struct
import sys

sockets = {}


def open_socket(interface, family, address, port, ttl):
    """A socket that shares its port and whose datagrams, multicast ones too, leave by the interface."""
    index = socket.if_nametoindex(interface)
    gun = socket.socket(family, socket.SOCK_DGRAM)
    gun.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    gun.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    if family == socket.AF_INET:
        gun.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, struct.pack("4s4si", b"", b"", index))
        gun.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, ttl)
        gun.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, ttl)
        gun.bind((address, port))
    else:
        gun.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        gun.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
        gun.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, ttl)
        gun.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, ttl)
        gun.bind((address, port, 0, index if address.startswith("fe80:") else 0))
    return gun


def fire(interface, order):
    family = socket.AF_INET6 if ":" in order["to"] else socket.AF_INET
    key = (family, order["from"], order["fromPort"], order["ttl"])
    if key not in sockets:
        sockets[key] = open_socket(interface, *key)
    target = (order["to"].partition("%")[0], order["toPort"])
    if family == socket.AF_INET6:
        target += (0, socket.if_nametoindex(interface))
    sockets[key].sendto(base64.b64decode(order["payload"]), target)


def main():
    print("ready", flush=True)
    for line in sys.stdin:
        try:
            fire(sys.argv[1], json.loads(line))
            print("sent", flush=True)
        except OSError as error:
            print(error, flush=True)


if __name__ == "__main__":
    main()
