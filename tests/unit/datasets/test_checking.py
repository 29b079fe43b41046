import json
import re
import struct
import zlib

import numpy as np
import pytest
from PIL import Image
from tests.support.annotated_data import write_images
from tests.support.annotated_folders import (
    HEIGHT,
    LABELS,
    LEFT,
    NOTHING,
    RIGHT,
    WIDTH,
    WRITERS,
    masklets,
    write_coco,
    write_image,
    write_json,
    write_mask,
    write_mose,
    write_plain,
    write_sa1b,
    write_sav,
    write_sav_split,
    write_sequences,
    write_youtube_vos,
)

from masklet.datasets.checking import check_dataset, check_structure, require_readable, require_sound
from masklet.errors import InvalidInputError
from masklet.formats.reading.opening import open_dataset
from masklet.formats.reading.problems import ProblemKind
from masklet.masks.run_length import encode_run_length
from masklet.media.label_maps import write_label_map


def found(report):
    """The kind of each problem and the last part of its place."""
    return sorted((each.kind.value, each.place.rsplit("/", 1)[-1]) for each in report.problems)


def change(path, **changes):
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content | changes))


@pytest.mark.parametrize("name", WRITERS)
def test_nothing_is_wrong_with_sound_data(tmp_path, name):
    WRITERS[name](tmp_path)
    report = check_dataset(tmp_path)
    assert report.problems == []
    assert report.layout == name
    assert set(report.findings.sizes) == {(HEIGHT, WIDTH)}
    require_sound(tmp_path)


def test_counts(tmp_path):
    write_youtube_vos(tmp_path)
    progress = []
    findings = check_dataset(tmp_path, lambda *counts: progress.append(counts)).findings
    assert (findings.images, findings.videos, findings.objects) == (0, 2, 4)
    assert (findings.frames, findings.annotated_frames) == (12, 4)
    assert progress == [(1, 2), (2, 2)]
    write_coco(tmp_path / "images")
    findings = check_dataset(tmp_path / "images").findings
    assert (findings.images, findings.videos, findings.objects) == (2, 0, 4)


def empty_coco(root):
    write_coco(root)
    change(root / "annotations.json", images=[], annotations=[])


def empty_davis(root):
    for each in ("JPEGImages", "Annotations"):
        (root / each).mkdir(parents=True)


def empty_plain(root):
    for each in ("images", "masks"):
        (root / each).mkdir(parents=True)


@pytest.mark.parametrize("write", [empty_coco, empty_davis, empty_plain])
def test_empty_datasets(tmp_path, write):
    write(tmp_path / "data")
    assert ("empty dataset", "data") in found(check_structure(tmp_path / "data"))
    with pytest.raises(InvalidInputError, match="empty dataset"):
        require_sound(tmp_path / "data")


def test_a_dataset_without_any_object_is_empty(tmp_path):
    write_plain(tmp_path / "data")
    for name in "ab":
        write_label_map(tmp_path / f"data/masks/{name}.png", NOTHING)
    assert found(check_dataset(tmp_path / "data")) == [("empty dataset", "data")]


LONELY_MASKS = {
    "COCO instances": ("images/a.png", "a.png"),
    "SA-1B": ("sa_2.jpg", "sa_2.json"),
    "images and masks": ("images/a.jpg", "a.png"),
    "DAVIS": ("JPEGImages/swan/00003.jpg", "00003.png"),
    "YouTube-VOS": ("JPEGImages/swan/00005.jpg", "00005.png"),
    "MOSE": ("JPEGImages/swan/00003.jpg", "00003.png"),
    "SA-V val and test": ("JPEGImages_24fps/sav_7/00004.jpg", "sav_7"),
}


@pytest.mark.parametrize("name", LONELY_MASKS)
def test_mask_without_image(tmp_path, name):
    image, place = LONELY_MASKS[name]
    WRITERS[name](tmp_path)
    (tmp_path / image).unlink()
    assert found(check_structure(tmp_path)) == [("mask without image", place)]
    assert found(check_dataset(tmp_path)) == [("mask without image", place)]  # said once
    with pytest.raises(InvalidInputError, match="mask without image"):
        require_sound(tmp_path)


def test_masklets_without_video(tmp_path):
    write_sav(tmp_path)
    (tmp_path / "sav_1").rename(tmp_path / "sav_2")
    write_image(tmp_path / "thumbnails" / "1.jpg")  # whatever that is, no video of SA-V's
    lonely = [("image without mask", "sav_2"), ("mask without image", "sav_1_manual.json")]
    assert found(check_dataset(tmp_path)) == lonely


def test_coco_lists_each_image_once(tmp_path):
    write_coco(tmp_path)
    path = tmp_path / "annotations.json"
    change(path, images=[each | {"file_name": "a.png"} for each in json.loads(path.read_text())["images"]])
    (problem,) = (each for each in check_structure(tmp_path).errors if each.kind is ProblemKind.BROKEN_ANNOTATIONS)
    assert "2 images have the file name 'a.png'" in problem.detail


def test_json_of_other_tools_beside_sa1b_is_no_annotation(tmp_path):
    write_sa1b(tmp_path)
    (tmp_path / "info.json").write_text('{"version": 1}')
    require_sound(tmp_path)


@pytest.mark.parametrize("write", [write_plain, write_sa1b])
def test_images_of_one_name_without_annotations_disturb_nothing(tmp_path, write):
    write(tmp_path)
    folder = next(tmp_path.rglob("*.jpg")).parent
    for suffix in ("jpg", "png"):
        write_image(folder / f"spare.{suffix}")
    assert len(open_dataset(tmp_path)) == 2


def test_annotations_of_an_unlisted_image(tmp_path):
    write_coco(tmp_path)
    images = json.loads((tmp_path / "annotations.json").read_text())["images"]
    change(tmp_path / "annotations.json", images=images[:1])
    assert found(check_dataset(tmp_path)) == [("mask without image", "annotations.json"), ("no objects", "images")]


@pytest.mark.parametrize(
    ("write", "mask", "place"),
    [
        (write_sa1b, "sa_2.json", "sa_2.jpg"),
        (write_plain, "masks/a.png", "a.jpg"),
        (write_sequences, "Annotations/swan/00003.png", "00003.jpg"),
        (write_mose, "Annotations/swan/00003.png", "00003.jpg"),
    ],
)
def test_image_without_mask(tmp_path, write, mask, place):
    write(tmp_path)
    (tmp_path / mask).unlink()
    assert found(check_dataset(tmp_path)) == [("image without mask", place)]
    with pytest.raises(InvalidInputError, match="image without mask"):
        require_sound(tmp_path)


@pytest.mark.parametrize(
    ("write", "image"),
    [
        (write_plain, "images/a.jpg"),
        (write_sa1b, "sa_2.jpg"),
        (write_sequences, "JPEGImages/swan/00003.jpg"),
        (write_youtube_vos, "JPEGImages/swan/00003.jpg"),
    ],
)
def test_two_images_of_one_name(tmp_path, write, image):
    write(tmp_path)
    other = (tmp_path / image).with_suffix(".png")
    write_image(other)
    (problem,) = check_dataset(tmp_path).problems
    assert problem.kind is ProblemKind.BROKEN_ANNOTATIONS
    assert f"{tmp_path / image} and {other} have one name" in problem.detail
    with pytest.raises(InvalidInputError, match="have one name"):
        require_sound(tmp_path)


@pytest.mark.parametrize("write", [write_sequences, write_youtube_vos])
def test_sequence_without_masks(tmp_path, write):
    write(tmp_path)
    write_image(tmp_path / "JPEGImages/goose/00000.jpg")
    assert found(check_dataset(tmp_path)) == [("image without mask", "goose")]


def test_sequence_with_an_empty_folder_of_masks(tmp_path):
    write_youtube_vos(tmp_path)
    for path in (tmp_path / "Annotations/swan").iterdir():
        path.unlink()
    assert found(check_dataset(tmp_path)) == [("image without mask", "swan")]


def test_videos_of_sav_without_masklets(tmp_path):
    write_sav(tmp_path)
    (tmp_path / "sav_2.mp4").touch()
    assert found(check_structure(tmp_path)) == [("image without mask", "sav_2.mp4")]
    write_sav_split(tmp_path / "val")
    write_image(tmp_path / "val/JPEGImages_24fps/sav_9/00000.jpg")
    assert found(check_structure(tmp_path / "val")) == [("image without mask", "sav_9")]


@pytest.mark.parametrize("place", ["sav_2", "JPEGImages_24fps/sav_2"])
def test_frames_of_sav_without_masklets(tmp_path, place):
    write_sav(tmp_path)
    write_image(tmp_path / place / "00000.jpg")
    (tmp_path / "sav_3").mkdir()  # nothing in it
    assert found(check_structure(tmp_path)) == [("image without mask", "sav_2")]


def test_images_of_coco_without_objects_are_remarked(tmp_path):
    write_coco(tmp_path)
    annotations = json.loads((tmp_path / "annotations.json").read_text())["annotations"]
    change(tmp_path / "annotations.json", annotations=[each for each in annotations if each["image_id"]])
    assert found(check_dataset(tmp_path)) == [("no objects", "a.png")]
    require_sound(tmp_path)


SMALL = encode_run_length(LEFT[:-1])


def other_size_in_coco(root):
    write_coco(root)
    change(root / "annotations.json", annotations=[{"id": 5, "image_id": 1, "segmentation": SMALL}])


def other_size_in_sa1b(root):
    write_sa1b(root)
    change(root / "sa_1.json", annotations=[{"segmentation": SMALL}])


def other_size_in_plain(root):
    write_plain(root)
    write_label_map(root / "masks/a.png", LABELS[:-1])


def other_size_among_the_masks_of_a_image(root):
    write_plain(root)
    write_mask(root / "masks/a/2.png", LEFT[:-1])


def other_size_in_davis(root):
    write_sequences(root)
    write_label_map(root / "Annotations/swan/00003.png", LABELS[:-1])


def other_size_of_a_frame(root):
    write_youtube_vos(root)
    write_image(root / "JPEGImages/swan/00004.jpg", size=(WIDTH, HEIGHT - 1))


def other_size_in_sav(root):
    write_sav(root)
    frames = masklets()["masklet"]
    write_json(root / "sav_1_manual.json", masklets(masklet=[[SMALL, SMALL], *frames[1:]]))


def other_size_in_sav_split(root):
    write_sav_split(root)
    write_mask(root / "Annotations_6fps/sav_7/003/00004.png", LEFT[:-1])


@pytest.mark.parametrize(
    ("write", "detail"),
    [
        (other_size_in_coco, r"b\.png: annotation 5: the mask.*\[7, 12\].*\[8, 12\]"),
        (other_size_in_sa1b, r"sa_1\.json.*\[7, 12\].*\[8, 12\]"),
        (other_size_in_plain, r"a\.jpg.*\[8, 12\].*\[7, 12\]"),
        (other_size_among_the_masks_of_a_image, r"masks/a/2\.png.*\[7, 12\].*\[8, 12\]"),
        (other_size_in_davis, r"swan/00003\.png.*\[7, 12\].*\[8, 12\]"),
        (other_size_of_a_frame, r"swan/00004\.jpg.*\[7, 12\].*\[8, 12\]"),
        (other_size_in_sav, r"sav_1_manual\.json.*\[7, 12\].*\[8, 12\]"),
        (other_size_in_sav_split, r"003/00004\.png.*\[7, 12\].*\[8, 12\]"),
    ],
)
def test_mask_of_another_size(tmp_path, write, detail):
    write(tmp_path)
    (problem,) = [each for each in check_dataset(tmp_path).problems if each.kind.is_error]
    assert problem.kind is ProblemKind.MISMATCHED_SIZE
    assert re.search(detail, problem.detail)


@pytest.mark.parametrize(
    ("write", "mask"), [(write_plain, "masks/a.png"), (write_sequences, "Annotations/swan/00003.png")]
)
def test_soft_masks_are_reported(tmp_path, write, mask):
    write(tmp_path)
    soft = np.zeros((HEIGHT, WIDTH), dtype=np.uint8)
    soft[:, 4:] = [20, 90, 160, 240, 255, 255, 255, 255]
    Image.fromarray(soft).save(tmp_path / mask)
    (problem,) = [each for each in check_dataset(tmp_path).problems if each.kind.is_error]
    assert problem.kind is ProblemKind.UNREADABLE_FILE
    assert f"{mask} is a soft mask, with 4 grey levels" in problem.detail


def hidden_in_coco(root):
    write_coco(root)
    annotations = json.loads((root / "annotations.json").read_text())["annotations"]
    nothing = {"id": 9, "image_id": 1, "segmentation": encode_run_length(NOTHING > 0)}
    change(root / "annotations.json", annotations=[*annotations, nothing])


def hidden_in_davis(root):
    write_sequences(root)
    for frame in range(6):
        write_label_map(root / f"Annotations/swan/{frame:05}.png", LABELS * 2)  # ids 2 and 4: never 1 and 3


def hidden_in_youtube_vos(root):
    write_youtube_vos(root)
    change(root / "meta.json", videos={"swan": {"objects": {"1": {}, "2": {}, "3": {}}}})


def hidden_in_sav(root):
    write_sav(root)
    frames = [[encode_run_length(NOTHING > 0), encode_run_length(RIGHT)]] * 3
    write_json(root / "sav_1_manual.json", masklets(masklet=frames))


@pytest.mark.parametrize(
    ("write", "objects"),
    [
        (hidden_in_coco, ["1 objects have a mask without any pixel"]),
        (hidden_in_davis, ["object 1 is in no frame", "object 3 is in no frame"]),
        (hidden_in_youtube_vos, ["object 3 is in no frame"]),
        (hidden_in_sav, ["object 1 is in no frame"]),
    ],
)
def test_object_never_visible_is_remarked(tmp_path, write, objects):
    write(tmp_path)
    problems = check_dataset(tmp_path).problems
    assert {each.kind for each in problems} == {ProblemKind.OBJECT_NEVER_VISIBLE}
    assert [each.detail for each in problems] == objects
    require_sound(tmp_path)


def one_frame_of_sav(root):
    write_json(root / "swan_auto.json", masklets(masklet=masklets()["masklet"][:1], video_frame_count=1))
    write_image(root / "swan/00000.jpg")


def one_frame_of_sav_split(root):
    write_image(root / "JPEGImages_24fps/swan/00000.jpg")
    write_mask(root / "Annotations_6fps/swan/000/00000.png", LEFT)


@pytest.mark.parametrize(
    "write", [lambda root: write_sequences(root, frames=1), one_frame_of_sav, one_frame_of_sav_split]
)
def test_video_of_one_frame(tmp_path, write):
    write(tmp_path)
    report = check_dataset(tmp_path)
    assert ("video of one frame", "swan") in found(report)
    assert {each.kind for each in report.problems} == {ProblemKind.SINGLE_FRAME}
    assert len(report.problems) == len(set(report.problems)) == report.findings.videos  # said once
    with pytest.raises(InvalidInputError, match="video of one frame"):
        require_sound(tmp_path)


def write_outside_palette(path):
    """The label 3 with a palette of three colours, by hand: earlier versions of Pillow write the missing ones, too."""
    labels = np.where(LABELS == 2, np.uint8(3), LABELS)
    rows = b"".join(b"\0" + row.tobytes() for row in labels)
    header = struct.pack(">IIBBBBB", labels.shape[1], labels.shape[0], 8, 3, 0, 0, 0)
    palette = bytes([0, 0, 0, 255, 0, 0, 0, 255, 0])
    chunks = {b"IHDR": header, b"PLTE": palette, b"IDAT": zlib.compress(rows), b"IEND": b""}
    parts = [
        struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
        for name, content in chunks.items()
    ]
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts))


@pytest.mark.parametrize(
    ("write", "path"), [(write_plain, "masks/a.png"), (write_sequences, "Annotations/swan/00003.png")]
)
def test_label_outside_the_palette(tmp_path, write, path):
    write(tmp_path)
    write_outside_palette(tmp_path / path)
    (problem,) = check_dataset(tmp_path).problems
    assert problem.kind is ProblemKind.UNKNOWN_LABEL
    assert problem.detail.endswith(f"{path} shows the label 3, its palette ends at 2.")


def test_label_that_is_not_declared(tmp_path):
    write_youtube_vos(tmp_path)
    change(tmp_path / "meta.json", videos={"swan": {"objects": {"1": {}}}})
    assert found(check_dataset(tmp_path)) == [
        ("label outside the palette", f"swan, frame {name}") for name in ("00000", "00005")
    ]


def test_colours_are_no_labels(tmp_path):
    write_plain(tmp_path)
    write_image(tmp_path / "masks/a.png")
    (problem,) = check_dataset(tmp_path).problems
    assert problem.kind is ProblemKind.UNREADABLE_FILE
    assert "a.png has the mode RGB" in problem.detail


CORRUPT = {
    "COCO instances": ("images/b.png", "b.png"),
    "SA-1B": ("sa_2.jpg", "sa_2.jpg"),
    "images and masks": ("masks/a.png", "image 0"),
    "DAVIS": ("Annotations/swan/00003.png", "swan, frame 00003"),
    "YouTube-VOS": ("JPEGImages/swan/00004.jpg", "swan, frame 00004"),
    "SA-V": ("sav_1/00002.jpg", "sav_1, frame 00002"),
    "SA-V val and test": ("Annotations_6fps/sav_7/000/00004.png", "sav_7, frame 00004"),
}


@pytest.mark.parametrize("name", CORRUPT)
def test_corrupt_files(tmp_path, name):
    file, place = CORRUPT[name]
    WRITERS[name](tmp_path)
    whole = (tmp_path / file).read_bytes()
    (tmp_path / file).write_bytes(whole[: len(whole) // 2])
    require_sound(tmp_path)  # which reads no images
    (problem,) = check_dataset(tmp_path).problems
    assert problem.kind is ProblemKind.UNREADABLE_FILE
    assert problem.place.endswith(place)
    assert file in problem.detail


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("COCO instances", "annotations.json"),
        ("SA-1B", "sa_1.json"),
        ("YouTube-VOS", "meta.json"),
        ("SA-V", "sav_1_manual.json"),
    ],
)
@pytest.mark.parametrize("text", ['{"image', "[1]"])
def test_broken_json(tmp_path, name, file, text):
    WRITERS[name](tmp_path)
    if (name, text) == ("SA-1B", "[1]"):
        file = "sa_2.json"  # the first file tells what the layout is
    (tmp_path / file).write_text(text)
    (problem,) = check_dataset(tmp_path).problems
    assert problem.kind is ProblemKind.BROKEN_ANNOTATIONS
    assert file in problem.detail


@pytest.mark.parametrize(
    "changes",
    [
        {"masklet": None},
        {"masklet": []},
        {"masklet": [[], [{}]]},
        {"video_height": None},
        {
            "masklet": [
                [{"size": [HEIGHT, WIDTH], "counts": encode_run_length(np.ones((99, 99), dtype=bool))["counts"]}]
            ]
        },
        {"masklet": [["abc"]]},
        {"masklet": {"0": []}},
        {"masklet": ["abc"]},
        {"masklet": [[None, 3]] * 3},
        {"masklet": [[{"size": [HEIGHT, WIDTH], "counts": "0" * 9}]] * 3},
        {"masklet": [[{"size": [HEIGHT, WIDTH], "counts": [10**400]}]] * 3},
        {"masklet": [[{"size": [10**9, 10**9], "counts": [10**18]}]] * 3},
        {"video_height": 10**400},
        {"video_width": -1},
        {"video_frame_count": 1e300},
        {"video_frame_count": 10**9},
        {"video_frame_count": None},
    ],
)
def test_broken_masklets(tmp_path, changes):
    write_sav(tmp_path)
    write_json(tmp_path / "sav_1_manual.json", masklets(**changes))
    problems = check_dataset(tmp_path).errors
    assert {each.kind for each in problems} == {ProblemKind.BROKEN_ANNOTATIONS}
    assert all("sav_1_manual.json" in each.detail for each in problems)


def test_a_broken_masklet_is_named(tmp_path):
    write_sav(tmp_path)
    frames = masklets()["masklet"]
    frames[1][1]["counts"] = frames[1][1]["counts"][:-1]
    write_json(tmp_path / "sav_1_manual.json", masklets(masklet=frames))
    (problem,) = check_dataset(tmp_path).problems
    assert re.search(
        r"sav_1_manual\.json: not masklets of SA-V: the mask of object 2 on annotated frame 1: The counts sum to \d+",
        problem.detail,
    )


def test_masks_in_jpeg_are_refused(tmp_path):
    write_plain(tmp_path)
    write_image(tmp_path / "masks/a_2.jpg")
    assert ("broken annotations", "a_2.jpg") in found(check_structure(tmp_path))


def test_only_the_first_errors_are_in_the_message(tmp_path):
    write_sequences(tmp_path, frames=16)
    for path in (tmp_path / "Annotations/swan").glob("*.png"):
        path.rename(path.with_stem(f"x{path.stem}"))
    with pytest.raises(InvalidInputError, match=r"swan/00000\.jpg.*; and 22 more\.") as error:
        require_sound(tmp_path)
    assert str(error.value).count("without") == 10


def test_the_report_as_json(tmp_path):
    write_plain(tmp_path)
    (tmp_path / "masks/a.png").unlink()
    content = json.loads(json.dumps(check_dataset(tmp_path).to_json()))
    assert content["layout"] == "images and masks"
    assert content["images"] == content["pictures"] == 1  # its earlier name
    assert content["sizes"] == [{"height": HEIGHT, "width": WIDTH, "count": 1}]
    (problem,) = content["problems"]
    assert problem["kind"] == "image without mask"
    assert problem["is_error"] is True
    assert problem["place"].endswith("images/a.jpg")


def test_data_of_which_too_much_is_damaged_is_refused_before_a_training(tmp_path):
    one, other = write_images(tmp_path / "one", 60), write_images(tmp_path / "other", 60)
    (one / "images" / "7.png").write_bytes(b"no image")
    require_readable([one, other], 0.01)
    Image.new("RGB", (9, 9)).save(other / "images" / "50.png")
    message = r"At least 2 of 120 .* at most 1% .*7\.png: unreadable file.*50\.png: mask of another size"
    with pytest.raises(InvalidInputError, match=message):
        require_readable([one, other], 0.01)
    require_readable([one, other], 0.02)
