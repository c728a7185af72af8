"""Prints the source of each TCP connection that is asked for at a port: connection-tap.py INTERFACE PORT."""

import socket
import sys

interface, port = sys.argv[1], int(sys.argv[2])
IPV4, TCP, SYN, ACK = 0x0800, 6, 0x02, 0x10

tap = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(IPV4))
tap.bind((interface, IPV4))
print("tapping", flush=True)
while True:
    packet = tap.recv(65_535)
    segment = packet[4 * (packet[0] & 0x0F) :]
    if packet[9] == TCP and int.from_bytes(segment[2:4], "big") == port and segment[13] & (SYN | ACK) == SYN:
        print(socket.inet_ntoa(packet[12:16]), flush=True)
