"""How fast the ways to run a model are on this machine, and how far their masks agree."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from statistics import fmean, median
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from masklet.masks.overlap import intersection_over_union
from masklet.predictors.image_segmenter import ImageSegmenter
from masklet.predictors.video_tracker import VideoTracker
from masklet.runtimes.compiled import CALLS_TO_RECORD, records
from masklet.transfers import wait_for

Result = TypeVar("Result")
FRAMES, HEIGHT, WIDTH = 64, 360, 480
RADIUS = 40
IMAGE_SHARE = 0.25  # of the time; the rest goes to the video
FRAMES_TO_WARM_UP = 3  # one by a prompt, two by memories: then all parts of a network were called


@dataclass(frozen=True)
class Speed:
    """Seconds to encode an image, to answer a click, and to track one object onto a frame.

    `agreement` is the mean IoU of the masks on all frames with those of the first way.
    """

    encode: float
    click: float
    frame: float
    agreement: float


def measured_speeds(
    trackers: Mapping[str, VideoTracker], seconds: float, on_round: Callable[[float], object] = lambda share: None
) -> dict[str, Speed]:
    """Measure trackers in turn on a disc that moves through noise, for about so many seconds.

    Before that each has segmented an image and tracked a few frames: what is compiled or opened then is not measured.

    Args:
        trackers: by the name of the way that each runs the model; what the first one finds is what others agree with.
        seconds: fewer are needed only where a few images and frames take longer.
        on_round: is called with the share of the time that is over.
    """
    clip = moving_disc()
    for tracker in trackers.values():
        _Run(tracker, clip).warm_up()
    runs = {name: _Run(tracker, clip) for name, tracker in trackers.items()}
    start = time.perf_counter()

    def rounds(until: float, least: int, most: int) -> Iterator[None]:
        for number in range(most):
            spent = (time.perf_counter() - start) / seconds
            if number >= least and spent > until:
                return
            on_round(min(spent, 1.0))
            yield

    for _ in rounds(IMAGE_SHARE, least=2, most=20):
        for run in runs.values():
            run.segment_image()
    for _ in rounds(1.0, least=4, most=FRAMES):
        for run in runs.values():
            run.track_frame()
    first = next(iter(runs.values()))
    return {name: run.speed(first) for name, run in runs.items()}


def moving_disc() -> npt.NDArray[np.uint8]:
    """Frames [t, height, width, 3] of a bright disc that moves from left to right through grey noise."""
    noise = np.random.default_rng(0).integers(60, 120, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    clip = np.repeat(noise[None], FRAMES, axis=0)
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    for frame, center in enumerate(_centers()):
        clip[frame][(x - center) ** 2 + (y - HEIGHT // 2) ** 2 < RADIUS**2] = (230, 180, 60)
    return clip


def _centers() -> Sequence[int]:
    return range(2 * RADIUS, 2 * RADIUS + 4 * FRAMES, 4)


@dataclass
class _Run:
    """One tracker with its times in seconds, and its masks of the frames so far."""

    tracker: VideoTracker
    clip: npt.NDArray[np.uint8]
    encodings: list[float] = field(default_factory=list)
    clicks: list[float] = field(default_factory=list)
    frames: list[float] = field(default_factory=list)
    masks: list[npt.NDArray[np.bool_]] = field(default_factory=list)

    @cached_property
    def _segmenter(self) -> ImageSegmenter:
        return ImageSegmenter(self.tracker.runtime, self.tracker.processor)

    @cached_property
    def _tracked(self) -> Iterator[Any]:
        video, center = self.tracker.open(self.clip), _centers()[0]
        middle = HEIGHT // 2
        video.add(1, frame=0, box=(center - RADIUS, middle - RADIUS, center + RADIUS, middle + RADIUS))
        return video.track()

    def warm_up(self) -> None:
        """Run all parts; on a device with CUDA graphs until those of a click and of a full memory bank are recorded."""
        images, frames, runtime = 1, FRAMES_TO_WARM_UP, self.tracker.runtime
        if records(runtime):
            images, frames = CALLS_TO_RECORD, runtime.config.max_object_pointers_in_encoder + CALLS_TO_RECORD
        for _ in range(images):
            self.segment_image()
        for _ in range(min(frames, FRAMES)):
            self.track_frame()

    def segment_image(self) -> None:
        encoded = self._timed(self.encodings, lambda: self._segmenter.encode(self.clip[0]))
        self._timed(self.clicks, lambda: self._segmenter.segment(encoded, points=[[(_centers()[0], HEIGHT // 2)]]))

    def track_frame(self) -> None:
        _, result = self._timed(self.frames, lambda: next(self._tracked))
        self.masks.append(result.mask(0))

    def _timed(self, seconds: list[float], work: Callable[[], Result]) -> Result:
        """Return what work returns, its time noted, and that of all that it left a device to do."""
        start = time.perf_counter()
        result = work()
        wait_for(self.tracker.runtime.device)
        seconds.append(time.perf_counter() - start)
        return result

    def speed(self, first: "_Run") -> Speed:
        """Return what was measured; of the frames the later half counts, whose memory bank is fuller."""
        later = self.frames[len(self.frames) // 2 :]
        agreement = fmean(
            intersection_over_union(own, other) for own, other in zip(self.masks, first.masks, strict=True)
        )
        return Speed(median(self.encodings), median(self.clicks), median(later), agreement)
