"""Who calls a route, and the service that answers."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from masklet.server.service import Service


@dataclass(frozen=True)
class CallerOf:
    """The user that the access gate found, and the service."""

    user: str
    service: Service


def _caller(request: Request) -> CallerOf:
    return CallerOf(request.state.user, request.app.state.service)


Caller = Annotated[CallerOf, Depends(_caller)]
