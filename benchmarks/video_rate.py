"""Frames a second of the bundled model: `python -m benchmarks.video_rate [--rounds 3]`.

One object of `assets/juggle.mp4` is followed; decoding, overlay and H.264 encoding are included, loading the model and
the first frame are not. Writes `benchmarks/results/video_rate.json`.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.measuring import machine, versions, write_report
from masklet import VideoTracker
from masklet.configuration.presets import SpeedPreset
from masklet.media.overlays import draw_overlay
from masklet.media.video_reader import open_video
from masklet.media.video_writer import write_video

RESULTS = Path(__file__).parent / "results" / "video_rate.json"
CLIP = Path(__file__).parents[1] / "assets" / "juggle.mp4"
BALL = (229, 105, 262, 137)


def frames_a_second(tracker: VideoTracker, overlay: Path) -> float:
    """Follow the ball from its first frame to the last, writing the overlay."""
    with open_video(CLIP) as clip, write_video(overlay, clip.height, clip.width, clip.frame_rate) as out:
        video = tracker.open(clip)
        video.add(1, frame=0, box=BALL)
        start = 0.0
        for number, result in video.track():
            out.write(np.asarray(draw_overlay(Image.fromarray(clip[number]), result)))
            start = start or time.perf_counter()
        return (len(clip) - 1) / (time.perf_counter() - start)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="how often each preset goes through the clip (default 3)")
    parser.add_argument("--output", type=Path, default=RESULTS, help="the JSON file")
    options = parser.parse_args()
    trackers = {preset: VideoTracker.from_pretrained(preset=preset) for preset in SpeedPreset}
    rates: dict[str, list[float]] = {preset.value: [] for preset in trackers}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(options.rounds):
            for preset, tracker in trackers.items():
                rates[preset.value].append(frames_a_second(tracker, Path(folder) / "overlay.mp4"))
    report = {"command": f"python -m benchmarks.video_rate --rounds {options.rounds}", "machine": machine()}
    write_report(report | {"versions": versions(), "rates": rates}, options.output)


if __name__ == "__main__":
    main()
