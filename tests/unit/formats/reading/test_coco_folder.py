import json
import re

import numpy as np
import pytest
from PIL import ExifTags, Image

from masklet.datasets.checking import check_dataset, check_structure, require_sound
from masklet.errors import InvalidInputError, UnreadableImageError
from masklet.formats.reading.annotated import MismatchedSizeError
from masklet.formats.reading.coco_folder import CocoFolder
from masklet.formats.reading.problems import LeftOut, ProblemKind
from masklet.masks.run_length import encode_run_length

MASK = np.zeros((4, 6), dtype=bool)
MASK[1:3, 2:5] = True
SQUARE = [[2, 1, 5, 1, 5, 3, 2, 3]]


IMAGE = {"id": 7, "file_name": "a.png", "height": 4, "width": 6}


def write(root, annotations, images=(IMAGE,), size=(6, 4)):
    (root / "images").mkdir()
    Image.new("RGB", size, (10, 20, 30)).save(root / "images" / "a.png")
    content = {"images": list(images), "annotations": [{"image_id": 7, **each} for each in annotations]}
    (root / "annotations.json").write_text(json.dumps(content))
    return CocoFolder(root)


@pytest.mark.parametrize(
    "segmentation",
    [
        encode_run_length(MASK),
        {"size": [4, 6], "counts": [9, 2, 2, 2, 2, 2, 5]},
        [[2, 1, 5, 1, 5, 3, 2, 3]],
    ],
    ids=["compressed", "uncompressed", "polygon"],
)
def test_reads_every_form(tmp_path, segmentation):
    folder = write(tmp_path, [{"segmentation": segmentation}])
    (image,) = folder
    assert len(folder) == 1
    assert image.name == "a.png"
    np.testing.assert_array_equal(image.masks, MASK[None])
    np.testing.assert_array_equal(image.read_pixels(), np.broadcast_to(np.uint8([10, 20, 30]), (4, 6, 3)))


def test_skips_crowds_empty_masks_and_other_images(tmp_path):
    annotations = [
        {"segmentation": encode_run_length(MASK), "iscrowd": 1},
        {"segmentation": encode_run_length(MASK & False)},
        {"segmentation": encode_run_length(~MASK), "iscrowd": 0},
        {"segmentation": encode_run_length(MASK), "image_id": 8},
    ]
    (image,) = write(tmp_path, annotations)
    np.testing.assert_array_equal(image.masks, ~MASK[None])


def test_image_without_objects(tmp_path):
    (image,) = write(tmp_path, [])
    assert image.masks.shape == (0, 4, 6)


def test_missing_file(tmp_path):
    with pytest.raises(InvalidInputError, match=r"annotations\.json does not exist"):
        CocoFolder(tmp_path)


def test_broken_json(tmp_path):
    (tmp_path / "annotations.json").write_text("{")
    with pytest.raises(InvalidInputError, match=r"annotations\.json is not JSON"):
        CocoFolder(tmp_path)


@pytest.mark.parametrize(
    ("images", "reason"),
    [
        ([3], "the image 3 lacks one of the fields file_name, height, id, width"),
        ([{"id": 1, "file_name": "a.png", "height": 4}], "lacks one of the fields"),
        ([{"id": [], "file_name": "a.png", "height": 4, "width": 6}], "lacks one of the fields"),
        ([{"id": 1, "file_name": "a.png", "height": 4, "width": 6}] * 2, "several images have the id 1"),
        *(
            ([IMAGE | {"file_name": name}], "the file_name of the image {.* is no name of a file")
            for name in (5, None, "", [], "a\0b", "\ud800", "n" * 300, "n/" * 1500)
        ),
    ],
)
def test_broken_images(tmp_path, images, reason):
    with pytest.raises(InvalidInputError, match=reason):
        write(tmp_path, [], images)


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        '{"images": []}',
        '{"images": {}, "annotations": []}',
        *(
            f'{{"images": [], "annotations": [{each}]}}'
            for each in ("{}", "3", '"x"', "[]", "null", '{"image_id": []}')
        ),
    ],
)
def test_invalid_file(tmp_path, text):
    (tmp_path / "annotations.json").write_text(text)
    with pytest.raises(InvalidInputError, match="not a COCO instances file"):
        CocoFolder(tmp_path)


@pytest.mark.parametrize(
    ("segmentation", "reason"),
    [
        ({"size": [4, 6], "counts": [5]}, "The counts sum to 5 pixels; 4 x 6 has 24"),
        ({"size": [4, 6], "counts": encode_run_length(MASK)["counts"][:-1]}, "The counts sum to 19 pixels"),
        ({"size": [4, 6], "counts": encode_run_length(MASK)["counts"][:-2] + "R"}, "unfinished"),
        ({"size": [4, 6], "counts": None}, "The counts must be whole numbers"),
        ({"size": 4, "counts": [24]}, "A size is"),
        ({"size": [4, 6]}, "need 'size'"),
        (3, "A polygon is"),
        ([[float("nan"), 1, 5, 1, 5, 3]], "Coordinates are finite"),
        ([[0, 1, 5, 1, 5, 1e9]], "Coordinates are finite"),
        ([["0", 1, 5, 1, 5, 3]], "A polygon is"),
    ],
)
@pytest.mark.parametrize("identity", [{"id": 12}, {}])
def test_a_broken_mask_is_an_error_that_names_its_annotation(tmp_path, segmentation, reason, identity):
    folder = write(tmp_path, [{"id": 11, "segmentation": SQUARE}, {**identity, "segmentation": segmentation}])
    which = "12" if identity else "number 2"
    with pytest.raises(InvalidInputError, match=rf"annotations\.json: a\.png: annotation {which}: .*{reason}"):
        folder[0]


@pytest.mark.parametrize(
    "size", [{"height": 10**9}, {"height": 10**400}, {"width": -6}, {"width": None}, {"width": "x"}]
)
def test_sizes_of_no_image(tmp_path, size):
    image = {"id": 7, "file_name": "a.png", "height": 4, "width": 6} | size
    folder = write(tmp_path, [{"segmentation": SQUARE}], [image])
    with pytest.raises(InvalidInputError, match=r"annotations\.json: a\.png: (The (height|width) must be|A mask has)"):
        folder[0]


@pytest.mark.parametrize(
    ("annotation", "reason"),
    [
        ({}, LeftOut.NO_MASK),
        ({"bbox": [1, 2, 3, 4]}, LeftOut.BOX_ONLY),
        ({"segmentation": None, "bbox": [1, 2, 3, 4]}, LeftOut.BOX_ONLY),
        ({"segmentation": []}, LeftOut.NO_MASK),
        ({"segmentation": [[]]}, LeftOut.NO_OUTLINE),
        ({"segmentation": [[1, 1, 4, 4]]}, LeftOut.NO_OUTLINE),
        ({"segmentation": [[1, 1], [4, 4]]}, LeftOut.NO_OUTLINE),
        ({"segmentation": [[1, 1, 4, 4], *SQUARE]}, LeftOut.PART),
        ({"segmentation": encode_run_length(MASK & False)}, LeftOut.NO_PIXEL),
        ({"segmentation": [[9, 9, 12, 9, 12, 12]]}, LeftOut.NO_PIXEL),
        ({"segmentation": encode_run_length(MASK), "iscrowd": 1}, LeftOut.CROWD),
    ],
)
def test_an_annotation_without_mask_costs_itself_and_is_counted(tmp_path, annotation, reason):
    (image,) = write(tmp_path, [annotation, {"segmentation": SQUARE}])
    count = 2 if reason is LeftOut.PART else 1  # its other part is a mask
    np.testing.assert_array_equal(image.masks, np.stack([MASK] * count))
    assert image.left_out == {reason: 1}
    report = check_dataset(tmp_path)
    assert not report.errors
    assert report.findings.left_out == {reason: 1}
    assert [each.detail for each in report.problems] == ([f"1 {reason}"] if reason is not LeftOut.CROWD else [])
    require_sound(tmp_path)


@pytest.mark.parametrize(
    ("annotation", "reason"),
    [({"segmentation": SQUARE, "iscrowd": 1}, LeftOut.CROWD), ({"bbox": [1]}, LeftOut.BOX_ONLY)],
)
def test_a_file_that_cannot_give_any_object_says_why_in_one_line(tmp_path, annotation, reason):
    write(tmp_path, [annotation] * 3)
    (problem,) = check_dataset(tmp_path).errors
    assert problem.kind is ProblemKind.EMPTY_DATASET
    assert problem.detail == f"no annotation can be used: 3 {reason}"
    with pytest.raises(InvalidInputError, match=rf"^{tmp_path} cannot be used: .*: 3 {re.escape(reason)}\.$"):
        require_sound(tmp_path)


def test_a_file_without_any_pixel_says_why_in_one_line(tmp_path):
    write(tmp_path, [{"segmentation": [[1, 1, 2, 2]]}] * 2)
    (problem,) = check_dataset(tmp_path).errors
    assert problem.detail == f"no object is visible anywhere: 2 {LeftOut.NO_OUTLINE}"


@pytest.mark.parametrize(
    "segmentation",
    [SQUARE[0], [[2, 1], [5, 1], [5, 3], [2, 3]], [[[2, 1], [5, 1], [5, 3], [2, 3]]]],
    ids=["flat", "pairs", "list of pairs"],
)
def test_polygons_as_other_tools_write_them(tmp_path, segmentation):
    (image,) = write(tmp_path, [{"segmentation": segmentation}])
    np.testing.assert_array_equal(image.masks, MASK[None])


TURNS = {5: lambda mask: mask.T, 6: lambda mask: np.rot90(mask, -1), 7: lambda mask: np.rot90(mask, 2).T, 8: np.rot90}


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["jpg", "png", "tif"])
def test_annotations_of_an_image_as_it_is_stored_are_turned_upright_with_it(tmp_path, orientation, suffix):
    """Whoever annotates without regard to EXIF sees the stored image; all that we show is upright."""
    mask = np.kron(MASK, np.ones((8, 8), dtype=bool))  # in blocks that JPEG keeps apart
    image = {"id": 7, "file_name": f"a.{suffix}", "height": 32, "width": 48}
    folder = write(
        tmp_path,
        [{"segmentation": each} for each in (encode_run_length(mask), [[16, 8, 40, 8, 40, 24, 16, 24]])],
        [image],
    )
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    Image.fromarray(np.where(mask[..., None], np.uint8(220), np.uint8(20)).repeat(3, 2)).save(
        folder.path_of(0), exif=exif
    )
    (found,) = folder
    pixels = found.read_pixels() if orientation in TURNS else None
    for each in found.masks:
        np.testing.assert_array_equal(each, TURNS.get(orientation, np.asarray)(mask))
        if pixels is not None:
            np.testing.assert_array_equal(each, pixels[..., 0] > 120)


@pytest.mark.parametrize(("orientation", "size"), [(6, (4, 7)), (6, (6, 4)), (1, (6, 4))])
def test_other_sizes_than_those_of_the_image_stored_or_upright(tmp_path, orientation, size):
    """The upright size (6, 4) is read as it is where EXIF says so; all others are errors that name both."""
    image = {"id": 7, "file_name": "a.png", "height": size[0], "width": size[1]}
    folder = write(tmp_path, [], [image])
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    Image.new("RGB", (6, 4)).save(folder.path_of(0), exif=exif)
    if (orientation, size) == (6, (6, 4)):
        assert folder[0].read_pixels().shape == (6, 4, 3)
        return
    stands = [6, 4] if orientation == 6 else [4, 6]
    with pytest.raises(
        MismatchedSizeError, match=rf"{re.escape(str(stands))}, its annotations have {re.escape(str(list(size)))}"
    ):
        folder[0].read_pixels()


def test_mask_of_another_size_than_its_image(tmp_path):
    folder = write(tmp_path, [{"id": 12, "segmentation": {"size": [6, 4], "counts": [24]}}])
    with pytest.raises(MismatchedSizeError, match=r"a\.png: annotation 12: the mask.*\[6, 4\].*\[4, 6\]"):
        folder[0]


@pytest.mark.parametrize(
    ("annotations", "images"),
    [
        ("result.json", "images"),
        ("annotations/instances.json", "images"),
        ("annotations/instances_default.json", "images/default"),
        ("annotations/instances_default.json", "images"),
        ("annotations/instances_train2017.json", "train2017"),
        ("annotations/instances_train2017.json", "images/train2017"),
        ("annotations/instances_train2017.json", "images"),
        ("_annotations.coco.json", "."),
        ("mine/my.json", "mine"),
    ],
)
def test_usual_places(tmp_path, annotations, images):
    write(tmp_path, [{"segmentation": encode_run_length(MASK)}])
    file = tmp_path / annotations
    (tmp_path / images).mkdir(parents=True, exist_ok=True)
    file.parent.mkdir(exist_ok=True)
    (tmp_path / "images/a.png").rename(tmp_path / images / "a.png")
    (tmp_path / "annotations.json").rename(file)
    (image,) = CocoFolder(file if file.name == "my.json" else tmp_path)
    assert image.read_pixels().shape == (4, 6, 3)


@pytest.mark.parametrize(
    ("listed", "file"),
    [
        (r"images\a.png", "images/a.png"),
        (r"train\day 1\a.png", "images/train/day 1/a.png"),
        ("images/a.png", "images/a.png"),
        (r"images\1/a.png", "images/a.png"),
        (r"..\..\label-studio\media\upload\4\a.png", "images/a.png"),
        ("../../label-studio/data/media/upload/4/a.png", "images/a.png"),
        (r"D:\data\a.png", "a.png"),
        ("/home/somebody/data/a.png", "images/a.png"),
    ],
)
def test_names_as_other_tools_and_systems_write_them(tmp_path, listed, file):
    image = {"id": 7, "file_name": listed, "height": 4, "width": 6}
    write(tmp_path, [{"segmentation": SQUARE}], [image])
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / "images/a.png").rename(tmp_path / file)
    (tmp_path / "annotations.json").rename(tmp_path / "result.json")
    report = check_dataset(tmp_path)
    assert report.problems == []
    assert report.layout == "COCO instances"
    (found,) = CocoFolder(tmp_path)
    assert (found.name, found.path) == (listed, tmp_path / file)


def test_a_name_with_a_backslash_in_it(tmp_path):
    write(tmp_path, [{"segmentation": SQUARE}], [IMAGE | {"file_name": r"a\b.png"}])
    (tmp_path / "images/a.png").rename(tmp_path / r"images/a\b.png")
    assert check_dataset(tmp_path).problems == []
    assert CocoFolder(tmp_path).path_of(0) == tmp_path / r"images/a\b.png"


def test_last_parts_of_names_are_not_enough_where_they_are_the_same(tmp_path):
    names = ["gone/monday/a.png", "gone/tuesday/a.png"]
    images = [IMAGE | {"id": number, "file_name": name} for number, name in enumerate(names)]
    write(tmp_path, [{"segmentation": SQUARE, "image_id": 0}], images)
    places = [each.place for each in check_structure(tmp_path).errors]
    assert places == [str(tmp_path / "images" / name) for name in names]


@pytest.mark.parametrize("place", ["images", "train", "images/train", "."])
def test_a_missing_image_is_one_error_though_it_is_the_first(tmp_path, place):
    images = [IMAGE | {"id": number, "file_name": name} for number, name in enumerate(["gone.png", "a.png", "b.png"])]
    write(tmp_path, [{"segmentation": SQUARE, "image_id": number} for number in range(3)], images)
    (tmp_path / "annotations").mkdir()
    (tmp_path / "annotations.json").rename(tmp_path / "annotations/instances_train.json")
    (tmp_path / place).mkdir(parents=True, exist_ok=True)
    for name in "ab":
        Image.new("RGB", (6, 4)).save(tmp_path / place / f"{name}.png")
    if place != "images":
        (tmp_path / "images/a.png").unlink()
    (problem,) = check_dataset(tmp_path).problems
    assert problem.kind is ProblemKind.MASK_WITHOUT_IMAGE
    assert problem.place == str(tmp_path / place / "gone.png")


def test_a_result_of_something_else_is_no_annotation(tmp_path):
    (tmp_path / "result.json").write_text('{"images": 3, "score": [1]}')
    assert not CocoFolder.recognises(tmp_path)


def test_one_of_several_files_has_to_be_named(tmp_path):
    write(tmp_path, [{"segmentation": encode_run_length(MASK)}])
    (tmp_path / "annotations").mkdir()
    for split in ("train", "val"):
        (tmp_path / f"annotations/instances_{split}.json").write_bytes((tmp_path / "annotations.json").read_bytes())
    (tmp_path / "annotations.json").unlink()
    with pytest.raises(InvalidInputError, match=r"several.*instances_train\.json, .*instances_val\.json"):
        CocoFolder(tmp_path)
    assert len(CocoFolder(tmp_path / "annotations/instances_val.json")) == 1


def test_image_of_another_size_than_its_masks(tmp_path):
    (image,) = write(tmp_path, [{"segmentation": encode_run_length(MASK)}], size=(5, 4))
    with pytest.raises(UnreadableImageError, match=r"\[4, 5\].*\[4, 6\]"):
        image.read_pixels()
