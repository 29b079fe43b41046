"""What data of others contains, in each format: odd names and sizes, crowds, large ids, objects that come and go."""

import json
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import ExifTags, Image
from tests.support.annotated_folders import (
    HEIGHT,
    LEFT,
    RIGHT,
    WIDTH,
    write_image,
    write_json,
    write_masklet,
    write_sav,
)
from tests.support.source_data import write_images, write_video

from masklet import open_video
from masklet.formats.reading.opening import open_dataset
from masklet.formats.registry import READERS, WRITERS
from masklet.jobs.conversion import convert_dataset
from masklet.masks.segmentation import Segmentation
from masklet.media.recorded_masks import RecordedMasks

READABLE = [name for name, each in WRITERS.items() if READERS[each]]
IMAGES = [name for name in READABLE if WRITERS[name].HOLDS.images]
VIDEOS = [name for name in READABLE if WRITERS[name].HOLDS.videos]
LARGE_IDS = (300, 70_000)
NOTHING = LEFT & RIGHT
COMES_AND_GOES = np.stack([[LEFT, NOTHING, LEFT, LEFT], [NOTHING, RIGHT, RIGHT, NOTHING]])
"""The first object is absent on frame 1, the second comes on frame 1 and has left by frame 3."""


def write_large_ids(root: Path) -> Path:
    """Masklet's own file, with the objects above under large ids, and scores."""
    with RecordedMasks(HEIGHT, WIDTH) as recorded:
        for frame in range(4):
            write_image(root / f"walk/{frame:05}.jpg", red=10 * frame)
            masks, scores = COMES_AND_GOES[:, frame], np.array([0.5, 0.75], dtype=np.float32)
            recorded.record(frame, Segmentation(masks, scores, LARGE_IDS))
        recorded.save(root / "walk.json", {"file_name": "walk", "height": HEIGHT, "width": WIDTH, "frame_count": 4})
    return root


@pytest.mark.parametrize("to", IMAGES)
def test_crowds_and_masks_without_a_pixel(tmp_path: Path, to: str) -> None:
    source = write_images(tmp_path / "in", {"a.png": [("x", LEFT), ("x", NOTHING), ("x", RIGHT)]}, LEFT.shape)
    content = json.loads((source / "annotations.json").read_text())
    content["annotations"][2]["iscrowd"] = 1
    write_json(source / "annotations.json", content)
    done = convert_dataset(source, tmp_path / "out", to)
    (image,) = open_dataset(tmp_path / "out")
    assert [each.mask().tolist() for each in image.objects] == [LEFT.tolist()]
    assert done.losses["objects have a mask without any pixel"] == 1
    holds = WRITERS[to].HOLDS.crowds
    assert (len(image.crowds), done.losses["regions of crowds are left out"]) == ((1, 0) if holds else (0, 1))


@pytest.mark.parametrize("to", ["coco", "cvat-images", "label-studio"])
def test_ids_beyond_255_of_frames(tmp_path: Path, to: str) -> None:
    convert_dataset(write_large_ids(tmp_path / "in"), tmp_path / "out", to)
    images = [*open_dataset(tmp_path / "out")]
    shown = [[(each.object_id, each.mask().tolist()) for each in image.objects] for image in images]
    first, second = LARGE_IDS
    assert shown == [
        [(first, LEFT.tolist())],
        [(second, RIGHT.tolist())],
        [(first, LEFT.tolist()), (second, RIGHT.tolist())],
        [(first, LEFT.tolist())],
    ]


def test_videos_of_labelme_come_back_with_their_ids(tmp_path: Path) -> None:
    convert_dataset(write_large_ids(tmp_path / "in"), tmp_path / "out", "labelme")
    (video,) = open_dataset(tmp_path / "out")
    assert (video.name, video.object_ids, video.annotated_frames) == ("walk", LARGE_IDS, (0, 1, 2, 3))
    assert [sorted(video.masks(frame)) for frame in range(4)] == [
        [LARGE_IDS[place] for place in range(2) if COMES_AND_GOES[place, frame].any()] for frame in range(4)
    ]
    np.testing.assert_array_equal(video.masks(2)[LARGE_IDS[1]], RIGHT)


@pytest.mark.parametrize("to", VIDEOS)
def test_ids_beyond_255_of_videos(tmp_path: Path, to: str) -> None:
    """Readers number objects from 1 on; which is which is seen by their masks."""
    done = convert_dataset(write_large_ids(tmp_path / "in"), tmp_path / "out", to)
    (video,) = open_dataset(tmp_path / "out")
    assert [sorted(video.masks(frame)) for frame in range(4)] == [[1], [2], [1, 2], [1]]
    np.testing.assert_array_equal(video.masks(2)[2], RIGHT)
    assert done.losses["objects get other ids"] == (2 if WRITERS[to].HOLDS.most_objects else 0)


@pytest.mark.parametrize("to", VIDEOS)
def test_videos_with_names_of_windows(tmp_path: Path, to: str) -> None:
    source = write_video(tmp_path / "in", COMES_AND_GOES)
    content = json.loads((source / "instances.json").read_text().replace("walk/", r"deep\\wa:lk\\"))
    write_json(source / "instances.json", content)
    (source / "JPEGImages/deep").mkdir()
    (source / "JPEGImages/walk").rename(source / "JPEGImages/deep/wa:lk")
    convert_dataset(source, tmp_path / "out", to)
    (video,) = open_dataset(tmp_path / "out")
    assert ":" not in str(video.path_of(0))
    assert len(video) == 4
    np.testing.assert_array_equal(video.masks(1)[2], RIGHT)


@pytest.mark.parametrize("to", VIDEOS)
def test_frames_on_their_side_are_upright_afterwards(tmp_path: Path, to: str) -> None:
    source = write_video(tmp_path / "in", COMES_AND_GOES)
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    for frame in range(4):
        path = source / f"JPEGImages/walk/{frame:05}.png"
        Image.new("RGB", (HEIGHT, WIDTH), (10 * frame, 20, 30)).save(path, exif=exif)  # as it is stored
    convert_dataset(source, tmp_path / "out", to)
    (video,) = open_dataset(tmp_path / "out")
    with Image.open(video.path_of(1)) as stored:
        assert (stored.size, stored.getexif().get(ExifTags.Base.Orientation)) == ((WIDTH, HEIGHT), None)
    np.testing.assert_array_equal(video.masks(1)[2], RIGHT)


def test_videos_of_masks_are_black_where_objects_are_absent(tmp_path: Path) -> None:
    convert_dataset(write_large_ids(tmp_path / "in"), tmp_path / "out", "mask-videos")
    for number, masks in zip(("0300", "70000"), COMES_AND_GOES, strict=True):
        with open_video(tmp_path / f"out/walk/{number}.mp4") as video:
            shown = np.stack([video[frame][..., 0] >= 128 for frame in range(len(video))])
        assert shown.shape == masks.shape
        assert (shown != masks).mean() < 0.03  # H.264 blurs edges
        np.testing.assert_array_equal(shown.any(axis=(1, 2)), masks.any(axis=(1, 2)))


def test_cut_outs_are_transparent_around_their_object(tmp_path: Path) -> None:
    convert_dataset(write_large_ids(tmp_path / "in"), tmp_path / "out", "cut-outs")
    found = {
        path.relative_to(tmp_path / "out/walk").as_posix(): np.asarray(Image.open(path))[..., 3] > 0
        for path in (tmp_path / "out/walk").rglob("*.png")
    }
    assert sorted(found) == [f"{name}.png" for name in
                             ("00000/0300", "00001/70000", "00002/0300", "00002/70000", "00003/0300")]  # fmt: skip
    np.testing.assert_array_equal(found["00002/70000.png"], RIGHT)


def test_boxes_of_label_studio_end_where_objects_leave(tmp_path: Path) -> None:
    convert_dataset(write_large_ids(tmp_path / "in"), tmp_path / "out", "label-studio-video")
    (task,) = json.loads((tmp_path / "out/tasks.json").read_text())
    sequences = [each["value"]["sequence"] for each in task["annotations"][0]["result"]]
    spans = [[(each["frame"], each["enabled"]) for each in sequence] for sequence in sequences]
    assert spans == [[(1, False), (3, True), (4, False)], [(2, True), (3, False)]]
    first = sequences[0][0]
    assert [first[each] for each in ("x", "y", "width", "height")] == pytest.approx([100 / 12, 12.5, 25, 50])


@pytest.mark.parametrize(("hole", "changed"), [(1, 0), (4, 1)])
def test_outlines_that_cover_much_more_than_their_mask_are_counted(tmp_path: Path, hole: int, changed: int) -> None:
    ring = np.zeros((20, 20), dtype=bool)
    ring[2:16, 2:16] = True
    ring[5 : 5 + hole, 5 : 5 + hole] = False
    source = write_images(tmp_path / "in", {"a.png": [("ring", ring), ("block", ~ring[:, ::-1])]}, ring.shape)
    losses = convert_dataset(source, tmp_path / "out", "yolo").losses
    assert losses["masks lose their holes"] == 2
    # the block around the ring is one with a large hole, which stays in neither case
    assert losses["masks have an IoU below 0.95 with what is written of them"] == changed + 1
    report = json.loads((tmp_path / "out/export.json").read_text())
    assert report["losses"] == dict(losses)


def test_the_largest_piece_alone_is_another_mask(tmp_path: Path) -> None:
    source = write_video(tmp_path / "in", np.stack([[LEFT | RIGHT]]))
    losses = convert_dataset(source, tmp_path / "out", "cvat-video").losses
    assert losses["masks have an IoU below 0.95 with what is written of them"] == 1


ILLEGAL = "a\ud800\x07\uffff"


@pytest.mark.parametrize("to", WRITERS)
def test_characters_that_no_file_holds_are_left_out_of_categories(tmp_path: Path, to: str) -> None:
    if to == "parquet":
        pytest.importorskip("pyarrow", reason="pyarrow is not installed: pip install 'masklet[parquet]'")
    if WRITERS[to].HOLDS.images:
        source = write_images(tmp_path / "in", {"a.png": [(ILLEGAL, LEFT), ("\U0001f600, \n: ", RIGHT)]}, LEFT.shape)
    else:
        source = write_video(tmp_path / "in", np.stack([[LEFT], [RIGHT]]), [ILLEGAL, "\U0001f600, \n: "])
    done = convert_dataset(source, tmp_path / "out", to)
    assert done.losses["objects lose characters of their category that no file holds"] == 1
    if READERS[WRITERS[to]] and WRITERS[to].HOLDS.categories:
        (found,) = open_dataset(tmp_path / "out")
        kinds = {each.category for each in found.objects} if to in IMAGES else {*found.categories.values()}
        assert kinds == {"a", "\U0001f600, \n: "}


def test_classes_of_yolo_are_read_by_yaml(tmp_path: Path) -> None:
    categories = ["\U0001f600", "tr\xe4ger \u2028 & 'co'", 'a "b": c, d #e', "\u4e2d", "x\ny", "~", "yes"]
    source = write_images(tmp_path / "in", {"a.png": [(each, LEFT) for each in categories]}, LEFT.shape)
    convert_dataset(source, tmp_path / "out", "yolo")
    content = yaml.safe_load((tmp_path / "out/data.yaml").read_bytes())
    assert content["names"] == dict(enumerate(categories))
    assert "path" not in content  # so that the folder is that of the file, wherever it is read from


def test_frames_of_one_name_are_different_files(tmp_path: Path) -> None:
    """In one folder "clip" and "clip-1" would meet, and so would frames whose names differ in the suffix."""
    for name, frames in {"clip": ("1-0.png", "2.jpg", "2.png"), "clip-1": ("0.png",)}.items():
        with RecordedMasks(HEIGHT, WIDTH) as recorded:
            for place, frame in enumerate(frames):
                write_image(tmp_path / "in" / name / frame)
                recorded.record(place, Segmentation(np.stack([LEFT]), np.ones(1, dtype=np.float32), [1]))
            about = {"file_name": name, "height": HEIGHT, "width": WIDTH, "frame_count": len(frames)}
            recorded.save(tmp_path / f"in/{name}.json", about)
    for to in IMAGES:
        convert_dataset(tmp_path / "in", tmp_path / to, to)
        found = open_dataset(tmp_path / to)
        assert len(found) == (2 if to == "labelme" else 4)
        assert to == "labelme" or all(len(image.objects) == 1 for image in found)
    for to in VIDEOS:
        convert_dataset(tmp_path / "in", tmp_path / to, to)
        assert sorted(map(len, open_dataset(tmp_path / to))) == [1, 3]


@pytest.mark.parametrize("to", ["davis", "youtube-vos", "sa-v", "sa-v-val"])
def test_frames_are_jpeg_and_named_by_numbers_where_programs_expect_it(tmp_path: Path, to: str) -> None:
    source = write_video(tmp_path / "in", COMES_AND_GOES, name="a b")
    for frame in range(4):
        (source / f"JPEGImages/a b/{frame:05}.png").rename(source / f"JPEGImages/a b/frame-{frame}.png")
    text = (source / "instances.json").read_text()
    for frame in range(4):
        text = text.replace(f"{frame:05}.png", f"frame-{frame}.png")
    (source / "instances.json").write_text(text)
    convert_dataset(source, tmp_path / "out", to)
    (video,) = open_dataset(tmp_path / "out")
    assert [video.path_of(frame).name for frame in range(4)] == [f"{frame:05}.jpg" for frame in range(4)]
    with Image.open(video.path_of(1)) as stored:
        assert stored.format == "JPEG"
    np.testing.assert_array_equal(video.masks(1)[2], RIGHT)


@pytest.mark.parametrize("to", ["sa-v", "sa-v-val"])
def test_numbers_of_annotated_frames_stay_in_sav(tmp_path: Path, to: str) -> None:
    """Frame 2 is not annotated, and not known to be empty."""
    write_masklet(tmp_path / "in")
    convert_dataset(tmp_path / "in", tmp_path / "out", to)
    (video,) = open_dataset(tmp_path / "out")
    annotated = [int(video.frame_names[frame]) for frame in video.annotated_frames]
    assert (annotated, video.annotated_frames_of(2)) == ([0, 1, 3], video.annotated_frames)
    assert [sorted(video.masks(frame)) for frame in video.annotated_frames] == [[1, 2], [2], [1, 2]]


def test_sav_says_how_many_frames_a_second_are_annotated(tmp_path: Path) -> None:
    """As Meta's loader computes: every 24 / fps-th frame has an entry, in which null is not annotated."""
    write_masklet(tmp_path / "in")
    write_sav(tmp_path / "of sav")
    convert_dataset(tmp_path / "in", tmp_path / "out", "sa-v")
    content = json.loads((tmp_path / "out/walk_manual.json").read_text())
    assert (content["fps"], [None in each for each in content["masklet"]]) == (24, [False, False, True, False])
    convert_dataset(tmp_path / "of sav", tmp_path / "again", "sa-v")
    content = json.loads((tmp_path / "again/sav_1_manual.json").read_text())
    assert (content["fps"], content["video_frame_count"], len(content["masklet"])) == (6, 9, 3)
