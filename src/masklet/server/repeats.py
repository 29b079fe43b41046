"""Changes that are asked for again with the same `Idempotency-Key`: answered as before, and not done twice."""

import sqlite3

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from masklet.server.access import SAFE_METHODS
from masklet.server.kept_answers import KeptAnswer, KeptAnswers, RequestKey
from masklet.server.problems import Problem, answer_to, conflict, of_full_disk

_LONGEST_KEY = 200
_LONGEST_BODY = 8 * 2**20


class Repeats:
    """Keeps the answers to changes that come with a key; logging in, which has no user yet, is none.

    Args:
        app: what answers.
        kept: the answers.
    """

    def __init__(self, app: ASGIApp, kept: KeptAnswers) -> None:
        self._app, self._kept = app, kept

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, anew or as before."""
        if scope["type"] != "http" or scope["method"] in SAFE_METHODS or (key := _key(scope)) is None:
            await self._app(scope, receive, send)
            return
        try:
            await self._answer(key, scope, receive, send)
        except sqlite3.OperationalError as error:
            if (problem := of_full_disk(error)) is None:
                raise
            await answer_to(problem)(scope, receive, send)

    async def _answer(self, key: RequestKey, scope: Scope, receive: Receive, send: Send) -> None:
        if await run_in_threadpool(self._kept.begin, key):
            await self._answer_anew(key, scope, receive, send)
        elif (known := await run_in_threadpool(self._kept.find, key)) is not None:
            await send({"type": "http.response.start", "status": known.status, "headers": known.headers})
            await send({"type": "http.response.body", "body": known.body})
        elif self._kept.is_working(key):
            await answer_to(conflict("A request with this Idempotency-Key is being answered."))(scope, receive, send)
        else:
            detail = "The server stopped while it answered this request; look whether it was done."
            await answer_to(Problem(409, "unconfirmed", detail))(scope, receive, send)

    async def _answer_anew(self, key: RequestKey, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, and keep the answer before it is sent; not that of a fault, which may be gone next time."""
        head: Message = {"status": 500}
        body, is_kept = b"", False

        async def sending(message: Message) -> None:
            nonlocal head, body, is_kept
            if message["type"] == "http.response.start":
                head = message
            else:
                body += message.get("body", b"")
            if not message.get("more_body") and message["type"] == "http.response.body":
                is_kept = head["status"] < 500 and len(body) <= _LONGEST_BODY
                if is_kept:
                    answer = KeptAnswer(head["status"], list(head["headers"]), body)
                    await run_in_threadpool(self._kept.keep, key, answer)
            await send(message)

        try:
            await self._app(scope, receive, sending)
        finally:
            if not is_kept:
                self._kept.forget(key)


def _key(scope: Scope) -> RequestKey | None:
    """Return what a change with a key is known by; None without one, or without a user."""
    given, user = Headers(scope=scope).get("idempotency-key"), scope["state"].get("user")
    if given is None or user is None:
        return None
    return RequestKey(user, scope["method"], scope["path"], given[:_LONGEST_KEY])
