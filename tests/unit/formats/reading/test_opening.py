import pickle

import numpy as np
import pytest
from tests.support.annotated_folders import (
    LEFT,
    OBJECTS,
    RIGHT,
    WRITERS,
    write_coco,
    write_image,
    write_plain,
    write_sequences,
)

from masklet.errors import InvalidInputError
from masklet.formats.reading.opening import LAYOUTS, holds_videos, is_dataset, layout_of, open_dataset

IMAGES = (
    "batch of images",
    "COCO instances",
    "SA-1B",
    "images and masks",
    "labelme",
    "YOLO segmentation",
    "CVAT for images",
    "Label Studio",
)
VIDEOS = tuple(name for name in WRITERS if name not in IMAGES)


@pytest.mark.parametrize("name", WRITERS)
def test_recognises_each_layout(tmp_path, name):
    WRITERS[name](tmp_path)
    assert name == layout_of(tmp_path).NAME
    assert not list(open_dataset(tmp_path).problems())


def test_every_layout_is_tested():
    assert {each.NAME for each in LAYOUTS} == set(WRITERS)


@pytest.mark.parametrize("name", IMAGES)
def test_images_of_each_layout(tmp_path, name):
    WRITERS[name](tmp_path)
    dataset = open_dataset(tmp_path)
    assert not holds_videos(dataset)
    assert len(dataset) == len(list(dataset)) == 2
    image = dataset[1]
    assert (image.height, image.width, dict(image.left_out)) == (8, 12, {})
    np.testing.assert_array_equal(image.masks, OBJECTS)
    np.testing.assert_array_equal(image.masks_of([1]), [RIGHT])
    assert image.first_objects(1).masks.shape == (1, 8, 12)
    assert image.read_pixels().shape == (8, 12, 3)
    copy = pickle.loads(pickle.dumps(dataset))  # as for the process of a worker
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(copy[1])).masks, OBJECTS)
    with pytest.raises(IndexError):
        dataset[2]


@pytest.mark.parametrize("name", VIDEOS)
def test_videos_of_each_layout(tmp_path, name):
    WRITERS[name](tmp_path)
    dataset = open_dataset(tmp_path)
    assert holds_videos(dataset)
    assert len(dataset) == len(list(dataset)) == len(dataset.sequences)
    video = dataset[dataset.sequences[-1]]
    assert len(video) == len(video.frame_names) > len(video.object_ids) == 2
    last = video.annotated_frames[-1]
    masks = video.masks(last)
    assert tuple(masks) == video.object_ids
    np.testing.assert_array_equal(masks[video.object_ids[0]], LEFT)
    np.testing.assert_array_equal(masks[video.object_ids[1]], LEFT | RIGHT if name.startswith("SA-V") else RIGHT)
    assert abs(int(video.read_pixels(3)[0, 0, 0]) - 30) < 4  # frame n is written with red 10 n
    with video.open_frames() as frames:
        assert len(frames) == len(video)
    assert pickle.loads(pickle.dumps(dataset)).sequences == dataset.sequences  # as for the process of a worker
    with pytest.raises(InvalidInputError, match=r"no (sequence|video) 'goose'"):
        dataset["goose"]


@pytest.mark.parametrize("name", ["YouTube-VOS", "SA-V", "SA-V val and test"])
def test_frames_without_annotation_have_no_masks(tmp_path, name):
    WRITERS[name](tmp_path)
    video = next(iter(open_dataset(tmp_path)))
    with pytest.raises(InvalidInputError, match="Frame 1 of"):
        video.masks(1)


def test_mere_images_are_no_dataset(tmp_path):
    write_image(tmp_path / "images/a.jpg")
    assert not is_dataset(tmp_path)
    write_plain(tmp_path)
    assert is_dataset(tmp_path)


def test_unknown_layouts_are_refused_with_those_that_are_known(tmp_path):
    with pytest.raises(InvalidInputError, match=r"There is no folder .*nowhere"):
        open_dataset(tmp_path / "nowhere")
    with pytest.raises(InvalidInputError, match=r"no known layout.*COCO instances.*SA-V.*images and masks"):
        open_dataset(tmp_path)


def test_datasets_within_the_folder_are_named(tmp_path):
    write_coco(tmp_path / "nuts")
    write_plain(tmp_path / "cells")
    (tmp_path / "other").mkdir()
    with pytest.raises(InvalidInputError, match=r"These folders in it are datasets: cells, nuts;"):
        open_dataset(tmp_path)


def test_a_file_of_coco_annotations_can_be_named(tmp_path):
    write_coco(tmp_path)
    (tmp_path / "annotations.json").rename(tmp_path / "mine.json")
    assert len(open_dataset(tmp_path / "mine.json")) == 2


def test_images_in_the_folders_of_davis_are_no_videos(tmp_path):
    write_plain(tmp_path)
    (tmp_path / "images").rename(tmp_path / "JPEGImages")
    (tmp_path / "masks").rename(tmp_path / "Annotations")
    assert layout_of(tmp_path).NAME == "images and masks"


def test_few_label_maps_make_youtube_vos(tmp_path):
    write_sequences(tmp_path, annotated_every=5)
    assert layout_of(tmp_path).NAME == "YouTube-VOS"


def test_resolutions_make_davis(tmp_path):
    write_sequences(tmp_path, resolution="480p")
    assert layout_of(tmp_path).NAME == "DAVIS"


@pytest.mark.parametrize("name", WRITERS)
def test_all_files_belong_to_a_image_or_video(tmp_path, name):
    """A report that kept results asks whether these files have changed."""
    WRITERS[name](tmp_path)
    dataset = open_dataset(tmp_path)
    items = dataset.sequences if holds_videos(dataset) else range(len(dataset))
    found = {path for item in items for path in dataset.files_of(item)}
    written = {path for path in tmp_path.rglob("*") if path.is_file()}
    aside = {"meta_train.json", "batch.json", "job.jsonl"}  # MOSE's list is not read; where media are changes no mask
    assert found == {path for path in written if path.name not in aside}


@pytest.mark.parametrize("name", ["DAVIS", "YouTube-VOS", "MOSE"])
def test_a_list_of_sequences_opens_just_these(tmp_path, name):
    WRITERS[name](tmp_path)
    write_image(tmp_path / "JPEGImages/goose/00000.jpg")  # of the test set, without annotations
    (tmp_path / "ImageSets/2017").mkdir(parents=True)
    chosen = tmp_path / "ImageSets/2017/train.txt"
    chosen.write_text("swan\n\n")
    assert is_dataset(chosen)
    dataset = open_dataset(chosen)
    assert (dataset.NAME, dataset.root, dataset.sequences) == (name, tmp_path, ("swan",))
    assert [video.name for video in dataset] == ["swan"]
    assert not list(dataset.problems())
    with pytest.raises(InvalidInputError, match="no sequence 'bike'; it has swan"):
        dataset["bike"]


def test_lists_of_davis_2016_name_files(tmp_path):
    write_sequences(tmp_path, resolution="480p")
    chosen = tmp_path / "train.txt"
    pairs = [
        f"/JPEGImages/480p/{name}/0000{n}.jpg /Annotations/480p/{name}/0000{n}.png"
        for name in ("swan", "bike")
        for n in (0, 1)
    ]
    chosen.write_text("\n".join(pairs))
    assert open_dataset(chosen).sequences == ("swan", "bike")


def test_lists_of_editors_that_mark_utf_8_and_of_shells_that_end_folders_in_a_slash(tmp_path):
    write_sequences(tmp_path)
    (tmp_path / "train.TXT").write_text("swan\r\nbike/\r\n", encoding="utf-8-sig")
    assert open_dataset(tmp_path / "train.TXT").sequences == ("swan", "bike")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("swan\ngoose\n", "train.txt names .* does not hold: goose"),
        ("\n", "train.txt names no sequence"),
        ("\xff", "UTF-8"),
    ],
)
def test_lists_that_name_nothing_are_refused(tmp_path, content, message):
    write_sequences(tmp_path)
    (tmp_path / "train.txt").write_text(content, encoding="latin-1")
    with pytest.raises(InvalidInputError, match=message):
        open_dataset(tmp_path / "train.txt")


def test_other_text_files_are_no_dataset(tmp_path):
    (tmp_path / "train.txt").write_text("swan")
    assert not is_dataset(tmp_path / "train.txt")
