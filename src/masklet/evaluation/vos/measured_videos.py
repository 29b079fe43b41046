"""The videos of an evaluation, and which of their objects count."""

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np

from masklet.errors import InvalidInputError, UnreadableVideoError
from masklet.evaluation.annotated_data import dataset_name, video_dataset
from masklet.evaluation.measured_item import MeasuredItem, WorstFrames
from masklet.evaluation.vos.scores import FEWEST_FRAMES, CountingRule
from masklet.formats.reading.annotated import AnnotatedVideo, AnnotatedVideos
from masklet.formats.reading.davis_folder import DavisFolder, DavisVideo
from masklet.formats.reading.problems import listing, refuse_errors
from masklet.masks.geometry import Mask
from masklet.media.images import Pixels
from masklet.media.video_reader import VideoReader


@dataclass(frozen=True)
class MeasuredVideos:
    """Some videos of a dataset and the rule by which their objects count.

    Attributes:
        root: a dataset of videos. Measured are its annotated frames, without the first and the last.
        sequences: the names of the videos to measure; None: all.
        asked_rule: which objects and frames count; None: as in the dataset's own tool.

    Raises:
        InvalidInputError: if a name is in `sequences` twice.
    """

    root: str
    sequences: tuple[str, ...] | None = None
    asked_rule: CountingRule | None = None

    def __post_init__(self) -> None:
        repeated = [name for name, count in Counter(self.sequences or ()).items() if count > 1]
        if repeated:
            raise InvalidInputError(f"Each sequence counts once; named more often: {listing(repeated)}.")

    @classmethod
    def chosen(
        cls, root: str | os.PathLike[str], sequences: Sequence[str] | None, asked_rule: CountingRule | None
    ) -> Self:
        """Return the videos of these names below a path; None: all."""
        return cls(os.fspath(root), None if sequences is None else tuple(sequences), asked_rule)

    def opened(self) -> Self:
        """Return itself once the dataset is open; InvalidInputError if that is broken or not one of videos."""
        _ = self._dataset
        return self

    @cached_property
    def rule(self) -> CountingRule:
        """The rule that was asked for, else DAVIS' in its layout, and by appearance where objects may appear late."""
        return self.asked_rule or (
            CountingRule.DAVIS if isinstance(self._dataset, DavisFolder) else CountingRule.APPEARANCE
        )

    def names(self) -> Sequence[str]:
        """Return the names of the videos to measure; no more is read than the first label maps of DAVIS' layout.

        InvalidInputError if all are to be measured and the dataset is incomplete, or, listing those that cannot be
        measured: unknown ones, ones whose files do not fit together, and those with fewer annotated frames than needed.
        """
        names = self.sequences
        if names is None:
            refuse_errors(self.root, self._dataset.problems())
            names = self._dataset.sequences
        reasons = [reason for name in names if (reason := self._unsuited(name)) is not None]
        if reasons:
            raise InvalidInputError(f"{len(reasons)} of {len(names)} sequences cannot be measured: {listing(reasons)}.")
        return names

    def settings(self) -> dict[str, Any]:
        """Return what scores depend on, the choice of videos aside: each has its own."""
        return {"root": str(Path(self.root).absolute()), "rule": self.rule}

    def files(self, name: str) -> tuple[Path, ...]:
        """Return all files of a video."""
        return self._dataset.files_of(name)

    def __getitem__(self, name: str) -> AnnotatedVideo:
        """Return a video."""
        return self._dataset[name]

    def counted_objects(self, video: AnnotatedVideo) -> tuple[int, ...]:
        """Return the ids of the objects to measure, ascending.

        By DAVIS' rule those that the dataset names: 1 to the highest id in the first frame, in its own layout. By
        appearance all that the ground truth ever shows.
        """
        if self.rule is CountingRule.DAVIS:
            return video.object_ids
        return tuple(sorted({each for frame in video.annotated_frames for each in video.masks(frame)}))

    def frame_and_mask(self, name: str, frame: int, object_id: int) -> tuple[Pixels, Mask]:
        """Return an annotated frame (uint8 [H, W, 3]) and the ground truth (bool [H, W]) of an object on it."""
        video = self[name]
        pixels = video.read_pixels(frame)
        return pixels, video.masks(frame).get(object_id, np.zeros(pixels.shape[:2], dtype=bool))

    def item(
        self,
        video: AnnotatedVideo,
        object_ids: Sequence[int],
        values: dict[str, tuple[float, ...]],
        worst: WorstFrames,
        remarks: tuple[str, ...] = (),
    ) -> MeasuredItem:
        """Return what was measured on a video."""
        name, worst_frames = dataset_name(self.root), worst.of(object_ids)
        return MeasuredItem(video.name, name, len(video), tuple(object_ids), values, worst_frames, remarks)

    @cached_property
    def _dataset(self) -> AnnotatedVideos:
        return video_dataset(self.root)

    def _unsuited(self, name: str) -> str | None:
        """Return why a video cannot be measured, by its names, counts and ids in DAVIS' layout; None if it can."""
        try:
            video = self[name]
            count = len(video.annotated_frames)
            if self.rule is CountingRule.DAVIS and isinstance(video, DavisVideo):
                self.counted_objects(video)
        except (InvalidInputError, OSError) as error:
            return str(error).removesuffix(".")
        if count >= FEWEST_FRAMES:
            return None
        return f"{name!r} has {count} annotated frames, at least {FEWEST_FRAMES} are needed"


def require_undamaged(video: AnnotatedVideo, frames: VideoReader) -> None:
    """Raise UnreadableVideoError, naming the file, if a frame of `video` that was read is damaged.

    A reader puts a neighbour in its place, and that would be measured.
    """
    try:
        for number in sorted(frames.damaged):
            video.read_pixels(number)
    except OSError as error:
        raise UnreadableVideoError(f"{video.name} cannot be measured: {error}") from error
    if frames.problems:
        raise UnreadableVideoError(f"{video.name} cannot be measured: {frames.problems[0]}")


def first_masks(video: AnnotatedVideo, object_ids: tuple[int, ...]) -> dict[int, dict[int, Mask]]:
    """Return the mask (bool [H, W]) of each object on the first annotated frame that shows it, by frame and id.

    An object that is never visible is left out.
    """
    missing, found = set(object_ids), dict[int, dict[int, Mask]]()
    for frame in video.annotated_frames:
        if not missing:
            break
        new = {each: mask for each, mask in video.masks(frame).items() if each in missing and mask.any()}
        if new:
            found[frame] = new
            missing -= new.keys()
    return found
