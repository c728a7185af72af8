"""Holds a tun of the given name open until its standard input ends, as a VPN does."""

import fcntl
import struct
import sys

TUNSETIFF = 0x400454CA
IFF_TUN = 0x0001
IFF_NO_PI = 0x1000

with open("/dev/net/tun", "r+b", buffering=0) as tun:
    name = sys.argv[1].encode()
    fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH22x", name, IFF_TUN | IFF_NO_PI))
    print("open", flush=True)
    sys.stdin.read()
