"""Examination of one image or one video of a dataset by reading it."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from masklet.errors import InvalidInputError
from masklet.formats.reading.annotated import (
    AnnotatedImage,
    AnnotatedImages,
    AnnotatedVideo,
    AnnotatedVideos,
    EmptyDatasetError,
    MismatchedSizeError,
)
from masklet.formats.reading.problems import LeftOut, Problem, ProblemKind, single_frame
from masklet.media.label_maps import UnknownLabelError

KIND_OF_ERROR = (
    (EmptyDatasetError, ProblemKind.EMPTY_DATASET),
    (MismatchedSizeError, ProblemKind.MISMATCHED_SIZE),
    (UnknownLabelError, ProblemKind.UNKNOWN_LABEL),
    (InvalidInputError, ProblemKind.BROKEN_ANNOTATIONS),
    (OSError, ProblemKind.UNREADABLE_FILE),
)
READING_ERRORS = (InvalidInputError, OSError)
"""Errors of reading annotated data where the data is at fault; unreadable images and videos are OSErrors."""


@dataclass
class Findings:
    """The amount of data, and its problems.

    Attributes:
        images, videos, frames, annotated_frames, objects: how many; what cannot be read is not counted.
        sizes: how many images or videos there are of each size (height, width).
        left_out: how many annotations, or parts of them, gave no object, for which reason.
        problems: in the order in which they were found.
    """

    images: int = 0
    videos: int = 0
    frames: int = 0
    annotated_frames: int = 0
    objects: int = 0
    sizes: Counter[tuple[int, int]] = field(default_factory=Counter)
    left_out: Counter[LeftOut] = field(default_factory=Counter)
    problems: list[Problem] = field(default_factory=list)

    def add(self, other: "Findings") -> None:
        """Take in what was found elsewhere."""
        self.images += other.images
        self.videos += other.videos
        self.frames += other.frames
        self.annotated_frames += other.annotated_frames
        self.objects += other.objects
        self.sizes += other.sizes
        self.left_out += other.left_out
        self.problems.extend(other.problems)

    @contextmanager
    def noting_errors(self, place: str) -> Iterator[None]:
        """Make an error of reading data a problem at `place`, unless the same was noted before."""
        try:
            yield
        except READING_ERRORS as error:
            problem = problem_of(error, place)
            if (problem.kind, problem.detail) not in ((each.kind, each.detail) for each in self.problems):
                self.problems.append(problem)

    def to_json(self) -> dict[str, Any]:
        """Return all of it, ready for JSON; a size is {"height", "width", "count"}."""
        sizes = [{"height": height, "width": width, "count": count} for (height, width), count in self.sizes.items()]
        problems = [
            {"kind": each.kind.value, "is_error": each.kind.is_error, "place": each.place, "detail": each.detail}
            for each in self.problems
        ]
        counts = ("images", "videos", "frames", "annotated_frames", "objects")
        left_out = {reason.value: count for reason, count in self.left_out.items()}
        return {name: getattr(self, name) for name in counts} | {
            "pictures": self.images,  # the earlier name, for programs that read it
            "sizes": sizes,
            "left_out": left_out,
            "problems": problems,
        }


def problem_of(error: Exception, place: str) -> Problem:
    """Return the problem for an error of reading data at `place`."""
    kind = next(kind for errors, kind in KIND_OF_ERROR if isinstance(error, errors))
    return Problem(kind, place, str(error))


def examined_image(dataset: AnnotatedImages, index: int) -> Findings:
    """Read image `index` and its masks, one at a time."""
    found = Findings()
    with found.noting_errors(f"{dataset.root}, image {index}"):
        _examine_image(dataset[index], found)
    return found


def _examine_image(image: AnnotatedImage, found: Findings) -> None:
    place = str(image.path)
    with found.noting_errors(place):
        visible = sum(bool(image.masks_of([number]).any()) for number in range(len(image.objects)))
        found.objects = visible
        found.left_out.update(image.left_out)
        if hidden := len(image.objects) - visible:
            found.left_out[LeftOut.NO_PIXEL] += hidden
        for reason, count in found.left_out.items():
            if reason.kind is not None:
                found.problems.append(Problem(reason.kind, place, f"{count} {reason}"))
    if image.path.exists():  # that it is missing is noted already
        with found.noting_errors(place):
            image.read_pixels()
            found.images = 1
            found.sizes[image.height, image.width] += 1


def examined_video(dataset: AnnotatedVideos, name: str) -> Findings:
    """Read all frames and masks of the video `name`."""
    found = Findings()
    place = str(dataset.root / name)
    try:
        video = dataset[name]
    except InvalidInputError:
        return found  # its files do not fit together, which `problems` lists in detail
    with found.noting_errors(place):
        _examine_frames(video, place, found)
        if len(video) == 1:
            found.problems.append(single_frame(dataset.root, name))
        found.videos = 1
    return found


def _examine_frames(video: AnnotatedVideo, place: str, found: Findings) -> None:
    """Read every frame of a video and every mask, in their order."""
    annotated = set(video.annotated_frames)
    seen: set[int] = set()
    for frame, frame_name in enumerate(video.frame_names):
        here = f"{place}, frame {frame_name}"
        with found.noting_errors(here):
            pixels = video.read_pixels(frame)
            found.frames += 1
            if found.frames == 1:
                found.sizes[pixels.shape[0], pixels.shape[1]] += 1
        if frame in annotated:
            with found.noting_errors(here):
                seen |= video.masks(frame).keys()
                found.annotated_frames += 1
    found.objects = len(seen)
    if found.problems:
        return  # what cannot be read may show the objects that the rest does not
    if not seen:
        found.problems.append(Problem(ProblemKind.WITHOUT_OBJECTS, place, "no frame shows an object"))
    for each in sorted(set(video.object_ids) - seen):
        found.problems.append(Problem(ProblemKind.OBJECT_NEVER_VISIBLE, place, f"object {each} is in no frame"))
