import numpy as np
import pytest
from PIL import Image
from tests.support.video_files import moving_square, write_small_video

from masklet.errors import InvalidInputError
from masklet.masks.segmentation import Segmentation
from masklet.media.mask_images import read_label_map
from masklet.media.mask_sequences import (
    write_contact_sheet,
    write_label_maps,
    write_mask_videos,
    write_overlay_video,
)
from masklet.media.overlays import draw_overlay
from masklet.media.recorded_masks import RecordedMasks
from masklet.media.video_reader import open_video

TIMES = [0, 4, 8, 40, 44, 80]


@pytest.fixture
def video(tmp_path):
    with open_video(write_small_video(tmp_path / "v.mkv", moving_square(6), times=TIMES)) as video:
        yield video


@pytest.fixture
def recorded():
    """Frames 2 to 5; object 3 is a block that moves right, object 8 appears on frame 4 and overlaps it."""
    with RecordedMasks(48, 64) as recorded:
        for frame in range(2, 6):
            masks = np.zeros((2, 48, 64), dtype=bool)
            masks[0, 10:30, 4 * frame : 4 * frame + 20] = True
            masks[1, 25:40, 10:40] = True
            ids = (3, 8) if frame >= 4 else (3,)
            recorded.record(frame, Segmentation(masks[: len(ids)], np.array([0.5, 0.9])[: len(ids)], ids))
        yield recorded


def test_label_maps_are_one_file_a_frame(tmp_path, video, recorded):
    write_label_maps(tmp_path / "maps", video, recorded, recorded)
    assert sorted(path.name for path in (tmp_path / "maps").iterdir()) == [f"0000{frame}.png" for frame in range(2, 6)]
    labels = read_label_map(tmp_path / "maps" / "00005.png")
    np.testing.assert_array_equal(labels == 8, recorded[5].masks[1])  # the higher score
    np.testing.assert_array_equal(labels == 3, recorded[5].masks[0] & ~recorded[5].masks[1])


def test_label_maps_of_image_files_have_their_names(tmp_path, recorded):
    for frame in range(6):
        Image.new("RGB", (64, 48)).save(tmp_path / f"shot-{frame}.jpg")
    with open_video(tmp_path) as video:
        write_label_maps(tmp_path / "maps", video, recorded, [2, 3])
        assert sorted(path.name for path in (tmp_path / "maps").iterdir()) == ["shot-2.png", "shot-3.png"]
    Image.new("RGB", (64, 48)).save(tmp_path / "shot-2.png")
    with open_video(tmp_path) as video:
        assert video.frame_name(2) == "00002"


def test_interrupted_label_maps_leave_nothing(tmp_path, video, recorded):
    def interrupted():
        yield 2
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_label_maps(tmp_path / "maps", video, recorded, interrupted())
    assert not (tmp_path / "maps").exists()


def test_the_overlay_shows_objects_and_prompts_at_the_times_of_the_source(tmp_path, video, recorded):
    prompts = {2: ([(50.0, 40.0, 1)], [(1.0, 1.0, 60.0, 46.0)])}
    write_overlay_video(tmp_path / "overlay.mp4", video, recorded, recorded, prompts)
    with open_video(tmp_path / "overlay.mp4") as overlay:
        assert [round(100 * overlay.time_of(number)) for number in range(len(overlay))] == [0, 32, 36, 72]
        for number, frame in enumerate(recorded):
            drawn = np.asarray(draw_overlay(video[frame], recorded[frame])).astype(int)
            object_pixels = recorded[frame].masks[0]
            assert np.abs(overlay[number] - drawn)[object_pixels].mean() < 30
            assert np.abs(overlay[number] - video[frame].astype(int))[object_pixels].mean() > 40
        untouched = np.abs(overlay[1][42:, :].astype(int) - video[3][42:, :])
        assert untouched.mean() < 10
        assert np.abs(overlay[0][40, 50].astype(int) - (34, 197, 94)).max() < 60  # a green click
        assert np.abs(overlay[1][40, 50].astype(int) - video[3][40, 50]).max() < 60


def test_mask_videos_are_black_and_white_and_equally_long(tmp_path, video, recorded):
    paths = {3: tmp_path / "three.mp4", 8: tmp_path / "eight.mp4"}
    write_mask_videos(paths, video, recorded, recorded)
    for index, path in enumerate(paths.values()):
        with open_video(path) as masks:
            assert len(masks) == 4
            for number, frame in enumerate(recorded):
                expected = recorded[frame].masks[index] if index < len(recorded[frame]) else np.zeros((48, 64), bool)
                assert np.count_nonzero((masks[number][..., 0] > 127) != expected) < 20


@pytest.mark.parametrize("ids", [False, True])
def test_a_contact_sheet_shows_frames_side_by_side(tmp_path, video, recorded, ids):
    write_contact_sheet(tmp_path / "sheet.png", video, recorded, {3: ([], [(1.0, 1.0, 63.0, 47.0)])}, ids=ids)
    with Image.open(tmp_path / "sheet.png") as sheet:
        pixels = np.asarray(sheet)
    assert pixels.shape == (48, 4 * 64 + 3 * 4, 3)
    for place, frame in enumerate(recorded):
        shown = pixels[:, 68 * place : 68 * place + 64]
        box = np.array([(1, 1, 63, 47)] if frame == 3 else [])
        drawn = np.asarray(draw_overlay(video[frame], recorded[frame], boxes=box, ids=ids))
        np.testing.assert_array_equal(shown[15:], drawn[15:])  # the number is above


def test_a_contact_sheet_of_a_long_video_shows_twelve_frames(tmp_path):
    with open_video([np.zeros((40, 640, 3), np.uint8)] * 40) as video, RecordedMasks(40, 640) as recorded:
        for frame in range(3, 40):
            recorded.record(frame, Segmentation(np.zeros((0, 40, 640), bool), np.zeros(0), ()))
        write_contact_sheet(tmp_path / "sheet.png", video, recorded, {})
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.size == (4 * 324 - 4, 3 * 24 - 4)


@pytest.mark.parametrize(("highest", "mode"), [(254, "P"), (255, "I;16")])
def test_all_label_maps_are_of_16_bits_where_one_id_needs_them(tmp_path, highest, mode):
    masks = np.zeros((2, 4, 6), bool)
    masks[0, 1], masks[1, 2] = True, True
    with open_video([np.zeros((4, 6, 3), np.uint8)] * 2) as video, RecordedMasks(4, 6) as recorded:
        recorded.record(0, Segmentation(masks[:1], np.ones(1), (1,)))
        recorded.record(1, Segmentation(masks, np.ones(2), (1, highest)))
        write_label_maps(tmp_path / "maps", video, recorded, recorded)
    for frame, ids in enumerate([{0, 1}, {0, 1, highest}]):
        with Image.open(tmp_path / f"maps/0000{frame}.png") as image:
            assert (image.mode, set(np.unique(image))) == (mode, ids)


def test_ids_that_no_label_map_holds(tmp_path):
    with open_video([np.zeros((4, 6, 3), np.uint8)]) as video, RecordedMasks(4, 6) as recorded:
        recorded.record(0, Segmentation(np.ones((2, 4, 6), bool), np.ones(2), (1, 65536)))
        with pytest.raises(InvalidInputError, match="object ids up to 65535; got 65536"):
            write_label_maps(tmp_path / "maps", video, recorded, recorded)
    assert list(tmp_path.iterdir()) == []
