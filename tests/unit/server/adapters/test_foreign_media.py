"""What is fetched from Label Studio, and what is not; a server of its own stands for it."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler

import pytest
from tests.support.local_http import local_server

from masklet.errors import InvalidInputError
from masklet.server.adapters import foreign_media
from masklet.server.adapters.foreign_media import LabelStudioMedia

JWT = "head.body.signature"


class LabelStudio(BaseHTTPRequestHandler):
    """Answers with what came; `/away` leads to another host, `/near` to a path of its own."""

    def do_GET(self) -> None:
        leads = {"/away": "http://127.0.0.1:1/x", "/near": "/x"}.get(self.path)
        self.send_response(302 if leads else 200)
        if leads:
            self.send_header("Location", leads)
        self.end_headers()
        self.wfile.write(f"{self.path} {self.headers['Authorization']}".encode())

    def do_POST(self) -> None:
        given = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps({"access": f"of {given['refresh']}"} if self.path.count("token") else {}).encode())


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with local_server(LabelStudio) as address:
        yield address


@pytest.mark.parametrize(("key", "sent"), [("abc", "Token abc"), (JWT, f"Bearer of {JWT}")])
def test_the_key_goes_along(url: str, key: str, sent: str) -> None:
    media = LabelStudioMedia(url, key)
    assert media.read("/data/a.jpg").decode() == f"/data/a.jpg {sent}"
    assert media.read(f"{url}/data/a.jpg").decode() == f"/data/a.jpg {sent}"
    assert media.read("/near").decode() == f"/x {sent}"


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("http://127.0.0.1:1/a.jpg", "are fetched from"),
        ("//evil.example/a.jpg", "are fetched from"),
        ("file:///etc/passwd", "are fetched from"),
        ("s3://bucket/a.jpg", "are fetched from"),
        ("/away", "leads to another host"),
    ],
)
def test_nothing_is_fetched_from_elsewhere(url: str, address: str, reason: str) -> None:
    with pytest.raises(InvalidInputError, match=reason):
        LabelStudioMedia(url, "abc").read(address)


@pytest.mark.parametrize(
    ("address", "path"),
    [
        ("/data/my folder/tr\xe4ger.jpg?d=a b", "/data/my%20folder/tr%C3%A4ger.jpg?d=a%20b"),
        ("/data/a%20b.jpg?x=1&y=%2F", "/data/a%20b.jpg?x=1&y=%2F"),
        ("/x\r\nHost: y\0", "/x%0D%0AHost:%20y%00"),
    ],
)
def test_addresses_as_people_type_them(url: str, address: str, path: str) -> None:
    assert LabelStudioMedia(url, "abc").read(address).decode() == f"{path} Token abc"


@pytest.mark.parametrize("address", ["http://[", "http://[::1", "\ud800"])
def test_what_is_no_address(url: str, address: str) -> None:
    with pytest.raises(InvalidInputError, match="is no address of an image"):
        LabelStudioMedia(url, "abc").read(address)


def test_a_key_that_no_header_holds(url: str) -> None:
    with pytest.raises(InvalidInputError, match="cannot be fetched"):
        LabelStudioMedia(url, "a\nb").read("/a")


def test_too_large_and_unreachable(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(foreign_media, "MOST_BYTES", 3)
    with pytest.raises(InvalidInputError, match="more than 3 bytes"):
        LabelStudioMedia(url, "abc").read("/a")
    with pytest.raises(InvalidInputError, match="cannot be fetched"):
        LabelStudioMedia("http://127.0.0.1:1").read("/a")


def test_where_nothing_is_set() -> None:
    assert LabelStudioMedia.of_environment({"LABEL_STUDIO_URL": "http://x", "LABEL_STUDIO_API_KEY": "k"}).key == "k"
    with pytest.raises(InvalidInputError, match="Set LABEL_STUDIO_URL and LABEL_STUDIO_API_KEY"):
        LabelStudioMedia.of_environment({}).read("/a.jpg")
