"""Conversion between formats: what is kept, what is refused, and how it goes on."""

import gc
import json
import os
import shutil
import signal
import tracemalloc

import numpy as np
import pytest
from PIL import ExifTags, Image
from tests.support.annotated_folders import (
    HEIGHT,
    LEFT,
    RIGHT,
    WIDTH,
    write_coco,
    write_masklet,
    write_sav,
    write_sequences,
)
from tests.support.source_data import write_images, write_video

from masklet.errors import InvalidInputError, UnreadableImageError
from masklet.formats.reading.annotated import AnnotatedImage, AnnotatedObject
from masklet.formats.reading.opening import layout_of, open_dataset
from masklet.formats.registry import READERS, WRITERS
from masklet.jobs import conversion, conversion_store
from masklet.jobs.conversion import convert_dataset

IMAGE_FORMATS = [name for name, each in WRITERS.items() if each.HOLDS.images and READERS[each]]
ALL = [("block", LEFT), ("block", RIGHT)]


@pytest.mark.parametrize("to", WRITERS)
def test_what_is_written_is_recognised(tmp_path, to):
    if to == "parquet":
        pytest.importorskip("pyarrow", reason="pyarrow is not installed: pip install 'masklet[parquet]'")
    writer = WRITERS[to]
    source = write_images(tmp_path / "in", {"a.png": ALL}, LEFT.shape) if writer.HOLDS.images else tmp_path / "in"
    if writer.HOLDS.videos:
        write_video(source, np.stack([np.stack([LEFT] * 3), np.stack([RIGHT] * 3)]))
    done = convert_dataset(source, tmp_path / "out", to)
    assert (done.items, done.is_finished) == (1, True)
    report = json.loads((tmp_path / "out/export.json").read_text())
    assert (report["to"], report["items"], report["losses"]) == (to, 1, dict(done.losses))
    assert not (tmp_path / "out/.converting").exists()
    if READERS[writer] is not None:
        assert layout_of(tmp_path / "out") is READERS[writer]
        assert not [each for each in open_dataset(tmp_path / "out").problems() if each.kind.is_error]


@pytest.mark.parametrize("to", WRITERS)
def test_what_would_be_lost_is_known_before_anything_is_written(tmp_path, to):
    if to == "parquet":
        pytest.importorskip("pyarrow", reason="pyarrow is not installed: pip install 'masklet[parquet]'")
    write_masklet(tmp_path / "in")
    ring = LEFT.copy()
    ring[2, 2] = False
    if not WRITERS[to].HOLDS.videos:
        write_images(tmp_path / "in", {"a.png": [("ring", ring), ("two", LEFT | RIGHT)]}, LEFT.shape, score=0.5)
        (tmp_path / "in/walk.json").unlink()
    done = []
    foreseen = convert_dataset(tmp_path / "in", tmp_path / "out", to, dry_run=True, on_item=lambda *n: done.append(n))
    assert (foreseen.is_finished, done) == (True, [(0, 1), (1, 1)])
    assert not (tmp_path / "out").exists()
    assert foreseen == convert_dataset(tmp_path / "in", tmp_path / "out", to)
    with pytest.raises(InvalidInputError, match="out is not empty"):
        convert_dataset(tmp_path / "in", tmp_path / "out", to, dry_run=True)
    if foreseen.losses:
        with pytest.raises(InvalidInputError, match="cannot hold all of"):
            convert_dataset(tmp_path / "in", tmp_path / "strict", to, dry_run=True, strict=True)


def test_counting_what_would_be_lost_ends_after_a_frame(tmp_path):
    write_masklet(tmp_path / "in")
    stops = iter([False, True])
    foreseen = convert_dataset(
        tmp_path / "in", tmp_path / "out", "davis", dry_run=True, should_stop=lambda: next(stops)
    )
    assert not foreseen.is_finished


@pytest.mark.parametrize("to", IMAGE_FORMATS)
def test_images_of_any_name_are_found_again(tmp_path, to):
    names = ["deep\\a.png", "deep\\b c&d'.png", "other\\ä.png", "deep\\A.b.png"]
    convert_dataset(write_images(tmp_path / "in", dict.fromkeys(names, ALL), LEFT.shape), tmp_path / "out", to)
    found = open_dataset(tmp_path / "out")
    assert len(found) == len(names)
    for image in found:
        assert image.read_pixels().shape == (HEIGHT, WIDTH, 3)
        assert len(image.objects) == 2


@pytest.mark.parametrize("to", IMAGE_FORMATS)
def test_an_image_on_its_side_is_upright_afterwards(tmp_path, to):
    source = write_images(tmp_path / "in", {"a.jpg": ALL}, LEFT.shape)
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    Image.new("RGB", (HEIGHT, WIDTH)).save(source / "images/a.jpg", exif=exif)  # as it is stored
    convert_dataset(source, tmp_path / "out", to)
    (image,) = open_dataset(tmp_path / "out")
    with Image.open(image.path) as stored:
        assert (stored.size, stored.getexif().get(ExifTags.Base.Orientation)) == ((WIDTH, HEIGHT), None)
    assert sorted(each.mask().tobytes() for each in image.objects) == sorted([LEFT.tobytes(), RIGHT.tobytes()])


def test_names_lead_nowhere_else(tmp_path):
    source = write_images(tmp_path / "deep/in", {"../../out.png": ALL, "out.jpg": ALL}, LEFT.shape)
    convert_dataset(source, tmp_path / "deep/out", "coco")
    assert sorted(each.name for each in (tmp_path / "deep/out/images/default").iterdir()) == ["out.png", "out_2.jpg"]


@pytest.mark.parametrize("to", IMAGE_FORMATS)
def test_long_names_and_names_of_devices(tmp_path, to):
    names = [f"{'d' * 200}/{'f' * 240}{n}.png" for n in range(2)] + ["con/aux.png", "con/AUX.png"]
    convert_dataset(write_images(tmp_path / "in", dict.fromkeys(names, ALL), LEFT.shape), tmp_path / "out", to)
    found = open_dataset(tmp_path / "out")
    assert len(found) == len(names)
    assert all(image.read_pixels().shape == (HEIGHT, WIDTH, 3) and len(image.objects) == 2 for image in found)


@pytest.mark.parametrize("name", ["/", ".", "..", "a/.."])
def test_a_name_of_a_folder_is_no_image(tmp_path, name):
    source = write_images(tmp_path / "in", {"a.png": ALL}, LEFT.shape)
    content = json.loads((source / "annotations.json").read_text())
    content["images"][0]["file_name"] = name
    (source / "annotations.json").write_text(json.dumps(content))
    with pytest.raises(UnreadableImageError, match="image"):
        convert_dataset(source, tmp_path / "out", "coco")


def test_crowds_stay_where_a_format_has_them(tmp_path):
    source = write_images(tmp_path / "in", {"a.png": [("block", LEFT)]}, LEFT.shape, iscrowd=1)
    assert not convert_dataset(source, tmp_path / "coco", "coco").losses["regions of crowds are left out"]
    (image,) = open_dataset(tmp_path / "coco")
    assert not image.objects
    np.testing.assert_array_equal(image.crowds[0].mask(), LEFT)
    assert convert_dataset(source, tmp_path / "yolo", "yolo").losses["regions of crowds are left out"] == 1


def test_scores_stay_where_a_format_has_them(tmp_path):
    source = write_images(tmp_path / "in", {"a.png": ALL}, LEFT.shape, score=0.75)
    for to in ("coco", "label-studio"):
        assert not convert_dataset(source, tmp_path / to, to).losses
        (image,) = open_dataset(tmp_path / to)
        assert [each.score for each in image.objects] == [0.75, 0.75]
    assert convert_dataset(source, tmp_path / "masks", "masks").losses["masks lose their score"] == 2


def test_scores_of_each_frame_stay_with_frames(tmp_path):
    """What is tracked by masklet is written elsewhere with the score of each mask."""
    write_masklet(tmp_path / "in")
    assert "masks lose their score" not in convert_dataset(tmp_path / "in", tmp_path / "coco", "coco").losses
    scores = [[each.score for each in image.objects] for image in open_dataset(tmp_path / "coco")]
    assert scores == [[0.25, 0.75], [0.75], [0.25, 0.75]]
    assert convert_dataset(tmp_path / "in", tmp_path / "davis", "davis").losses["masks lose their score"] == 5
    (video,) = open_dataset(tmp_path / "davis")
    assert [sorted(video.masks(frame)) for frame in range(3)] == [[1, 2], [2], [1, 2]]


def test_masks_without_a_pixel_are_no_objects(tmp_path):
    source = write_images(tmp_path / "in", {"a.png": [*ALL, ("block", LEFT & RIGHT)]}, LEFT.shape)
    done = convert_dataset(source, tmp_path / "out", "coco")
    assert done.losses == {"objects have a mask without any pixel": 1}
    assert len(open_dataset(tmp_path / "out")[0].objects) == 2


@pytest.mark.parametrize("to", ["davis", "youtube-vos"])
def test_where_masks_overlap_pixels_are_lost_and_counted(tmp_path, to):
    source = write_video(tmp_path / "in", np.stack([[LEFT | RIGHT], [RIGHT]]))
    done = convert_dataset(source, tmp_path / "out", to)
    assert done.losses["masks lose pixels to others that they overlap"] == 1
    with pytest.raises(InvalidInputError, match="walk/00000: 1 masks lose pixels to others"):
        convert_dataset(source, tmp_path / "strict", to, strict=True)


def test_ids_beyond_254(tmp_path):
    masks = np.zeros((255, 1, 16, 16), dtype=bool)
    masks.reshape(255, 256)[np.arange(255), np.arange(255)] = True
    source = write_video(tmp_path / "in", masks)
    convert_dataset(source, tmp_path / "vis", "youtube-vis")
    assert len(open_dataset(tmp_path / "vis")["walk"].masks(0)) == 255
    with pytest.raises(
        InvalidInputError, match=r"DAVIS 2017 holds up to 254 objects a video; walk/00000 shows one more"
    ):
        convert_dataset(source, tmp_path / "davis", "davis")


def test_frames_that_nobody_annotated(tmp_path):
    write_sav(tmp_path / "in")
    done = convert_dataset(tmp_path / "in", tmp_path / "vos", "youtube-vos")
    (video,) = open_dataset(tmp_path / "vos")
    assert (len(video), video.annotated_frames) == (9, (0, 4, 8))
    assert "frames without annotations are left out" not in done.losses
    assert (
        convert_dataset(tmp_path / "in", tmp_path / "davis", "davis").losses["frames without annotations are left out"]
        == 6
    )
    assert len(open_dataset(tmp_path / "davis")["sav_1"]) == 3
    assert not convert_dataset(tmp_path / "in", tmp_path / "sa-v", "sa-v").losses
    (video,) = open_dataset(tmp_path / "sa-v")
    assert (len(video), video.annotated_frames, set(video.masks(4))) == (9, (0, 4, 8), {2})


def test_a_video_becomes_images_that_know_their_object(tmp_path):
    source = write_video(tmp_path / "in", np.stack([[LEFT, LEFT & RIGHT, LEFT], [RIGHT] * 3]), ["ball", "dog"])
    convert_dataset(source, tmp_path / "coco", "coco")
    content = json.loads((tmp_path / "coco/annotations/instances_default.json").read_text())
    assert [(each["video"], each["frame_index"]) for each in content["images"]] == [("walk", n) for n in range(3)]
    images = [*open_dataset(tmp_path / "coco")]
    assert [image.name for image in images] == [f"walk/{n:05}.png" for n in range(3)]
    about = [[(each.object_id, each.category) for each in image.objects] for image in images]
    assert about == [[(1, "ball"), (2, "dog")], [(2, "dog")], [(1, "ball"), (2, "dog")]]
    assert convert_dataset(source, tmp_path / "yolo", "yolo").losses["masks of videos lose their object's id"] == 5


def test_images_are_no_video(tmp_path):
    write_coco(tmp_path / "in")
    with pytest.raises(InvalidInputError, match=r"DAVIS 2017 holds videos, and .*in single images"):
        convert_dataset(tmp_path / "in", tmp_path / "out", "davis")
    assert not (tmp_path / "out").exists()


def test_nothing_annotated_is_nothing_to_convert(tmp_path):
    (tmp_path / "in/images").mkdir(parents=True)
    (tmp_path / "in/masks").mkdir()
    Image.new("RGB", (8, 8)).save(tmp_path / "in/images/a.png")
    with pytest.raises(InvalidInputError, match=r"in has no annotated images or videos"):
        convert_dataset(tmp_path / "in", tmp_path / "out", "yolo")
    assert not (tmp_path / "out").exists()


def test_polygons_by_choice(tmp_path):
    source = write_images(tmp_path / "in", {"a.png": [("block", LEFT | RIGHT)]}, LEFT.shape)
    convert_dataset(source, tmp_path / "out", "coco", polygons=True)
    content = json.loads((tmp_path / "out/annotations/instances_default.json").read_text())
    assert len(content["annotations"][0]["segmentation"]) == 2
    np.testing.assert_array_equal(open_dataset(tmp_path / "out")[0].masks, [LEFT | RIGHT])


def test_annotations_alone(tmp_path):
    write_coco(tmp_path / "in")
    convert_dataset(tmp_path / "in", tmp_path / "out", "cvat-images", copies_images=False)
    assert [each.name for each in (tmp_path / "out").iterdir() if each.is_dir()] == []
    assert len(open_dataset(tmp_path / "out")) == 2


@pytest.mark.parametrize(
    ("to", "source"), [("coco", write_coco), ("yolo", write_coco), ("youtube-vis", write_sequences)]
)
def test_a_stopped_conversion_goes_on(tmp_path, to, source):
    source(tmp_path / "in")
    done = []
    stopped = convert_dataset(tmp_path / "in", tmp_path / "out", to, should_stop=lambda: True)
    assert (stopped.is_finished, stopped.items) == (False, 2)
    with pytest.raises(InvalidInputError, match="was begun with other settings"):
        convert_dataset(tmp_path / "in", tmp_path / "out", "sa-v" if to == "youtube-vis" else "labelme")
    finished = convert_dataset(tmp_path / "in", tmp_path / "out", to, on_item=lambda *counts: done.append(counts))
    assert (finished.is_finished, done) == (True, [(1, 2), (2, 2)])
    convert_dataset(tmp_path / "in", tmp_path / "whole", to)
    files = sorted(each.relative_to(tmp_path / "whole") for each in (tmp_path / "whole").rglob("*") if each.is_file())
    assert files == sorted(
        each.relative_to(tmp_path / "out") for each in (tmp_path / "out").rglob("*") if each.is_file()
    )
    assert all((tmp_path / "whole" / each).read_bytes() == (tmp_path / "out" / each).read_bytes() for each in files)


def test_what_changed_meanwhile_is_converted_again_and_stands_there_once(tmp_path):
    source = write_images(tmp_path / "in", {f"{n}.png": ALL for n in range(3)}, LEFT.shape)
    stops = iter([False, True])
    convert_dataset(source, tmp_path / "out", "coco", should_stop=lambda: next(stops))
    Image.new("RGB", (WIDTH, HEIGHT), (1, 2, 3)).save(source / "images/1.png")
    done = []
    convert_dataset(source, tmp_path / "out", "coco", on_item=lambda n, _: done.append(n))
    assert done == [1, 2, 3]
    content = json.loads((tmp_path / "out/annotations/instances_default.json").read_text())
    assert [each["file_name"] for each in content["images"]] == ["0.png", "1.png", "2.png"]
    assert Image.open(tmp_path / "out/images/default/1.png").getpixel((0, 0)) == (1, 2, 3)


class ManyImages:
    """A dataset that makes each image when it is asked for."""

    def __init__(self, root, count):
        self.root, self._count = root, count

    def __len__(self):
        return self._count

    def __getitem__(self, index):
        objects = (AnnotatedObject(lambda: LEFT),)
        return AnnotatedImage(self.name_of(index), self.root / "a.png", HEIGHT, WIDTH, objects)

    def name_of(self, index):
        return f"{index:06}.png"

    def files_of(self, index):
        return (self.root / "a.png",)


def test_memory_grows_by_the_names_of_images_alone(tmp_path, monkeypatch):
    def held(count):
        """Bytes that masklet's code has taken and that are in use once all images are converted."""
        found = []

        def measure(done, total):
            if done == total:
                gc.collect()
                taken = tracemalloc.take_snapshot().filter_traces([tracemalloc.Filter(True, "*/masklet/*")])
                found.append(sum(each.size for each in taken.statistics("filename")))

        monkeypatch.setattr(conversion, "open_dataset", lambda source: ManyImages(tmp_path, count))
        tracemalloc.start()
        convert_dataset(tmp_path, tmp_path / f"out{count}", "coco", copies_images=False, on_item=measure)
        tracemalloc.stop()
        return found[0]

    held(10)  # what is kept from the first time on
    few, many = 200, 600
    assert (held(many) - held(few)) / (many - few) < 100  # bytes an image: a name of 6 letters has 63


@pytest.mark.parametrize("killed_at", [1, 4, 7])
@pytest.mark.parametrize("to", ["coco", "labelme"])
def test_a_killed_conversion_goes_on_with_what_was_kept(tmp_path, monkeypatch, to, killed_at):
    monkeypatch.setattr(conversion_store, "_COMMITTED_AFTER", 2)
    write_images(tmp_path / "in", {f"{n}.png": ALL for n in range(7)}, LEFT.shape)
    if not (process := os.fork()):
        kill = {killed_at: lambda: os.kill(os.getpid(), signal.SIGKILL)}
        try:
            convert_dataset(tmp_path / "in", tmp_path / "out", to, on_item=lambda n, _: kill.get(n, lambda: None)())
        finally:
            os._exit(1)
    assert os.waitpid(process, 0)[1] == signal.SIGKILL
    done = []
    convert_dataset(tmp_path / "in", tmp_path / "out", to, on_item=lambda n, _: done.append(n))
    assert done[0] == killed_at // 2 * 2
    convert_dataset(tmp_path / "in", tmp_path / "whole", to)
    names = sorted(each.relative_to(tmp_path / "whole") for each in (tmp_path / "whole").rglob("*") if each.is_file())
    assert names == sorted(
        each.relative_to(tmp_path / "out") for each in (tmp_path / "out").rglob("*") if each.is_file()
    )
    assert all((tmp_path / "whole" / each).read_bytes() == (tmp_path / "out" / each).read_bytes() for each in names)


def test_what_a_killed_conversion_was_writing_is_gone_afterwards(tmp_path, monkeypatch):
    """Also where the run that goes on writes nothing into the same folder: it knows an item that another had."""
    source = write_images(tmp_path / "in", {f"deep/{n}/a.png": ALL for n in range(3)}, LEFT.shape)
    if not (process := os.fork()):
        try:
            monkeypatch.setattr(shutil, "copyfile", lambda *given: os.kill(os.getpid(), signal.SIGKILL))
            convert_dataset(source, tmp_path / "out", "coco")
        finally:
            os._exit(1)
    assert os.waitpid(process, 0)[1] == signal.SIGKILL
    assert [*(tmp_path / "out").rglob(".unfinished*")]
    for number in range(3):
        (source / f"images/deep/{number}").rename(source / f"images/deep/{number + 3}")
    content = (source / "annotations.json").read_text()
    for number in range(3):
        content = content.replace(f"deep/{number}/", f"deep/{number + 3}/")
    (source / "annotations.json").write_text(content)
    convert_dataset(source, tmp_path / "out", "coco")
    assert not [*(tmp_path / "out").rglob(".*")]


def test_another_folder_is_not_written_into(tmp_path):
    write_coco(tmp_path / "in")
    with pytest.raises(InvalidInputError, match="in is not empty"):
        convert_dataset(tmp_path / "in", tmp_path / "in", "masks")


def test_an_unknown_format(tmp_path):
    write_coco(tmp_path / "in")
    with pytest.raises(InvalidInputError, match="no format 'voc' to write; there are coco, masks"):
        convert_dataset(tmp_path / "in", tmp_path / "out", "voc")
