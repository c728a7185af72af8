"""The Python side of the protocol in src/protocol.ts: stamps and reports, hands on what is ordered."""

import json
import threading
import sys
import time

SERVICE_TYPE = "_lmserv._tcp"
printing = threading.Lock()


def now():
    """Monotonic ms of this machine: the scale of Node's process.hrtime."""
    return time.monotonic() * 1000


def report(event, **fields):
    with printing:
        print(json.dumps({"event": event, **fields}), flush=True)


def parse(line):
    """The order's command and the whole order."""
    order = json.loads(line)
    return order["command"], order


def orders():
    """Yields what is ordered until standard input ends."""
    report("ready")
    for line in sys.stdin:
        yield parse(line)
