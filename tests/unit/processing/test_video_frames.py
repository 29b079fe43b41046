"""Frames are read and prepared when they are asked for, and none is kept."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tests.small_videos import HEIGHT, WIDTH, small_clip

from masklet import Sam2Processor, Sam2VideoProcessor
from masklet.errors import InvalidInputError
from masklet.processing.video_frames import PreparedFrames, StackedFrames

SIDE = 32


class CountingReader(Sequence[np.ndarray]):
    """Says which frames were read."""

    def __init__(self) -> None:
        self.clip = small_clip()
        self.read: list[int] = []

    def __len__(self) -> int:
        return len(self.clip)

    def __getitem__(self, index: Any) -> Any:
        self.read.append(index)
        return self.clip[index]


def test_frames_are_read_when_they_are_asked_for() -> None:
    reader = CountingReader()
    frames = Sam2VideoProcessor(size=SIDE).video_frames(reader)
    assert (len(frames), frames.height, frames.width, reader.read) == (6, HEIGHT, WIDTH, [0])
    first, again = frames[4], frames[4]
    assert reader.read == [0, 4, 4]
    assert first.shape == (3, SIDE, SIDE)
    assert first.dtype == torch.float32
    assert torch.equal(first, again)
    expected = Sam2Processor(size=SIDE)(reader.clip[4], return_tensors="pt")["pixel_values"][0]
    assert torch.equal(first, expected)


def test_there_are_no_frames_beyond_the_last() -> None:
    frames = Sam2VideoProcessor(size=SIDE).video_frames(small_clip())
    for number in (-1, 6):
        with pytest.raises(IndexError, match=f"The video has the frames 0 to 5; got {number}"):
            frames[number]


def test_a_folder_of_frames_is_read_in_the_order_of_numbers(tmp_path: Path) -> None:
    clip = small_clip()
    for number, frame in enumerate(clip):
        Image.fromarray(frame).save(tmp_path / f"{number + 6}.png")  # 10.png comes after 9.png
    processor = Sam2Processor(size=SIDE)
    frames, expected = processor.video_frames(tmp_path), processor.video_frames(clip)
    assert all(torch.equal(frames[number], expected[number]) for number in range(len(clip)))
    assert isinstance(frames, PreparedFrames)


def test_a_prepared_video_is_taken_as_it_is() -> None:
    processor, clip = Sam2VideoProcessor(size=SIDE), small_clip()
    frames = processor.video_frames(processor(clip, return_tensors="pt"))
    assert isinstance(frames, StackedFrames)
    assert (len(frames), frames.height, frames.width) == (6, HEIGHT, WIDTH)
    assert torch.equal(frames[3], processor.video_frames(clip)[3])


def test_several_prepared_videos_are_refused() -> None:
    processor = Sam2VideoProcessor(size=SIDE)
    with pytest.raises(InvalidInputError, match="A session tracks in one video; got 2"):
        processor.video_frames(processor([small_clip(), small_clip()]))


def test_the_processors_options_count() -> None:
    clip = small_clip()
    by_picture = Sam2Processor(size=SIDE, image_std=0.5)
    assert torch.equal(by_picture.video_frames(clip)[0], by_picture(clip[0])["pixel_values"][0])
    by_video = Sam2Processor(size=SIDE, video_processor=Sam2VideoProcessor(size=16, image_std=0.25))
    assert torch.equal(by_video.video_frames(clip)[0], Sam2VideoProcessor(size=16, image_std=0.25)(clip)[
        "pixel_values_videos"
    ][0][0])  # fmt: skip


def test_frames_of_another_size_are_refused_when_they_are_read() -> None:
    clip = [Image.new("RGB", (30, 20)), Image.new("RGB", (20, 30))]
    frames = Sam2VideoProcessor(size=SIDE).video_frames(clip)
    assert frames[0].shape == (3, SIDE, SIDE)
    with pytest.raises(InvalidInputError, match="Frame 1 has 20 x 30 pixels, the video's first one 30 x 20"):
        frames[1]
