"""What is fetched from Label Studio, and what is not; a server of its own stands for it."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

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

    def log_message(self, format: str, *arguments: object) -> None:
        """Nothing is printed."""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), LabelStudio) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


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
