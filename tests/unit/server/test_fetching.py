"""Which addresses are fetched, and what comes of them; a server of its own stands for the rest of the network."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from tests.support.local_http import local_server

from masklet.errors import InvalidInputError
from masklet.server import fetching
from masklet.server.fetching import AllowedAddress, allowed, fetch
from masklet.server.problems import Problem

MEDIA = "https://media.example/clips/"
LEADS = {"/clips/near": "/clips/file.mp4", "/clips/out": "/secret", "/clips/away": "http://127.0.0.1:1/clips/x",
         "/clips/file": "file:///etc/passwd", "/clips/round": "/clips/round"}  # fmt: skip


class Media(BaseHTTPRequestHandler):
    """Answers with its path; some lead elsewhere, one is nowhere."""

    def do_GET(self) -> None:
        leads = LEADS.get(self.path)
        self.send_response(302 if leads else 404 if self.path.endswith("nowhere") else 200)
        if leads:
            self.send_header("Location", leads)
        if self.path.endswith("large"):
            self.send_header("Content-Length", str(10**12))
        self.end_headers()
        self.wfile.write(self.path.encode())


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with local_server(Media) as address:
        yield f"{address}/clips/"


def check_room(size: int) -> None:
    if size > 10**9:
        raise Problem(507, "disk_full", "no room")


@pytest.mark.parametrize(
    ("address", "name"),
    [
        (f"{MEDIA}walk.mp4", "walk.mp4"),
        (f"{MEDIA}a/b%20c.jpg?size=2", "b c.jpg"),
        ("https://MEDIA.example:443/clips/walk.mp4", "walk.mp4"),
        (MEDIA, "clips"),
    ],
)
def test_what_is_below_an_allowed_address(address: str, name: str) -> None:
    assert allowed(address, [AllowedAddress.of(MEDIA)]) == name


@pytest.mark.parametrize(
    "address",
    [
        "http://media.example/clips/walk.mp4", "https://media.example:8443/clips/walk.mp4", "https://media.example/x.mp4",
        "https://media.example.evil.example/clips/x", "https://media.example@evil.example/clips/x",
        "https://evil.example/?https://media.example/clips/x", "https://evil.example#https://media.example/clips/x",
        f"{MEDIA}../secret", f"{MEDIA}%2e%2e/secret", f"{MEDIA}%252e%252e/secret", f"{MEDIA}..%5csecret",
        "https://media.example/clipsx/walk.mp4", "https:///clips/x", "https://media.example:x/clips/",
        "file:///etc/passwd", "rtsp://media.example/clips/x", "concat:a|b", "", "walk.mp4", f"{MEDIA}a b",
        f"{MEDIA}a\r\nb", "//media.example/x",
        "https://[::1/clips/", "https://evil.example\\@media.example/clips/x",
    ],
)  # fmt: skip
def test_what_is_not(address: str) -> None:
    with pytest.raises(InvalidInputError):
        allowed(address, [AllowedAddress.of(MEDIA)])


def test_an_address_of_one_file_allows_no_other() -> None:
    place = AllowedAddress.of("http://media.example/walk.mp4")
    assert place.holds(AllowedAddress.of("http://media.example:80/walk.mp4"))
    assert not place.holds(AllowedAddress.of("http://media.example/walk.mp4x"))


def test_files_and_redirects_within(url: str, tmp_path: Path) -> None:
    places = [AllowedAddress.of(url)]
    for name in ("file.mp4", "near"):
        assert fetch(f"{url}{name}", places, tmp_path / "data", 10**13, check_room) == len("/clips/file.mp4")
        assert (tmp_path / "data").read_text() == "/clips/file.mp4"


@pytest.mark.parametrize("name", ["out", "away", "file", "round", "nowhere"])
def test_what_leads_elsewhere_or_nowhere(url: str, tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidInputError):
        fetch(f"{url}{name}", [AllowedAddress.of(url)], tmp_path / "data", 10**13, check_room)


def test_what_is_too_large_or_too_slow(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    places = [AllowedAddress.of(url)]
    with pytest.raises(Problem, match="no room"):
        fetch(f"{url}large", places, tmp_path / "data", 10**13, check_room)
    with pytest.raises(InvalidInputError, match="more than 9 bytes"):
        fetch(f"{url}file.mp4", places, tmp_path / "data", 9, check_room)
    monkeypatch.setattr(fetching, "_LONGEST_SECONDS", -1.0)
    with pytest.raises(InvalidInputError, match="more than -1 seconds"):
        fetch(f"{url}file.mp4", places, tmp_path / "data", 10**13, check_room)
