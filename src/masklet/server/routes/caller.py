"""What routes share: who calls, the service that answers, and how long a page of a list is."""

from dataclasses import dataclass
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


Caller = Annotated[CallerOf, Depends(_caller)]
MOST_LISTED = 500
Limit = Annotated[int, Query(ge=1, le=MOST_LISTED)]
