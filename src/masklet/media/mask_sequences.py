"""The masks of a video as files: label maps, videos with the objects drawn in or by themselves, contact sheets."""

import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from masklet.atomic_files import folder_written_whole
from masklet.errors import InvalidInputError
from masklet.media.label_maps import MAXIMUM_OBJECT_ID, check_label_ids, write_label_map
from masklet.media.mask_files import label_map_of
from masklet.media.overlays import draw_overlay, write_overlay
from masklet.media.recorded_masks import RecordedMasks
from masklet.media.video_reader import VideoReader
from masklet.media.video_writer import write_video

FilePath = str | os.PathLike[str]
Clicks = Sequence[tuple[float, float, int]]
Boxes = Sequence[tuple[float, float, float, float]]
DrawnPrompts = Mapping[int, tuple[Clicks, Boxes]]  # by frame
SHEET_COLUMNS, SHEET_ROWS, SHEET_FRAME_WIDTH, SHEET_GAP = 4, 3, 320, 4


def write_label_maps(folder: FilePath, video: VideoReader, recorded: RecordedMasks, frames: Iterable[int]) -> None:
    """Write one PNG per frame, as DAVIS lays out annotations: `00017.png`, its values the object ids.

    They are indexed, and grey of 16 bits, all of them, where an object id of the video is above 254. Frames that come
    from image files keep their names. Where masks overlap, the one with the highest score shows. InvalidInputError if
    an object id is above 65535.
    """
    object_ids = recorded.object_ids()
    check_label_ids(object_ids)
    is_deep = max(object_ids, default=0) > MAXIMUM_OBJECT_ID
    with folder_written_whole(folder) as unfinished:
        for frame in frames:
            labels = label_map_of(recorded[frame], is_deep=is_deep)
            write_label_map(unfinished / f"{video.frame_name(frame)}.png", labels)


def write_overlay_video(
    path: FilePath,
    video: VideoReader,
    recorded: RecordedMasks,
    frames: Iterable[int],
    prompts: DrawnPrompts,
    *,
    ids: bool = False,
) -> None:
    """Write the given frames with the objects drawn in, and on prompted frames the clicks and boxes.

    Each frame is shown as long as in the source. `frames` ascend and are all recorded. With `ids` each object's number
    is written into its mask.
    """
    start = None
    with write_video(path, video.height, video.width, video.frame_rate) as writer:
        for frame in frames:
            start = video.time_of(frame) if start is None else start
            drawn = _drawn_frame(frame, video, recorded, prompts, ids)
            writer.write(np.asarray(drawn), video.time_of(frame) - start)


def write_contact_sheet(
    path: FilePath, video: VideoReader, recorded: RecordedMasks, prompts: DrawnPrompts, *, ids: bool = False
) -> None:
    """Write a PNG with up to twelve of the recorded frames, numbered and evenly spread, the objects drawn in.

    With `ids` each object's number is written into its mask. InvalidInputError if nothing is recorded.
    """
    frames = list(recorded)
    if not frames:
        raise InvalidInputError("A contact sheet needs at least one frame.")
    count = min(len(frames), SHEET_COLUMNS * SHEET_ROWS)
    chosen = [frames[round(place)] for place in np.linspace(0, len(frames) - 1, count)]
    width = min(SHEET_FRAME_WIDTH, video.width)
    height = round(video.height * width / video.width)
    columns, rows = min(count, SHEET_COLUMNS), -(-count // SHEET_COLUMNS)
    size = (columns * (width + SHEET_GAP) - SHEET_GAP, rows * (height + SHEET_GAP) - SHEET_GAP)
    sheet = Image.new("RGB", size, "white")
    for place, frame in enumerate(chosen):
        row, column = divmod(place, SHEET_COLUMNS)
        drawn = _drawn_frame(frame, video, recorded, prompts, ids).resize((width, height), Image.Resampling.LANCZOS)
        ImageDraw.Draw(drawn).text((4, 2), str(frame), fill="white", stroke_width=2, stroke_fill="black")
        sheet.paste(drawn, (column * (width + SHEET_GAP), row * (height + SHEET_GAP)))
    write_overlay(path, sheet)


def _drawn_frame(
    frame: int, video: VideoReader, recorded: RecordedMasks, prompts: DrawnPrompts, ids: bool
) -> Image.Image:
    clicks, boxes = prompts.get(frame, ((), ()))
    return draw_overlay(video[frame], recorded[frame], points=clicks, boxes=boxes, ids=ids)


def write_mask_videos(
    path_of: Mapping[int, Path], video: VideoReader, recorded: RecordedMasks, frames: Iterable[int]
) -> None:
    """Write one video per object, its mask in white on black; `path_of` gives each object's file.

    Each frame is shown as long as in the source. `frames` ascend and are all recorded.
    """
    start = None
    with ExitStack() as stack:
        writers = {
            object_id: stack.enter_context(write_video(path, video.height, video.width, video.frame_rate))
            for object_id, path in path_of.items()
        }
        for frame in frames:
            start = video.time_of(frame) if start is None else start
            segmentation = recorded[frame]
            place_of = {object_id: place for place, object_id in enumerate(segmentation.object_ids)}
            absent = np.zeros((video.height, video.width), dtype=bool)
            for object_id, writer in writers.items():
                mask = segmentation.mask(place_of[object_id]) if object_id in place_of else absent
                writer.write(np.repeat(mask[..., None], 3, axis=2).astype(np.uint8) * 255, video.time_of(frame) - start)
