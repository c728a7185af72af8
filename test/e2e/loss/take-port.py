import signal
import socket
import subprocess
import sys

# Takes a port away from whoever has it, and keeps it: the sockets there are destroyed until theirs is the port no more,
# and no other can be opened before this ends. A port of TCP is taken on one interface, so that nobody listens elsewhere.

protocol, port = sys.argv[1], int(sys.argv[2])
kind, own = {
    "udp": (socket.SOCK_DGRAM, ["-a", "-u"]),
    "tcp": (socket.SOCK_STREAM, ["-t", "state", "listening"]),
}[protocol]


def take(family, anywhere):
    while True:
        one = socket.socket(family, kind)
        if family == socket.AF_INET6:
            one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if protocol == "tcp":
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, sys.argv[3].encode())
        try:
            one.bind((anywhere, port))
            if protocol == "tcp":
                one.listen()
            return one
        except OSError:
            one.close()
            subprocess.run(["ss", "-K", "-n", *own, f"sport = :{port}"], check=True, stdout=2)


taken = [take(socket.AF_INET, "0.0.0.0"), take(socket.AF_INET6, "::")]
print("taken", flush=True)
signal.pause()
