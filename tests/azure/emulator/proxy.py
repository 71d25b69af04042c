"""An HTTP proxy that leads Azure's host names to this machine and refuses all others."""

import asyncio
import contextlib

from .faults import Faults
from .hosts import Part, part_of

_REFUSED = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
_CHUNK = 1 << 16


class Proxy:
    """Tunnels to the emulator and to Azurite, by the host's name."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self.ports: dict[Part, int] = {}
        self.refused_hosts: list[str] = []
        self._tunnels: dict[int, asyncio.StreamWriter] = {}
        self._server: asyncio.Server | None = None

    async def start(self) -> int:
        """Listen on 127.0.0.1 and return the port."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def stop(self) -> None:
        """Listen no more and cut what is open."""
        if self._server:
            self._server.close()
        for writer in list(self._tunnels.values()):
            writer.transport.abort()

    def cut(self, port: int) -> None:
        """Break the connection of the client whose tunnel leaves from this port."""
        if port in self._tunnels:
            self._tunnels[port].transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            method, target = head.split(" ", 2)[:2]
            host = target.rpartition(":")[0] if method == "CONNECT" else target
            part = part_of(host) if method == "CONNECT" else None
            if part is None:
                self.refused_hosts.append(host)
                writer.write(_REFUSED)
                await writer.drain()
                return
            if self._faults.take("CONNECT", host, "lost"):
                writer.transport.abort()
                return
            await self._tunnel(reader, writer, self.ports[part])
        except (OSError, asyncio.IncompleteReadError, ValueError):
            pass  # the client went away
        finally:
            writer.close()

    async def _tunnel(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int
    ) -> None:
        there, here = await asyncio.open_connection("127.0.0.1", port)
        own: int = here.get_extra_info("sockname")[1]
        self._tunnels[own] = writer
        try:
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            await asyncio.gather(_pump(reader, here), _pump(there, writer))
        finally:
            self._tunnels.pop(own, None)
            here.close()


async def _pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    """Pass on what comes until one side ends."""
    with contextlib.suppress(OSError):
        while data := await source.read(_CHUNK):
            target.write(data)
            await target.drain()
    with contextlib.suppress(OSError, RuntimeError):
        target.close()
