import numpy as np
import pytest
from tests.support.video_files import moving_square, played, write_small_video

from masklet.errors import InvalidInputError, UnreadableVideoError
from masklet.media import live_frames as module
from masklet.media.live_frames import live_frames


def test_an_address_gives_its_frames_until_the_end(tmp_path):
    path = write_small_video(tmp_path / "v.mkv", moving_square(12), bf="2")
    frames = list(live_frames(str(path)))
    for frame, expected in zip(frames, played(path), strict=True):
        np.testing.assert_array_equal(frame, expected)


def test_the_caller_may_stop(tmp_path):
    frames = live_frames(str(write_small_video(tmp_path / "v.mkv", moving_square(12))))
    assert next(frames).shape == (48, 64, 3)
    frames.close()


def test_a_program_may_give_the_frames_without_end():
    def camera():
        while True:
            yield from moving_square(3)

    frames = live_frames(camera())
    for expected in moving_square(3) * 2:
        np.testing.assert_array_equal(next(frames), expected)


def test_other_images_are_refused():
    with pytest.raises(InvalidInputError, match="Frame 1 is float64"):
        list(live_frames([moving_square(1)[0], np.zeros((4, 4, 3))]))


def test_what_cannot_be_opened_is_named(tmp_path, monkeypatch):
    with pytest.raises(UnreadableVideoError, match="no-such-file"):
        next(live_frames(str(tmp_path / "no-such-file.mp4")))
    monkeypatch.setattr(module.sys, "platform", "linux")
    with pytest.raises(UnreadableVideoError, match="/dev/video99"):
        next(live_frames(99))
    monkeypatch.setattr(module.sys, "platform", "win32")
    with pytest.raises(InvalidInputError, match="address"):
        next(live_frames(0))
