"""Files at addresses that the server may fetch from, read by itself and put on the disk.

FFmpeg, which follows redirects and opens what a playlist names, never sees an address.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http.client import HTTPException, HTTPMessage
from pathlib import Path, PurePosixPath
from typing import IO, Self
from urllib.error import URLError
from urllib.parse import unquote, urlsplit
from urllib.request import (
    HTTPDefaultErrorHandler,
    HTTPErrorProcessor,
    HTTPHandler,
    HTTPRedirectHandler,
    HTTPSHandler,
    OpenerDirector,
    Request,
)

from masklet.errors import InvalidInputError
from masklet.json_files import shown
from masklet.server.limits import MIB

_PORTS = {"http": 80, "https": 443}
_PIECE = MIB
_ROOM_PIECES = 64  # so many pieces are read until the room is looked at again
_SECONDS, _LONGEST_SECONDS = 30.0, 3600.0


@dataclass(frozen=True)
class AllowedAddress:
    """An address below which files may be fetched.

    Attributes:
        scheme: http or https.
        host: in small letters.
        port: of it.
        path: ends with a slash, or names one file.
    """

    scheme: str
    host: str
    port: int
    path: str

    @classmethod
    def of(cls, text: str) -> Self:
        """Return the place of an address; InvalidInputError for one that is not plain http or https."""
        try:
            parts = urlsplit(text)
            port = parts.port
        except ValueError as error:
            raise InvalidInputError(f"{shown(text)} is no address: {error}.") from error
        if parts.scheme not in _PORTS or not parts.hostname:
            raise InvalidInputError(f"Addresses begin with http:// or https:// and a host; got {shown(text)}.")
        if parts.username is not None or parts.password is not None or parts.fragment:
            raise InvalidInputError(f"Addresses have no names, passwords or fragments; got {shown(parts.hostname)}.")
        if any(not each.isprintable() or each in " \\" for each in text) or not _stays_below(parts.path):
            raise InvalidInputError(f"{shown(text)} leads elsewhere.")
        return cls(parts.scheme, parts.hostname.lower(), port or _PORTS[parts.scheme], parts.path or "/")

    def holds(self, other: Self) -> bool:
        """Return whether another address is this one, or below it."""
        is_same_host = (self.scheme, self.host, self.port) == (other.scheme, other.host, other.port)
        folder = self.path if self.path.endswith("/") else f"{self.path}/"
        return is_same_host and (other.path == self.path or other.path.startswith(folder))


def allowed(url: str, places: Sequence[AllowedAddress]) -> str:
    """Return the name of the file at an address; InvalidInputError unless it is below one of the places."""
    asked = AllowedAddress.of(url)
    if not any(each.holds(asked) for each in places):
        raise InvalidInputError(f"Nothing is fetched from {asked.scheme}://{asked.host}; see --allow-url.")
    return PurePosixPath(unquote(asked.path)).name[:200] or asked.host


def fetch(url: str, places: Sequence[AllowedAddress], file: Path, most: int, check_room: Callable[[int], None]) -> int:
    """Write what stands at an address into a file, and return how many bytes.

    Args:
        url: where; redirects are followed within `places` only.
        places: what may be fetched.
        file: is there, and empty.
        most: bytes that a file may have.
        check_room: raises if there is no room for so many bytes more.

    Raises:
        InvalidInputError: if nothing can be fetched there.
    """
    begin, size = time.monotonic(), 0
    try:
        with _opener(places).open(Request(url), timeout=_SECONDS) as answer, file.open("wb") as target:
            announced = int(answer.headers.get("Content-Length") or 0)
            for number, piece in enumerate(iter(lambda: answer.read1(_PIECE), b"")):
                size += len(piece)
                if max(size, announced) > most:
                    raise InvalidInputError(f"{shown(url)} has more than {most} bytes.")
                if number % _ROOM_PIECES == 0:
                    check_room(max(len(piece), announced - size))
                if time.monotonic() > begin + _LONGEST_SECONDS:
                    raise InvalidInputError(f"{shown(url)} took more than {_LONGEST_SECONDS:g} seconds.")
                target.write(piece)
    except (URLError, HTTPException, TimeoutError, ConnectionError, ValueError) as error:
        if isinstance(error, InvalidInputError):
            raise
        raise InvalidInputError(f"{shown(url)} cannot be fetched: {error}.") from error
    return size


class _Within(HTTPRedirectHandler):
    """Follows no redirect out of the places that are allowed."""

    def __init__(self, places: Sequence[AllowedAddress]) -> None:
        self._places = places

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> Request | None:
        """Return the request to the new address; InvalidInputError if it is elsewhere."""
        allowed(newurl, self._places)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _opener(places: Sequence[AllowedAddress]) -> OpenerDirector:
    """Return what opens addresses by http and https, and by nothing else; a proxy of the environment is not asked."""
    opener = OpenerDirector()
    errors = HTTPErrorProcessor(), HTTPDefaultErrorHandler()
    for handler in (HTTPHandler(), HTTPSHandler(), *errors, _Within(places)):
        opener.add_handler(handler)
    return opener


def _stays_below(path: str) -> bool:
    """Return whether a path has no segment that leads up, however often it is encoded."""
    while (plain := unquote(path)) != path:
        path = plain
    return not {".", ".."} & set(path.replace("\\", "/").split("/"))
