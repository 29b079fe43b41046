"""Each file is read back by another program, or by masklet's own reader of its layout."""

import csv
import json
from weakref import WeakSet

import numpy as np
import pytest
from pycocotools import mask as coco_mask
from tests.support.recorded_objects import FRAME_COUNT, HEIGHT, LATER_IS_SEEN_ON, WIDTH, masks_on, record, write_frames

from masklet.formats.mot import write_mot_text
from masklet.formats.object_table import recorded_objects, write_object_table
from masklet.formats.reading.sav_folder import SavFolder
from masklet.formats.sav import write_sav_json
from masklet.formats.youtube_vis import write_youtube_vis_json
from masklet.media.recorded_masks import RecordedMasks
from masklet.media.video_reader import open_video

# pycocotools converts its result in a way that numpy 2 warns about.
ignores_conversion = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword")

WRITERS = {
    "youtube-vis": lambda path, video, recorded: write_youtube_vis_json(path, "sav_1", video, recorded),
    "sa-v": lambda path, video, recorded: write_sav_json(path, "sav_1", video, recorded),
    "mot": lambda path, video, recorded: write_mot_text(path, recorded),
    "objects": lambda path, video, recorded: write_object_table(path, recorded_objects(recorded)),
}


@pytest.fixture
def video(tmp_path):
    with open_video(write_frames(tmp_path / "sav_1")) as video:
        yield video


@pytest.fixture
def recorded():
    with RecordedMasks(HEIGHT, WIDTH) as recorded:
        yield record(recorded)


@ignores_conversion
def test_youtube_vis_has_of_each_object_a_mask_or_null_a_frame(tmp_path, video, recorded):
    write_youtube_vis_json(tmp_path / "out.json", "walk", video, recorded)
    content = json.loads((tmp_path / "out.json").read_text())
    (about,) = content["videos"]
    assert (about["height"], about["width"], about["length"]) == (HEIGHT, WIDTH, FRAME_COUNT)
    assert about["file_names"] == [f"walk/{frame:05}.jpg" for frame in range(FRAME_COUNT)]
    assert [each["id"] for each in content["annotations"]] == [3, 8]
    for annotation in content["annotations"]:
        expected = [masks_on(frame)[annotation["id"]] for frame in range(FRAME_COUNT)]
        seen = [mask.any() for mask in expected]
        for name in ("segmentations", "bboxes", "areas"):
            assert [each is not None for each in annotation[name]] == seen
        for frame in np.flatnonzero(seen):
            encoded = annotation["segmentations"][frame]
            np.testing.assert_array_equal(coco_mask.decode(encoded), expected[frame])
            np.testing.assert_array_equal(coco_mask.toBbox(encoded), annotation["bboxes"][frame])
            assert coco_mask.area(encoded) == annotation["areas"][frame]
    assert [each["score"] for each in content["annotations"]] == [0.5, 0.75]


def test_youtube_vis_lists_the_recorded_frames_only(tmp_path, video):
    with RecordedMasks(HEIGHT, WIDTH) as recorded:
        write_youtube_vis_json(tmp_path / "out.json", "walk", video, record(recorded, (1, 2, 4)))
    content = json.loads((tmp_path / "out.json").read_text())
    assert content["videos"][0]["file_names"] == ["walk/00001.jpg", "walk/00002.jpg", "walk/00004.jpg"]
    assert [each is not None for each in content["annotations"][1]["areas"]] == [False, True, False]


@pytest.mark.parametrize("count", [FRAME_COUNT, 4, 1])
def test_sav_comes_back_also_where_the_video_goes_on(tmp_path, video, count):
    with RecordedMasks(HEIGHT, WIDTH) as recorded:
        write_sav_json(tmp_path / "sav_1_auto.json", "sav_1", video, record(recorded, range(count)))
    (found,) = SavFolder(tmp_path)
    assert len(found) == FRAME_COUNT
    assert found.annotated_frames == tuple(range(count))
    assert found.object_ids == ((1, 2) if count > LATER_IS_SEEN_ON[0] else (1,))
    for frame in found.annotated_frames:
        expected = {place: mask for place, mask in enumerate(masks_on(frame).values(), start=1) if mask.any()}
        assert found.masks(frame).keys() == expected.keys()
        for place, mask in expected.items():
            np.testing.assert_array_equal(found.masks(frame)[place], mask)


def test_sav_describes_its_masklets_as_the_dataset_does(tmp_path, video):
    with RecordedMasks(HEIGHT, WIDTH) as recorded:
        write_sav_json(tmp_path / "out.json", "sav_1", video, record(recorded, range(1, FRAME_COUNT)))
    content = json.loads((tmp_path / "out.json").read_text())
    assert len(content["masklet"]) == content["video_frame_count"] == FRAME_COUNT
    assert set(content["masklet"][0]) == {None}  # the frame that was not recorded
    assert (content["masklet_id"], content["masklet_num"]) == ([3, 8], 2)
    assert content["masklet_first_appeared_frame"] == [1, 2]
    assert content["masklet_visibility_changes"] == [0, 2]  # vanished on frame 4, and came back
    areas = [np.mean([masks_on(frame)[8].sum() for frame in LATER_IS_SEEN_ON])]
    assert content["masklet_size_abs"] == [400, pytest.approx(areas[0])]
    assert content["masklet_size_rel"][0] == 400 / (HEIGHT * WIDTH)
    assert content["masklet_size_bucket"] == ["small", "small"]
    assert content["masklet_frame_count"] == [FRAME_COUNT] * 2
    assert content["video_duration"] == pytest.approx(FRAME_COUNT / float(video.frame_rate), abs=1e-6)


def test_mot_counts_frames_and_pixels_from_one(tmp_path, recorded):
    write_mot_text(tmp_path / "out.txt", recorded)
    lines = np.loadtxt(tmp_path / "out.txt", delimiter=",")
    assert lines.shape == (FRAME_COUNT + len(LATER_IS_SEEN_ON), 10)
    np.testing.assert_array_equal(lines[0], [1, 3, 1, 11, 20, 20, 0.5, -1, -1, -1])
    np.testing.assert_array_equal(lines[-1], [6, 8, 11, 26, 30, 15, 0.75, -1, -1, -1])
    assert lines[lines[:, 1] == 8][:, 0].tolist() == [3, 4, 6]


def test_the_table_of_objects(tmp_path, recorded):
    write_object_table(tmp_path / "out.csv", recorded_objects(recorded))
    first, second = csv.DictReader((tmp_path / "out.csv").read_text().splitlines())
    assert first == {
        "object_id": "3",
        "first_frame": "0",
        "last_frame": "5",
        "frames_present": "6",
        "mean_score": "0.5",
        "mean_area": "400",
        "ended": "present",
        "same_as": "",
    }
    assert [second[each] for each in ("first_frame", "last_frame", "frames_present", "ended")] == [
        "2",
        "5",
        "3",
        "present",
    ]


def test_an_object_that_the_last_frame_does_not_show_is_lost():
    with RecordedMasks(HEIGHT, WIDTH) as recorded:
        found = recorded_objects(record(recorded, range(5)))
    assert [(each.object_id, each.last_frame, each.ended) for each in found] == [(3, 4, "present"), (8, 3, "lost")]


@pytest.mark.parametrize("name", WRITERS)
def test_a_video_without_objects(tmp_path, video, name):
    with RecordedMasks(HEIGHT, WIDTH) as recorded:
        record(recorded, [0])
        recorded.record(0, recorded[0].taken([]))
        WRITERS[name](tmp_path / "sav_1_auto.json", video, recorded)
    text = (tmp_path / "sav_1_auto.json").read_text()
    if name == "sa-v":
        assert SavFolder(tmp_path)["sav_1"].masks(0) == {}
    elif name == "youtube-vis":
        assert json.loads(text)["annotations"] == []
    else:
        assert len(text.splitlines()) == (name == "objects")


@pytest.mark.parametrize("name", WRITERS)
def test_one_frame_is_in_memory_at_a_time(tmp_path, video, recorded, monkeypatch, name):
    alive, most = WeakSet(), []
    read = RecordedMasks.__getitem__

    def counted(self, frame):
        alive.add(found := read(self, frame))
        most.append(len(alive))
        return found

    monkeypatch.setattr(RecordedMasks, "__getitem__", counted)
    WRITERS[name](tmp_path / "out", video, recorded)
    assert len(most) >= FRAME_COUNT
    assert max(most) <= 2  # the one before, until its name stands for the next


@pytest.mark.parametrize("name", WRITERS)
def test_an_interrupt_leaves_the_older_file(tmp_path, video, recorded, monkeypatch, name):
    read = RecordedMasks.__getitem__

    def interrupted(self, frame):
        if frame == 3:
            raise KeyboardInterrupt
        return read(self, frame)

    (tmp_path / "out").write_text("older")
    before = sorted(tmp_path.iterdir())
    monkeypatch.setattr(RecordedMasks, "__getitem__", interrupted)
    with pytest.raises(KeyboardInterrupt):
        WRITERS[name](tmp_path / "out", video, recorded)
    assert (tmp_path / "out").read_text() == "older"
    assert sorted(tmp_path.iterdir()) == before
