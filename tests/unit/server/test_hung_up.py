"""Callers that hang up before they are answered."""

import asyncio
import time
from typing import Any

import pytest
from fastapi import FastAPI

from masklet.server.routes.caller import HungUp

PATIENCE = 20  # seconds; nothing takes as long unless it hangs


@pytest.mark.parametrize("is_leaving", [True, False])
def test_a_route_learns_that_its_caller_hung_up(is_leaving: bool) -> None:
    app, begun = FastAPI(), asyncio.Event()
    answers: list[bool] = []

    @app.get("/slow")
    def slow(hung_up: HungUp) -> None:
        assert not hung_up()
        loop.call_soon_threadsafe(begun.set)
        until = time.monotonic() + (PATIENCE if is_leaving else 0.05)
        while not hung_up() and time.monotonic() < until:
            time.sleep(0.001)
        answers.append(hung_up())

    messages: Any = iter([{"type": "http.request", "body": b""}])

    async def receive() -> Any:
        if (message := next(messages, None)) is not None:
            return message
        await begun.wait()
        if not is_leaving:
            await asyncio.Event().wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        pass

    async def main() -> None:
        nonlocal loop
        loop = asyncio.get_running_loop()
        scope = {"type": "http", "method": "GET", "path": "/slow", "headers": [], "query_string": b""}
        await app(scope, receive, send)

    loop: asyncio.AbstractEventLoop
    asyncio.run(main())
    assert answers == [is_leaving]
