"""Changes that are asked for again with the same `Idempotency-Key`: answered as before, and not done twice."""

from collections import OrderedDict
from threading import Lock

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from masklet.server.access import SAFE_METHODS
from masklet.server.problems import answer_to, conflict

_MOST_KEPT = 1000
_LONGEST_KEY = 200
_LONGEST_BODY = 2**20
Key = tuple[str, str, str, str]


class Repeats:
    """Remembers the answers to the last changes that came with a key.

    Args:
        app: what answers.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._lock = Lock()
        self._answers: OrderedDict[Key, list[Message]] = OrderedDict()
        self._working: set[Key] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, anew or as before."""
        if scope["type"] != "http" or scope["method"] in SAFE_METHODS or (key := _key(scope)) is None:
            await self._app(scope, receive, send)
            return
        with self._lock:
            known, is_working = self._answers.get(key), key in self._working
            if known is None:
                self._working.add(key)
        if known is not None:
            for message in known:
                await send(message)
            return
        if is_working:
            await answer_to(conflict("A request with this Idempotency-Key is being answered."))(scope, receive, send)
            return
        try:
            await self._app(scope, receive, self._noting(key, send))
        finally:
            with self._lock:
                self._working.discard(key)

    def _noting(self, key: Key, send: Send) -> Send:
        noted: list[Message] = []

        async def sending(message: Message) -> None:
            noted.append(message)
            if not message.get("more_body") and message["type"] == "http.response.body":
                self._keep(key, noted)
            await send(message)

        return sending

    def _keep(self, key: Key, answer: list[Message]) -> None:
        """Keep an answer, but for faults, which may be gone next time, and long ones."""
        if answer[0]["status"] >= 500 or sum(len(each.get("body", b"")) for each in answer) > _LONGEST_BODY:
            return
        with self._lock:
            self._answers[key] = answer
            while len(self._answers) > _MOST_KEPT:
                self._answers.popitem(last=False)


def _key(scope: Scope) -> Key | None:
    """Return what a change with a key is known by: the user, the request and the key; None without one."""
    given = Headers(scope=scope).get("idempotency-key")
    if given is None:
        return None
    return str(scope["state"].get("user")), scope["method"], scope["path"], given[:_LONGEST_KEY]
