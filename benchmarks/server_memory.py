"""What a server holds after many acts: `python -m benchmarks.server_memory [--acts 100000]`.

Half of the users click, the others track a short video again and again, in the process of the program itself and with
a model of a few lines in place of the network: what is left to grow is what the server keeps of each act. Writes
`benchmarks/results/server_memory.json`, with the resident size after each tenth of the acts.
"""

import argparse
import json
import random
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import Any

import torch
from PIL import Image
from tests.support.shade_world import shade_tracker, world

from benchmarks.measuring import machine, versions
from masklet.server.dispatch import handled, parsed
from masklet.server.events import News
from masklet.server.limits import MIB, Limits
from masklet.server.open_items import OpenItem
from masklet.server.process import resident_bytes
from masklet.server.replies import Reply
from masklet.server.service import Service
from masklet.server.settings import ServerSettings
from masklet.server.tokens import Tokens

RESULTS = Path(__file__).parent / "results" / "server_memory.json"
FRAMES, SIDE, TIMES = 24, 64, 10


@dataclass
class User:
    """A user with an item, who reads all news of it; `acts` are clicks, and frames tracked."""

    name: str
    service: Service
    item: OpenItem
    most: int
    acts: int = 0
    rng: random.Random = field(default_factory=lambda: random.Random(0))

    def receive(self, news: Sequence[News]) -> None:
        """Take news, as a socket does."""

    def command(self, do: str, **fields: Any) -> Reply:
        """Give a command, and return its reply."""
        handling = self.service.handling(self.item, self.name, 1, self)
        reply = handled(handling, parsed(json.dumps({"n": 1, "do": do, **fields})))
        if not reply.ok:
            raise RuntimeError(f"{do} was refused: {reply.error}")
        return reply

    def work(self) -> None:
        """Click, or track, until there were enough acts."""
        self.item.channel.listen(self, 0)
        number = self.command("prompt", object=0, frame=0, points=[[10, 12, 1]]).object
        while self.acts < self.most:
            if self.item.is_image:
                place = [self.rng.uniform(0, SIDE), self.rng.uniform(0, SIDE), 1]
                self.command("prompt", object=number, frame=0, points=[place])
                self.acts += 1
            else:
                started = self.command("track", objects="all", full=True).job
                assert started is not None
                self._wait_for(started.id)
                self.acts += FRAMES

    def _wait_for(self, job: str) -> None:
        while self.service.jobs.find(self.name, job).state in ("queued", "running"):
            time.sleep(0.002)


def written_clip(folder: Path) -> Path:
    """Write two squares that move, a file a frame; return their folder."""
    there_and_back = [*range(20), *range(20, 0, -1)]
    places = [there_and_back[number % len(there_and_back)] for number in range(FRAMES)]
    frames, _ = world({100: [(4 + each, 8) for each in places], 200: [(40, 40 - each) for each in places]})
    folder.mkdir()
    for number, frame in enumerate(frames):
        Image.fromarray(frame).save(folder / f"{number:05}.png")
    return folder


def measured(folder: Path, count: int, acts: int) -> list[tuple[int, float]]:
    """Let users act; return how many acts there were and the MiB held, ten times on the way."""
    clip, data = written_clip(folder / "clip"), folder / "data"
    data.mkdir()
    tokens = Tokens({f"user{number}": "" for number in range(count)}, data / "server.json", 10)
    service = Service(ServerSettings(data, limits=Limits(least_free_disk=0)), shade_tracker(), tokens, "shades")
    users = []
    for number in range(count):
        name = f"user{number}"
        media = clip if number % 2 else clip / "00000.png"
        row = service.importing.take_file(service.projects.make(name, "memory", []), media)
        users.append(User(name, service, service.item(name, row.id), -(-acts // count), rng=random.Random(number)))
    threads = [Thread(target=each.work) for each in users]
    for thread in threads:
        thread.start()
    sizes: list[tuple[int, float]] = []
    while len(sizes) < TIMES:
        if (done := sum(each.acts for each in users)) >= acts // TIMES * (len(sizes) + 1):
            sizes.append((done, round(resident_bytes() / MIB, 1)))
            print(*sizes[-1], flush=True)
        elif not any(thread.is_alive() for thread in threads):
            raise RuntimeError(f"the users stopped after {done} acts")
        time.sleep(0.05)
    service.close()
    return sizes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=8)
    parser.add_argument("--acts", type=int, default=100_000)
    parser.add_argument("--folder", type=Path, help="where the data are put; in memory, no act waits for the disk")
    parser.add_argument("--output", type=Path, default=RESULTS)
    options = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        sizes = measured(Path(folder), options.users, options.acts)
    command = f"python -m benchmarks.server_memory --users {options.users} --acts {options.acts}"
    report = {"command": command, "machine": machine(), "versions": versions(), "resident_mib_after_acts": sizes}
    options.output.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
