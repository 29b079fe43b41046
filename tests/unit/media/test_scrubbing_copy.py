"""Small copies of videos: frame n is frame n, whatever the video is like."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.support.video_files import moving_square, write_small_video

from masklet.media import scrubbing_copy
from masklet.media.frame_index import index_frames
from masklet.media.scrubbing_copy import scrubbing_size, write_scrubbing_copy
from masklet.media.video_reader import open_video

COUNT = 24
VIDEOS: dict[str, dict[str, Any]] = {
    "b-frames.mp4": {"bf": "3", "key_every": 100},
    "open-groups.mkv": {"x264-params": "open-gop=1:bframes=3"},
    "hidden-frames.webm": {"codec": "libvpx", "auto-alt-ref": "1", "lag-in-frames": "12"},
    "unequal-times.mkv": {"times": [number**2 for number in range(COUNT)], "bf": "2"},
    "without-times.h264": {"bf": "2"},
}


def numbered_greys(height: int = 96, width: int = 160) -> list[np.ndarray]:
    """Frames that are known by how bright they are."""
    return [np.full((height, width, 3), 10 * number, np.uint8) for number in range(COUNT)]


def numbers_of(path: Path) -> list[int]:
    with open_video(path) as video:
        return [round(float(frame.mean()) / 10) for frame in video]


def nothing() -> None:
    """Go on."""


@pytest.fixture
def always(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every video be worth a copy."""
    monkeypatch.setattr(scrubbing_copy, "SLOW", 0)


@pytest.mark.usefixtures("always")
@pytest.mark.parametrize("name", VIDEOS)
def test_frames_keep_their_numbers(tmp_path: Path, name: str) -> None:
    source = write_small_video(tmp_path / name, numbered_greys(), **VIDEOS[name])
    assert numbers_of(source) == list(range(COUNT))
    assert write_scrubbing_copy(source, tmp_path / "copy.mp4", nothing)
    assert numbers_of(tmp_path / "copy.mp4") == list(range(COUNT))


@pytest.mark.usefixtures("always")
def test_a_frame_that_cannot_be_decoded_has_its_number_still(tmp_path: Path) -> None:
    source = write_small_video(tmp_path / "v.avi", numbered_greys(), "ffv1", "bgr0", key_every=1)
    size = source.stat().st_size // COUNT
    content = bytearray(source.read_bytes())
    content[10 * size : 13 * size] = b"\xa5" * (3 * size)
    source.write_bytes(content)
    write_scrubbing_copy(source, tmp_path / "copy.mp4", nothing)
    found = numbers_of(source)
    assert found != list(range(COUNT))
    assert numbers_of(tmp_path / "copy.mp4") == found


def tagged(colorspace: int, color_range: int) -> dict[str, Any]:
    def prepare(stream: Any) -> None:
        stream.codec_context.colorspace, stream.codec_context.color_range = colorspace, color_range

    return {"prepare": prepare}


KINDS: dict[str, dict[str, Any]] = {
    "untagged.mp4": {},
    "bt709.mp4": tagged(1, 1),
    "full-range.mp4": tagged(1, 2),
    "bt601.mp4": tagged(5, 1),
    "bt2020.mp4": tagged(9, 1),
    "animation.gif": {"codec": "gif", "pixel_format": "rgb8"},
    "rgb.mkv": {"codec": "ffv1", "pixel_format": "bgr0"},
    "ten-bits.mkv": {"pixel_format": "yuv420p10le"},
}


@pytest.mark.usefixtures("always")
@pytest.mark.parametrize("name", KINDS)
def test_colours_are_those_of_the_video(tmp_path: Path, name: str) -> None:
    frames = [np.full((64, 96, 3), (200, 40, 90), np.uint8)] * 3
    source = write_small_video(tmp_path / name, frames, **KINDS[name])
    write_scrubbing_copy(source, tmp_path / "copy.mp4", nothing)
    with open_video(source) as video, open_video(tmp_path / "copy.mp4") as copy:
        assert np.abs(video[1].mean((0, 1)) - copy[1].mean((0, 1))).max() < 5


@pytest.mark.usefixtures("always")
def test_the_copy_stands_upright_and_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scrubbing_copy, "LONGEST_SIDE", 80)
    frames = numbered_greys()
    for frame in frames:
        frame[:48, :80] = 255  # top left
    write_small_video(tmp_path / "v.mp4", frames, prepare=lambda stream: stream.set_display_rotation(-90))
    write_scrubbing_copy(tmp_path / "v.mp4", tmp_path / "copy.mp4", nothing)
    with open_video(tmp_path / "copy.mp4") as copy:
        assert (copy.height, copy.width) == (80, 48)
        assert copy[3][:36, 28:].min() > 200  # top right: turned clockwise
        assert copy[3][:, :20].max() < 90


@pytest.mark.usefixtures("always")
def test_a_key_frame_is_near_to_every_frame(tmp_path: Path) -> None:
    source = write_small_video(tmp_path / "v.mp4", moving_square(60), key_every=100)
    write_scrubbing_copy(source, tmp_path / "copy.mp4", nothing)
    assert index_frames(source).decoded_for_one() > 20
    assert index_frames(tmp_path / "copy.mp4").decoded_for_one() == 6.5


@pytest.mark.usefixtures("always")
def test_what_is_ended_midway_leaves_nothing(tmp_path: Path) -> None:
    source = write_small_video(tmp_path / "v.mp4", numbered_greys())
    calls = iter(range(7))
    with pytest.raises(StopIteration):
        write_scrubbing_copy(source, tmp_path / "copies" / "copy.mp4", lambda: print(next(calls)))
    assert list((tmp_path / "copies").iterdir()) == []


def test_what_is_fast_already_is_not_copied(tmp_path: Path) -> None:
    short = write_small_video(tmp_path / "v.mp4", moving_square(60), key_every=100)
    images = [Image.fromarray(frame) for frame in numbered_greys()]
    images[0].save(tmp_path / "stack.tif", save_all=True, append_images=images[1:])
    for source in (short, tmp_path / "stack.tif"):
        assert not write_scrubbing_copy(source, tmp_path / "copy.mp4", nothing)
    assert not (tmp_path / "copy.mp4").exists()


@pytest.mark.parametrize(
    ("size", "small"),
    [((1080, 1920), (540, 960)), ((1920, 1080), (960, 540)), ((33, 51), (32, 52)), ((1, 5000), (2, 960))],
)
def test_sizes_of_copies(size: tuple[int, int], small: tuple[int, int]) -> None:
    assert scrubbing_size(*size) == small
