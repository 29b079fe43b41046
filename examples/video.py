"""Track two objects through a video, correct one of them, and write a video with the masks drawn in.

Run it from the root of the repository; nothing is downloaded:

    python examples/video.py --output out
    python examples/video.py --output out --frames 10    # only the first ten frames

It writes out/tracked.mp4.
"""

import argparse
from pathlib import Path

import numpy as np
from PIL import Image

from masklet import VideoTracker, draw_overlay, open_video, write_video

BALL, MAN = 1, 2  # your names for the objects, integers above 0


def main(output: Path, frames: int, model: str | None) -> None:
    """Prompt, track, correct, track again, draw."""
    tracker = VideoTracker.from_pretrained(model)
    with open_video("assets/juggle.mp4") as clip:  # frames are decoded when they are needed
        video = tracker.open(clip)
        wanted = range(min(frames, len(video)))

        video.add(BALL, frame=0, box=(229, 105, 262, 137))
        # A box, and a negative click (label 0) on the tree behind his head.
        video.add(MAN, frame=0, box=(228, 18, 312, 252), points=[(240, 38)], labels=[0])
        masks = dict(video.track(frames=wanted))
        print(f"{len(masks)} frames; on the first one {masks[0].areas.tolist()} pixels")

        # A correction can be made on any frame. Tracking again carries it to the frames after it.
        if 20 in wanted:
            video.add(BALL, frame=20, box=(251, 168, 283, 201))
            corrected = dict(video.track(frames=range(20, wanted.stop)))
            print(f"the ball on frame 20: {masks[20].areas[0]} pixels became {corrected[20].areas[0]}")
            masks |= corrected

        output.mkdir(parents=True, exist_ok=True)
        with write_video(output / "tracked.mp4", clip.height, clip.width, clip.frame_rate) as out:
            for number, result in masks.items():
                out.write(np.asarray(draw_overlay(Image.fromarray(clip[number]), result)))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=Path("out"))
    parser.add_argument("--frames", type=int, default=48)
    parser.add_argument("--model", help="a folder, a weight file or a hub id (default: the bundled model)")
    main(**vars(parser.parse_args()))
