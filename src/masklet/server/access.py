"""What comes before any route: which hosts and origins are served, who is calling, and how much they may send."""

import asyncio
import base64
import json
from collections.abc import Iterable
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from masklet.server.limits import Limits
from masklet.server.problems import MEDIA_TYPE, Problem
from masklet.server.tokens import Tokens

PREFIX = "/api/v1"
ADAPTERS = "/adapters"
"""What other annotation tools call, which know no tokens but names and passwords."""
COOKIE = "masklet"
OPEN_PATHS = {"/healthz", f"{PREFIX}/login"}
SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data", "text/plain")
_UNAUTHENTICATED, _FORBIDDEN = 4401, 4403
SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' blob: data:; worker-src 'self' blob:; object-src 'none'; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
}


@dataclass(frozen=True)
class AccessRules:
    """Which names the server answers to, and what may be changed.

    Attributes:
        hosts: values of the header `Host` that are served, in small letters.
        schemes: "http", "https" or both, of origins.
        is_read_only: whether every change is refused.
    """

    hosts: frozenset[str]
    schemes: tuple[str, ...] = ("http",)
    is_read_only: bool = False

    @classmethod
    def at(
        cls, port: int, names: Iterable[str], *, is_read_only: bool = False, is_secure: bool = False
    ) -> "AccessRules":
        """Return the rules of a server at a port: this machine's own names, and those that were allowed.

        A name may come with a port of its own, as behind a proxy; then no other fits.
        """
        local = (f"{name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]"))
        allowed = [name.lower() for name in names]
        with_port = (name if _has_port(name) else f"{name}:{port}" for name in allowed)
        schemes = ("https",) if is_secure else ("http", "https") if allowed else ("http",)
        return cls(frozenset([*local, *with_port, *allowed]), schemes, is_read_only)

    def serves(self, host: str | None) -> bool:
        """Return whether requests to this host are answered."""
        return host is not None and host.lower() in self.hosts

    def allows(self, origin: str) -> bool:
        """Return whether pages of this origin may call."""
        return origin.lower() in {f"{scheme}://{host}" for scheme in self.schemes for host in self.hosts}


def _has_port(name: str) -> bool:
    return name.rpartition(":")[2].isdecimal()


class AccessGate:
    """Stands before the application: refuses what does not belong here, and names the caller in `scope["state"]`.

    Args:
        app: what answers the rest.
        rules: hosts and origins.
        tokens: who callers are.
        limits: of bodies.
    """

    def __init__(self, app: ASGIApp, rules: AccessRules, tokens: Tokens, limits: Limits) -> None:
        self._app, self._rules, self._tokens, self._limits = app, rules, tokens, limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        try:
            headers = Headers(scope=scope)
            self._check_place(scope, headers)
            scope.setdefault("state", {})["user"] = self._caller(scope, headers)
        except Problem as problem:
            await _refuse(scope, receive, send, problem)
            return
        if scope["type"] == "http":
            receive = self._limited(scope, receive)
        await self._app(scope, receive, _with_security_headers(send))

    def _check_place(self, scope: Scope, headers: Headers) -> None:
        """Refuse wrong hosts, origins of others, and posts as forms make them."""
        if not self._rules.serves(headers.get("host")):
            raise Problem(421, "wrong_host", "This server does not answer under that name; see --allow-host.")
        origin = headers.get("origin")
        if (origin is not None and not self._rules.allows(origin)) or headers.get("sec-fetch-site") == "cross-site":
            raise Problem(403, "wrong_origin", "Pages of other sites may not call this server.")
        if scope["type"] == "websocket" or scope["method"] in SAFE_METHODS:
            return
        if headers.get("content-type", "").partition(";")[0].strip().lower() in FORM_TYPES:
            raise Problem(415, "wrong_type", "This server takes JSON, and bytes of uploads; no forms.")
        if self._rules.is_read_only and scope["path"] not in (f"{PREFIX}/login", f"{PREFIX}/logout"):
            raise Problem(403, "read_only", "This server only shows; nothing can be changed.")

    def _caller(self, scope: Scope, headers: Headers) -> str | None:
        """Return who calls; None where anybody may. Problem if nobody is known by the token or the cookie."""
        path = scope["path"]
        if path in OPEN_PATHS or not path.startswith((PREFIX, ADAPTERS)):
            return None
        scheme, _, given = headers.get("authorization", "").partition(" ")
        user = self._tokens.user_of_token(given.strip()) if scheme.lower() == "bearer" else None
        if scheme.lower() == "basic" and path.startswith(ADAPTERS):
            user = self._user_of_password(given)
        if user is None and (key := session_key(headers)) is not None:
            user = self._tokens.user_of_session(key)
            if user is not None:
                self._check_cookie_use(scope, headers)
        if user is None:
            raise Problem(401, "unauthenticated", "A token is needed.", headers={"WWW-Authenticate": "Bearer"})
        return user

    def _user_of_password(self, given: str) -> str | None:
        """Return who is meant by a name and a password in base64, the password being a token of that name."""
        try:
            name, _, password = base64.b64decode(given, validate=True).decode().partition(":")
        except ValueError:  # no base64, or no text
            return None
        user = self._tokens.user_of_token(password)
        return user if user == name else None

    def _check_cookie_use(self, scope: Scope, headers: Headers) -> None:
        """Refuse a cookie without proof that our page sent it: the browser sends it whoever asks it to."""
        if scope["type"] == "websocket":
            if headers.get("origin") is None:
                raise Problem(403, "wrong_origin", "A socket that is opened with the cookie has to name its origin.")
        elif scope["method"] not in SAFE_METHODS and headers.get("x-masklet") != "1":
            raise Problem(403, "no_proof", "Changes that come with the cookie need the header X-Masklet: 1.")

    def _limited(self, scope: Scope, receive: Receive) -> Receive:
        """Refuse bodies that are longer than the route may take, or that stop coming."""
        is_part = scope["method"] == "PUT" and scope["path"].startswith(f"{PREFIX}/uploads/")
        is_foreign = scope["path"].startswith(ADAPTERS)
        limits = self._limits
        most, seen = limits.part if is_part else limits.adapter_body if is_foreign else limits.json_body, 0

        async def limited() -> Message:
            nonlocal seen
            try:
                async with asyncio.timeout(None if seen < 0 else self._limits.idle_body_seconds):
                    message = await receive()
            except TimeoutError:
                raise Problem(408, "too_slow", "The body stopped coming.", headers=_CLOSE) from None
            seen += len(message.get("body", b""))
            if seen > most:
                raise Problem(413, "too_large", f"A body here has at most {most} bytes.", headers=_CLOSE)
            if not message.get("more_body", False):
                seen = -(2**62)  # what follows is the client's leaving, which may take any time
            return message

        return limited


_CLOSE = {"Connection": "close"}


def session_key(headers: Headers) -> str | None:
    """Return the value of the session cookie; None if there is none."""
    try:
        morsel = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return None
    return None if morsel is None else morsel.value


def _with_security_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in SECURITY_HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return sending


async def _refuse(scope: Scope, receive: Receive, send: Send, problem: Problem) -> None:
    """Answer with a problem, over HTTP or instead of the handshake of a socket."""
    body = json.dumps(problem.to_json()).encode()
    fields = {
        **SECURITY_HEADERS,
        **(problem.headers or {}),
        "Content-Type": MEDIA_TYPE,
        "Content-Length": str(len(body)),
    }
    kind = "http.response"
    if scope["type"] == "websocket":
        await receive()
        if "websocket.http.response" not in scope.get("extensions", {}):
            code = _UNAUTHENTICATED if problem.status_code == 401 else _FORBIDDEN
            await send({"type": "websocket.close", "code": code})
            return
        kind = "websocket.http.response"
    encoded = [(name.lower().encode(), value.encode()) for name, value in fields.items()]
    await send({"type": f"{kind}.start", "status": problem.status_code, "headers": encoded})
    await send({"type": f"{kind}.body", "body": body})
