"""Runs a command in a terminal of its own, presses keys there, and then ends the command by SIGTERM to it alone.

Usage: terminal-keys.py KEYS COMMAND... Waits for a line "ready" first, and for one more line after each key. Prints the
lines and the exit code.
"""

import os
import pty
import signal
import sys

keys, *command = sys.argv[1:]
child, terminal = pty.fork()
if child == 0:
    os.execvp(command[0], command)

printed = ""


def read():
    global printed
    try:
        data = os.read(terminal, 4096)
    except OSError:
        data = b""
    printed += data.decode()
    return data != b""


def lines():
    return [line.split("^")[-1].lstrip("C\\") for line in printed.splitlines() if "SIG" in line]


while "ready" not in printed:
    read()
for count, key in enumerate(keys, 1):
    os.write(terminal, key.encode())
    while len(lines()) < count:
        read()
os.kill(child, signal.SIGTERM)
while read():
    pass
_, status = os.waitpid(child, 0)
print(" ".join(lines()), os.waitstatus_to_exitcode(status))
