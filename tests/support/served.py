"""A server as a process of its own, and a client of it that knows HTTP and WebSocket and nothing of masklet's code."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from hashlib import sha256
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

TOKENS = {"ann": "token-of-ann-0123456789", "bob": "token-of-bob-0123456789"}
SLOWEST_START = 120.0
PACKETS = "application/vnd.masklet.masks"


class Answer:
    """What came back: the status, the headers and the body."""

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Client:
    """A user of a server."""

    def __init__(self, port: int, user: str | None) -> None:
        self.port = port
        self.bearer = {"Authorization": f"Bearer {TOKENS[user]}"} if user else {}

    def ask(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None, *, api: bool = True
    ) -> Answer:
        is_json = body is not None and not isinstance(body, bytes)
        fields = self.bearer | ({"Content-Type": "application/json"} if is_json else {}) | dict(headers or {})
        data = json.dumps(body).encode() if is_json else body
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=120)) as connection:
            connection.request(method, f"{'/api/v1/' if api else '/'}{path}", data, fields)
            answer = connection.getresponse()
            return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())

    def get(self, path: str, **headers: str) -> Any:
        answer = self.ask("GET", path, headers=headers)
        assert answer.status == 200, answer.body
        return answer.json

    def project(self, name: str = "project") -> str:
        return self.ask("POST", "projects", {"name": name}).json["id"]

    def upload(
        self,
        project: str,
        file: Path | bytes,
        kind: str,
        name: str = "",
        part: int = 2**20,
        stop_after: int | None = None,
    ) -> Answer:
        """Upload a file in parts; the answer to the last one."""
        data = file if isinstance(file, bytes) else file.read_bytes()
        about = {"name": name or getattr(file, "name", "file"), "size": len(data), "kind": kind}
        about |= {"sha256": sha256(data).hexdigest()}
        upload = self.ask("POST", f"projects/{project}/uploads", about).json["upload"]
        return self.go_on(upload, data, 0, part, stop_after)

    def go_on(self, upload: str, data: bytes, offset: int, part: int, stop_after: int | None = None) -> Answer:
        for count, first in enumerate(range(offset, len(data), part), 1):
            piece = data[first : first + part]
            place = f"bytes {first}-{first + len(piece) - 1}/{len(data)}"
            answer = self.ask("PUT", f"uploads/{upload}", piece, {"Content-Range": place})
            if answer.status not in (200, 201) or count == stop_after:
                break
        answer.headers = {**answer.headers, "upload": upload}
        return answer

    def item(self, project: str, file: Path, kind: str) -> str:
        answer = self.upload(project, file, kind)
        assert answer.status == 201, answer.body
        item = answer.json["item"]["id"]
        while self.get(f"items/{item}")["status"] == "importing":
            time.sleep(0.05)
        return item

    def command(self, item: str, do: str, **fields: Any) -> Answer:
        return self.ask("POST", f"items/{item}/commands", {"do": do, **fields})

    def done(self, job: str) -> Any:
        """Wait until a job has ended."""
        while (found := self.get(f"jobs/{job}?wait=20"))["state"] in ("queued", "running"):
            pass
        return found

    @contextmanager
    def socket(self, item: str, since: int = 0, **options: Any) -> Iterator["Socket"]:
        address = f"ws://127.0.0.1:{self.port}/api/v1/items/{item}/ws"
        opened = connect(
            address,
            additional_headers=self.bearer,
            subprotocols=["masklet.v1"],
            max_size=None,
            compression=None,
            **options,
        )
        with opened as connection:
            socket = Socket(connection)
            socket.hello = socket.command("hello", since=since)
            yield socket


class Socket:
    """An open item: commands go out, what comes in is kept by kind."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self.packets: list[bytes] = []
        self.events: list[Any] = []
        self.hello: Any = None
        self._count = 0
        self._replies: dict[int, Any] = {}

    def send(self, do: str, **fields: Any) -> int:
        self._count += 1
        self.connection.send(json.dumps({"n": self._count, "do": do, **fields}))
        return self._count

    def command(self, do: str, **fields: Any) -> Any:
        return self.reply(self.send(do, **fields))

    def reply(self, number: int) -> Any:
        while number not in self._replies:
            self.receive()
        return self._replies.pop(number)

    def receive(self, timeout: float | None = 120.0) -> None:
        message = self.connection.recv(timeout=timeout)
        if isinstance(message, bytes):
            self.packets.append(message)
            return
        content = json.loads(message)
        if "re" in content:
            self._replies[content["re"]] = content
        else:
            self.events.append(content)

    def close_code(self) -> int | None:
        """Receive until the server closes the socket; return why."""
        try:
            while True:
                self.receive()
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else None

    def until_done(self, job: str) -> Any:
        """Receive until a job has ended."""
        while not (ended := [each["job"] for each in self.events if each["ev"] == "job" and each["job"]["id"] == job
                             and each["job"]["state"] not in ("queued", "running")]):  # fmt: skip
            self.receive()
        return ended[0]


class Served:
    """A running server."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder, self._options = folder, options
        self.data = folder / "data"
        users = folder / "users.json"
        users.write_text(json.dumps(TOKENS))
        users.chmod(0o600)
        self.start()

    def command(self) -> list[str]:
        arguments = ["--port", "0", "--data", str(self.data), "--users", str(self.folder / "users.json")]
        return [sys.executable, "-m", "masklet", "serve", *arguments, "--device", "cpu", *self._options]

    def refused_second(self) -> str:
        """Start another server on the same data, which is refused; return what it writes."""
        run = subprocess.run(self.command(), capture_output=True, text=True, timeout=SLOWEST_START, check=False)
        assert run.returncode == 2
        return run.stderr

    def start(self) -> None:
        environment = os.environ | {"OMP_NUM_THREADS": "1"}
        self.log = (self.folder / "log.txt").open("ab")
        self.process = subprocess.Popen(self.command(), stdout=subprocess.PIPE, stderr=self.log, env=environment)
        assert self.process.stdout is not None
        line = self.process.stdout.readline().decode()
        assert line.startswith("http://127.0.0.1:"), (self.folder / "log.txt").read_text()
        self.port = int(line.strip().rstrip("/").rpartition(":")[2])
        self.ann, self.bob, self.nobody = (Client(self.port, user) for user in ("ann", "bob", None))

    def kill(self) -> None:
        """End the process as a power switch does."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """End the process as Ctrl-C does; return its exit code."""
        return self._end(signal.SIGINT)

    def _end(self, number: int) -> int:
        self.process.send_signal(number)
        code = self.process.wait(60)
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.log.close()
        return code


@contextmanager
def served(folder: Path, *options: str) -> Iterator[Served]:
    server = Served(folder, *options)
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.kill()
