"""Many people at one server: `python -m benchmarks.server_load [--users 50] [--minutes 2]`.

Half of the users click on an image, each as soon as the click before is answered; the others track an object through
a video, again and again. All have a socket of their own to one process of `masklet serve` with the bundled model. Once
all have begun, what each of them gets is counted; the server's resident size is asked for every few seconds. Writes
`benchmarks/results/server_load.json`.
"""

import argparse
import asyncio
import json
import os
import random
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from benchmarks.measuring import machine, versions

ROOT = Path(__file__).parent.parent
RESULTS = Path(__file__).parent / "results" / "server_load.json"
IMAGE, VIDEO = ROOT / "assets" / "truck.jpg", ROOT / "assets" / "juggle.mp4"
BOX = (228, 18, 312, 252)
SAMPLE_SECONDS = 2.0
_TRACK, _ANSWER = 2, 1


@dataclass
class User:
    """A user of the server, and when each of his clicks was answered and each of his frames came."""

    name: str
    token: str
    clicks: bool
    rng: random.Random
    times: list[float] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    begun: asyncio.Event = field(default_factory=asyncio.Event)


class Server:
    """A running server, asked over HTTP."""

    def __init__(self, address: str) -> None:
        self.address = address

    def ask(self, user: User, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Return what is answered, as JSON."""
        is_bytes = isinstance(body, bytes)
        fields = {"Authorization": f"Bearer {user.token}"} | {
            name.replace("_", "-"): text for name, text in headers.items()
        }
        if body is not None:
            fields["Content-Type"] = "application/octet-stream" if is_bytes else "application/json"
        data = body if is_bytes or body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.address}api/v1/{path}", data, fields, method=method)
        with urllib.request.urlopen(request, timeout=300) as answer:
            return json.load(answer)

    def item(self, user: User, file: Path, kind: str) -> str:
        """Upload a file; return the id of its item."""
        project, data = self.ask(user, "POST", "projects", {"name": "load"})["id"], file.read_bytes()
        about = {"name": file.name, "size": len(data), "kind": kind}
        upload = self.ask(user, "POST", f"projects/{project}/uploads", about)["upload"]
        place = f"bytes 0-{len(data) - 1}/{len(data)}"
        item: str = self.ask(user, "PUT", f"uploads/{upload}", data, Content_Range=place)["item"]["id"]
        while self.ask(user, "GET", f"items/{item}")["status"] == "importing":
            time.sleep(0.05)
        return item


class Socket:
    """A socket of an open item: commands and their replies, and packets of masks."""

    def __init__(self, connection: ClientConnection, user: User) -> None:
        self._connection, self._user, self._count = connection, user, 0
        self.ended = asyncio.Event()

    async def command(self, do: str, **fields: Any) -> Any:
        """Send a command, and return its reply; tracked frames that come meanwhile are noted."""
        self._count += 1
        await self._connection.send(json.dumps({"n": self._count, "do": do, **fields}))
        while True:
            reply = await self.receive()
            if reply is not None and reply.get("re") == self._count:
                if not reply["ok"]:
                    raise RuntimeError(f"{do} was refused: {reply['error']}")
                return reply

    async def receive(self) -> Any:
        """Receive one message; return it if it is JSON."""
        message = await self._connection.recv()
        if isinstance(message, bytes):
            if message[4] == _TRACK:
                self._user.times.append(time.monotonic())
            return None
        return json.loads(message)


async def click(socket: Socket, user: User) -> None:
    """Click on an image, somewhere else each time, as soon as the click before is answered."""
    place = (await socket.command("prompt", object=0, frame=0, points=[[320, 425, 1]]))["object"]
    user.begun.set()
    while True:
        x, y, begin = user.rng.uniform(150, 900), user.rng.uniform(150, 550), time.monotonic()
        await socket.command("prompt", object=place, frame=0, points=[[x, y, 1]])
        user.times.append(time.monotonic())
        user.waits.append(time.monotonic() - begin)


async def track(socket: Socket, user: User) -> None:
    """Track an object through a video, again and again."""
    await socket.command("prompt", object=0, frame=0, box=BOX)
    while True:
        job = (await socket.command("track", objects="all", full=True))["job"]["id"]
        state = "queued"
        while state in ("queued", "running"):
            message = await socket.receive()
            if user.times:
                user.begun.set()
            if message is not None and message.get("ev") == "job" and message["job"]["id"] == job:
                state = message["job"]["state"]
        if state != "done":
            raise RuntimeError(f"a job of {user.name} is {state}: {message}")


async def work(server: Server, user: User) -> None:
    """Do what the user does until it is cancelled."""
    file, kind = (IMAGE, "image") if user.clicks else (VIDEO, "video")
    item = await asyncio.to_thread(server.item, user, file, kind)
    address = server.address.replace("http://", "ws://") + f"api/v1/items/{item}/ws"
    headers = {"Authorization": f"Bearer {user.token}"}
    async with connect(address, additional_headers=headers, subprotocols=["masklet.v1"], max_size=None) as connection:  # type: ignore[list-item]
        socket = Socket(connection, user)
        await socket.command("hello", since=0)
        await (click if user.clicks else track)(socket, user)


async def measured(server: Server, users: list[User], seconds: float) -> dict[str, Any]:
    """Let all users work, and count what they get in so many seconds after the last of them has begun."""
    tasks = [asyncio.create_task(work(server, user)) for user in users]
    ready = asyncio.gather(*(user.begun.wait() for user in users))
    await asyncio.wait([ready, *tasks], return_when=asyncio.FIRST_COMPLETED)
    begin, sizes = time.monotonic(), []
    while (now := time.monotonic()) < begin + seconds and not any(task.done() for task in tasks):
        metrics = await asyncio.to_thread(server.ask, users[0], "GET", "metrics")
        held = (metrics["rss"], metrics["caches"]["features"])
        sizes.append((round(now - begin, 1), *(round(each / 2**20, 1) for each in held)))
        await asyncio.sleep(SAMPLE_SECONDS)
    end = time.monotonic()
    for task in tasks:
        task.cancel()
    for outcome in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(outcome, Exception):
            raise outcome
    return {
        "seconds": round(end - begin, 1),
        "clicks": summary([user for user in users if user.clicks], begin, end),
        "tracked_frames": summary([user for user in users if not user.clicks], begin, end),
        "resident_and_features_mib": sizes,
        "model_units": metrics["model_units"],
    }


def summary(users: list[User], begin: float, end: float) -> dict[str, Any]:
    """How much users got, and how long they waited for it at most."""
    counts, gaps, waits = [], [], []
    for user in users:
        times = [begin, *(each for each in user.times if begin <= each <= end), end]
        counts.append(len(times) - 2)
        gaps.append(max(after - before for before, after in pairwise(times)))
        waits += user.waits[-counts[-1] :] if user.waits and counts[-1] else []
    found: dict[str, Any] = {"users": len(users), "counts": sorted(counts), "longest_gap_s": round(max(gaps), 2)}
    if len(waits) > 1:
        found["wait_ms"] = {"p50": round(1000 * median(waits)), "p95": round(1000 * quantiles(waits, n=20)[-1])}
    return found


@contextmanager
def served(users: list[User], folder: Path) -> Iterator[Server]:
    """Run a server for these users."""
    file = folder / "users.json"
    file.write_text(json.dumps({user.name: user.token for user in users}))
    file.chmod(0o600)
    arguments = ["--users", str(file), "--data", str(folder / "data"), "--port", "0", "--device", "cpu"]
    command = [sys.executable, "-m", "masklet", "serve", *arguments]
    environment = {"OMP_NUM_THREADS": "1"} | os.environ
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        try:
            yield Server(process.stdout.readline().strip())
        finally:
            process.terminate()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=50)
    parser.add_argument("--minutes", type=float, default=2.0)
    parser.add_argument("--output", type=Path, default=RESULTS)
    options = parser.parse_args()
    users = [
        User(f"user{number}", f"token-of-user-{number:010d}", number % 2 == 0, random.Random(number))
        for number in range(options.users)
    ]
    with tempfile.TemporaryDirectory() as folder, served(users, Path(folder)) as server:
        found = asyncio.run(measured(server, users, 60 * options.minutes))
    command = f"python -m benchmarks.server_load --users {options.users} --minutes {options.minutes:g}"
    report = {"command": command, "machine": machine(), "versions": versions(), **found}
    options.output.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print(json.dumps({name: found[name] for name in ("seconds", "clicks", "tracked_frames", "model_units")}, indent=1))


if __name__ == "__main__":
    main()
