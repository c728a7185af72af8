"""python-zeroconf over IPv6 alone.

Usage: zeroconf-ipv6.py ADDRESS INFO. Announces port 9000 at ADDRESS in the shape of the Python original and
prints "ready"; then prints "found INFO ADDRESS..." for whatever it finds. Killed when done.
"""

import asyncio
import socket
import sys

from zeroconf import IPVersion, ServiceInfo, ServiceStateChange
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

TYPE = "_lmserv._tcp.local."


async def resolve(zeroconf, name):
    info = AsyncServiceInfo(TYPE, name)
    if await info.async_request(zeroconf, 3000):
        addresses = info.parsed_addresses(IPVersion.V6Only)
        print("found", info.properties[b"info"].decode(), *addresses, flush=True)


async def main():
    address, text = sys.argv[1:]
    resolving = set()

    def changed(zeroconf, service_type, name, state_change):
        if state_change is ServiceStateChange.Added:
            task = asyncio.ensure_future(resolve(zeroconf, name))
            resolving.add(task)
            task.add_done_callback(resolving.discard)

    info = ServiceInfo(
        TYPE,
        f"{text}.{TYPE}",
        addresses=[socket.inet_pton(socket.AF_INET6, address)],
        port=9000,
        properties={"info": text},
    )
    node = AsyncZeroconf(ip_version=IPVersion.V6Only)
    await node.async_register_service(info)
    print("ready", flush=True)
    browser = AsyncServiceBrowser(node.zeroconf, TYPE, handlers=[changed])
    await asyncio.Event().wait()
    await browser.async_cancel()


asyncio.run(main())
