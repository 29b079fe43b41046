"""Memory of tracking as the video goes on: `python -m benchmarks.video_memory [--frames 2000] [--model PATH_OR_ID]`.

Three objects in a drawn video of 854 x 480 are followed in a fresh process each time: as a file, as a stream of frames,
and over the first frames only by a session that keeps every memory, which has to give the same masks. Writes
`benchmarks/results/video_memory.json`; the resident size is that of the whole process, read from Linux' /proc.
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

RESULTS = Path(__file__).parent / "results" / "video_memory.json"
WIDTH, HEIGHT = 854, 480
OBJECTS = 3
SETTLED = 100  # the frame from which on memory may not grow
SAMPLED_EVERY = 10

Pixels = npt.NDArray[np.uint8]


def drawn_frames(count: int) -> Iterator[Pixels]:
    """Yield `count` frames [H, W, 3]: three textured discs that wander over a textured, moving ground."""
    ground, discs = _texture(2 * WIDTH, 25.0, 0) // 3 + 60, [_disc(number) for number in range(OBJECTS)]
    for number in range(count):
        top = left = int(60 + 60 * np.sin(number / 40))
        frame = ground[top : top + HEIGHT, left : left + WIDTH].copy()
        for disc, (texture, inside) in enumerate(discs):
            x, y = (int(each - len(texture) / 2) for each in disc_centre(disc, number))
            covered = frame[y : y + len(texture), x : x + len(texture)]
            covered[inside] = texture[inside]
        yield frame


def _disc(number: int) -> tuple[Pixels, npt.NDArray[np.bool_]]:
    """A texture in a colour of its own, and which of its pixels are inside the disc."""
    side = 90 + 30 * number
    rows, columns = np.mgrid[:side, :side] + 0.5 - side / 2
    texture = _texture(side, 6.0, 1 + number) // 2
    texture[..., number] += 120
    return texture, np.hypot(rows, columns) < side / 2


def disc_centre(disc: int, number: int) -> tuple[float, float]:
    """Where a disc is on a frame: (x, y) in pixels, on a closed curve of its own."""
    phase = number / (30 + 11 * disc) + 2 * disc
    return WIDTH * (0.5 + 0.38 * np.sin(phase)), HEIGHT * (0.5 + 0.3 * np.cos(1.3 * phase))


def _texture(size: int, grain: float, seed: int) -> Pixels:
    """Smooth random colours, [size, size, 3], which change within `grain` pixels."""
    coarse = np.random.default_rng(seed).integers(0, 200, (int(size / grain), int(size / grain), 3), dtype=np.uint8)
    return np.asarray(cv2.resize(coarse, (size, size), interpolation=cv2.INTER_CUBIC), dtype=np.uint8)


def write_video(path: Path, frames: int) -> None:
    from masklet.media.video_writer import write_video

    with write_video(path, HEIGHT, WIDTH, Fraction(24)) as writer:
        for frame in drawn_frames(frames):
            writer.write(frame)


def masks_by_frame(way: str, video: Path, model: str | None) -> Iterator[npt.NDArray[np.bool_]]:
    """Yield the masks [objects, H, W] of every frame; `way` is "file", "stream" or "unbounded"."""
    from masklet import VideoTracker
    from masklet.media.video_reader import open_video

    if way == "unbounded":
        from masklet.tracking.memory_bank import MemoryBank

        MemoryBank.evict = lambda *_: None  # type: ignore[method-assign]  # keeps every memory in full
    tracker = VideoTracker.from_pretrained(model)
    with open_video(video) as reader:
        if way == "stream":
            stream = tracker.open()
            stream.push(reader[0])
            _prompt(stream)
            yield stream.segment(0).masks
            for frame in islice(reader, 1, None):
                yield stream.push(frame)[1].masks
        else:
            tracked = tracker.open(reader)
            _prompt(tracked)
            for _, segmentation in tracked.track():
                yield segmentation.masks


def _prompt(video: Any) -> None:
    for disc in range(OBJECTS):
        video.add(disc + 1, 0, points=[disc_centre(disc, 0)])


def resident_mib() -> float:
    """The resident size of this process now (Linux)."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def follow(way: str, video: Path, model: str | None, frames: int) -> dict[str, Any]:
    """Track the first `frames` frames in this process; return sizes, time and digests of each frame's masks."""
    start = time.perf_counter()
    sizes, digests, areas = {}, [], []
    for number, masks in enumerate(islice(masks_by_frame(way, video, model), frames)):
        digests.append(hashlib.sha256(np.packbits(masks).tobytes()).hexdigest()[:16])
        areas.append(float(masks.mean()))
        if number % SAMPLED_EVERY == 0 or number == frames - 1:
            sizes[number] = round(resident_mib(), 1)
    settled = {number: size for number, size in sizes.items() if number >= min(SETTLED, frames - 1)}
    return {
        "way": way,
        "frames": len(digests),
        "seconds": round(time.perf_counter() - start, 1),
        "resident_mib": sizes,
        "growth_after_frame_100_mib": round(max(settled.values()) - next(iter(settled.values())), 1),
        "frames_with_masks": sum(area > 0 for area in areas),
        "digests": digests,
    }


def follow_in_fresh_process(way: str, video: Path, model: str | None, frames: int) -> dict[str, Any]:
    arguments = ["--way", way, "--video", str(video), "--frames", str(frames)]
    arguments += [] if model is None else ["--model", model]
    command = [sys.executable, "-m", __spec__.name, *arguments]
    result = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    run: dict[str, Any] = json.loads(result.stdout.splitlines()[-1])
    print(f"{way}: {run['frames']} frames, grows by {run['growth_after_frame_100_mib']} MiB", file=sys.stderr)
    return run


def compare(frames: int, compared: int, model: str | None) -> dict[str, Any]:
    """Run all ways, and say on how many of the frames that two ways share their masks are equal to the last bit."""
    from benchmarks.images import machine, versions

    with tempfile.TemporaryDirectory() as folder:
        video = Path(folder) / "video.mp4"
        write_video(video, frames)
        lengths = {"file": frames, "stream": frames, "unbounded": min(compared, frames)}
        runs = {way: follow_in_fresh_process(way, video, model, length) for way, length in lengths.items()}
    digests = {way: run.pop("digests") for way, run in runs.items()}
    return {
        "command": f"python -m benchmarks.video_memory --frames {frames} --compared {compared}",
        "model": "the bundled model" if model is None else Path(model).name,
        "video": f"{frames} frames of {WIDTH} x {HEIGHT}, {OBJECTS} objects",
        "machine": machine(),
        "versions": versions(),
        "runs": list(runs.values()),
        "frames_with_equal_masks": {
            way: f"{sum(a == b for a, b in zip(digests['file'], others, strict=False))} of {len(others)}"
            for way, others in digests.items()
            if way != "file"
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=2000, help="length of the video (default 2000)")
    parser.add_argument("--compared", type=int, default=300, help="frames with every memory kept (default 300)")
    parser.add_argument("--model", help="folder, weight file or hub id (default: the bundled model)")
    parser.add_argument("--output", type=Path, default=RESULTS, help="the JSON file")
    parser.add_argument("--way", choices=["file", "stream", "unbounded"], help=argparse.SUPPRESS)
    parser.add_argument("--video", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.way:
        print(json.dumps(follow(options.way, options.video, options.model, options.frames)))
        return
    from masklet.atomic_files import written_whole

    report = compare(options.frames, options.compared, options.model)
    with written_whole(options.output) as unfinished:
        unfinished.write_text(json.dumps(report, indent=1) + "\n")
    print(json.dumps(report["frames_with_equal_masks"]))


if __name__ == "__main__":
    main()
