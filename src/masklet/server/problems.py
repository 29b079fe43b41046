"""Errors as the client sees them: problem details of RFC 9457, never a traceback."""

import errno
import json
import sqlite3
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

MEDIA_TYPE = "application/problem+json"
_FULL = (errno.ENOSPC, errno.EDQUOT)


class EscapedJson(JSONResponse):
    """JSON in ASCII, in which half of a pair of UTF-16, which bodies may hold and UTF-8 does not know, goes back."""

    def render(self, content: Any) -> bytes:
        """Return the bytes."""
        return json.dumps(content, separators=(",", ":")).encode("ascii")


class Problem(HTTPException):
    """A request that cannot be answered.

    Args:
        status: of HTTP.
        code: one word for programs, such as `not_found`.
        detail: one sentence for people.
        field: which part of the request is meant, such as `points[0]`.
        headers: of the response.
        item: the id of the item that it is about, where the request made one.
    """

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        field: str | None = None,
        headers: Mapping[str, str] | None = None,
        item: str | None = None,
    ) -> None:
        super().__init__(status, detail, dict(headers or {}))
        self.code, self.field, self.item = code, field, item

    def to_json(self) -> dict[str, Any]:
        """Return the body of the response."""
        found: dict[str, Any] = {
            "type": "about:blank",
            "title": HTTPStatus(self.status_code).phrase,
            "status": self.status_code,
            "detail": self.detail,
            "code": self.code,
        }
        more = {"field": self.field, "item": self.item}
        return found | {name: value for name, value in more.items() if value is not None}

    def to_message(self) -> dict[str, Any]:
        """Return the `error` of a reply on the socket."""
        return {"code": self.code, "message": self.detail} | ({} if self.field is None else {"field": self.field})


def answer_to(problem: Problem) -> JSONResponse:
    """Return the response that a problem is."""
    return EscapedJson(problem.to_json(), problem.status_code, problem.headers, MEDIA_TYPE)


def not_found() -> Problem:
    """Return the one answer for what is not there and for what is somebody else's."""
    return Problem(404, "not_found", "There is nothing here, or nothing of yours.")


def unusable(detail: str, field: str | None = None) -> Problem:
    """Return the answer to a request that is well-formed but cannot be used."""
    return Problem(422, "unusable", detail, field)


def conflict(detail: str, headers: Mapping[str, str] | None = None) -> Problem:
    """Return the answer to a request that does not fit what is there by now."""
    return Problem(409, "conflict", detail, headers=headers)


def of_full_disk(error: BaseException) -> Problem | None:
    """Return the answer where the disk had no room for what was to be written; None for any other error."""
    is_full = isinstance(error, OSError) and error.errno in _FULL
    if is_full or (isinstance(error, sqlite3.OperationalError) and "full" in str(error)):
        return Problem(507, "disk_full", "The disk of the server is full; nothing was changed.")
    return None


def of_validation(errors: Sequence[Any]) -> Problem:
    """Return the problem of what pydantic found first: malformed JSON is 400, what cannot be used 422."""
    first = errors[0]
    if first["type"] == "json_invalid":
        return Problem(400, "malformed", f"This is not JSON: {first['msg']}.")
    place = [each for each in first["loc"] if each not in ("body", "query", "path", "header")]
    name = "".join(f"[{each}]" if isinstance(each, int) else f".{each}" for each in place).lstrip(".")
    return unusable(str(first["msg"]), name or None)
