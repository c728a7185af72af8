"""Peer program of a running avahi-daemon: its own tools, with a time put on each line of theirs.

The time starts before avahi-browse or avahi-publish does, whose start (some ms) counts as theirs.
"""

import re
import subprocess
import threading

from program import SERVICE_TYPE, now, orders, report

infos = {}


def start(*command):
    """Runs a tool, which ends with this program; the stamps are of the call."""
    stamps = {"tMs": now(), "openMs": 0}
    command = ("setpriv", "--pdeathsig", "KILL", *command)
    tool = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return tool, stamps


def follow(tool, handle):
    def read():
        for line in tool.stdout:
            handle(line, now())

    threading.Thread(target=read, daemon=True).start()


def browsed(line, time_ms):
    event, _, _, name = (line.split(";") + [""] * 3)[:4]
    text = re.search(r'"info=([^"]*)"', line)
    if event == "=" and text and name not in infos:
        infos[name] = text[1]
        report("up", tMs=time_ms, info=text[1])
    elif event == "-" and name in infos:
        report("down", tMs=time_ms, info=infos.pop(name))


def published(line, time_ms):
    if line.startswith("Established under name"):
        report("announced", tMs=time_ms)


def main():
    publisher = None
    for command, order in orders():
        if command == "announce":
            info = order["info"]
            publisher, stamps = start("avahi-publish", "-s", info, SERVICE_TYPE, str(order["port"]), f"info={info}")
            report("announcing", **stamps)
            follow(publisher, published)
        elif command == "browse":
            browser, stamps = start("avahi-browse", "-pr", SERVICE_TYPE)
            report("browsing", **stamps)
            follow(browser, browsed)
        elif command == "goodbye":
            report("leaving", tMs=now(), openMs=0)
            publisher.terminate()


main()
