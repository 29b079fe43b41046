"""The smallest files of each tool, the variants that its versions write, and what is wrong in others."""

import json

import numpy as np
import pytest
from tests.support.annotated_folders import (
    HEIGHT,
    LEFT,
    RIGHT,
    WIDTH,
    write_cvat_images,
    write_cvat_video,
    write_image,
    write_label_studio,
    write_labelme,
    write_labelme_video,
    write_masklet,
    write_yolo,
    write_youtube_vis,
)

from masklet.errors import InvalidInputError
from masklet.formats.reading.annotated import MismatchedSizeError
from masklet.formats.reading.opening import open_dataset
from masklet.formats.reading.problems import LeftOut, ProblemKind


def about(image):
    return [(each.category, each.object_id) for each in image.objects]


def change(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_labelme(tmp_path):
    write_labelme(tmp_path)
    outlines, pixels = open_dataset(tmp_path)
    np.testing.assert_array_equal(outlines.masks, [LEFT, RIGHT])
    assert about(outlines) == [("block", None)] * 2
    np.testing.assert_array_equal(pixels.masks, [LEFT, RIGHT])
    assert about(pixels) == [("block", 7), ("block", None)]


@pytest.mark.parametrize(
    ("shape", "area"),
    [
        ({"shape_type": "rectangle", "points": [[1, 1], [4, 5]]}, 12),
        ({"shape_type": "circle", "points": [[6, 4], [6, 7]]}, 32),
        ({"points": [[1, 1], [4, 1], [4, 5], [1, 5]]}, 12),
    ],
)
def test_shapes_of_labelme(tmp_path, shape, area):
    write_image(tmp_path / "a.png")
    content = {"shapes": [{"label": "x", **shape}], "imagePath": "a.png", "imageHeight": HEIGHT, "imageWidth": WIDTH}
    (tmp_path / "a.json").write_text(json.dumps(content))
    assert open_dataset(tmp_path)[0].masks.sum() == area


def test_points_of_labelme_have_no_inside(tmp_path):
    write_labelme(tmp_path)
    change(tmp_path / "a.json", '"shape_type": "polygon"', '"shape_type": "linestrip"')
    image = open_dataset(tmp_path)[0]
    assert (image.objects, image.left_out) == ((), {LeftOut.NO_MASK: 2})


def test_videos_of_labelme(tmp_path):
    write_labelme_video(tmp_path)
    (video,) = open_dataset(tmp_path)
    assert (video.annotated_frames, video.object_ids, dict(video.categories)) == (
        (0, 1, 3), (2, 5), {2: "block", 5: "block"},
    )  # fmt: skip
    assert [sorted(video.masks(frame)) for frame in (0, 1, 3)] == [[2, 5], [5], [2, 5]]
    with pytest.raises(InvalidInputError, match="Frame 2 of 'walk' is not annotated"):
        video.masks(2)


@pytest.mark.parametrize(("groups", "ids"), [([None, None], [1]), ([7, "a"], [1, 2]), ([9, 9], [9])])
def test_objects_of_labelmes_videos_by_group_and_label(tmp_path, groups, ids):
    write_labelme_video(tmp_path)
    for path in (tmp_path / "walk").glob("*.json"):
        content = json.loads(path.read_text())
        for shape in content["shapes"]:
            shape["group_id"] = groups[int(shape["group_id"] == 5)]
        path.write_text(json.dumps(content))
    (video,) = open_dataset(tmp_path)
    assert list(video.object_ids) == ids
    shown = video.masks(0)
    np.testing.assert_array_equal(np.logical_or.reduce([*shown.values()]), LEFT | RIGHT)
    assert len(shown) == len(ids)


def test_folders_of_images_are_no_videos(tmp_path):
    """Images of two sizes, or without numbers, in folders of their own."""
    write_labelme(tmp_path / "train")
    with pytest.raises(InvalidInputError, match="These folders in it are datasets: train"):
        open_dataset(tmp_path)
    write_labelme_video(tmp_path / "other")
    change(tmp_path / "other/walk/00001.json", f'"imageHeight": {HEIGHT}', '"imageHeight": 90')
    with pytest.raises(InvalidInputError, match="These folders in it are datasets: walk"):
        open_dataset(tmp_path / "other")


def test_shapes_of_one_group_are_one_object(tmp_path):
    write_labelme(tmp_path)
    content = json.loads((tmp_path / "a.json").read_text())
    for each in content["shapes"]:
        each["group_id"] = 3
    (tmp_path / "a.json").write_text(json.dumps(content))
    image = open_dataset(tmp_path)[0]
    np.testing.assert_array_equal(image.masks, [LEFT | RIGHT])
    assert about(image) == [("block", 3)]


@pytest.mark.parametrize(
    ("shape", "reason"),
    [
        (3, "A shape is an object with a label"),
        ({"label": "x", "points": [[1, "2"]]}, r"Points are a list of \[x, y\]"),
        ({"label": "x", "shape_type": "rectangle", "points": [[1, 2]]}, "A rectangle has two points"),
        ({"label": "x", "shape_type": "mask", "points": [[1, 1], [2, 2]], "mask": "!"}, "no image in base64"),
        ({"label": "x", "shape_type": "mask", "points": [[1, 1], [2, 2]], "mask": "AAAA"}, "no image in base64"),
    ],
)
def test_broken_shapes(tmp_path, shape, reason):
    write_labelme(tmp_path)
    content = json.loads((tmp_path / "a.json").read_text())
    (tmp_path / "a.json").write_text(json.dumps(content | {"shapes": [shape]}))
    with pytest.raises(InvalidInputError, match=rf"a\.json.*{reason}"):
        open_dataset(tmp_path)[0]


def test_a_mask_of_labelme_beyond_the_image(tmp_path):
    write_labelme(tmp_path)
    change(tmp_path / "b.json", "[1, 1]", "[10, 1]")
    with pytest.raises(InvalidInputError, match="reaches beyond the image of 12 x 8 pixels"):
        open_dataset(tmp_path)[1]


def test_yolo(tmp_path):
    write_yolo(tmp_path)
    (tmp_path / "labels/train/b.txt").unlink()
    first, second = dataset = open_dataset(tmp_path)
    np.testing.assert_array_equal(first.masks, [LEFT, RIGHT])
    assert [name for name, _ in about(first)] == ["left", "right"]
    assert not second.objects
    assert [each.kind for each in dataset.problems()] == [ProblemKind.WITHOUT_OBJECTS]


@pytest.mark.parametrize("names", ["names: [left, 'right']", 'names:\n- left\n- "right"', "names: {0: left, 1: right}"])
def test_yolo_names_its_classes_in_several_ways(tmp_path, names):
    write_yolo(tmp_path)
    (tmp_path / "data.yaml").write_text(f"train: images\n{names}\nnc: 2\n")
    assert [name for name, _ in about(open_dataset(tmp_path)[0])] == ["left", "right"]


def test_yolo_by_folders_of_splits(tmp_path):
    write_yolo(tmp_path)
    (tmp_path / "valid").mkdir()
    (tmp_path / "images/train").rename(tmp_path / "valid/images")
    (tmp_path / "labels/train").rename(tmp_path / "valid/labels")
    (tmp_path / "data.yaml").unlink()
    image = open_dataset(tmp_path)[0]
    assert (image.name, [name for name, _ in about(image)]) == ("valid/images/a.jpg", ["class 0", "class 1"])


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("a 0 0 1 1 1 0", "A line is a class and numbers"),
        ("0 0 0 1 1 1", "is x, y pairs"),
        ("0 0 0 1 1 nan 0", "finite"),
    ],
)
def test_broken_lines_of_yolo(tmp_path, line, reason):
    write_yolo(tmp_path)
    (tmp_path / "labels/train/a.txt").write_text(line)
    with pytest.raises(InvalidInputError, match=reason):
        open_dataset(tmp_path)[0]


def test_boxes_of_yolo_are_no_masks(tmp_path):
    write_yolo(tmp_path)
    (tmp_path / "labels/train/a.txt").write_text("0 0.5 0.5 0.2 0.2")
    assert open_dataset(tmp_path)[0].left_out == {LeftOut.BOX_ONLY: 1}


def test_cvat_for_images(tmp_path):
    write_cvat_images(tmp_path)
    change(tmp_path / "annotations.xml", 'label="left"', 'label="left" group_id="4"')
    first, second = open_dataset(tmp_path)
    for image in (first, second):
        np.testing.assert_array_equal(image.masks, [LEFT, RIGHT])
        assert about(image) == [("left", 4), ("right", None)]


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("0, 12", "0, 11", "counts sum to 11 pixels"),
        ("0, 12", "0, x", "separated by commas"),
        ('left="1"', 'left="11"', "is not within 12 x 8"),
        ('height="4"', 'height="-4"', "height of a mask must be a whole number"),
        ("6.00,2.00", "6.00", "x, y pairs"),
    ],
)
def test_broken_shapes_of_cvat(tmp_path, old, new, reason):
    write_cvat_images(tmp_path)
    change(tmp_path / "annotations.xml", old, new)
    with pytest.raises(InvalidInputError, match=rf"annotations\.xml.*{reason}"):
        open_dataset(tmp_path)[0].masks  # noqa: B018


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("</annotations>", "", "is not XML"),
        ("<annotations>", '<!DOCTYPE a [<!ENTITY b "c">]><annotations>', "has a document type"),
        ('name="a.jpg"', 'name=""', "no name of a file"),
    ],
)
def test_broken_files_of_cvat(tmp_path, old, new, reason):
    write_cvat_images(tmp_path)
    change(tmp_path / "annotations.xml", old, new)
    with pytest.raises(InvalidInputError, match=reason):
        open_dataset(tmp_path)


def test_cvat_for_video(tmp_path):
    write_cvat_video(tmp_path)
    (video,) = open_dataset(tmp_path)
    assert (len(video), video.object_ids, video.categories) == (4, (1, 2), {1: "block", 2: "block"})
    assert [sorted(video.masks(frame)) for frame in range(3)] == [[1, 2], [2], [1, 2]]
    np.testing.assert_array_equal(video.masks(2)[1], LEFT)


def test_label_studio(tmp_path):
    write_label_studio(tmp_path)
    for image in open_dataset(tmp_path):
        np.testing.assert_array_equal(image.masks, [LEFT, RIGHT])
        assert [name for name, _ in about(image)] == ["left", "right"]


def test_label_studio_reads_predictions_where_nothing_is_annotated(tmp_path):
    write_label_studio(tmp_path)
    change(
        tmp_path / "tasks.json",
        '"annotations": [{',
        '"annotations": [{"was_cancelled": true, "result": []}], "predictions": [{',
    )
    assert len(open_dataset(tmp_path)[0].objects) == 2


@pytest.mark.parametrize("address", ["/data/local-files/?d=deep/a.jpg", "s3://bucket/a.jpg", "http://x/y/a.jpg?size=3"])
def test_addresses_of_label_studio(tmp_path, address):
    write_label_studio(tmp_path)
    change(tmp_path / "tasks.json", "/data/upload/1/a.jpg", address)
    assert open_dataset(tmp_path)[0].path == tmp_path / "images/a.jpg"


def test_youtube_vis(tmp_path):
    write_youtube_vis(tmp_path)
    (video,) = open_dataset(tmp_path)
    assert (video.name, video.frame_names, video.categories[1]) == ("walk", tuple(f"{n:05}" for n in range(4)), "block")
    assert [sorted(video.masks(frame)) for frame in range(3)] == [[1, 2], [2], [1, 2]]
    np.testing.assert_array_equal(video.masks(2)[2], RIGHT)


def test_masklet(tmp_path):
    write_masklet(tmp_path)
    change(tmp_path / "walk.json", '"frame_rate"', '"objects": [{"id": 5, "name": "b", "class": "ball"}], "frame_rate"')
    (video,) = open_dataset(tmp_path)
    assert (video.annotated_frames, video.object_ids, dict(video.categories)) == ((0, 1, 3), (2, 5), {5: "ball"})
    assert [sorted(video.masks(frame)) for frame in (0, 1, 3)] == [[2, 5], [5], [2, 5]]
    assert video.scores(3) == {2: 0.25, 5: 0.75}
    assert open_dataset(tmp_path / "walk.json").sequences == ("walk",)
    with pytest.raises(InvalidInputError, match="Frame 2 of 'walk' is not annotated"):
        video.masks(2)


def test_videos_of_masklet_are_found_by_the_name_that_their_file_says(tmp_path):
    write_masklet(tmp_path)
    (tmp_path / "walk.json").rename(tmp_path / "export.json")
    assert open_dataset(tmp_path)["export"].read_pixels(3).shape == (HEIGHT, WIDTH, 3)
    change(tmp_path / "export.json", '"file_name": "walk"', '"name": "C:\\\\videos\\\\walk"')
    assert len(open_dataset(tmp_path)["export"]) == 4
    change(tmp_path / "export.json", "walk", "run")
    assert [each.kind for each in open_dataset(tmp_path).problems()] == [ProblemKind.MASK_WITHOUT_IMAGE]
    with pytest.raises(InvalidInputError, match=r"The video of .*export\.json is not beside it"):
        open_dataset(tmp_path)["export"]


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (f'"height": {HEIGHT}', '"height": -8', "no recorded masks of a video: .*height"),
        ('"frame": 1', '"frame": 7', "frame must be a whole number"),
        ('"frame": 1', '"frame": 0', "a frame is there twice"),
        ('"predicted_iou": 0.75', '"predicted_iou": null', "frame 0: The predicted_iou of object 5"),
        ('"counts"', '"runs"', "frame 0: The mask of object 2"),
    ],
)
def test_broken_files_of_masklet(tmp_path, old, new, reason):
    write_masklet(tmp_path)
    change(tmp_path / "walk.json", old, new)
    with pytest.raises(InvalidInputError, match=rf"walk\.json .*{reason}"):
        open_dataset(tmp_path)["walk"].masks(0)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('"file_names": [', '"file_names": [3, ', "no list 'file_names'"),
        ('"video_id": 1', '"video_id": 7', "no file of YouTube-VIS: KeyError"),
        ('"segmentations": [', '"segmentations": [null, ', "has not one entry a frame"),
        (
            f'"size": [{HEIGHT}',
            '"size": [7',
            r"object 1 on frame 0: the mask is of the size \(height, width\) \[7, 12\]",
        ),
    ],
)
def test_broken_files_of_youtube_vis(tmp_path, old, new, reason):
    write_youtube_vis(tmp_path)
    change(tmp_path / "instances.json", old, new)
    with pytest.raises((InvalidInputError, MismatchedSizeError), match=reason):
        open_dataset(tmp_path)["walk"].masks(0)
