"""The socket of one open item in one tab: commands in, replies, masks and news out."""

import asyncio
import json
import logging
from collections import deque
from collections.abc import Sequence

from starlette.websockets import WebSocket, WebSocketDisconnect

from masklet.errors import InvalidInputError
from masklet.server.commands import Command, Preview
from masklet.server.dispatch import WITHOUT_CHANGE, handled, parsed
from masklet.server.events import News
from masklet.server.live_feed import LiveFeed
from masklet.server.open_items import OpenItem
from masklet.server.packets import Kind, Packet
from masklet.server.problems import Problem, of_full_disk
from masklet.server.replies import ErrorMessage, Reply
from masklet.server.service import Service

FLOODING, TOO_SLOW, TOO_BIG, FAULT, REFUSED = 4429, 1013, 1009, 1011, 1003
_LONGEST_REASON = 100  # characters; a close frame has 123 bytes
_DROPPED_FIRST = (Kind.PREVIEW,)
_WITHHELD = (Kind.TRACK,)


class Outbox:
    """What is still to be sent; at most so many bytes, of which previews and then tracked masks are left out first.

    Args:
        loop: of the socket.
        most: bytes.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, most: int) -> None:
        self._loop, self._most = loop, most
        self._waiting: deque[str | bytes] = deque()
        self._is_there = asyncio.Event()
        self._bytes = 0
        self.is_full = False

    def receive(self, news: Sequence[News]) -> None:
        """Take news, from any thread."""
        for each in news:
            kind = each.kind if isinstance(each, Packet) else None
            data = each.encode() if isinstance(each, Packet) else each.model_dump_json(by_alias=True)
            self._loop.call_soon_threadsafe(self._put, data, kind)

    def reply(self, reply: Reply) -> None:
        """Take a reply, from any thread."""
        self._loop.call_soon_threadsafe(self._put, reply.model_dump_json(by_alias=True), None)

    async def next(self) -> str | bytes:
        """Return what is to be sent next, once there is something."""
        while not self._waiting:
            self._is_there.clear()
            await self._is_there.wait()
        data = self._waiting.popleft()
        self._bytes -= len(data)
        return data

    def _put(self, data: str | bytes, kind: Kind | None) -> None:
        left = self._most - self._bytes
        if left < len(data) and kind in (*_DROPPED_FIRST, *_WITHHELD):
            return
        self.is_full = self.is_full or left < len(data)
        self._waiting.append(data)
        self._bytes += len(data)
        self._is_there.set()


class Session:
    """Serves a socket until it closes.

    Args:
        service: what answers.
        item: what was opened.
        user: by whom.
        socket: accepted already.
    """

    def __init__(self, service: Service, item: OpenItem, user: str, socket: WebSocket) -> None:
        self._service, self._item, self._user, self._socket = service, item, user, socket
        limits = service.settings.limits
        self._outbox = Outbox(asyncio.get_running_loop(), limits.unsent)
        self._commands: asyncio.Queue[Command] = asyncio.Queue(limits.waiting_commands)
        self._feed = LiveFeed(item, user, service.workers)
        self._preview: Preview | None = None
        self._previewing: asyncio.Task[None] | None = None

    async def serve(self) -> None:
        """Serve until the socket closes."""
        tasks = [asyncio.create_task(each()) for each in (self._receive, self._answer, self._send)]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                await self._report(task)
        finally:
            self._item.channel.leave(self._outbox)
            self._feed.close()
            for task in [*tasks, *([self._previewing] if self._previewing else [])]:
                task.cancel()

    async def _report(self, task: "asyncio.Task[None]") -> None:
        error = task.exception()
        if isinstance(error, WebSocketDisconnect) or error is None:
            return
        if isinstance(error, _ClosingError):
            await self._socket.close(error.code, str(error))
            return
        logging.getLogger("masklet.server").error("a socket ended by a fault in masklet", exc_info=error)
        await self._socket.close(FAULT, "a fault in masklet")

    async def _receive(self) -> None:
        limits = self._service.settings.limits
        while True:
            message = await self._socket.receive()
            if message["type"] == "websocket.disconnect":
                raise WebSocketDisconnect(message.get("code", 1005))
            text = message.get("text")
            if text is None:
                await self._take_frame(message["bytes"])
                continue
            if len(text) > limits.json_body:
                raise _ClosingError(TOO_BIG, f"a message has at most {limits.json_body} bytes")
            self._take(text)

    async def _take_frame(self, data: bytes) -> None:
        if self._service.settings.is_read_only:
            raise _ClosingError(REFUSED, "this server only shows")
        try:
            await self._feed.take(data)
        except (Problem, InvalidInputError, OSError) as error:
            problem = error if isinstance(error, Problem) else of_full_disk(error)
            if problem is None and isinstance(error, OSError):
                raise
            detail = str(error) if problem is None else str(problem.detail)
            raise _ClosingError(REFUSED, detail[:_LONGEST_REASON]) from None

    def _take(self, text: str) -> None:
        try:
            command = parsed(text)
        except Problem as problem:
            self._outbox.reply(Reply(re=_number_in(text), ok=False, error=ErrorMessage(**problem.to_message())))
            return
        if isinstance(command, Preview):
            self._preview = command  # newer ones supersede older ones
            if self._previewing is None or self._previewing.done():
                self._previewing = asyncio.create_task(self._answer_previews())
            return
        try:
            self._commands.put_nowait(command)
        except asyncio.QueueFull:
            raise _ClosingError(FLOODING, "too many commands wait") from None

    async def _answer(self) -> None:
        while True:
            await self._handle(await self._commands.get())

    async def _answer_previews(self) -> None:
        while self._preview is not None:
            command, self._preview = self._preview, None
            pause = asyncio.sleep(1 / self._service.settings.limits.previews_per_second)
            await asyncio.gather(self._handle(command), pause)

    async def _handle(self, command: Command) -> None:
        if self._service.settings.is_read_only and command.do not in WITHOUT_CHANGE:
            error = ErrorMessage(code="read_only", message="This server only shows; nothing can be changed.")
            self._outbox.reply(Reply(re=command.n, ok=False, error=error))
            return
        handling = self._service.handling(self._item, self._user, command.n, self._outbox)
        loop, workers = asyncio.get_running_loop(), self._service.workers
        self._outbox.reply(await loop.run_in_executor(workers, handled, handling, command))

    async def _send(self) -> None:
        while True:
            data = await self._outbox.next()
            if self._outbox.is_full:
                raise _ClosingError(TOO_SLOW, "the reader is too slow; come back with `since`")
            await (self._socket.send_text(data) if isinstance(data, str) else self._socket.send_bytes(data))


class _ClosingError(Exception):
    """The socket is closed by the server."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code


def _number_in(text: str) -> int:
    """Return the number of a command that cannot be understood, where that can be."""
    try:
        number = json.loads(text)["n"]
    except (ValueError, LookupError, TypeError, RecursionError):
        return 0
    return number if isinstance(number, int) and 0 <= number < 2**32 else 0
