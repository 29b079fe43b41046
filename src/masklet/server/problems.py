"""Errors as the client sees them: problem details of RFC 9457, never a traceback."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from starlette.exceptions import HTTPException

MEDIA_TYPE = "application/problem+json"


class Problem(HTTPException):
    """A request that cannot be answered.

    Args:
        status: of HTTP.
        code: one word for programs, such as `not_found`.
        detail: one sentence for people.
        field: which part of the request is meant, such as `points[0]`.
        headers: of the response.
    """

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        field: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(status, detail, dict(headers or {}))
        self.code, self.field = code, field

    def to_json(self) -> dict[str, Any]:
        """Return the body of the response."""
        found = {
            "type": "about:blank",
            "title": HTTPStatus(self.status_code).phrase,
            "status": self.status_code,
            "detail": self.detail,
            "code": self.code,
        }
        return found if self.field is None else found | {"field": self.field}

    def to_message(self) -> dict[str, Any]:
        """Return the `error` of a reply on the socket."""
        return {"code": self.code, "message": self.detail} | ({} if self.field is None else {"field": self.field})


def not_found() -> Problem:
    """Return the one answer for what is not there and for what is somebody else's."""
    return Problem(404, "not_found", "There is nothing here, or nothing of yours.")


def unusable(detail: str, field: str | None = None) -> Problem:
    """Return the answer to a request that is well-formed but cannot be used."""
    return Problem(422, "unusable", detail, field)


def conflict(detail: str, headers: Mapping[str, str] | None = None) -> Problem:
    """Return the answer to a request that does not fit what is there by now."""
    return Problem(409, "conflict", detail, headers=headers)
