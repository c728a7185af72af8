"""Peer program of python-zeroconf. Usage: zeroconf_peer.py ADDRESS."""

import asyncio
import socket
import sys

from program import SERVICE_TYPE, now, parse, report
from zeroconf import ServiceInfo, ServiceStateChange
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

TYPE = f"{SERVICE_TYPE}.local."
RESOLVE_TIMEOUT_MS = 3000


class Peer:
    def __init__(self):
        self.zeroconf = None
        self.service = None
        self.browser = None
        self.infos = {}
        self.tasks = set()

    def keep(self, work):
        """Runs beside the rest; asyncio itself would let it be collected."""
        task = asyncio.ensure_future(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def obey(self, command, order):
        start = now()
        self.zeroconf = self.zeroconf or AsyncZeroconf()
        called = now()
        stamps = {"tMs": called, "openMs": called - start}
        if command == "announce":
            report("announcing", **stamps)
            await self.announce(order["info"], order["port"])
        elif command == "browse":
            self.browser = AsyncServiceBrowser(self.zeroconf.zeroconf, TYPE, handlers=[self.changed])
            report("browsing", **stamps)
        elif command == "goodbye":
            report("leaving", **stamps)
            self.keep(self.zeroconf.async_unregister_service(self.service))

    async def announce(self, info, port):
        self.service = ServiceInfo(
            TYPE,
            f"{info}.{TYPE}",
            addresses=[socket.inet_aton(sys.argv[1])],
            port=port,
            properties={"info": info},
            server=f"{info}.local.",
        )
        self.keep(await self.zeroconf.async_register_service(self.service))
        report("announced", tMs=now())

    def changed(self, zeroconf, service_type, name, state_change):
        if state_change is ServiceStateChange.Added:
            self.keep(self.resolve(name))
        elif state_change is ServiceStateChange.Removed and name in self.infos:
            report("down", tMs=now(), info=self.infos.pop(name))

    async def resolve(self, name):
        info = AsyncServiceInfo(TYPE, name)
        if await info.async_request(self.zeroconf.zeroconf, RESOLVE_TIMEOUT_MS):
            text = (info.properties.get(b"info") or b"").decode()
            report("up", tMs=now(), info=text)
            self.infos[name] = text


async def main():
    peer = Peer()
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    report("ready")
    while line := await reader.readline():
        await peer.obey(*parse(line))


asyncio.run(main())
