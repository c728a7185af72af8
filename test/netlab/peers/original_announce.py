"""Announces one LLM server in the wire shape of the Python original, on python-zeroconf.

The SRV target is the instance name itself, there is one A record, and TXT holds `info` alone. Prints "ready"
when the name is probed and the first announcement is leaving. SIGTERM and SIGINT say goodbye.
"""

import argparse
import asyncio
import signal
import socket

from zeroconf import ServiceInfo
from zeroconf.asyncio import AsyncZeroconf

TYPE = "_lmserv._tcp.local."


def parse_arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--name", default=socket.gethostname())
    parser.add_argument("--address", required=True)
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--info", default=socket.gethostname())
    return parser.parse_args()


async def main():
    arguments = parse_arguments()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    # Without a server name of its own, zeroconf takes the instance name.
    info = ServiceInfo(
        TYPE,
        f"{arguments.name}.{TYPE}",
        addresses=[socket.inet_aton(arguments.address)],
        port=arguments.port,
        properties={"info": arguments.info},
    )
    announcer = AsyncZeroconf()
    announcing = await announcer.async_register_service(info)
    print("ready", flush=True)
    await stop.wait()
    announcing.cancel()
    await announcer.async_unregister_all_services()
    await announcer.async_close()


asyncio.run(main())
