"""Runs a command in a terminal of its own and closes that when the command has printed TEXT.

Usage: closed-terminal.py TEXT COMMAND... Prints by which signal the command ended, or its exit code.
"""

import os
import pty
import sys

text, *command = sys.argv[1:]
child, terminal = pty.fork()
if child == 0:
    os.execvp(command[0], command)

printed = b""
while text.encode() not in printed:
    printed += os.read(terminal, 4096)
os.close(terminal)

_, status = os.waitpid(child, 0)
if os.WIFSIGNALED(status):
    print(f"signal {os.WTERMSIG(status)}")
else:
    print(f"code {os.WEXITSTATUS(status)}")
