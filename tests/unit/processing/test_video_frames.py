"""Frames are read and prepared when they are asked for, and none is kept."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tests.support.small_video_models import HEIGHT, WIDTH, small_clip

from masklet import Sam2Processor, Sam2VideoProcessor
from masklet.errors import InvalidInputError, UnreadableVideoError
from masklet.media.video_reader import open_video
from masklet.media.video_writer import write_video
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


@pytest.mark.parametrize("kind", ["array", "list", "tensor", "list of tensors"])
def test_floats_from_0_to_1_are_the_frames_that_bytes_are(kind: str) -> None:
    clip = np.stack(small_clip())
    scaled = clip / 255.0
    scaled[0], scaled[4] = 0, 0.004  # dark, which does not tell the range
    tensor = torch.from_numpy(scaled).permute(0, 3, 1, 2)
    video = {"array": scaled, "list": list(scaled), "tensor": tensor, "list of tensors": list(tensor)}[kind]
    processor = Sam2VideoProcessor(size=SIDE)
    frames, expected = processor.video_frames(video), processor.video_frames(scaled * 255)
    for number in range(6):
        torch.testing.assert_close(frames[number], expected[number], atol=1e-4, rtol=0)
    assert torch.equal(
        expected[4], processor.video_frames([np.full((HEIGHT, WIDTH, 3), 1.02)] * 2 + [clip[1] * 1.0])[0]
    )


def test_frames_of_sixteen_bits_share_one_white() -> None:
    frames = [np.full((HEIGHT, WIDTH, 3), value, np.uint16) for value in (3000, 800, 4000)]
    prepared = Sam2VideoProcessor(size=SIDE, image_mean=0, image_std=1).video_frames(frames)
    assert [round(prepared[number].max().item() * 4095, -2) for number in range(3)] == [3000, 800, 4000]


def test_there_are_no_frames_beyond_the_last() -> None:
    frames = Sam2VideoProcessor(size=SIDE).video_frames(small_clip())
    for number in (-1, 6):
        with pytest.raises(IndexError, match=f"The video has the frames 0 to 5; got {number}"):
            frames[number]


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """The clip's frames as files, of which 10.png comes after 9.png."""
    names = [tmp_path / f"{number + 6}.png" for number in range(6)]
    for frame, name in zip(small_clip(), names, strict=True):
        Image.fromarray(frame).save(name)
    return names


@pytest.mark.parametrize("kind", [lambda files: files[0].parent, lambda files: str(files[0].parent), list, tuple])
def test_files_of_frames(files: list[Path], kind: Any) -> None:
    processor = Sam2Processor(size=SIDE)
    frames, expected = processor.video_frames(kind(files)), processor.video_frames(small_clip())
    assert all(torch.equal(frames[number], expected[number]) for number in range(len(expected)))
    assert isinstance(frames, PreparedFrames)


def test_a_video_file(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    with write_video(path, HEIGHT, WIDTH, 25) as video:
        for frame in small_clip():
            video.write(frame)
    processor = Sam2VideoProcessor(size=SIDE)
    frames = processor.video_frames(path)
    assert (len(frames), frames.height, frames.width) == (6, HEIGHT, WIDTH)
    with open_video(path) as decoded:
        assert torch.equal(frames[4], processor.video_frames([decoded[4]])[0])
    assert torch.equal(processor(str(path))["pixel_values_videos"][0][4], frames[4])


def test_a_file_that_is_no_video(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    path.write_text("no video")
    for source in (path, tmp_path / "other.mp4"):
        with pytest.raises(UnreadableVideoError, match=source.name):
            Sam2VideoProcessor().video_frames(source)


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
