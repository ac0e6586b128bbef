"""A slow link: a proxy on the loopback that holds back what passes, both ways."""

import asyncio
import threading

LOOPBACK = "127.0.0.1"


class Link:
    """Passes bytes to a port of this machine, each chunk later by `delay` seconds.

    Attributes
    ----------
    delay : float
        How long a chunk is held back on its way; may be changed at any time.
    port : int
        Where it listens.
    """

    def __init__(self, port: int):
        self.delay = 0.0
        self._to = port
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        server = self._do(asyncio.start_server(self._connected, LOOPBACK, 0))
        self.port: int = server.sockets[0].getsockname()[1]

    def close(self) -> None:
        """End every connection."""
        self._do(self._cancel())
        self._loop.call_soon_threadsafe(self._loop.stop)

    def _do(self, work):
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _cancel(self) -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _connected(self, *near: asyncio.StreamReader | asyncio.StreamWriter) -> None:
        far = await asyncio.open_connection(LOOPBACK, self._to)
        await asyncio.gather(self._pass(near[0], far[1]), self._pass(far[0], near[1]))

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass chunks on in their order, each `delay` seconds after it came."""
        chunks: asyncio.Queue = asyncio.Queue()
        sending = asyncio.create_task(self._send(chunks, writer))
        try:
            while chunk := await reader.read(65536):
                chunks.put_nowait((self._loop.time() + self.delay, chunk))
        except ConnectionError:
            pass
        chunks.put_nowait((0.0, b""))
        await sending

    async def _send(self, chunks: asyncio.Queue, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                due, chunk = await chunks.get()
                if not chunk:
                    break
                await asyncio.sleep(max(due - self._loop.time(), 0))
                writer.write(chunk)
                await writer.drain()
        except ConnectionError:
            pass
        writer.close()
