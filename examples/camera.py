"""Send a camera, or the stream at an address, to a running server, which tracks an object in it.

    masklet serve --users users.json                  # users.json: {"ann": "a token of 20 letters or more"}
    python examples/camera.py --token TOKEN --source rtsp://camera.local/door --box 229 105 262 137

It runs where the camera can be reached, and opens it there: the server opens no cameras and no streams. The box is
given on the first frame; what the server finds on each frame that it tracks is printed. A file goes as well.
"""

import argparse
import io
import json
import struct
from itertools import islice
from typing import Any
from urllib.request import Request, urlopen

from PIL import Image
from websockets.sync.client import connect

from masklet import live_frames
from masklet.server.packets import decode

MICROSECONDS = 40_000  # from frame to frame


def ask(server: str, token: str, path: str, body: Any) -> Any:
    """Post JSON; return the JSON that comes back."""
    fields = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    with urlopen(Request(f"{server}/api/v1/{path}", json.dumps(body).encode(), fields)) as answer:
        return json.load(answer)


class Stream:
    """An item that is a stream: frames and commands go in, masks and replies come out."""

    def __init__(self, socket: Any) -> None:
        self._socket, self._count = socket, 0

    def command(self, do: str, **fields: Any) -> Any:
        """Give a command; return its reply."""
        self._count += 1
        self._socket.send(json.dumps({"n": self._count, "do": do, **fields}))
        while isinstance(message := self._socket.recv(), bytes) or json.loads(message).get("re") != self._count:
            pass
        return json.loads(message)

    def track(self, number: int, pixels: Any) -> None:
        """Send a frame, and print what was found on it."""
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, "JPEG")
        self._socket.send(b"MKF1" + struct.pack("<IIQ", number, 0, number * MICROSECONDS) + file.getvalue())
        while isinstance(message := self._socket.recv(), str) or (packet := decode(message)).frame != number:
            pass
        for each in packet.entries:
            box = (each.mask.x, each.mask.y, each.mask.width, each.mask.height)
            print(f"frame {number}: {each.mask.area} pixels in {box}, score {each.score:.2f}", flush=True)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--server", default="http://127.0.0.1:8765")
    options.add_argument("--token", required=True)
    options.add_argument("--source", default="0", help="number of a camera, address of a stream, or a file")
    options.add_argument("--box", type=float, nargs=4, required=True, help="of the object on the first frame")
    options.add_argument("--frames", type=int, help="stop after so many")
    chosen = options.parse_args()

    frames = live_frames(int(chosen.source) if chosen.source.isdecimal() else chosen.source)
    first = next(frames)
    height, width = first.shape[:2]
    project = ask(chosen.server, chosen.token, "projects", {"name": "camera"})["id"]
    stream = {"live": {"width": width, "height": height, "record": True}}
    item = ask(chosen.server, chosen.token, f"projects/{project}/items", stream)["id"]
    address = f"{chosen.server.replace('http', 'ws', 1)}/api/v1/items/{item}/ws"
    headers = {"Authorization": f"Bearer {chosen.token}"}
    with connect(address, additional_headers=headers, subprotocols=["masklet.v1"], max_size=None) as socket:
        camera = Stream(socket)
        begin = camera.command("hello", since=0)["frame"]
        camera.track(begin, first)
        camera.command("prompt", object=0, frame=begin, box=chosen.box)
        for number, pixels in enumerate(islice(frames, chosen.frames), begin + 1):
            camera.track(number, pixels)
        camera.command("finish")


if __name__ == "__main__":
    main()
