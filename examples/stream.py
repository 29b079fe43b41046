"""Track an object in frames that arrive one by one, as from a camera, and write a line of JSON for each.

Run it from the root of the repository; nothing is downloaded:

    python examples/stream.py                            # a file, read as if it were live
    python examples/stream.py --source 0 --box 100,80,200,180    # the first camera
    python examples/stream.py --source rtsp://192.0.2.1/live --box 100,80,200,180

Memory stays the same however long the stream is.
"""

import argparse
import json
import sys
import time

from masklet import VideoTracker, live_frames


def main(source: str, box: str, frames: int, preset: str) -> None:
    """Track what is in `box` on the first frame, until the source ends or so many frames were seen."""
    tracker = VideoTracker.from_pretrained(preset=preset)
    stream = tracker.open()  # without a video it is a stream
    corners = [float(number) for number in box.split(",")]
    start = time.perf_counter()
    for frame in live_frames(int(source) if source.isdecimal() else source):
        number, result = stream.push(frame)
        if number == 0:
            stream.add(1, frame=0, box=corners)  # prompts can be added on the last 8 frames
            result = stream.segment(0)
        line = {"frame": number, "box": result.boxes[0].tolist(), "score": round(float(result.scores[0]), 3)}
        print(json.dumps(line), flush=True)
        if number + 1 >= frames:
            break
    rate = (number + 1) / (time.perf_counter() - start)
    print(f"{rate:.1f} frames a second", file=sys.stderr)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--source", default="assets/juggle.mp4", help="a file, an address or the number of a camera")
    parser.add_argument("--box", default="229,105,262,137", help="x1,y1,x2,y2 in pixels of the first frame")
    parser.add_argument("--frames", type=int, default=30)
    parser.add_argument("--preset", default="exact", choices=["exact", "fast"])
    main(**vars(parser.parse_args()))
