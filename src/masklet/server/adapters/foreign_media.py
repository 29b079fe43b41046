"""Images that Label Studio has: fetched from its own address, with its own key, and from nowhere else."""

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.client import HTTPException, HTTPMessage
from typing import IO, Any
from urllib.error import URLError
from urllib.parse import quote, urljoin, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from masklet.errors import InvalidInputError
from masklet.json_files import shown

URL_VARIABLE, KEY_VARIABLE = "LABEL_STUDIO_URL", "LABEL_STUDIO_API_KEY"
MOST_BYTES = 2**28
_SECONDS = 30.0
_LEGAL = "%:/?#[]@!$&'()*+,;=~"
"""What stays in an address; letters with accents, spaces and whatever else people type there are encoded."""
_JWT_DOTS = 2  # a legacy key has none


class _SamePlace(HTTPRedirectHandler):
    """Follows no redirect to another host: the key would go there, and what stands there is anybody's."""

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> Request | None:
        """Return the request to the new address; InvalidInputError if it is elsewhere."""
        if _place(newurl) != _place(req.full_url):
            raise InvalidInputError(f"{req.full_url} leads to another host, {urlsplit(newurl).netloc}.")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


@dataclass(frozen=True)
class LabelStudioMedia:
    """Fetches images of tasks.

    Attributes:
        url: of Label Studio; None: nothing can be fetched.
        key: a legacy token, or a personal access token, which is exchanged for a short-lived one.
        open: opens a request, for tests.
    """

    url: str | None
    key: str = ""
    open: Callable[..., Any] = field(default_factory=lambda: build_opener(_SamePlace).open)

    @classmethod
    def of_environment(cls, environment: Mapping[str, str] = os.environ) -> "LabelStudioMedia":
        """Return that of the environment variables `LABEL_STUDIO_URL` and `LABEL_STUDIO_API_KEY`."""
        return cls(environment.get(URL_VARIABLE) or None, environment.get(KEY_VARIABLE, ""))

    def read(self, address: str) -> bytes:
        """Return the bytes at an address of a task, absolute or below that of Label Studio.

        InvalidInputError if it is elsewhere, cannot be fetched, or is too large.
        """
        if self.url is None:
            raise InvalidInputError(f"Set {URL_VARIABLE} and {KEY_VARIABLE}: {shown(address)} is fetched from there.")
        try:
            url = urljoin(f"{self.url.rstrip('/')}/", quote(address, _LEGAL))
            is_elsewhere = _place(url) != _place(self.url)
        except ValueError as error:
            raise InvalidInputError(f"{shown(address)} is no address of an image ({error}).") from error
        if is_elsewhere:
            raise InvalidInputError(f"Images are fetched from {self.url} only; got {shown(address)}.")
        return self._fetched(Request(url, headers={"Authorization": self._authorization()}))

    def _authorization(self) -> str:
        if self.key.count(".") != _JWT_DOTS:
            return f"Token {self.key}"
        body, headers = json.dumps({"refresh": self.key}).encode(), {"Content-Type": "application/json"}
        assert self.url is not None
        answer = self._fetched(Request(f"{self.url.rstrip('/')}/api/token/refresh/", body, headers))
        try:
            return f"Bearer {json.loads(answer)['access']}"
        except (ValueError, LookupError, TypeError) as error:
            raise InvalidInputError(f"{self.url} gives no access for the key in {KEY_VARIABLE}.") from error

    def _fetched(self, request: Request) -> bytes:
        try:
            with self.open(request, timeout=_SECONDS) as answer:
                content: bytes = answer.read(MOST_BYTES + 1)
        except InvalidInputError:
            raise
        except (URLError, HTTPException, OSError, ValueError) as error:
            raise InvalidInputError(f"{shown(request.full_url)} cannot be fetched: {error}.") from error
        if len(content) > MOST_BYTES:
            raise InvalidInputError(f"{request.full_url} has more than {MOST_BYTES} bytes.")
        return content


def _place(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc
