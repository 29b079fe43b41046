"""Track an object with a running server, over HTTP and with Python's own library only.

    masklet serve --users users.json                  # users.json: {"ann": "a token of 20 letters or more"}
    python examples/server_client.py --token TOKEN    # the ball of assets/juggle.mp4, through 10 frames

It uploads a video in parts, gives a box on the first frame, tracks, and prints what the server found on each frame.
"""

import argparse
import json
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

PART = 2**20


class Server:
    """A server and the token of its user."""

    def __init__(self, address: str, token: str) -> None:
        self._address, self._token = address.rstrip("/"), token

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Send JSON, or bytes as they are; return the JSON that comes back."""
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        kind = "application/octet-stream" if isinstance(body, bytes) else "application/json"
        fields = {"Authorization": f"Bearer {self._token}", "Content-Type": kind, **headers}
        with urlopen(Request(f"{self._address}/api/v1/{path}", data, fields, method=method)) as answer:
            return json.load(answer)

    def upload(self, project: str, file: Path) -> str:
        """Upload a video; return the item that it becomes."""
        content = file.read_bytes()
        about = {"name": file.name, "size": len(content), "kind": "video"}
        upload = self.ask("POST", f"projects/{project}/uploads", about)["upload"]
        answer: dict[str, Any] = {}
        for first in range(0, len(content), PART):
            part = content[first : first + PART]
            place = f"bytes {first}-{first + len(part) - 1}/{len(content)}"
            answer = self.ask("PUT", f"uploads/{upload}", part, **{"Content-Range": place})
        return str(answer["item"]["id"])

    def command(self, item: str, do: str, **fields: Any) -> Any:
        """Give a command about an item."""
        return self.ask("POST", f"items/{item}/commands", {"do": do, **fields})


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--server", default="http://127.0.0.1:8765")
    options.add_argument("--token", required=True)
    options.add_argument("--video", type=Path, default=Path("assets/juggle.mp4"))
    options.add_argument("--box", type=float, nargs=4, default=[229, 105, 262, 137])
    options.add_argument("--frames", type=int, default=10)
    chosen = options.parse_args()

    server = Server(chosen.server, chosen.token)
    item = server.upload(server.ask("POST", "projects", {"name": chosen.video.stem})["id"], chosen.video)
    server.command(item, "prompt", object=0, frame=0, box=chosen.box)
    job = server.command(item, "track", frames=[0, chosen.frames - 1])["job"]
    while job["state"] in ("queued", "running"):
        job = server.ask("GET", f"jobs/{job['id']}?wait=20")
    for frame in server.ask("GET", f"items/{item}/masks")["frames"]:
        for mask in frame["masks"]:
            print(f"frame {frame['frame']}: {mask['area']} pixels in {mask['box']}, score {mask['score']:.2f}")


if __name__ == "__main__":
    main()
