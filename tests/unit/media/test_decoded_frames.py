"""Which frames are decoded, and in which order, while several threads ask and give up."""

import time
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from threading import Semaphore

import numpy as np
import pytest

from masklet.errors import UnreadableVideoError
from masklet.media.frame_file import FrameRead
from masklet.media.images import Pixels
from masklet.media.video_reader import VideoReader

PATIENCE = 20  # seconds; nothing takes as long unless it hangs


class SteppedFile:
    """A video of a hundred frames that decodes one whenever it is allowed to, and remembers which."""

    name, height, width, frame_rate, problems = "the stepped file", 4, 6, 25, ()

    def __init__(self) -> None:
        self.reads: list[int] = []
        self.begun, self.allowed = Semaphore(0), Semaphore(0)

    def __len__(self) -> int:
        return 100

    def read(self, number: int) -> FrameRead:
        self.reads.append(number)
        self.begun.release()
        assert self.allowed.acquire(timeout=PATIENCE)
        return FrameRead(np.full((4, 6, 3), number, np.uint8))

    def close(self) -> None:
        pass


class Asking:
    """Threads that ask for frames of a video, of which the first is being decoded."""

    def __init__(self, first: int) -> None:
        self.file = SteppedFile()
        self.video = VideoReader(self.file)  # type: ignore[arg-type]
        self._threads = ThreadPoolExecutor(8)
        self.first = self.ask(first)
        assert self.file.begun.acquire(timeout=PATIENCE)

    def ask(self, number: int, *, is_given_up: bool = False) -> "Future[Pixels]":
        """Return the frame to come, once its thread waits for it."""
        before = sum(map(len, self.video._held._waiting.values()))
        found = self._threads.submit(self.video.read, number, lambda: is_given_up)
        until = time.monotonic() + PATIENCE
        while sum(map(len, self.video._held._waiting.values())) == before and time.monotonic() < until:
            time.sleep(0.001)
        return found

    def decoded(self) -> list[int]:
        """Let everything be decoded that is still wanted, and return what was."""
        for _ in range(100):
            self.file.allowed.release()
        self._threads.shutdown()
        self.video._held._decoder.shutdown()
        return self.file.reads


def test_what_is_given_up_is_not_decoded() -> None:
    asking = Asking(1)
    gone, wanted = asking.ask(50, is_given_up=True), asking.ask(60)
    assert asking.decoded() == [1, 60]
    assert wanted.result()[0, 0, 0] == 60
    with pytest.raises(CancelledError):
        gone.result()


def test_what_one_of_two_has_given_up_is_decoded_for_both() -> None:
    asking = Asking(1)
    both = [asking.ask(50, is_given_up=each) for each in (True, False)]
    assert asking.decoded() == [1, 50]
    assert [each.result()[0, 0, 0] for each in both] == [50, 50]


def test_a_jump_drops_what_was_to_be_decoded_in_advance() -> None:
    asking = Asking(0)  # the first frame: those behind it are decoded in advance
    assert len(asking.video._held) > 4
    jump = asking.ask(50)
    assert asking.decoded() == [0, 50]
    assert jump.result()[0, 0, 0] == 50


def test_what_is_waited_for_comes_before_what_is_decoded_in_advance() -> None:
    asking = Asking(0)
    later = asking.ask(5)
    assert asking.decoded()[:2] == [0, 5]
    assert later.result()[0, 0, 0] == 5


def test_a_thread_that_waits_learns_that_the_video_was_closed() -> None:
    asking = Asking(1)
    waiting = asking.ask(50)
    closing = asking._threads.submit(asking.video.close)
    with pytest.raises(UnreadableVideoError, match="the stepped file was closed"):
        waiting.result(PATIENCE)
    assert asking.decoded() == [1]
    closing.result(PATIENCE)
