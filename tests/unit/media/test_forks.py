"""Open videos after a fork: the child opens them anew, the parent notices nothing."""

import gc
import multiprocessing
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from PIL import Image
from tests.support.forked import found_in_fork
from tests.support.video_files import jpeg_of_corners, moving_square, played, write_motion_jpeg, write_small_video
from torch.utils.data import DataLoader, Dataset

from masklet.media import decoded_frames, forks
from masklet.media.live_frames import live_frames
from masklet.media.video_reader import open_video

COUNT = 40
KINDS = {"v.mp4": {"bf": "2"}, "v.gif": {"codec": "gif", "pixel_format": "rgb8"}, "v.h264": {"bf": "2"}}


def folder_of(frames, folder):
    folder.mkdir()
    for number, frame in enumerate(frames):
        Image.fromarray(frame).save(folder / f"{number}.png")
    return folder


@pytest.fixture(params=[*KINDS, "exif.avi", "folder"])
def video(request, tmp_path):
    """A path, and its frames."""
    if request.param == "exif.avi":
        path = write_motion_jpeg(tmp_path / request.param, [jpeg_of_corners(3), jpeg_of_corners(0)] * (COUNT // 2))
        return path, [frame[::-1, ::-1] for frame in played(path)]
    if request.param == "folder":
        return folder_of(moving_square(COUNT), tmp_path / "folder"), moving_square(COUNT)
    path = write_small_video(tmp_path / request.param, moving_square(COUNT), **KINDS[request.param])
    return path, played(path)


def wrong_frames(reader, expected, order=range(COUNT)):
    return [number for number in order if not np.array_equal(reader[number], expected[number])]


def test_parent_and_child_read_on(video, tmp_path, monkeypatch):
    path, expected = video
    with open_video(path) as reader:
        assert wrong_frames(reader, expected, range(9)) == []  # some are being decoded in advance
        jumps = np.random.default_rng(0).permutation(COUNT).tolist()
        assert found_in_fork(lambda: wrong_frames(reader, expected, [9, 10, *jumps])) == []
        assert wrong_frames(reader, expected, range(9, 30)) == []
        assert found_in_fork(lambda: found_in_fork(lambda: wrong_frames(reader, expected))) == []
        assert wrong_frames(reader, expected, jumps) == []


def test_a_child_finds_the_file_though_it_works_elsewhere(tmp_path, monkeypatch):
    path = write_small_video(tmp_path / "v.mp4", moving_square(COUNT))
    monkeypatch.chdir(tmp_path)
    with open_video("v.mp4") as reader:
        monkeypatch.chdir("/")
        assert found_in_fork(lambda: wrong_frames(reader, played(path))) == []
        assert wrong_frames(reader, played(path), reversed(range(COUNT))) == []


def test_what_a_child_closes_stays_open_for_the_parent(video):
    path, expected = video
    with open_video(path) as reader:
        reader[0]

        def close():
            reader[3]
            reader.close()
            with pytest.raises(OSError, match="was closed"):
                reader[4]

        found_in_fork(reader.close)
        found_in_fork(close)
        assert wrong_frames(reader, expected) == []
    with pytest.raises(AssertionError, match="was closed"):
        found_in_fork(lambda: reader[0])


def test_many_children_read_while_the_parent_does(video):
    path, expected = video
    with open_video(path) as reader, multiprocessing.get_context("fork").Pool(3, _inherit, (reader, expected)) as pool:
        results = [pool.apply_async(_read_inherited, (seed,)) for seed in range(6)]
        assert wrong_frames(reader, expected) == []
        assert [result.get(60) for result in results] == [[]] * 6


_inherited = []


def _inherit(*given):
    _inherited.extend(given)


def _read_inherited(seed):
    reader, expected = _inherited
    return wrong_frames(reader, expected, np.random.default_rng(seed).permutation(COUNT).tolist())


class FramesOfOneVideo(Dataset):
    def __init__(self, reader):
        self.reader = reader

    def __len__(self):
        return len(self.reader)

    def __getitem__(self, number):
        return torch.tensor(self.reader[number])


def test_workers_of_a_data_loader_read_an_open_video(video):
    path, expected = video
    with open_video(path) as reader:
        reader[0]
        loader = DataLoader(FramesOfOneVideo(reader), batch_size=4, num_workers=2, multiprocessing_context="fork")
        np.testing.assert_array_equal(np.concatenate([batch.numpy() for batch in loader]), np.stack(expected))
        assert wrong_frames(reader, expected) == []


PROGRAM = """
import os, signal, sys
from masklet.media.video_reader import open_video
signal.alarm(60)
reader = open_video(sys.argv[1])
frame = reader[5]
child = os.fork()
if child == 0:
    if sys.argv[2] == "freed":
        del reader
    if sys.argv[2] == "read":
        assert (reader[5] == frame).all()
    sys.exit()  # as a program ends: all that it has is freed
status = os.waitpid(child, 0)[1]
assert (reader[5] == frame).all() and reader[20] is not None
sys.exit(status)
"""


@pytest.mark.parametrize("use", ["freed", "read", "untouched"])
def test_a_child_can_free_what_it_inherits_and_end(tmp_path, use):
    path = write_small_video(tmp_path / "v.mp4", moving_square(COUNT))
    subprocess.run([sys.executable, "-W", "ignore", "-c", PROGRAM, path, use], check=True, timeout=100)


def test_a_stream_goes_on_in_the_parent_and_is_refused_in_the_child(tmp_path):
    path = write_small_video(tmp_path / "v.mkv", moving_square(COUNT))
    frames = live_frames(str(path))
    first = next(frames)

    def go_on():
        with pytest.raises(OSError, match=r"v\.mkv was opened by another process"):
            list(frames)

    found_in_fork(go_on)
    np.testing.assert_array_equal(np.stack([first, *frames]), np.stack(played(path)))


def test_a_pickled_reader_is_opened_where_it_arrives(video, monkeypatch):
    path, expected = video
    monkeypatch.chdir(path.parent)
    with open_video(path) as reader:
        reader[7]
        content = pickle.dumps(reader)
        assert len(content) < 5000
        with pickle.loads(content) as other:
            assert wrong_frames(other, expected) == []
            assert wrong_frames(reader, expected) == []


@pytest.mark.parametrize("held", [1, 64])
def test_any_number_of_threads_reads_one_video(video, monkeypatch, held):
    path, expected = video
    monkeypatch.setattr(decoded_frames, "FEWEST_HELD_FRAMES", held)
    monkeypatch.setattr(decoded_frames, "MOST_HELD_FRAMES", held)
    orders = [np.random.default_rng(seed).permutation(COUNT).tolist() for seed in range(4)]
    orders += [range(COUNT), range(COUNT), range(COUNT - 1, -1, -1), range(COUNT - 1, -1, -1)]
    with open_video(path) as reader, ThreadPoolExecutor(len(orders)) as threads:
        for wrong in threads.map(lambda order: wrong_frames(reader, expected, order), orders):
            assert wrong == []
        assert len(reader._held) <= held


def test_forks_while_threads_read(tmp_path):
    path = write_small_video(tmp_path / "v.mp4", moving_square(COUNT))
    expected = played(path)
    with open_video(path) as reader, ThreadPoolExecutor(2) as threads:
        reading = [threads.submit(lambda: [wrong_frames(reader, expected) for _ in range(20)]) for _ in range(2)]
        for number in range(10):
            assert found_in_fork(lambda: wrong_frames(reader, expected, [number, 0, COUNT - 1])) == []  # noqa: B023
        assert [wrong for each in reading for wrong in each.result()] == [[]] * 40


def test_closing_ends_the_waiting_of_other_threads(tmp_path):
    path = write_small_video(tmp_path / "v.mp4", moving_square(COUNT))
    reader = open_video(path)

    def read_on():
        while True:
            wrong_frames(reader, [None] * COUNT)

    with ThreadPoolExecutor(2) as threads:
        waiting = [threads.submit(read_on) for _ in range(2)]
        reader[3]
        reader.close()
        for each in waiting:
            with pytest.raises(OSError, match="was closed"):
                each.result(60)


def test_what_is_closed_is_freed_at_once(video):
    path, _ = video
    gc.collect()
    before = len(forks._with_threads)
    gc.disable()
    try:
        with open_video(path) as reader:
            list(reader)
            assert len(forks._with_threads) > before
        del reader
        assert len(forks._with_threads) == before
    finally:
        gc.enable()
