import numpy as np
import pytest
from PIL import Image

from masklet.errors import InvalidInputError, UnreadableImageError
from masklet.formats.reading.davis_folder import DavisFolder
from masklet.media.label_maps import UnknownLabelError, write_label_map


def write(root, sequence, maps, size=(6, 4), resolution=""):
    """Frame n of a sequence is an image of the colour (10 n, 0, 0), its label map the n-th of `maps`."""
    frames, annotations = (root / kind / resolution / sequence for kind in ("JPEGImages", "Annotations"))
    frames.mkdir(parents=True)
    for number, labels in enumerate(maps):
        Image.new("RGB", size, (10 * number, 0, 0)).save(frames / f"{number:05}.png")
        write_label_map(annotations / f"{number:05}.png", np.array(labels, dtype=np.uint8))


def labels(*values):
    """A map of 4 x 6 pixels which starts with `values`."""
    drawn = np.zeros(24, dtype=np.uint8)
    drawn[: len(values)] = values
    return drawn.reshape(4, 6)


def test_reads_frames_and_label_maps_of_each_sequence(tmp_path):
    write(tmp_path, "swan", [labels(1, 3), labels(2)])
    write(tmp_path, "bike", [labels(1)])
    folder = DavisFolder(tmp_path)
    assert folder.sequences == ("bike", "swan")
    assert [(video.name, len(video)) for video in folder] == [("bike", 1), ("swan", 2)]
    video = folder["swan"]
    assert video.frame_names == ("00000", "00001")
    assert video.object_ids == (1, 2, 3)  # 2 appears later
    np.testing.assert_array_equal(video.labels(1), labels(2))
    with video.open_frames() as frames:
        assert len(frames) == 2
        np.testing.assert_array_equal(frames[1], np.broadcast_to(np.uint8([10, 0, 0]), (4, 6, 3)))


@pytest.mark.parametrize(
    ("resolutions", "taken"), [(("480p", "Full-Resolution"), "480p"), (("Full-Resolution",), "Full-Resolution")]
)
def test_folders_of_resolutions(tmp_path, resolutions, taken):
    for resolution in resolutions:
        write(tmp_path, "swan", [labels(1)], resolution=resolution)
    folder = DavisFolder(tmp_path)
    assert folder.sequences == ("swan",)
    assert folder["swan"].annotation_paths[0].parts[-3] == taken


def test_void_belongs_to_no_object(tmp_path):
    write(tmp_path, "swan", [labels(1, 255), labels(255, 255)])
    video = DavisFolder(tmp_path)["swan"]
    assert video.object_ids == (1,)
    np.testing.assert_array_equal(video.first_labels, labels(1))
    np.testing.assert_array_equal(video.labels(1), labels())
    np.testing.assert_array_equal(video.void(0), labels(0, 1) > 0)
    np.testing.assert_array_equal(video.void(1), labels(1, 1) > 0)


def test_white_is_the_object_of_black_and_white_maps(tmp_path):
    write(tmp_path, "swan", [labels(255), labels(255, 255)])
    video = DavisFolder(tmp_path)["swan"]
    assert video.object_ids == (1,)
    np.testing.assert_array_equal(video.labels(1), labels(1, 1))
    assert video.void(1) is None


def test_a_sequence_without_objects_at_its_start(tmp_path):
    write(tmp_path, "swan", [labels(), labels(1)])
    assert DavisFolder(tmp_path)["swan"].object_ids == ()


def test_missing_folders_are_named(tmp_path):
    with pytest.raises(InvalidInputError, match=r"JPEGImages is no folder"):
        DavisFolder(tmp_path)
    for kind in ("JPEGImages", "Annotations"):
        (tmp_path / kind).mkdir()
    with pytest.raises(InvalidInputError, match=r"Annotations holds no folder"):
        DavisFolder(tmp_path)


def test_unknown_sequences_are_named_beside_the_known(tmp_path):
    write(tmp_path, "swan", [labels(1)])
    with pytest.raises(InvalidInputError, match=r"no sequence 'goose'; it has swan"):
        DavisFolder(tmp_path)["goose"]


@pytest.mark.parametrize("missing", ["JPEGImages", "Annotations"])
def test_every_frame_needs_its_label_map(tmp_path, missing):
    write(tmp_path, "swan", [labels(1), labels(1)])
    (tmp_path / missing / "swan/00001.png").unlink()
    with pytest.raises(InvalidInputError, match=r"'swan'.*'00001'"):
        DavisFolder(tmp_path)["swan"]


def test_two_frames_of_one_name_are_refused(tmp_path):
    write(tmp_path, "swan", [labels(1), labels(1)])
    frame = tmp_path / "JPEGImages/swan/00001.png"
    frame.with_suffix(".jpg").write_bytes(frame.read_bytes())
    with pytest.raises(InvalidInputError, match=r"00001\.jpg and .*00001\.png have one name"):
        DavisFolder(tmp_path)["swan"]


def test_empty_sequences_are_refused(tmp_path):
    write(tmp_path, "swan", [])
    (tmp_path / "Annotations/swan").mkdir(parents=True)
    with pytest.raises(InvalidInputError, match="0 images and 0 label maps"):
        DavisFolder(tmp_path)["swan"]


def test_sizes_have_to_agree(tmp_path):
    write(tmp_path, "swan", [labels(1), labels(1)[:3]])
    video = DavisFolder(tmp_path)["swan"]
    with pytest.raises(UnreadableImageError, match=r"00001\.png.*\[3, 6\].*\[4, 6\]"):
        video.labels(1)
    write(tmp_path, "bike", [labels(1)], size=(5, 4))
    with pytest.raises(UnreadableImageError, match=r"\[4, 5\].*\[4, 6\]"):
        DavisFolder(tmp_path)["bike"].open_frames()


@pytest.mark.parametrize("values", [(128,), (38, 75), (33,), (255, 200)])
def test_values_that_do_not_count_objects_are_refused(tmp_path, values):
    write(tmp_path, "swan", [labels(*values)])
    with pytest.raises(UnknownLabelError, match=r"swan.00000\.png shows the values .*, which do not count objects"):
        _ = DavisFolder(tmp_path)["swan"].object_ids


@pytest.mark.parametrize(("values", "count"), [((5,), 5), ((32,), 32), (tuple(range(20, 40)), 39)])
def test_objects_may_come_later(tmp_path, values, count):
    write(tmp_path, "swan", [labels(*values)])
    assert len(DavisFolder(tmp_path)["swan"].object_ids) == count


def test_deep_frames_are_as_bright_one_by_one_as_in_the_opened_video(tmp_path):
    write(tmp_path, "swan", [labels(1)] * 3)
    for number, highest in enumerate((900, 4000, 3000)):
        values = np.full((4, 6), 800, np.uint16)
        values[0, 0] = highest
        Image.fromarray(values).save(tmp_path / f"JPEGImages/swan/{number:05}.png")
    video = DavisFolder(tmp_path)["swan"]
    with video.open_frames() as frames:
        for number, frame in enumerate(frames):
            np.testing.assert_array_equal(video.read_pixels(number), frame)
