"""How well a predictor follows objects through annotated videos, from their masks in the first frame."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from masklet.atomic_files import folder_written_whole
from masklet.datasets.davis_folder import AnnotatedVideo, DavisFolder
from masklet.errors import InvalidInputError, UnreadableVideoError
from masklet.evaluation.video_predictors import VideoPredictor
from masklet.evaluation.vos_report import SequenceScores, VosReport
from masklet.evaluation.vos_scores import CountingRule, ObjectSeries
from masklet.media.label_maps import LabelMap, read_label_map, write_label_map

Progress = Callable[[int, int], None]
FolderPath = str | os.PathLike[str]


def evaluate_vos(
    root: FolderPath,
    predictor: VideoPredictor,
    *,
    sequences: Sequence[str] | None = None,
    rule: CountingRule = CountingRule.DAVIS,
    save_masks: FolderPath | None = None,
    resume: bool = False,
    progress: Progress | None = None,
) -> VosReport:
    """Measure `predictor` on the videos under `root` as DAVIS' semi-supervised task does.

    Args:
        root: a folder as `DavisFolder` reads it, with a label map for every frame.
        predictor: what is measured; it is told the first frame's label map.
        sequences: the names of the videos to measure; None: all.
        rule: which frames of an object count.
        save_masks: where to write the predicted label maps, as `<sequence>/<frame>.png`.
        resume: measure the videos whose label maps are all in `save_masks` by these, without predicting them again.
        progress: called after each frame with the number of frames done and their total.

    InvalidInputError if a sequence is unknown or has no objects in its first frame.
    """

    def label_maps(video: AnnotatedVideo) -> Iterator[LabelMap]:
        if save_masks is None:
            return _tracked(predictor, video)
        folder = Path(save_masks) / video.name
        if resume and all(path.is_file() for path in _mask_paths(folder, video)):
            return _saved_label_maps(folder, video)
        return _written(_tracked(predictor, video), folder, video)

    return _report(predictor.name, root, label_maps, sequences, rule, progress)


def score_saved_masks(
    root: FolderPath,
    masks: FolderPath,
    *,
    sequences: Sequence[str] | None = None,
    rule: CountingRule = CountingRule.DAVIS,
    progress: Progress | None = None,
) -> VosReport:
    """Measure label maps that some program wrote as `masks/<sequence>/<frame>.png`; otherwise as `evaluate_vos`."""
    folder = Path(masks)
    return _report(
        str(masks), root, lambda video: _saved_label_maps(folder / video.name, video), sequences, rule, progress
    )


def _report(
    name: str,
    root: FolderPath,
    label_maps: Callable[[AnnotatedVideo], Iterator[LabelMap]],
    sequences: Sequence[str] | None,
    rule: CountingRule,
    progress: Progress | None,
) -> VosReport:
    folder = DavisFolder(root)
    videos = [folder[sequence] for sequence in (folder.sequences if sequences is None else sequences)]
    if not videos:
        raise InvalidInputError("Nothing to measure: the list of sequences is empty.")
    total, done = sum(len(video) for video in videos), 0

    def count_frame() -> None:
        nonlocal done
        done += 1
        if progress is not None:
            progress(done, total)

    return VosReport(name, rule, tuple(_measured(each, label_maps(each), rule, count_frame) for each in videos))


def _measured(
    video: AnnotatedVideo, label_maps: Iterable[LabelMap], rule: CountingRule, count_frame: Callable[[], None]
) -> SequenceScores:
    series = [ObjectSeries(each) for each in video.object_ids]
    if not series:
        raise InvalidInputError(f"The first label map of the sequence {video.name!r} shows no object to follow.")
    for index, predicted in zip(range(len(video)), label_maps, strict=True):
        truth = video.labels(index)
        if predicted.shape != truth.shape:
            sizes = f"{list(predicted.shape)}, not {list(truth.shape)}"
            raise InvalidInputError(
                f"The label map predicted for {video.annotation_paths[index]} has the shape {sizes}."
            )
        for each in series:
            each.add(truth == each.object_id, predicted == each.object_id)
        count_frame()
    scores = [each.scores(rule) for each in series]
    counted = tuple(each for each in scores if each is not None)
    if not counted:
        raise InvalidInputError(f"No object of the sequence {video.name!r} is ever seen where it counts.")
    return SequenceScores(video.name, len(video), counted)


def _tracked(predictor: VideoPredictor, video: AnnotatedVideo) -> Iterator[LabelMap]:
    with video.open_frames() as frames:
        yield from predictor.track(frames, video.first_labels)
        if frames.problems:  # a reader puts a neighbour in the place of a damaged frame, which would go into the scores
            raise UnreadableVideoError(frames.problems[0])


def _mask_paths(folder: Path, video: AnnotatedVideo) -> list[Path]:
    return [folder / f"{name}.png" for name in video.frame_names]


def _saved_label_maps(folder: Path, video: AnnotatedVideo) -> Iterator[LabelMap]:
    return (read_label_map(path) for path in _mask_paths(folder, video))


def _written(label_maps: Iterable[LabelMap], folder: Path, video: AnnotatedVideo) -> Iterator[LabelMap]:
    """Pass label maps on and write them; `folder` gets them when all are there."""
    with folder_written_whole(folder) as unfinished:
        for path, labels in zip(_mask_paths(unfinished, video), label_maps, strict=True):
            write_label_map(path, labels)
            yield labels
