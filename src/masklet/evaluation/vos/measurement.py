"""The measurement of a predictor that tracks objects through annotated videos, from their first masks."""

import errno
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from masklet.errors import InvalidInputError
from masklet.evaluation.measured_item import MeasuredItem, WorstFrames
from masklet.evaluation.measurement import FolderPath, Progress, fingerprint_of, measure_all
from masklet.evaluation.vos.mask_folder import MaskFolder
from masklet.evaluation.vos.measured_videos import MeasuredVideos, first_masks, require_undamaged
from masklet.evaluation.vos.predictors import ObjectMasks, VideoPredictor
from masklet.evaluation.vos.report import VosReport, vos_values
from masklet.evaluation.vos.scores import CountingRule, FrameScores, counted_frames, without_ends
from masklet.folders import matching
from masklet.formats.reading.annotated import AnnotatedVideo
from masklet.formats.reading.label_map_video import LabelMapVideo
from masklet.formats.reading.problems import listing
from masklet.jobs.journal import file_fingerprint
from masklet.masks.geometry import Mask
from masklet.media.images import Pixels
from masklet.media.label_maps import check_davis_ids


def evaluate_vos(
    root: FolderPath,
    predictor: VideoPredictor,
    *,
    sequences: Sequence[str] | None = None,
    rule: CountingRule | None = None,
    save_masks: FolderPath | None = None,
    resume: bool = False,
    folder: FolderPath | None = None,
    workers: int = 1,
    progress: Progress | None = None,
) -> VosReport:
    """Measure `predictor` on the videos under `root`; see `VosMeasurement` and `measure_all` for the arguments."""
    masks = None if save_masks is None else os.fspath(save_masks)
    measurement = VosMeasurement(MeasuredVideos.chosen(root, sequences, rule), predictor, masks, resume)
    return measurement.report(measure_all(measurement, folder=folder, workers=workers, progress=progress))


def score_saved_masks(
    root: FolderPath,
    masks: FolderPath,
    *,
    sequences: Sequence[str] | None = None,
    rule: CountingRule | None = None,
    folder: FolderPath | None = None,
    workers: int = 1,
    progress: Progress | None = None,
) -> VosReport:
    """Measure masks that some program wrote, in one of the layouts of `MaskFolder`; otherwise as `evaluate_vos`."""
    measurement = VosMeasurement(MeasuredVideos.chosen(root, sequences, rule), None, os.fspath(masks))
    return measurement.report(measure_all(measurement, folder=folder, workers=workers, progress=progress))


@dataclass(frozen=True)
class VosMeasurement:
    """J and F of objects tracked through annotated videos.

    Attributes:
        videos: what it is measured on.
        predictor: what is measured; None: the masks that are in `masks`.
        masks: where the predicted masks are written, or read from.
        resume: measure the videos whose masks are all in `masks` by these, without predicting them again, if they
            were written by this predictor for the same objects of the same files.

    A sequence without objects is skipped, and needs no masks.

    Raises:
        InvalidInputError: before anything is measured, if sequences are unknown or too short.
        FileNotFoundError: if masks to be read are missing.
    """

    videos: MeasuredVideos
    predictor: VideoPredictor | None
    masks: str | None = None
    resume: bool = False

    @property
    def predictor_name(self) -> str:
        """The predictor's own name, or the folder of the masks."""
        return str(self.masks) if self.predictor is None else self.predictor.name

    def names(self) -> Sequence[str]:
        """Return the sequences to measure; FileNotFoundError, listing them, if masks to be read are missing.

        InvalidInputError if masks are to be written of ids that do not fit into a label map.
        """
        names = self.videos.names()
        if self.predictor is None:
            self._require_masks(names)
        elif self.masks is not None:
            self._check_ids(names)
        return names

    def files(self, name: str) -> Sequence[Path]:
        """Return the files of a sequence, and its masks if these are what is measured."""
        saved = Path(self.masks or "") / name if self.predictor is None else None
        return *self.videos.files(name), *(matching(saved, "**/*.png") if saved is not None else ())

    def settings(self) -> dict[str, Any]:
        """Return what the scores depend on."""
        return {
            "kind": "vos",
            "predictor": self.predictor_name,
            "fingerprint": fingerprint_of(self.predictor),
            "masks": self.masks,
        } | self.videos.settings()

    def measure(self, name: str) -> MeasuredItem:
        """Measure one video."""
        video = self.videos[name]
        object_ids = self.videos.counted_objects(video)
        prompts = first_masks(video, object_ids)
        if not prompts:
            return self.videos.item(video, (), {}, WorstFrames())
        series: dict[int, list[FrameScores]] = {object_id: [] for object_id in object_ids}
        worst, measured, shown = WorstFrames(), _measured_objects(video, object_ids), Counter[int]()
        for frame, predicted in zip(measured, self._predicted(video, object_ids, prompts, measured), strict=True):
            target = video.masks(frame)
            shown.update(each for each, mask in predicted.items() if mask.any())
            empty = np.zeros_like(next(iter((*target.values(), *predicted.values())), np.zeros((1, 1), dtype=bool)))
            for object_id in measured[frame]:
                pair = target.get(object_id, empty), predicted.get(object_id, empty)
                if pair[0].shape != pair[1].shape:
                    sizes = f"{list(pair[1].shape)}, not {list(pair[0].shape)}"
                    place = f"{name}/{video.frame_names[frame]}"
                    raise InvalidInputError(f"The mask predicted for {place} has the shape {sizes}.")
                scores = FrameScores.between(*pair)
                series[object_id].append(scores)
                worst.offer(object_id, frame, scores.j_and_f, pair[1])
        return self._item(video, series, worst, _remarks(video, object_ids, shown))

    def report(self, items: tuple[MeasuredItem, ...]) -> VosReport:
        """Return the means over the objects of all videos."""
        return VosReport(self.predictor_name, items, self.videos.rule)

    def frame_and_mask(self, name: str, frame: int, object_id: int) -> tuple[Pixels, Mask]:
        """Return a frame of a video and the mask of one of its objects."""
        return self.videos.frame_and_mask(name, frame, object_id)

    def _require_masks(self, names: Sequence[str]) -> None:
        root = Path(self.masks or "")
        if not root.is_dir():
            raise FileNotFoundError(errno.ENOENT, "there is no such folder of masks", str(root))
        missing = [name for name in names if not (root / name).is_dir()]
        if len(missing) < len(names):  # reading the ground truth of all would only delay the message
            missing = [name for name in missing if self._first_masks(self.videos[name])]
        if missing:
            lacking = f"masks of {len(missing)} of {len(names)} sequences are missing: {listing(missing)}"
            raise FileNotFoundError(errno.ENOENT, lacking, str(root))

    def _check_ids(self, names: Sequence[str]) -> None:
        """Refuse before anything is tracked ids that the first frames show; those of others when they are reached."""
        for video in map(self.videos.__getitem__, names):
            try:
                check_davis_ids(video.early_ids if isinstance(video, LabelMapVideo) else ())
            except InvalidInputError as error:
                raise InvalidInputError(f"The masks of {video.name!r} cannot be saved: {error}") from error

    def _first_masks(self, video: AnnotatedVideo) -> dict[int, dict[int, Mask]]:
        return first_masks(video, self.videos.counted_objects(video))

    def _item(
        self,
        video: AnnotatedVideo,
        series: dict[int, list[FrameScores]],
        worst: WorstFrames,
        remarks: tuple[str, ...],
    ) -> MeasuredItem:
        counted = {object_id: counted_frames(scores, self.videos.rule) for object_id, scores in series.items()}
        values = {object_id: vos_values(scores) for object_id, scores in counted.items() if scores}
        measures = next(iter(values.values()), {})
        by_measure = {each: tuple(of[each] for of in values.values()) for each in measures}
        return self.videos.item(video, tuple(values), by_measure, worst, remarks)

    def _predicted(
        self,
        video: AnnotatedVideo,
        object_ids: tuple[int, ...],
        prompts: dict[int, dict[int, Mask]],
        measured: dict[int, tuple[int, ...]],
    ) -> Iterator[ObjectMasks]:
        """Yield the predicted masks of each frame of `measured`, of its objects and perhaps others."""
        saved = None if self.masks is None else self._mask_folder(Path(self.masks) / video.name, video, object_ids)
        if saved is not None and (self.predictor is None or (self.resume and saved.is_complete())):
            saved.finish()
            return (saved.read(frame, objects) for frame, objects in measured.items())
        tracked = self._tracked(video, prompts)
        if saved is not None:
            tracked = saved.written(tracked, may_overlap=video.masks_may_overlap)
        numbered = zip(range(len(video)), tracked, strict=True)
        return (masks for frame, masks in numbered if frame in measured)

    def _mask_folder(self, folder: Path, video: AnnotatedVideo, object_ids: tuple[int, ...]) -> MaskFolder:
        origin = {
            "predictor": self.predictor_name,
            "fingerprint": fingerprint_of(self.predictor),
            "objects": object_ids,
            "files": file_fingerprint(self.videos.files(video.name)),
        }
        return MaskFolder(folder, video.frame_names, object_ids, origin)

    def _tracked(self, video: AnnotatedVideo, prompts: dict[int, dict[int, Mask]]) -> Iterator[ObjectMasks]:
        assert self.predictor is not None  # otherwise there are masks
        with video.open_frames() as frames:
            yield from self.predictor.track(frames, prompts, may_overlap=video.masks_may_overlap)
            require_undamaged(video, frames)


def _measured_objects(video: AnnotatedVideo, object_ids: tuple[int, ...]) -> dict[int, tuple[int, ...]]:
    """For each frame on which anything is measured the objects that it is measured of."""
    frames = {each: set(without_ends(video.annotated_frames_of(each))) for each in object_ids}
    objects = {frame: tuple(each for each in object_ids if frame in frames[each]) for frame in video.annotated_frames}
    return {frame: of_frame for frame, of_frame in objects.items() if of_frame}


def _remarks(video: AnnotatedVideo, object_ids: tuple[int, ...], predicted: Counter[int]) -> tuple[str, ...]:
    """Return warnings about objects that count and about predicted ids, each with its number of frames."""
    true_ids = _ids_in_ground_truth(video, {*object_ids, *predicted})
    hidden = [each for each in object_ids if each not in true_ids]
    unknown = [f"{each} on {count} frames" for each, count in sorted(predicted.items()) if each not in true_ids]
    remarks = []
    if hidden:
        remarks.append(f"objects that count are on no frame of the ground truth: {listing(hidden)}")
    if unknown:
        has = f"which has {listing(sorted(true_ids))}"
        remarks.append(f"the masks show ids that are no objects of the ground truth, {has}: {listing(unknown)}")
    return tuple(remarks)


def _ids_in_ground_truth(video: AnnotatedVideo, wanted: set[int]) -> set[int]:
    """Return the ids of the objects in the ground truth; those of its first frames do if all of `wanted` are there."""
    found: set[int] = set()
    for frame in video.annotated_frames:
        if wanted <= found:
            break
        found |= video.masks(frame).keys()
    return found
