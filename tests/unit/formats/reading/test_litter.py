"""Hidden and system files and folders are as if they were not there, in every layout and for every reader."""

import shutil

import pytest
from tests.support.annotated_folders import (
    OBJECTS,
    WRITERS,
    write_coco,
    write_image,
    write_mask,
    write_plain,
    write_sa1b,
    write_sav,
    write_sequences,
)
from tests.support.litter import litter

from masklet.datasets.checking import check_dataset
from masklet.datasets.scenes import ImageBank
from masklet.errors import InvalidInputError
from masklet.evaluation.annotated_data import image_datasets
from masklet.formats.reading.opening import LAYOUTS, holds_videos, is_dataset, layout_of, open_dataset


def write_coco_split(root):
    write_coco(root)
    (root / "annotations").mkdir()
    (root / "annotations.json").rename(root / "annotations/instances_val.json")


def write_coco_of_roboflow(root):
    write_coco(root)
    (root / "annotations.json").rename(root / "_annotations.coco.json")


def write_sa1b_in_folders(root):
    write_sa1b(root / "sa_000000")
    write_sa1b(root / "sa_000001")


def write_sa1b_apart(root):
    write_sa1b(root, images="images", annotations="annotations")


def write_masks_of_objects(root):
    write_plain(root)
    (root / "masks/a.png").unlink()
    for number, mask in enumerate(OBJECTS):
        write_mask(root / f"masks/a/{number}.png", mask)


def write_mose_by_its_names(root):
    write_sequences(root, names=("00b72f4d", "0a1b2c3d"))


def write_youtube_vos_without_meta(root):
    write_sequences(root, annotated_every=5)


def write_davis_resolutions(root):
    write_sequences(root, resolution="480p")


def write_sav_deep(root):
    write_sav(root / "sav_train/sav_000")


MORE_WRITERS = (
    write_coco_split,
    write_coco_of_roboflow,
    write_sa1b_in_folders,
    write_sa1b_apart,
    write_masks_of_objects,
    write_mose_by_its_names,
    write_youtube_vos_without_meta,
    write_davis_resolutions,
    write_sav_deep,
)


def found(root):
    """All that reading, checking and recognising report about a dataset."""
    dataset = open_dataset(root)
    items = dataset.sequences if holds_videos(dataset) else range(len(dataset))
    names = dataset.sequences if holds_videos(dataset) else [dataset.name_of(item) for item in items]
    files = [dataset.files_of(item) for item in items]
    recognised_as = [each.NAME for each in LAYOUTS if each.recognises(root)]
    return layout_of(root).NAME, recognised_as, names, files, check_dataset(root).to_json()


@pytest.mark.parametrize("write", [*WRITERS.values(), *MORE_WRITERS])
def test_a_littered_dataset_is_the_dataset(tmp_path, write):
    write(tmp_path)
    before = found(tmp_path)
    assert before[-1]["problems"] == []
    litter(tmp_path)
    assert found(tmp_path) == before


def test_frames_that_lack_their_label_map_are_found_under_litter(tmp_path):
    write_sequences(tmp_path, names=("swan",))
    (tmp_path / "Annotations/swan/00003.png").unlink()
    write_image(tmp_path / "JPEGImages/goose/00000.jpg")
    problems = check_dataset(tmp_path).to_json()["problems"]
    assert len(problems) == 2
    litter(tmp_path)
    assert check_dataset(tmp_path).to_json()["problems"] == problems


def test_litter_alone_is_no_data(tmp_path):
    write_sequences(tmp_path)
    litter(tmp_path)
    for name in ("bike", "swan"):
        for folder in ("JPEGImages", "Annotations"):
            shutil.rmtree(tmp_path / folder / name)
    with pytest.raises(InvalidInputError, match="Annotations holds no folder"):
        open_dataset(tmp_path)
    write_plain(tmp_path / "plain")
    litter(tmp_path / "plain")
    for folder in ("images", "masks"):
        for path in (tmp_path / "plain" / folder).glob("[ab].*"):
            if path.is_file():
                path.unlink()
    assert check_dataset(tmp_path / "plain").to_json()["images"] == 0


def test_folders_of_several_datasets(tmp_path):
    write_coco(tmp_path / "nuts")
    write_plain(tmp_path / "cells")
    litter(tmp_path)
    assert not is_dataset(tmp_path)
    assert list(image_datasets(tmp_path)) == ["cells", "nuts"]
    with pytest.raises(InvalidInputError, match=r"These folders in it are datasets: cells, nuts;"):
        open_dataset(tmp_path)


def test_the_procedural_world_is_made_of_the_images_alone(tmp_path):
    for name in ("a", "inner/b"):
        write_image(tmp_path / f"{name}.png", size=(96, 64))
    count = len(ImageBank.load([tmp_path]).images)
    litter(tmp_path)
    assert len(ImageBank.load([tmp_path]).images) == count == 2
