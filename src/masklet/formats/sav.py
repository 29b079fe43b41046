"""Masks of a video in the JSON layout of SA-V's training set: of each frame a list, with the mask of each object."""

import json
import os
from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence, Set
from fractions import Fraction
from typing import Any, Protocol

import numpy as np

from masklet.atomic_files import written_whole
from masklet.automask.object_records import ObjectRecord
from masklet.formats.object_table import recorded_objects
from masklet.masks.run_length import RunLength, run_length_of
from masklet.media.recorded_masks import RecordedMasks

FRAMES_A_SECOND = 24
SIZES = {"small": 0, "medium": 32**2, "large": 96**2}
"""The names of objects' sizes, and from how many pixels on they hold."""


class DescribedVideo(Protocol):
    """What the file says of a video."""

    @property
    def height(self) -> int:
        """In pixels."""
        ...

    @property
    def width(self) -> int:
        """In pixels."""
        ...

    @property
    def frame_rate(self) -> Fraction:
        """Frames a second."""
        ...


def write_sav_json(
    path: str | os.PathLike[str],
    name: str,
    video: DescribedVideo,
    recorded: RecordedMasks,
    *,
    kind: str = "auto",
    every: int = 1,
    frame_count: int | None = None,
) -> None:
    """Write the masks of one video as `masklet`, a list with one entry a frame, of which each lists all objects.

    An object that a frame does not show has a mask of no pixel there. `masklet_id` are the object ids, in the order of
    the lists. Frames have no numbers in this layout, so that all are written from the first of the video to the last
    that was recorded; those between that were not recorded have null for each object, and `video_frame_count` and
    `video_duration` end there. `fps` is the rate of the entries where the video is taken to have 24 frames a second, as
    in Meta's programs. `SavFolder` reads the file as NAME_auto.json beside the video.

    Args:
        path: the file.
        name: of the video, its `video_id`.
        video: the frames.
        recorded: their masks; one frame of them is in memory at a time.
        kind: who made them, as SA-V has it: "auto" or "manual".
        every: that the recorded frames, numbered one after the other, are each of so many of the video: SA-V's are
            every fourth.
        frame_count: of the whole video, where they are.
    """
    records = recorded_objects(recorded)
    pixels = video.height * video.width
    absent = run_length_of(np.array([pixels]), video.height, video.width)
    count = max(recorded, default=-1) + 1
    changes: Counter[int] = Counter()
    before: Set[int] = set()
    with written_whole(path) as unfinished, unfinished.open("w", encoding="utf-8") as file:
        about = _of_video(name, video, frame_count or count) | {"fps": FRAMES_A_SECOND // every}
        file.write(json.dumps(about).removesuffix("}") + ', "masklet": [')
        for frame in range(count):
            seen = _seen_on(frame, recorded)
            line = json.dumps([None if seen is None else seen.get(each.object_id, absent) for each in records])
            file.write(f"{',' if frame else ''}\n{line}")
            if seen is not None:
                known = {each.object_id for each in records if each.first_frame < frame}
                changes.update(known & (seen.keys() ^ before))
                before = seen.keys()
        file.write("\n], " + json.dumps(_of_objects(records, changes, count, pixels, kind)).removeprefix("{") + "\n")


def _seen_on(frame: int, recorded: RecordedMasks) -> dict[int, RunLength] | None:
    """Return the masks of a frame, by the ids of the objects that it shows; None if it was not recorded."""
    if frame not in recorded:
        return None
    found = recorded[frame]
    masks = zip(found.object_ids, found.run_lengths, found.areas, strict=True)
    return {object_id: run_length for object_id, run_length, area in masks if area}


def _of_video(name: str, video: DescribedVideo, count: int) -> dict[str, Any]:
    return {
        "video_id": name,
        "video_duration": round(count / float(video.frame_rate), 6),
        "video_frame_count": count,
        "video_height": video.height,
        "video_width": video.width,
        "video_resolution": video.height * video.width,
    }


def _of_objects(
    records: Sequence[ObjectRecord], changes: Mapping[int, int], count: int, pixels: int, kind: str
) -> dict[str, Any]:
    """Return the lists with an entry an object; as in SA-V, `masklet_frame_count` counts all frames.

    Args:
        records: of the objects.
        changes: how often each vanished, or came back, after its first frame.
        count: of the frames.
        pixels: of a frame.
        kind: who made them.
    """
    return {
        "masklet_id": [each.object_id for each in records],
        "masklet_size_rel": [each.mean_area / pixels for each in records],
        "masklet_size_abs": [each.mean_area for each in records],
        "masklet_size_bucket": [_size_name(each.mean_area) for each in records],
        "masklet_visibility_changes": [changes[each.object_id] for each in records],
        "masklet_first_appeared_frame": [each.first_frame for each in records],
        "masklet_frame_count": [count] * len(records),
        "masklet_edited_frame_count": [0] * len(records),
        "masklet_type": [kind] * len(records),
        "masklet_num": len(records),
    }


def _size_name(area: float) -> str:
    return list(SIZES)[bisect_right(list(SIZES.values()), area) - 1]
