import signal
import socket
import subprocess
import sys

# Takes a UDP port away from whoever has it, and keeps it: the sockets there are destroyed until theirs is the port no
# more, and no other can be opened before this ends.

port = int(sys.argv[1])


def take(family, anywhere):
    while True:
        one = socket.socket(family, socket.SOCK_DGRAM)
        if family == socket.AF_INET6:
            one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        try:
            one.bind((anywhere, port))
            return one
        except OSError:
            one.close()
            subprocess.run(["ss", "-K", "-n", "-a", "-u", f"sport = :{port}"], check=True, stdout=2)


taken = [take(socket.AF_INET, "0.0.0.0"), take(socket.AF_INET6, "::")]
print("taken", flush=True)
signal.pause()
