"""What routes share: who calls, the service that answers, and how long a page of a list is."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from threading import Event
from typing import Annotated

from fastapi import Depends, Query, Request

from masklet.server.service import Service


@dataclass(frozen=True)
class CallerOf:
    """The user that the access gate found, and the service."""

    user: str
    service: Service


def _caller(request: Request) -> CallerOf:
    return CallerOf(request.state.user, request.app.state.service)


async def _hung_up(request: Request) -> AsyncIterator[Callable[[], bool]]:
    """Yield a function that any thread may ask whether the caller waits no longer; of requests without a body."""
    is_gone = Event()

    async def listen() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass
        is_gone.set()

    listening = asyncio.create_task(listen())
    try:
        yield is_gone.is_set
    finally:
        listening.cancel()


Caller = Annotated[CallerOf, Depends(_caller)]
HungUp = Annotated[Callable[[], bool], Depends(_hung_up)]
MOST_LISTED = 500
Limit = Annotated[int, Query(ge=1, le=MOST_LISTED)]
