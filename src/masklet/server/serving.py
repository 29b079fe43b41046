"""A server as a process: its folder, its sockets, and uvicorn."""

import asyncio
import logging
import os
import secrets
import signal
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from ipaddress import ip_network
from pathlib import Path
from types import FrameType
from typing import cast

import uvicorn

from masklet.atomic_files import made_folder
from masklet.errors import InvalidInputError
from masklet.file_locks import alone_in
from masklet.predictors.video_tracker import VideoTracker
from masklet.server.access import AccessGate, AccessRules
from masklet.server.app import application
from masklet.server.http_protocol import HeaderDeadline
from masklet.server.process import allow_many_files
from masklet.server.service import Service
from masklet.server.settings import ServerSettings
from masklet.server.tokens import LOCAL, Tokens, hash_of, read_users

_PING_SECONDS = 20.0
_SESSIONS_FILE = "server.json"


def serve(
    settings: ServerSettings, load: Callable[[], VideoTracker], model_name: str, on_ready: Callable[[str], None]
) -> None:
    """Serve until Ctrl-C or SIGTERM.

    Args:
        settings: of the server.
        load: loads the model.
        model_name: what `info` calls it.
        on_ready: called with the address, and the token behind it where it was made for this start, once the server
            answers.

    Raises:
        InvalidInputError: if another server has the same data, or the users file cannot be used.
        OSError: if the port is taken, or the folder cannot be written.
        KeyboardInterrupt: after Ctrl-C, once all is saved.
    """
    users, token = _users(settings)
    media = _media(settings)
    _check_proxies(settings.proxies)
    made_folder(settings.data)
    settings.data.chmod(0o700)
    allow_many_files()
    with alone_in(settings.data, "masklet server"):
        sockets = listening(settings.host, settings.port)
        port = sockets[0].getsockname()[1]
        tokens = Tokens(users, settings.data / _SESSIONS_FILE, settings.limits.failed_logins_per_minute)
        service = Service(settings, load(), tokens, model_name)
        if media:
            service.open_files(LOCAL, media)
        is_secure = settings.certificate is not None
        rules = AccessRules.at(port, _names(settings), is_read_only=settings.is_read_only, is_secure=is_secure)
        gate = AccessGate(application(service), rules, tokens, settings.limits)
        address = f"{'https' if is_secure else 'http'}://{_shown(settings.host)}:{port}/"
        server = _Server(_configured(gate, settings), lambda: on_ready(address + (f"#token={token}" if token else "")))
        try:
            server.run(sockets)
        finally:
            service.close()
        if server.was_interrupted:  # uvicorn raises it again for who had it before, and a shell may have had it ignored
            raise KeyboardInterrupt


def _users(settings: ServerSettings) -> tuple[dict[str, str], str]:
    """Return the users with hashes of their tokens, and the token that was made for this start."""
    if settings.users is not None:
        return read_users(settings.users), ""
    token = secrets.token_urlsafe(32)
    return {LOCAL: hash_of(token)}, token


def _media(settings: ServerSettings) -> list[Path]:
    """Return the real paths of what is opened at the start; InvalidInputError if something is not there."""
    if settings.media and settings.users is not None:
        raise InvalidInputError("Files are opened for the one user of a server without --users; upload them instead.")
    if missing := [path for path in settings.media if not path.exists()]:
        raise InvalidInputError(f"There is no file or folder {missing[0]}.")
    if (settings.certificate is None) is not (settings.key is None):
        raise InvalidInputError("TLS needs both a certificate and its key.")
    return [Path(os.path.realpath(path)) for path in settings.media]


def _check_proxies(proxies: Sequence[str]) -> None:
    for proxy in proxies:
        try:
            ip_network(proxy)
        except ValueError as error:
            raise InvalidInputError(f"A proxy is an address or a network, such as 10.0.0.0/8: {error}.") from error


def _names(settings: ServerSettings) -> list[str]:
    is_wildcard = settings.host in ("0.0.0.0", "::", "")
    return [*settings.allowed_hosts, *([] if is_wildcard else [_shown(settings.host)])]


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def listening(host: str, port: int) -> list[socket.socket]:
    """Return listening sockets at an address and port (0: a free one); of this machine's, both kinds of address.

    InvalidInputError if there is no such address; OSError if it is taken.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
    except OSError as error:
        raise InvalidInputError(f"There is no address {host!r} to listen at: {error}.") from error
    sockets = [_bound(family, host, port)]
    if host in ("127.0.0.1", "localhost"):
        with suppress(OSError):  # a machine without IPv6
            sockets.append(_bound(socket.AF_INET6, "::1", sockets[0].getsockname()[1]))
    return sockets


def _bound(family: int, host: str, port: int) -> socket.socket:
    # Only with TCP by name does asyncio send small messages at once; else each waits until the one before has arrived.
    made = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.bind((host, port))
        made.listen(128)
    except OSError:
        made.close()
        raise
    return made


def _configured(gate: AccessGate, settings: ServerSettings) -> uvicorn.Config:
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    return uvicorn.Config(
        gate,
        access_log=False,  # addresses may hold what nobody else should read
        log_level="warning",
        http=cast(type[asyncio.Protocol], partial(HeaderDeadline, settings.limits.header_seconds)),
        server_header=False,
        ws="websockets-sansio",
        ws_max_size=settings.limits.binary_message,
        ws_ping_interval=_PING_SECONDS,
        ws_ping_timeout=_PING_SECONDS,
        ws_per_message_deflate=False,
        ssl_certfile=settings.certificate,
        ssl_keyfile=settings.key,
        timeout_graceful_shutdown=5,
        proxy_headers=bool(settings.proxies),
        forwarded_allow_ips=list(settings.proxies),
    )


class _Server(uvicorn.Server):
    """Uvicorn that reports when it answers, and whether Ctrl-C ended it."""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready
        self.was_interrupted = False

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop after the requests at hand."""
        self.was_interrupted = self.was_interrupted or sig == signal.SIGINT
        super().handle_exit(sig, frame)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to answer."""
        await super().startup(sockets)
        if not self.should_exit:
            self._on_ready()
