"""Browses a service type with python-zeroconf and prints what it is told, one JSON line per event.

Usage: browse.py [TYPE]. Says "browsing" first. SIGTERM and SIGINT end it.
"""

import asyncio
import json
import signal
import sys
import time

from zeroconf import ServiceStateChange
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

RESOLVE_TIMEOUT_MS = 3000
KINDS = {
    ServiceStateChange.Added: "add",
    ServiceStateChange.Updated: "update",
    ServiceStateChange.Removed: "remove",
}


def text(raw):
    return None if raw is None else raw.decode("utf-8", "backslashreplace")


def report(kind, name, info):
    """Without `info`, the service is gone or could not be resolved."""
    event = {
        "event": kind,
        "tMs": time.monotonic() * 1000,
        "name": name,
        "addresses": info.parsed_addresses() if info else [],
        "port": info.port if info else None,
        "server": info.server if info else None,
        "properties": {text(key): text(value) for key, value in info.properties.items()} if info else {},
    }
    print(json.dumps(event), flush=True)


async def resolve(zeroconf, service_type, name, kind):
    info = AsyncServiceInfo(service_type, name)
    found = await info.async_request(zeroconf, RESOLVE_TIMEOUT_MS)
    report(kind, name, info if found else None)


async def main():
    service_type = sys.argv[1] if len(sys.argv) > 1 else "_lmserv._tcp.local."
    stop = asyncio.Event()
    resolving = set()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)

    def changed(zeroconf, service_type, name, state_change):
        if state_change is ServiceStateChange.Removed:
            report(KINDS[state_change], name, None)
            return
        task = asyncio.ensure_future(resolve(zeroconf, service_type, name, KINDS[state_change]))
        resolving.add(task)
        task.add_done_callback(resolving.discard)

    zeroconf = AsyncZeroconf()
    browser = AsyncServiceBrowser(zeroconf.zeroconf, service_type, handlers=[changed])
    print("browsing", flush=True)
    await stop.wait()
    await browser.async_cancel()
    await zeroconf.async_close()


asyncio.run(main())
