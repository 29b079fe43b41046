"""Datasets as lists of jobs."""

from pathlib import Path

import numpy as np
import pytest
from tests.support.annotated_folders import (
    LABELS,
    LEFT,
    OBJECTS,
    RIGHT,
    write_coco,
    write_image,
    write_sav,
    write_sequences,
    write_youtube_vis,
)

from masklet.errors import InvalidInputError
from masklet.jobs.batch_jobs import BatchJob, read_jobs
from masklet.media.label_maps import write_label_map


def masks_of(job: BatchJob) -> dict[tuple[int, int], np.ndarray]:
    """The masks that a job is tracked from, by frame and object."""
    return {place: entry.prompt(*LABELS.shape, "the video").mask for place, entry in job.objects().items()}


def test_images_of_coco_are_segmented_by_the_boxes_of_their_objects(tmp_path: Path) -> None:
    write_coco(tmp_path)
    for source in (tmp_path, tmp_path / "annotations.json"):
        first, second = read_jobs(source)
        assert (first.id, first.path, first.is_video) == ("a", tmp_path / "images/a.png", False)
        assert [entry["box"] for entry in second.prompts or ()] == [[1, 1, 4, 5], [6, 2, 11, 7]]


def test_sequences_of_davis_are_tracked_from_their_first_masks(tmp_path: Path) -> None:
    write_sequences(tmp_path, resolution="480p")
    (tmp_path / "ImageSets").mkdir()
    (tmp_path / "ImageSets/val.txt").write_text("swan\n")
    assert [job.id for job in read_jobs(tmp_path)] == ["bike", "swan"]
    (job,) = read_jobs(tmp_path / "ImageSets/val.txt")
    assert (job.path, job.is_video) == (tmp_path / "JPEGImages/480p/swan", True)
    masks = masks_of(job)
    assert list(masks) == [(0, 1), (0, 2)]
    assert all((mask == known).all() for mask, known in zip(masks.values(), OBJECTS, strict=True))


def test_an_object_that_comes_later_is_tracked_from_where_it_comes(tmp_path: Path) -> None:
    write_sequences(tmp_path, annotated_every=5, names=("bike",))
    write_label_map(tmp_path / "Annotations/bike/00000.png", LEFT.astype(np.uint8))
    masks = masks_of(*read_jobs(tmp_path))
    assert list(masks) == [(0, 1), (5, 2)]
    assert (masks[5, 2] == RIGHT).all()


@pytest.mark.parametrize("write", [write_sav, write_youtube_vis])
def test_videos_whose_masks_are_run_lengths_are_jobs_too(tmp_path: Path, write: object) -> None:
    write(tmp_path)  # type: ignore[operator]
    (job, *_) = read_jobs(tmp_path)
    assert job.path.is_dir()
    assert {frame for frame, _ in masks_of(job)} == {0}


def test_everything_needs_no_annotations(tmp_path: Path) -> None:
    write_coco(tmp_path)
    assert [job.prompts for job in read_jobs(tmp_path, everything=True)] == [None, None]


def test_a_folder_of_frames_with_other_images_in_it_is_refused(tmp_path: Path) -> None:
    write_youtube_vis(tmp_path)
    (frame, *_) = sorted(tmp_path.rglob("*.jpg"))
    write_image(frame.with_name("zzz.jpg"))
    with pytest.raises(InvalidInputError, match="has other images beside the 4 frames"):
        read_jobs(tmp_path)


def test_media_with_prompt_files_are_no_dataset(tmp_path: Path) -> None:
    write_image(tmp_path / "a.jpg")
    (tmp_path / "a.json").write_text('[{"points": [[1, 2]]}]')
    (job,) = read_jobs(tmp_path)
    assert [*job.objects()] == [(0, 1)]
