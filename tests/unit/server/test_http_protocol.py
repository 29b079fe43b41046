"""Clients that never finish their headers are let go; those that do are answered, however long that takes."""

import asyncio
from functools import partial

import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from masklet.server.http_protocol import HeaderDeadline

REQUEST = b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 2\r\n\r\n"


async def conversation(*pieces: bytes) -> bytes:
    """What a server answers to bytes, until it closes; the rest of a body comes after a connection without headers."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive()).get("more_body"):
            pass
        await send({"type": "http.response.start", "status": 204, "headers": [(b"connection", b"close")]})
        await send({"type": "http.response.body", "body": b""})

    options = {"config": uvicorn.Config(app, lifespan="off", ws="none"), "server_state": ServerState(), "app_state": {}}
    made = partial(HeaderDeadline, 0.05, **options)
    server = await asyncio.get_running_loop().create_server(made, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for piece in pieces:
        writer.write(piece)
        idle, other = await asyncio.open_connection("127.0.0.1", port)
        assert await idle.read() == b"", "which takes as long as headers may"
        other.close()
    found = await reader.read()
    writer.close()
    server.close()
    return found


def test_headers_have_to_be_complete() -> None:
    assert asyncio.run(conversation(REQUEST[:20])) == b""


def test_bodies_may_take_longer() -> None:
    assert asyncio.run(conversation(REQUEST, b"x", b"y")).startswith(b"HTTP/1.1 204")
